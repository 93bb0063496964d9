/** The shop's HTTP API: one function per request this site makes. */
import { loadConfig } from './config.js';
import { signedInAs, signOutHere } from './identity.js';
import { announce, clearNotices } from './notices.js';
import { delay } from './delay.js';

const TIMEOUT_MS = 30_000;
const LONGEST_WAIT_SECONDS = 30;

/**
 * The API refused or failed; `message` is for the buyer, `requestId` for whoever helps them.
 * The API's own `detail` is for programmers: it names fields and ids, so it is never shown.
 */
export class ApiError extends Error {
  constructor(status, problem) {
    const kind = kindOf(problem);
    super(MESSAGES[kind] ?? messageFor(status));
    this.status = status;
    this.kind = kind;
    this.requestId = problem?.request_id;
    /** The buyer's own unpaid purchases that are in the way, as `getPurchase` would return them. */
    this.openPurchases = openPurchases(problem);
    /** Where the shop delivers to, if it has to know where this goes. */
    this.countries = Array.isArray(problem?.countries) ? problem.countries : [];
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
  return request('GET', `/products${query({ limit: 12, cursor })}`);
}

/** `fresh` asks the shop itself, even if a cached copy may still be shown. */
export function getProduct(id, { fresh = false } = {}) {
  return request('GET', `/products/${encodeURIComponent(id)}`, { cache: fresh ? 'reload' : 'default' });
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
  return request('GET', `/purchases${query({ limit: 20, cursor })}`, { signedIn: true });
}

export function getPurchase(id) {
  return request('GET', `/purchases/${encodeURIComponent(id)}`, { signedIn: true });
}

/** The buyer's purchases that are waiting for payment, newest first. */
export async function listOpenPurchases() {
  const { purchases } = await request('GET', '/purchases?status=open', { signedIn: true });
  return purchases.filter(({ status }) => status === 'open');
}

/** Ends an unpaid purchase: its payment page closes, and what it held goes back on the shelf. */
export function cancelPurchase(id) {
  return request('POST', `/purchases/${encodeURIComponent(id)}/cancel`, { signedIn: true });
}

/** What the buyer subscribes to, newest first, without the invoices. */
export async function listSubscriptions() {
  const { subscriptions } = await request('GET', '/subscriptions', { signedIn: true });
  return subscriptions;
}

/** One of the buyer's subscriptions, with its invoices, newest first. */
export function getSubscription(id) {
  return request('GET', `/subscriptions/${encodeURIComponent(id)}`, { signedIn: true });
}

/** Returns `{ url }` of the buyer's own billing portal, which lives for minutes. */
export function openPortal() {
  return request('POST', '/portal', { signedIn: true });
}

/** Returns `{ purchase_id, url }`. The same key never makes a second purchase. */
export function createCheckout(items, country, idempotencyKey) {
  const body = country ? { items, country } : { items };
  return request('POST', '/checkout', { signedIn: true, body, idempotencyKey });
}

async function request(method, path, { signedIn = false, body, idempotencyKey, cache } = {}) {
  const { api } = await loadConfig();
  const buyer = signedInAs();
  if (signedIn && !buyer) throw new ApiError(401);

  const headers = new Headers({ accept: 'application/json' });
  if (signedIn) headers.set('authorization', `Bearer ${buyer.token}`);
  if (body) headers.set('content-type', 'application/json');
  if (idempotencyKey) headers.set('idempotency-key', idempotencyKey);

  const send = () => fetchOrFail(`${api}${path}`, { method, headers, cache, body: body && JSON.stringify(body) });

  let { response, content } = await send();
  const wait = secondsAskedToWait(response, content);
  if (wait !== null) {
    announce(`The shop is busy. Trying again in ${wait} ${wait === 1 ? 'second' : 'seconds'}…`);
    await delay(wait * 1000);
    clearNotices();
    ({ response, content } = await send());
  }
  if (response.status === 401) signOutHere();
  if (!response.ok || content === null) throw new ApiError(response.status, content);
  return content;
}

async function fetchOrFail(url, init) {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { response, content: await response.json().catch(() => null) };
  } catch {
    throw new ConnectionError();
  }
}

/** Seconds until one retry is welcome; null if none was offered, it is too far off, or waiting does not help. */
function secondsAskedToWait(response, content) {
  if (response.status !== 429 && response.status !== 503) return null;
  if (FOR_THE_BUYER_TO_SOLVE.includes(kindOf(content))) return null;
  const header = response.headers.get('retry-after');
  if (header === null) return null;
  const seconds = /^\d+$/.test(header)
    ? Number(header)
    : Math.max(0, Math.ceil((Date.parse(header) - Date.now()) / 1000));
  return seconds <= LONGEST_WAIT_SECONDS ? seconds : null;
}

function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null);
  return `?${new URLSearchParams(given)}`;
}

/** The end of a problem's `type`, which names its kind. */
function kindOf(problem) {
  return typeof problem?.type === 'string' ? problem.type.replace(/^urn:till:problem:/, '') : undefined;
}

function openPurchases(problem) {
  const listed = Array.isArray(problem?.open_purchases) ? problem.open_purchases : [];
  return listed.map(({ purchase_id: id, url, expires_at }) => ({ id, status: 'open', payment: { url, expires_at } }));
}

const FOR_THE_BUYER_TO_SOLVE = ['too-many-open-purchases', 'too-much-reserved'];

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
