/**
 * A client for the HTTP API of a Till shop, one function per call, for any page or program that has
 * `fetch`. It uses no other file: copy it, with till.d.ts if your editor or compiler reads types.
 *
 *     const shop = new Till('https://abc123.execute-api.eu-central-1.amazonaws.com', { token: () => idToken });
 *     const { products } = await shop.listProducts();
 *     const { url } = await shop.openCheckout({ items: [{ product_id: 'sample-mug', quantity: 1 }] });
 *
 * What each call takes and answers, and what may go wrong, is in functions/openapi.yaml.
 *
 * @import { Client, CountryProblem, GatewayError, HeldProblem, Options, Settings } from './till.d.ts'
 */

const LONGEST_WAIT_SECONDS = 30;

/** Waiting does not help against these: the buyer has to pay for something, or cancel it. */
const FOR_THE_BUYER_TO_SOLVE = ['too-many-open-purchases', 'too-much-reserved'];

/** The shop refused or failed. The message is for programmers: it may name fields and ids. */
export class TillError extends Error {
  /**
   * @param {number} status The answer's status; 401 also if there was no token to send.
   * @param {unknown} [content] The answer's body: a problem, or the gateway's message.
   */
  constructor(status, content) {
    const problem = /** @type {Partial<HeldProblem & CountryProblem & GatewayError> | null} */ (
      typeof content === 'object' ? content : null);
    super(problem?.detail ?? problem?.message ?? `The shop answered ${status}`);
    this.name = 'TillError';
    this.status = status;
    /** The end of the problem's `type`, such as `sold-out`; undefined if the gateway answered. */
    this.kind = typeof problem?.type === 'string' ? problem.type.replace(/^urn:till:problem:/, '') : undefined;
    /** Finds the request in the shop's logs. */
    this.requestId = problem?.request_id;
    /** The buyer's own unpaid purchases that are in the way. */
    this.openPurchases = Array.isArray(problem?.open_purchases) ? problem.open_purchases : [];
    /** Where the shop delivers to, if it has to know where this goes. */
    this.countries = Array.isArray(problem?.countries) ? problem.countries : [];
  }
}

/** No answer arrived, so there is no telling whether the call did anything. Calling again is safe. */
export class Unreachable extends Error {
  /** @param {unknown} cause What `fetch` threw. */
  constructor(cause) {
    super('The shop did not answer', { cause });
    this.name = 'Unreachable';
  }
}

/**
 * One shop, and one buyer at most.
 *
 * @implements {Client}
 */
export class Till {
  #api;
  #token;
  #timeout;
  #wait;

  /**
   * @param {string} api
   * @param {Settings} [settings]
   */
  constructor(api, { token = () => null, timeout = 30_000, wait = sleep } = {}) {
    this.#api = api.replace(/\/+$/, '');
    this.#token = token;
    this.#timeout = timeout;
    this.#wait = wait;
  }

  /**
   * Give the same key with every attempt at the same purchase, and there is never a second one. Without
   * a key, that holds only for what this call repeats by itself.
   *
   * @type {Client['openCheckout']}
   */
  openCheckout(cart, { idempotencyKey = crypto.randomUUID(), ...options } = {}) {
    const headers = { 'idempotency-key': idempotencyKey };
    return this.#asBuyer('POST', '/checkout', { ...options, body: cart, headers });
  }

  /** @type {Client['listProducts']} */
  listProducts(query, options) {
    return this.#call('GET', '/products', { ...options, query });
  }

  /** @type {Client['getProduct']} */
  getProduct(id, options) {
    return this.#call('GET', `/products/${encodeURIComponent(id)}`, options);
  }

  /** @type {Client['listPurchases']} */
  listPurchases(query, options) {
    return this.#asBuyer('GET', '/purchases', { ...options, query });
  }

  /** @type {Client['getPurchase']} */
  getPurchase(id, options) {
    return this.#asBuyer('GET', `/purchases/${encodeURIComponent(id)}`, options);
  }

  /** @type {Client['cancelPurchase']} */
  cancelPurchase(id, options) {
    return this.#asBuyer('POST', `/purchases/${encodeURIComponent(id)}/cancel`, options);
  }

  /** @type {Client['listSubscriptions']} */
  listSubscriptions(options) {
    return this.#asBuyer('GET', '/subscriptions', options);
  }

  /** @type {Client['getSubscription']} */
  getSubscription(id, options) {
    return this.#asBuyer('GET', `/subscriptions/${encodeURIComponent(id)}`, options);
  }

  /** @type {Client['listEntitlements']} */
  listEntitlements(query, options) {
    return this.#asBuyer('GET', '/entitlements', { ...options, query });
  }

  /** @type {Client['openPortal']} */
  openPortal(options) {
    return this.#asBuyer('POST', '/portal', options);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Details} [details]
   */
  async #asBuyer(method, path, details) {
    const token = await this.#token();
    if (!token) throw new TillError(401);
    return this.#call(method, path, { ...details, headers: { ...details?.headers, authorization: `Bearer ${token}` } });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Details} [details]
   */
  async #call(method, path, { query = {}, body, headers, signal, cache } = {}) {
    const url = `${this.#api}${path}${queryString(query)}`;
    const init = {
      method,
      cache,
      body: body && JSON.stringify(body),
      headers: { accept: 'application/json', ...body && { 'content-type': 'application/json' }, ...headers },
    };
    let { response, content } = await this.#send(url, init, signal);
    const seconds = secondsAskedToWait(response, content);
    if (seconds !== null) {
      await this.#wait(seconds);
      signal?.throwIfAborted();
      ({ response, content } = await this.#send(url, init, signal));
    }
    if (!response.ok || content === null) throw new TillError(response.status, content);
    return content;
  }

  /**
   * @param {string} url
   * @param {RequestInit} init
   * @param {AbortSignal} [signal]
   */
  async #send(url, init, signal) {
    const timeout = AbortSignal.timeout(this.#timeout);
    try {
      const response = await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
      return { response, content: await response.json().catch(noJson) };
    } catch (error) {
      signal?.throwIfAborted();
      throw new Unreachable(error);
    }
  }
}

/**
 * @typedef {Options & { query?: object, body?: object, headers?: Record<string, string> }} Details
 */

/**
 * A body that is not JSON says nothing; one that did not arrive whole is no answer.
 *
 * @param {unknown} error
 */
function noJson(error) {
  if (error instanceof SyntaxError) return null;
  throw error;
}

/**
 * Seconds until one more attempt is welcome; null if none was offered, it is too far off, or waiting does not help.
 *
 * @param {Response} response
 * @param {unknown} content
 */
function secondsAskedToWait(response, content) {
  if (response.status !== 429 && response.status !== 503) return null;
  if (FOR_THE_BUYER_TO_SOLVE.includes(new TillError(response.status, content).kind ?? '')) return null;
  const header = response.headers.get('retry-after');
  if (header === null) return null;
  const seconds = /^\d+$/.test(header)
    ? Number(header)
    : Math.max(0, Math.ceil((Date.parse(header) - Date.now()) / 1000));
  return seconds <= LONGEST_WAIT_SECONDS ? seconds : null;
}

/** @param {object} parameters */
function queryString(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null);
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}

/** @param {number} seconds */
function sleep(seconds) {
  return /** @type {Promise<void>} */ (new Promise((resolve) => { setTimeout(resolve, seconds * 1000); }));
}
