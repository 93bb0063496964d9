/** The cart: `[{ product_id, quantity }]`, one for all tabs of this browser. */
import { browser } from './storage.js';

const CART = 'cart';

export const MOST_OF_ONE = 999;

/** Emits `change` whenever the cart changes, in this tab or in another. */
export const cartEvents = new EventTarget();

browser.onChangeElsewhere(CART, tellChange);

export function cartLines() {
  return readLines(browser.recall(CART));
}

/**
 * The lines of a cart, whatever was found in storage: each product once, in a
 * quantity that can be bought.
 */
export function readLines(found) {
  const lines = new Map();
  for (const line of Array.isArray(found) ? found : []) {
    const { product_id: id, quantity } = line ?? {};
    if (typeof id !== 'string' || id === '' || !Number.isSafeInteger(quantity) || quantity < 1) continue;
    lines.set(id, Math.min((lines.get(id) ?? 0) + quantity, MOST_OF_ONE));
  }
  return [...lines].map(([id, quantity]) => ({ product_id: id, quantity }));
}

export function cartCount() {
  return cartLines().reduce((sum, line) => sum + line.quantity, 0);
}

export function addToCart(productId, quantity) {
  setInCart(productId, quantityInCart(productId) + quantity);
}

export function setInCart(productId, quantity) {
  const lines = cartLines().filter((line) => line.product_id !== productId || quantity > 0);
  const line = lines.find((candidate) => candidate.product_id === productId);
  const capped = Math.min(quantity, MOST_OF_ONE);
  if (line) line.quantity = capped;
  else if (capped > 0) lines.push({ product_id: productId, quantity: capped });
  browser.remember(CART, lines);
  tellChange();
}

export function removeFromCart(productId) {
  setInCart(productId, 0);
}

/** Makes sure that at least these are in the cart. */
export function fillCart(lines) {
  for (const { product_id: id, quantity } of lines) {
    if (quantityInCart(id) < quantity) setInCart(id, quantity);
  }
}

/** Takes out what was bought; what was added since stays. */
export function takeFromCart(lines) {
  for (const { product_id: id, quantity } of lines) {
    setInCart(id, Math.max(quantityInCart(id) - quantity, 0));
  }
}

function quantityInCart(productId) {
  return cartLines().find((line) => line.product_id === productId)?.quantity ?? 0;
}

function tellChange() {
  cartEvents.dispatchEvent(new Event('change'));
}
