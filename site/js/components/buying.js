import { addToCart } from '../cart.js';
import { checkoutButton } from '../checkout.js';
import { button, element, linkButton } from '../elements.js';
import { waitingIntent } from '../intents.js';
import { announceBriefly, showProblem } from '../notices.js';
import { t } from '../texts.js';
import { stepper } from './stepper.js';
import { mostOf } from './stock.js';

/** Everything it takes to buy a product: how many, into the cart, or at once. */
export function buying(product) {
  const { name } = product;
  const quantity = stepper({
    label: t('buying.quantity', { name }),
    quantity: quantityInMind(product),
    most: mostOf(product),
  });
  const items = () => [{ product_id: product.id, quantity: quantity.value() }];
  const verb = t(product.recurring ? 'buying.subscribe' : 'buying.buy');
  const buy = checkoutButton(verb, items);
  buy.setAttribute('aria-label', t('buying.named', { verb, name }));
  const add = button(t('buying.add'), () => {
    try {
      addToCart(product.id, quantity.value());
    } catch (error) {
      showProblem(error);
      return;
    }
    announceBriefly(t('buying.added', { quantity: quantity.value(), name }),
      linkButton(t('buying.view_cart'), 'cart.html', 'quiet'));
  });
  add.setAttribute('aria-label', t('buying.named', { verb: t('buying.add'), name }));
  return element('div', { class: 'buying' }, quantity.node, add, buy);
}

/** The quantity chosen before a detour to sign in, or one. */
function quantityInMind(product) {
  const intent = waitingIntent();
  const line = intent?.fromCart ? null : intent?.items.find((item) => item.product_id === product.id);
  return line?.quantity ?? 1;
}
