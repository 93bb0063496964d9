/** From pressing *Buy* to the payment page. What is bought is an intent (`intents.js`). */
import { ApiError, createCheckout, getProducts, getPurchase } from './api.js';
import { openPurchase } from './components/open-purchase.js';
import { askCountry } from './components/country-dialog.js';
import { isDecided, isOrdered } from './components/status.js';
import { button as plainButton, linkButton } from './elements.js';
import { signedInAs, signIn } from './identity.js';
import {
  forgetIntent, intentAnew, intentBecame, intentFor, intentTo, resumedIntent, settleIntent, waitForSignIn,
} from './intents.js';
import { announce, announceBriefly, clearNotices, showProblem } from './notices.js';
import { t } from './texts.js';
import { secureUrl } from './urls.js';

/** Emits `stock` when the stock is not what the page shows: `detail` holds the products as they are now, by id. */
export const checkoutEvents = new EventTarget();

const buttons = new Set();
let underway = false;

/** The buyer has already made this very purchase, and this page did not know. */
class BoughtAlready extends Error {
  constructor(purchase) {
    super(t('buying.already'));
    this.purchase = purchase;
  }
}

/** A button that buys what `items()` returns when it is pressed. */
export function checkoutButton(label, items, { fromCart = false, disabled = false } = {}) {
  const button = plainButton(label, () => checkOut(() => intentFor(items(), { fromCart }), button), 'primary');
  button.disabled = disabled || underway;
  if (!disabled) buttons.add(button);
  return button;
}

/** Carries on with a purchase that had to wait for the buyer to sign in. */
export function resumeCheckout() {
  const intent = resumedIntent();
  if (intent && signedInAs()) checkOut(() => intent);
}

async function checkOut(begin, pressed) {
  if (underway) return;
  start(pressed);
  let intent = null;
  try {
    intent = begin();
    if (!signedInAs()) {
      announce(t('buying.to_sign_in'));
      waitForSignIn(intent);
      await signIn();
      return;
    }
    announce(t('buying.to_payment'));
    // What comes next, and every retry, is about the new intent.
    if (await isOver(intent)) intent = intentAnew(intent);
    location.assign(await paymentPage(intent));
  } catch (error) {
    end(pressed);
    await explain(error, intent, pressed);
  }
}

/** Where to pay: for the same intent, the same page. */
async function paymentPage(intent) {
  const { purchase_id: purchaseId, url } = await createCheckout(intent.items, intent.country, intent.key);
  const page = secureUrl(url);
  if (!page) throw new Error(t('buying.not_secure'));
  intentBecame(intent, purchaseId);
  return page;
}

/** Whether the intent's purchase has come to nothing; throws if it was bought. */
async function isOver({ purchaseId }) {
  if (!purchaseId) return false;
  const purchase = await getPurchase(purchaseId).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  if (!purchase) return true;
  settleIntent(purchase);
  if (isOrdered(purchase)) throw new BoughtAlready(purchase);
  return isDecided(purchase);
}

async function explain(error, intent, pressed) {
  const retry = () => checkOut(() => intent, pressed);
  if (error instanceof BoughtAlready) {
    showProblem(error, { actions: [
      linkButton(t('buying.view'), `purchase.html?id=${encodeURIComponent(error.purchase.id)}`),
      plainButton(t('buying.anew'), () => checkOut(() => intentAnew(intent), pressed)),
    ] });
  } else if (error.countries?.length > 0) {
    clearNotices();
    const country = await askCountry(error.countries);
    if (country) await checkOut(() => intentTo(intent, country), pressed);
  } else if (error.openPurchases?.length > 0) {
    await offerOpenPurchases(error, intent);
  } else if (error.isRefusal) {
    forgetIntent(intent);
    showProblem(error.isSoldOut ? await soldOut(error, intent) : error);
  } else if (error instanceof ApiError && error.status === 401) {
    showProblem(error, { actions: [plainButton(t('buying.sign_in'), retry)] });
  } else {
    showProblem(error, { actions: intent ? [plainButton(t('page.try_again'), retry)] : [] });
  }
}

/** What is in the way is the buyer's own purchase: they can pay for it, or cancel it. */
async function offerOpenPurchases(error, intent) {
  const known = await Promise.all(error.openPurchases.map(async (open) => (
    { ...open, ...await getPurchase(open.id).catch(() => null), payment: open.payment }
  )));
  const cancelled = async () => {
    clearNotices();
    announceBriefly(t('open.cancelled'));
    await tellStock(intent);
  };
  const message = error.isSoldOut ? t('open.holds') : error.message;
  showProblem(new Error(message), {
    details: known.map((purchase) => openPurchase(purchase, { onend: cancelled })),
  });
}

/** Says what there is not enough of. */
async function soldOut(error, { items, fromCart }) {
  const products = await tellStock({ items });
  const shortages = items
    .map((item) => shortage(products?.get(item.product_id), item.quantity))
    .filter(Boolean);
  if (shortages.length === 0) return error;
  const rest = fromCart && items.length > 1 ? t('stock.rest') : null;
  return new Error([...shortages, t('stock.nothing_charged'), rest].filter(Boolean).join(' '));
}

/** Lets the page show how many of these are left; returns the products, or null if they cannot be loaded. */
async function tellStock({ items }) {
  const products = await getProducts(items.map((item) => item.product_id), { fresh: true }).catch(() => null);
  if (products) checkoutEvents.dispatchEvent(new CustomEvent('stock', { detail: products }));
  return products;
}

function shortage(product, wanted) {
  if (!product || product.stock === undefined || product.stock >= wanted) return null;
  if (product.stock === 0) return t('stock.just_sold_out', { name: product.name });
  return t('stock.left_of', { count: product.stock, name: product.name });
}

function start(pressed) {
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

// When the buyer comes back from the payment page, the browser may show this page as they left it.
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return;
  clearNotices();
  end(document.querySelector('button[aria-busy]'));
});
