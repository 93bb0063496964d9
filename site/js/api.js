/** The shop's HTTP API as this site calls it: by `till.js`, with its problems in words for buyers. */
import { loadConfig } from './config.js';
import { signedInAs, signOutHere } from './identity.js';
import { announce, clearNotices } from './notices.js';
import { delay } from './delay.js';
import { hasWords, t } from './texts.js';
import { Till, TillError, Unreachable } from './till.js';

/**
 * The API refused or failed; `message` is for the buyer, `requestId` for whoever helps them.
 * The API's own `detail` is for programmers: it names fields and ids, so it is never shown.
 */
export class ApiError extends Error {
  constructor({ status, kind, requestId, openPurchases, countries }) {
    super(hasWords(`problem.${kind}`) ? t(`problem.${kind}`) : messageFor(status));
    this.status = status;
    this.kind = kind;
    this.requestId = requestId;
    /** The buyer's own unpaid purchases that are in the way, as `getPurchase` would return them. */
    this.openPurchases = openPurchases.map(({ purchase_id: id, url, expires_at }) => (
      { id, status: 'open', payment: { url, expires_at } }));
    /** Where the shop delivers to, if it has to know where this goes. */
    this.countries = countries;
  }

  /** Whether asking again for the same thing would be refused again. */
  get isRefusal() {
    return this.status >= 400 && this.status < 500 && ![401, 408, 429].includes(this.status);
  }

  /** Whether there is not enough left of a product. */
  get isSoldOut() {
    return this.kind === 'sold-out';
  }
}

/** No answer arrived, so there is no telling whether the request did anything. */
export class ConnectionError extends Error {
  constructor() {
    super(t('problem.unreachable'));
  }
}

export function listProducts(cursor) {
  return call((shop) => shop.listProducts({ limit: 12, cursor }));
}

/** Every product there is, for whoever looks for one. */
export async function listAllProducts() {
  const all = [];
  let cursor;
  do {
    const { products, next } = await call((shop) => shop.listProducts({ limit: 100, cursor }));
    all.push(...products);
    cursor = next;
  } while (cursor);
  return all;
}

/** `fresh` asks the shop itself, even if a cached copy may still be shown. */
export function getProduct(id, { fresh = false } = {}) {
  return call((shop) => shop.getProduct(id, { cache: fresh ? 'reload' : 'default' }));
}

/** Products by their ids; one that no longer exists is null. */
export async function getProducts(ids, options) {
  const products = await Promise.all(ids.map((id) => getProduct(id, options).catch(nullIfGone)));
  return new Map(ids.map((id, index) => [id, products[index]]));
}

function nullIfGone(error) {
  if (error instanceof ApiError && error.status === 404) return null;
  throw error;
}

export function listPurchases(cursor) {
  return call((shop) => shop.listPurchases({ limit: 20, cursor }));
}

export function getPurchase(id) {
  return call((shop) => shop.getPurchase(id));
}

/** The buyer's purchases that are waiting for payment, newest first. */
export async function listOpenPurchases() {
  const { purchases } = await call((shop) => shop.listPurchases({ status: 'open' }));
  return purchases.filter(({ status }) => status === 'open');
}

/** Ends an unpaid purchase: its payment page closes, and what it held goes back on the shelf. */
export function cancelPurchase(id) {
  return call((shop) => shop.cancelPurchase(id));
}

/** What the buyer subscribes to, newest first, without the invoices. */
export async function listSubscriptions() {
  const { subscriptions } = await call((shop) => shop.listSubscriptions());
  return subscriptions;
}

/** One of the buyer's subscriptions, with its invoices, newest first. */
export function getSubscription(id) {
  return call((shop) => shop.getSubscription(id));
}

/** Returns `{ url }` of the buyer's own billing portal, which lives for minutes. */
export function openPortal() {
  return call((shop) => shop.openPortal());
}

/** Returns `{ purchase_id, url }`. The same key never makes a second purchase. */
export function createCheckout(items, country, idempotencyKey) {
  return call((shop) => shop.openCheckout(country ? { items, country } : { items }, { idempotencyKey }));
}

let connecting;

async function call(toShop) {
  connecting ??= connect();
  try {
    return await toShop(await connecting);
  } catch (error) {
    if (error instanceof Unreachable) throw new ConnectionError();
    if (!(error instanceof TillError)) throw error;
    if (error.status === 401) signOutHere();
    throw new ApiError(error);
  }
}

async function connect() {
  const { api } = await loadConfig();
  return new Till(api, { token: () => signedInAs()?.token, wait: waitAndSaySo });
}

async function waitAndSaySo(seconds) {
  announce(t('page.busy', { count: seconds }));
  await delay(seconds * 1000);
  clearNotices();
}

/** What a refusal means to a buyer if its kind says nothing more. */
function messageFor(status) {
  if (status === 401) return t('problem.signed-out');
  if (status === 404) return t('problem.not-found');
  if (status === 429 || status === 503) return t('problem.busy');
  if (status >= 500) return t('problem.failed');
  return t('problem.not-understood');
}
