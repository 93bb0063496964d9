import { element } from '../elements.js';
import { siteUrl } from '../urls.js';

const PLACEHOLDER = siteUrl('images/placeholder.svg').href;

/**
 * A product's first picture, or a neutral one if it has none that loads.
 * Usually the name is beside it, so to a screen reader it is decoration.
 */
export function productImage(product, { alt = '', lazy = true } = {}) {
  return element('img', {
    src: product.images?.[0] ?? PLACEHOLDER, alt, width: 400, height: 300, loading: lazy ? 'lazy' : null,
    onerror: ({ target }) => { if (target.src !== PLACEHOLDER) target.src = PLACEHOLDER; },
  });
}
