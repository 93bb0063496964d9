/**
 * From the press of *Buy* to the payment page.
 *
 * What the buyer wants is kept as an intent `{ items, key, fromCart }`, so that
 * it outlives signing in. Its idempotency key is made once and sent with every
 * attempt: neither a double click nor a retry after a lost answer can make two
 * purchases. The intent ends when the buyer leaves for the payment page or the
 * shop definitely refuses.
 */
import { createCheckout, getProducts } from './api.js';
import { cartBecame } from './cart.js';
import { button as plainButton } from './elements.js';
import { signedInAs, signIn } from './identity.js';
import { announce, clearNotices, showProblem } from './notices.js';
import { forget, recall, remember } from './storage.js';
import { secureUrl } from './urls.js';

const INTENT = 'intent';

/** Emits `soldout` when the shop has too few of something: `detail` holds the products as they are now, by id. */
export const checkoutEvents = new EventTarget();

const buttons = new Set();
let underway = false;

/** A button that buys what `items()` names at the time it is pressed. */
export function checkoutButton(label, items, { fromCart = false, disabled = false } = {}) {
  const button = plainButton(label, () => checkOut(intentFor(items(), fromCart), button), 'primary');
  button.disabled = disabled || underway;
  if (!disabled) buttons.add(button);
  return button;
}

/** What the buyer was about to buy, or null. */
export function currentIntent() {
  return recall(INTENT);
}

/** Carries on with a purchase that had to wait for the buyer to sign in. */
export function resumeCheckout() {
  const intent = currentIntent();
  if (!intent?.waitsForSignIn) return;
  const resumed = { ...intent, waitsForSignIn: false };
  remember(INTENT, resumed);
  if (signedInAs()) checkOut(resumed);
}

async function checkOut(intent, pressed) {
  if (underway) return;
  begin(pressed);
  try {
    if (!signedInAs()) {
      await signInFor(intent);
      return;
    }
    announce('Taking you to the payment page…');
    await goPay(intent);
  } catch (error) {
    end(pressed);
    await explain(error, intent, pressed);
  }
}

async function goPay(intent) {
  const { purchase_id: purchaseId, url } = await createCheckout(intent.items, intent.key);
  const paymentPage = secureUrl(url);
  if (!paymentPage) throw new Error('The shop named a payment page that is not secure, so we stopped there.');
  if (intent.fromCart) cartBecame(purchaseId);
  forget(INTENT);
  location.assign(paymentPage);
}

async function explain(error, intent, pressed) {
  const retry = () => checkOut(intent, pressed);
  if (error.isRefusal) {
    forget(INTENT);
    showProblem(error.isSoldOut ? await soldOut(error, intent) : error);
  } else {
    showProblem(error, { retry, retryLabel: error.status === 401 ? 'Sign in and continue' : 'Try again' });
  }
}

/** Says what there is too little of, in place of the ids that the refusal names. */
async function soldOut(error, { items, fromCart }) {
  const products = await getProducts(items.map((item) => item.product_id), { fresh: true }).catch(() => null);
  if (!products) return error;
  checkoutEvents.dispatchEvent(new CustomEvent('soldout', { detail: products }));
  const shortages = items
    .map((item) => shortage(products.get(item.product_id), item.quantity))
    .filter(Boolean);
  if (shortages.length === 0) return error;
  const rest = fromCart && items.length > 1 ? 'The rest of your cart is still there.' : null;
  return new Error([...shortages, 'Nothing was charged.', rest].filter(Boolean).join(' '));
}

function shortage(product, wanted) {
  if (!product || product.stock === undefined || product.stock >= wanted) return null;
  if (product.stock === 0) return `${product.name} has just sold out.`;
  return `There ${product.stock === 1 ? 'is' : 'are'} only ${product.stock} of ${product.name} left.`;
}

async function signInFor(intent) {
  announce('Taking you to sign in first…');
  remember(INTENT, { ...intent, waitsForSignIn: true });
  await signIn();
}

/** The intent to buy these items: the one already begun, or a new one with a new key. */
function intentFor(items, fromCart) {
  const current = currentIntent();
  const same = current && JSON.stringify(current.items) === JSON.stringify(items);
  const intent = { items, fromCart, key: same ? current.key : crypto.randomUUID() };
  remember(INTENT, intent);
  return intent;
}

function begin(pressed) {
  underway = true;
  for (const button of buttons) button.disabled = true;
  pressed?.setAttribute('aria-busy', 'true');
}

function end(pressed) {
  underway = false;
  for (const button of buttons) button.disabled = false;
  pressed?.removeAttribute('aria-busy');
  if (document.activeElement === document.body) pressed?.focus({ preventScroll: true });
}

// Coming back from the payment page, the browser may show this page as it was left.
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return;
  clearNotices();
  end(document.querySelector('button[aria-busy]'));
});
