/**
 * What the buyer is about to buy: `{ items, country, key, fromCart, purchaseId, since }`. The country
 * is null until the shop has to know where it goes.
 *
 * The idempotency key is made once and sent with every attempt, so there is no
 * second purchase after a double click, after a retry for a lost answer, after
 * coming back from the payment page, or from another tab. It is kept until the
 * purchase is decided: paid, failed, expired or cancelled.
 */
import { readLines, takeFromCart } from './cart.js';
import { isDecided, isOrdered } from './components/status.js';
import { browser, tab } from './storage.js';

const INTENTS = 'intents';
const WAITING = 'waits-for-sign-in';

/** The API forgets a key after a day. */
const KEPT_MS = 24 * 60 * 60 * 1000;
const MOST_KEPT = 20;

/** The intent to buy these items: the one already begun, or a new one. */
export function intentFor(items, { fromCart = false } = {}) {
  const sorted = readLines(items).sort((a, b) => (a.product_id < b.product_id ? -1 : 1));
  const begun = intents().find((intent) => sameItems(intent.items, sorted));
  return keep({ ...begun ?? newIntent(sorted), fromCart: fromCart || Boolean(begun?.fromCart) });
}

/** The same items, but another purchase, which may go elsewhere. */
export function intentAnew(intent) {
  forgetIntent(intent);
  return keep({ ...newIntent(intent.items), fromCart: intent.fromCart });
}

/** The same intent, now that it is known where it goes. */
export function intentTo(intent, country) {
  return keep({ ...intent, country });
}

/** The intent became this purchase. */
export function intentBecame(intent, purchaseId) {
  return keep({ ...intent, purchaseId });
}

/** Forgets it, so that the next press is a new intent. */
export function forgetIntent({ key }) {
  save(intents().filter((intent) => intent.key !== key));
}

/** The purchases that were started in this browser and are not decided, as far as it knows. */
export function purchasesBegun() {
  return intents().map(({ purchaseId }) => purchaseId).filter(Boolean);
}

/** Ends the intent of a purchase that is decided, and takes what was bought out of the cart. */
export function settleIntent(purchase) {
  const intent = intents().find(({ purchaseId }) => purchaseId === purchase.id);
  if (!intent || !isDecided(purchase)) return;
  forgetIntent(intent);
  if (intent.fromCart && isOrdered(purchase)) takeFromCart(intent.items);
}

/** Keeps it through the detour to sign in, for this tab to carry on with. */
export function waitForSignIn({ key }) {
  tab.remember(WAITING, key);
}

/** The intent that was waiting for this tab to sign in, or null; it is given out once. */
export function resumedIntent() {
  const intent = waitingIntent();
  tab.forget(WAITING);
  return intent;
}

/** The intent that is waiting for this tab to sign in, or null. */
export function waitingIntent() {
  const key = tab.recall(WAITING);
  return (key && intents().find((intent) => intent.key === key)) ?? null;
}

function newIntent(items) {
  return { items, country: null, key: crypto.randomUUID(), fromCart: false, purchaseId: null, since: Date.now() };
}

function keep(intent) {
  save([intent, ...intents().filter(({ key }) => key !== intent.key)].slice(0, MOST_KEPT));
  return intent;
}

function save(kept) {
  browser.remember(INTENTS, kept);
}

function intents() {
  const found = browser.recall(INTENTS);
  return (Array.isArray(found) ? found : []).filter(isIntent);
}

function isIntent(found) {
  const age = Date.now() - found?.since;
  return age >= 0 && age < KEPT_MS
    && typeof found.key === 'string' && found.key !== ''
    && (typeof found.country === 'string' || (found.country ?? null) === null)
    && (found.purchaseId === null || typeof found.purchaseId === 'string')
    && sameItems(found.items, readLines(found.items)) && found.items.length > 0;
}

function sameItems(some, others) {
  return JSON.stringify(some) === JSON.stringify(others);
}
