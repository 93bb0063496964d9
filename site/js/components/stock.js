import { MOST_OF_ONE } from '../cart.js';
import { t } from '../texts.js';

/** With this many or fewer, buyers are told how many are left. */
const FEW = 5;

/** Whether it can be bought now, as far as this page knows; only the checkout knows for sure. */
export function isForSale(product) {
  return Boolean(product) && product.active !== false && product.stock !== 0;
}

/** The most of it that can be bought at once. */
export function mostOf({ stock }) {
  return Math.min(stock ?? MOST_OF_ONE, MOST_OF_ONE);
}

/** "Only 2 left", where that is worth knowing; else null. */
export function fewLeft({ stock }) {
  return stock > 0 && stock <= FEW ? t('stock.few', { count: stock }) : null;
}

/** Why it is not for sale. */
export function whyNotForSale(product) {
  if (!product) return t('stock.gone');
  return t(product.stock === 0 && product.active !== false ? 'stock.sold_out' : 'stock.unavailable');
}
