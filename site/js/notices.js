/**
 * The two live regions every page has: `#status` is read out politely,
 * `#alert` at once. One message at a time; a newer one replaces it.
 */
import { button, element } from './elements.js';

const BRIEFLY_MS = 6_000;

let clearing;

/** Tells what is going on. */
export function announce(message) {
  clearNotices();
  region('status').textContent = message;
}

/** Tells what has just worked; goes away by itself. */
export function announceBriefly(message) {
  announce(message);
  clearing = setTimeout(clearNotices, BRIEFLY_MS);
}

/** Tells what went wrong and, if `retry` is given, offers to try once more. */
export function showProblem(error, { retry, retryLabel = 'Try again' } = {}) {
  clearNotices();
  region('alert').append(element('div', { class: 'alert' },
    element('p', {}, error.message),
    error.requestId ? element('p', { class: 'reference' }, `Reference: ${error.requestId}`) : null,
    element('div', { class: 'actions' },
      retry ? button(retryLabel, retry) : null,
      button('Dismiss', clearNotices, 'quiet'))));
}

export function clearNotices() {
  clearTimeout(clearing);
  region('status').replaceChildren();
  region('alert').replaceChildren();
}

function region(id) {
  return document.getElementById(id);
}
