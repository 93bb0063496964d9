import { element } from '../elements.js';
import { productUrl } from '../shop.js';
import { locale, t } from '../texts.js';
import { siteUrl } from '../urls.js';
import { buying } from './buying.js';
import { offer } from './offer.js';
import { productImage } from './product-image.js';
import { isForSale, whyNotForSale } from './stock.js';

/** One product in the shop window, with everything it takes to buy it. */
export function productCard(product) {
  return element('li', { class: 'card', id: cardId(product) },
    productImage(product),
    element('div', { class: 'card-text' },
      element('h2', {}, element('a', { href: productUrl(product) }, product.name)),
      element('p', { class: 'description' }, product.description ?? ''),
      product.options ? element('p', { class: 'line-detail' }, choices(product)) : null,
      ...offer(product)),
    isForSale(product) ? buying(product) : element('p', { class: 'unavailable' }, whyNotForSale(product)));
}

/** Shows the product as it is now, if it is on this page. */
export function renewCard(product) {
  document.getElementById(cardId(product))?.replaceWith(productCard(product));
}

/** Where the products of a category are shown. */
export function categoryUrl(category) {
  return `${siteUrl('index.html').href}?category=${encodeURIComponent(category)}`;
}

/** "To choose: colour and size" */
function choices({ options }) {
  return t('product.more', { options: new Intl.ListFormat(locale()).format(Object.keys(options)) });
}

function cardId({ id }) {
  return `product-${id}`;
}
