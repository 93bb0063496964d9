/** The shop's HTTP API: one function per request this site makes. */
import { loadConfig } from './config.js';
import { signedInAs, signOutHere } from './identity.js';
import { announce, clearNotices } from './notices.js';
import { delay } from './delay.js';

const TIMEOUT_MS = 30_000;
const LONGEST_WAIT_SECONDS = 30;

/** The API refused or failed; `message` is for the buyer, `requestId` for whoever helps them. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem?.detail || messageFor(status));
    this.status = status;
    this.type = problem?.type;
    this.requestId = problem?.request_id;
  }

  /** Whether asking again for the same thing would be refused again. */
  get isRefusal() {
    return this.status >= 400 && this.status < 500 && ![401, 408, 429].includes(this.status);
  }

  /** Whether there is not enough left of a product. */
  get isSoldOut() {
    return this.type === 'urn:till:problem:sold-out';
  }
}

/** No answer arrived, so nobody here knows whether the request did anything. */
export class ConnectionError extends Error {
  constructor() {
    super('The shop cannot be reached. Please check your connection and try again.');
  }
}

export function listProducts(cursor) {
  return request('GET', `/products${query({ limit: 12, cursor })}`);
}

/** `fresh` asks the shop itself even if a copy may still be shown. */
export function getProduct(id, { fresh = false } = {}) {
  return request('GET', `/products/${encodeURIComponent(id)}`, { cache: fresh ? 'reload' : 'default' });
}

/** Products by their ids; one that is not there any more is null. */
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

/** Answers `{ purchase_id, url }`. The same key never makes a second purchase. */
export function createCheckout(items, idempotencyKey) {
  return request('POST', '/checkout', { signedIn: true, body: { items }, idempotencyKey });
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

  let response = await send();
  const wait = secondsAskedToWait(response);
  if (wait !== null) {
    announce(`The shop is busy. Trying again in ${wait} ${wait === 1 ? 'second' : 'seconds'}…`);
    await delay(wait * 1000);
    clearNotices();
    response = await send();
  }
  if (response.status === 401) signOutHere();

  const content = await response.json().catch(() => null);
  if (!response.ok || content === null) throw new ApiError(response.status, content);
  return content;
}

async function fetchOrFail(url, init) {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new ConnectionError();
  }
}

/** Seconds until one retry is welcome, or null if none was offered or it is too far off. */
function secondsAskedToWait(response) {
  if (response.status !== 429 && response.status !== 503) return null;
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

function messageFor(status) {
  if (status === 401) return 'Your sign-in has ended. Please sign in again.';
  if (status === 404) return 'This does not exist, or it belongs to another account.';
  if (status === 429 || status === 503) return 'The shop is busy. Please try again in a moment.';
  if (status >= 500) return 'The shop has a problem of its own. Please try again in a moment.';
  return 'The shop gave an answer that this page does not understand.';
}
