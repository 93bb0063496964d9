/** What `config.json` says about the shop, and where its pages are. Known once the configuration is loaded. */
import { loadConfig } from './config.js';
import { spoken } from './texts.js';
import { siteUrl } from './urls.js';

let shop = null;

/** Loads the configuration for the functions below. */
export async function loadShop() {
  shop = await loadConfig();
  return shop;
}

export function shopName() {
  return shop?.name ?? 'Till';
}

/** Something the seller wrote, in the language of this page if they wrote it in several; else null. */
export function written(text) {
  if (typeof text === 'string') return text;
  return text?.[spoken()] ?? Object.values(text ?? {})[0] ?? null;
}

/** The categories that the seller has put in order. */
export function shopCategories() {
  return shop?.categories ?? [];
}

/** "Stoneware mug · Till" */
export function titled(words) {
  return `${words} · ${shopName()}`;
}

/** Where a product is shown: its own page if `till site build` wrote pages, else the one that fetches it. */
export function productUrl({ id }) {
  const path = shop?.productPages && !id.startsWith('.') ? `p/${id}.html` : `product.html?id=${encodeURIComponent(id)}`;
  return siteUrl(path).href;
}
