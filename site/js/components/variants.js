import { element } from '../elements.js';
import { productUrl } from '../shop.js';
import { locale, t } from '../texts.js';
import { isForSale } from './stock.js';

/**
 * The products of a group differ in some options, such as size and colour. Each value leads to the
 * product that has it and is otherwise most like this one. Until the others are loaded, what this
 * one has stands there alone, so that nothing moves when they come.
 */
export function variants(product, loading) {
  const box = element('div', { class: 'variants', role: 'group', 'aria-label': t('product.variants') });
  const show = (family) => box.replaceChildren(...Object.keys(product.options ?? {}).map((name) => choice(name, product, family)));
  show([product]);
  loading.then((family) => { if (family.length > 0) show(family); });
  return box;
}

function choice(name, product, family) {
  const values = [...new Set([product, ...family].map(({ options }) => options?.[name]).filter(Boolean))];
  return element('div', { class: 'choice' },
    element('p', { class: 'choice-name' }, name),
    element('ul', { role: 'list', 'aria-label': name }, ...inOrder(values).map((value) => (
      element('li', {}, value === product.options[name] ? here(value) : elsewhere(value, closest(name, value, product, family)))))));
}

function here(value) {
  return element('span', { class: 'value', 'aria-current': 'true' }, value);
}

function elsewhere(value, other) {
  const gone = !isForSale(other);
  return element('a', {
    class: `value${gone ? ' gone' : ''}`, href: productUrl(other), 'aria-label': gone ? t('product.sold_out', { value }) : null,
  }, value);
}

/** Of those with this value: the one that shares most of the other options, and rather one that can be bought. */
function closest(name, value, product, family) {
  const shared = ({ options }) => Object.entries(product.options)
    .filter(([other, own]) => other !== name && options[other] === own).length;
  const worth = (other) => shared(other) * 2 + (isForSale(other) ? 1 : 0);
  const candidates = family.filter(({ options }) => options?.[name] === value);
  return candidates.reduce((best, other) => (worth(other) > worth(best) ? other : best));
}

const SIZES = ['XXXS', 'XXS', 'XS', 'S', 'M', 'L', 'XL', 'XXL', 'XXXL'];

/** Sizes from small to large; anything else as in a dictionary, in which 9 comes before 10. */
function inOrder(values) {
  const size = (value) => SIZES.indexOf(value.toUpperCase());
  const collator = new Intl.Collator(locale(), { numeric: true });
  return [...values].sort((one, other) => (
    size(one) >= 0 && size(other) >= 0 ? size(one) - size(other) : collator.compare(one, other)));
}
