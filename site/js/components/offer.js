import { element } from '../elements.js';
import { downloadOf, priceOf, shippingOf, taxOf, trialOf } from './price.js';
import { fewLeft, isForSale } from './stock.js';

/** What a product costs, and what else counts before buying it. */
export function offer(product) {
  const few = fewLeft(product);
  const trial = trialOf(product);
  const tax = taxOf(product);
  return [
    element('p', { class: 'price' }, priceOf(product),
      tax && isForSale(product) ? element('span', { class: 'tax' }, tax) : null,
      trial && isForSale(product) ? element('span', { class: 'trial' }, trial) : null,
      few && isForSale(product) ? element('span', { class: 'few-left' }, few) : null),
    product.shipped && isForSale(product) ? element('p', { class: 'line-detail' }, shippingOf(product)) : null,
    product.download && isForSale(product) ? element('p', { class: 'line-detail' }, downloadOf(product)) : null,
  ].filter(Boolean);
}
