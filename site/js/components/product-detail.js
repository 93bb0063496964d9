import { element } from '../elements.js';
import { t } from '../texts.js';
import { buying } from './buying.js';
import { offer } from './offer.js';
import { productImage } from './product-image.js';
import { isForSale, whyNotForSale } from './stock.js';
import { variants } from './variants.js';

/** All about one product; `family` loads the products of its group. */
export function productDetail(product, { family }) {
  return element('div', { class: 'product' },
    gallery(product),
    element('div', { class: 'product-text' },
      ...offer(product),
      product.group ? variants(product, family(product)) : null,
      isForSale(product) ? buying(product) : element('p', { class: 'unavailable' }, whyNotForSale(product)),
      ...paragraphs(product.description)));
}

/** The pictures: a large one, and small ones to choose it. */
function gallery({ name, images = [] }) {
  const large = productImage({ images }, { alt: name, lazy: false });
  const choices = images.length < 2 ? [] : images.map((image, index) => element('a', {
    href: image,
    'aria-label': t('product.picture', { number: index + 1, of: images.length }),
    'aria-current': index === 0 ? 'true' : null,
    onclick: (event) => {
      event.preventDefault();
      large.src = image;
      for (const each of choices) each.toggleAttribute('aria-current', false);
      choices[index].setAttribute('aria-current', 'true');
    },
  }, productImage({ images: [image] })));
  return element('div', { class: 'gallery' }, large, choices.length === 0 ? null : element('ul', {
    class: 'thumbnails', role: 'list', 'aria-label': t('product.pictures'),
  }, ...choices.map((choice) => element('li', {}, choice))));
}

function paragraphs(description = '') {
  const texts = description.split(/\n+/).map((text) => text.trim()).filter(Boolean);
  return texts.map((text) => element('p', { class: 'description' }, text));
}
