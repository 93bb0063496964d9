import { addToCart } from '../cart.js';
import { checkoutButton, currentIntent } from '../checkout.js';
import { button, element } from '../elements.js';
import { formatMoney } from '../money.js';
import { announceBriefly } from '../notices.js';
import { productImage } from './product-image.js';
import { stepper } from './stepper.js';

/** One product of the shop window, with all it takes to buy it. */
export function productCard(product) {
  return element('li', { class: 'card', id: `product-${product.id}` },
    productImage(product),
    element('div', { class: 'card-text' },
      element('h2', {}, product.name),
      element('p', { class: 'description' }, product.description ?? ''),
      element('p', { class: 'price' }, formatMoney(product.price))),
    product.active === false
      ? element('p', { class: 'unavailable' }, 'Not available at the moment')
      : buying(product));
}

function buying(product) {
  const quantity = stepper({ label: `Quantity of ${product.name}`, quantity: quantityInMind(product) });
  const items = () => [{ product_id: product.id, quantity: quantity.value() }];
  const buy = checkoutButton('Buy', items);
  buy.setAttribute('aria-label', `Buy: ${product.name}`);
  const add = button('Add to cart', () => {
    addToCart(product.id, quantity.value());
    announceBriefly(`${quantity.value()} × ${product.name} added to your cart.`);
  });
  add.setAttribute('aria-label', `Add to cart: ${product.name}`);
  return element('div', { class: 'buying' }, quantity.node, add, buy);
}

/** After a detour to sign in, the quantity is still the chosen one. */
function quantityInMind(product) {
  const intent = currentIntent();
  const line = intent?.fromCart ? null : intent?.items.find((item) => item.product_id === product.id);
  return line?.quantity ?? 1;
}
