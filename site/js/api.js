/** The shop's HTTP API as this site calls it: by `till.js`, with its problems in words for buyers. */
import { loadConfig } from './config.js';
import { signedInAs, signOutHere } from './identity.js';
import { announce, clearNotices } from './notices.js';
import { delay } from './delay.js';
import { Till, TillError, Unreachable } from './till.js';

/**
 * The API refused or failed; `message` is for the buyer, `requestId` for whoever helps them.
 * The API's own `detail` is for programmers: it names fields and ids, so it is never shown.
 */
export class ApiError extends Error {
  constructor({ status, kind, requestId, openPurchases, countries }) {
    super(MESSAGES[kind] ?? messageFor(status));
    this.status = status;
    this.kind = kind;
    this.requestId = requestId;
    /** The buyer's own unpaid purchases that are in the way, as `getPurchase` would return them. */
    this.openPurchases = openPurchases.map(({ purchase_id: id, url, expires_at }) => (
      { id, status: 'open', payment: { url, expires_at } }));
    /** Where the shop delivers to, if it has to know where this goes. */
    this.countries = countries;
  }

  /** Whether asking again for the same thing would be refused again. */
  get isRefusal() {
    return this.status >= 400 && this.status < 500 && ![401, 408, 429].includes(this.status);
  }

  /** Whether there is not enough left of a product. */
  get isSoldOut() {
    return this.kind === 'sold-out';
  }
}

/** No answer arrived, so there is no telling whether the request did anything. */
export class ConnectionError extends Error {
  constructor() {
    super('The shop cannot be reached. Please check your connection and try again.');
  }
}

export function listProducts(cursor) {
  return call((shop) => shop.listProducts({ limit: 12, cursor }));
}

/** `fresh` asks the shop itself, even if a cached copy may still be shown. */
export function getProduct(id, { fresh = false } = {}) {
  return call((shop) => shop.getProduct(id, { cache: fresh ? 'reload' : 'default' }));
}

/** Products by their ids; one that no longer exists is null. */
export async function getProducts(ids, options) {
  const products = await Promise.all(ids.map((id) => getProduct(id, options).catch(nullIfGone)));
  return new Map(ids.map((id, index) => [id, products[index]]));
}

function nullIfGone(error) {
  if (error instanceof ApiError && error.status === 404) return null;
  throw error;
}

export function listPurchases(cursor) {
  return call((shop) => shop.listPurchases({ limit: 20, cursor }));
}

export function getPurchase(id) {
  return call((shop) => shop.getPurchase(id));
}

/** The buyer's purchases that are waiting for payment, newest first. */
export async function listOpenPurchases() {
  const { purchases } = await call((shop) => shop.listPurchases({ status: 'open' }));
  return purchases.filter(({ status }) => status === 'open');
}

/** Ends an unpaid purchase: its payment page closes, and what it held goes back on the shelf. */
export function cancelPurchase(id) {
  return call((shop) => shop.cancelPurchase(id));
}

/** What the buyer subscribes to, newest first, without the invoices. */
export async function listSubscriptions() {
  const { subscriptions } = await call((shop) => shop.listSubscriptions());
  return subscriptions;
}

/** One of the buyer's subscriptions, with its invoices, newest first. */
export function getSubscription(id) {
  return call((shop) => shop.getSubscription(id));
}

/** Returns `{ url }` of the buyer's own billing portal, which lives for minutes. */
export function openPortal() {
  return call((shop) => shop.openPortal());
}

/** Returns `{ purchase_id, url }`. The same key never makes a second purchase. */
export function createCheckout(items, country, idempotencyKey) {
  return call((shop) => shop.openCheckout(country ? { items, country } : { items }, { idempotencyKey }));
}

let connecting;

async function call(toShop) {
  connecting ??= connect();
  try {
    return await toShop(await connecting);
  } catch (error) {
    if (error instanceof Unreachable) throw new ConnectionError();
    if (!(error instanceof TillError)) throw error;
    if (error.status === 401) signOutHere();
    throw new ApiError(error);
  }
}

async function connect() {
  const { api } = await loadConfig();
  return new Till(api, { token: () => signedInAs()?.token, wait: waitAndSaySo });
}

async function waitAndSaySo(seconds) {
  announce(`The shop is busy. Trying again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}…`);
  await delay(seconds * 1000);
  clearNotices();
}

const NO_PAYMENT_PAGE = 'The payment page cannot be opened right now. Nothing was charged; please try again in a moment.';
const TOO_MUCH = 'This is too much for one purchase. Please split it in two.';

/** What each kind of problem means to a buyer. */
const MESSAGES = {
  'sold-out': 'There is not enough left of something you wanted. Nothing was charged.',
  'product-inactive': 'Something you wanted is not for sale at the moment. Nothing was charged.',
  'unknown-product': 'Something you wanted is no longer sold. Nothing was charged.',
  'mixed-currencies': 'These are priced in different currencies, so they cannot be paid for together. '
    + 'Please buy them one currency at a time.',
  'mixed-terms': 'These are paid for at different times, so they cannot be in one subscription. '
    + 'Please subscribe to them one after the other.',
  'subscribed-in-other-currency': 'You already subscribe in another currency, or have begun to, '
    + 'and payments can only be in one. Please cancel that first.',
  'total-not-chargeable': 'The total is too small or too large for one payment. Please change the quantities.',
  'cart-too-large': TOO_MUCH,
  'body-too-large': TOO_MUCH,
  'shipped-beside-subscription': 'Shipping cannot be paid for together with a subscription. '
    + 'Please buy these one after the other.',
  'country-needed': 'What shipping costs depends on the country. Please say where it should go.',
  'not-delivered-there': 'The shop does not deliver to this country. Nothing was charged.',
  'not-deliverable': 'Something you wanted cannot be delivered at the moment. Nothing was charged.',
  'too-many-open-purchases': 'You have started several purchases that are not paid yet. '
    + 'Please pay for one of them, or cancel it.',
  'too-much-reserved': 'You are already holding as much as one buyer can hold without paying. '
    + 'Please pay for what you hold, cancel it, or wait for a payment that is under way.',
  'not-open': 'This purchase cannot be cancelled any more.',
  'email-not-verified': 'Your email address is not confirmed yet. Please confirm it where you sign in, then sign in again.',
  'idempotency-key-reused': 'This purchase could not be continued. Please try again.',
  'payment-provider-refused': 'The payment page cannot be opened. Nothing was charged. The shop has to look into it.',
  'payment-provider-failed': NO_PAYMENT_PAGE,
  'payment-provider-busy': NO_PAYMENT_PAGE,
  'payment-provider-timeout': NO_PAYMENT_PAGE,
  timeout: 'This took too long. Please try again in a moment.',
};

function messageFor(status) {
  if (status === 401) return 'Your session has ended. Please sign in again.';
  if (status === 404) return 'This does not exist, or it belongs to another account.';
  if (status === 429 || status === 503) return 'The shop is busy. Please try again in a moment.';
  if (status >= 500) return 'Something went wrong on our side. Please try again in a moment.';
  return 'The shop sent an answer that this page does not understand.';
}
