/** The cart: `[{ product_id, quantity }]`, kept in this tab. */
import { forget, recall, remember } from './storage.js';

const CART = 'cart';
const PURCHASE = 'cart-purchase';

export const MOST_OF_ONE = 999;

/** Emits `change` whenever the cart does. */
export const cartEvents = new EventTarget();

export function cartLines() {
  return recall(CART) ?? [];
}

export function cartCount() {
  return cartLines().reduce((sum, line) => sum + line.quantity, 0);
}

export function addToCart(productId, quantity) {
  const already = cartLines().find((line) => line.product_id === productId)?.quantity ?? 0;
  setInCart(productId, already + quantity);
}

export function setInCart(productId, quantity) {
  const capped = Math.min(quantity, MOST_OF_ONE);
  const lines = cartLines();
  const line = lines.find((candidate) => candidate.product_id === productId);
  if (line) line.quantity = capped;
  else lines.push({ product_id: productId, quantity: capped });
  save(lines);
}

export function removeFromCart(productId) {
  save(cartLines().filter((line) => line.product_id !== productId));
}

/** The cart went to the payment page as this purchase; it stays until that is paid. */
export function cartBecame(purchaseId) {
  remember(PURCHASE, purchaseId);
}

/** Empties the cart if it is what this purchase paid for. */
export function emptyCartOf(purchaseId) {
  if (recall(PURCHASE) !== purchaseId) return;
  forget(PURCHASE);
  save([]);
}

function save(lines) {
  remember(CART, lines);
  cartEvents.dispatchEvent(new Event('change'));
}
