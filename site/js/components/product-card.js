import { addToCart } from '../cart.js';
import { checkoutButton } from '../checkout.js';
import { button, element, linkButton } from '../elements.js';
import { waitingIntent } from '../intents.js';
import { announceBriefly, showProblem } from '../notices.js';
import { priceOf, shippingOf, trialOf } from './price.js';
import { productImage } from './product-image.js';
import { stepper } from './stepper.js';
import { fewLeft, isForSale, mostOf, whyNotForSale } from './stock.js';

/** One product in the shop window, with everything it takes to buy it. */
export function productCard(product) {
  const few = fewLeft(product);
  const trial = trialOf(product);
  return element('li', { class: 'card', id: cardId(product) },
    productImage(product),
    element('div', { class: 'card-text' },
      element('h2', {}, product.name),
      element('p', { class: 'description' }, product.description ?? ''),
      element('p', { class: 'price' }, priceOf(product),
        trial && isForSale(product) ? element('span', { class: 'trial' }, trial) : null,
        few && isForSale(product) ? element('span', { class: 'few-left' }, few) : null),
      product.shipped && isForSale(product) ? element('p', { class: 'line-detail' }, shippingOf(product)) : null),
    isForSale(product) ? buying(product) : element('p', { class: 'unavailable' }, whyNotForSale(product)));
}

/** Shows the product as it is now, if it is on this page. */
export function renewCard(product) {
  document.getElementById(cardId(product))?.replaceWith(productCard(product));
}

function cardId({ id }) {
  return `product-${id}`;
}

function buying(product) {
  const quantity = stepper({
    label: `Quantity of ${product.name}`,
    quantity: quantityInMind(product),
    most: mostOf(product),
  });
  const items = () => [{ product_id: product.id, quantity: quantity.value() }];
  const verb = product.recurring ? 'Subscribe' : 'Buy';
  const buy = checkoutButton(verb, items);
  buy.setAttribute('aria-label', `${verb}: ${product.name}`);
  const add = button('Add to cart', () => {
    try {
      addToCart(product.id, quantity.value());
    } catch (error) {
      showProblem(error);
      return;
    }
    announceBriefly(`${quantity.value()} × ${product.name} added to your cart.`,
      linkButton('View cart', 'cart.html', 'quiet'));
  });
  add.setAttribute('aria-label', `Add to cart: ${product.name}`);
  return element('div', { class: 'buying' }, quantity.node, add, buy);
}

/** The quantity chosen before a detour to sign in, or one. */
function quantityInMind(product) {
  const intent = waitingIntent();
  const line = intent?.fromCart ? null : intent?.items.find((item) => item.product_id === product.id);
  return line?.quantity ?? 1;
}
