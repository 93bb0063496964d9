/** What every page does around its own content. */
import { ApiError, ConnectionError } from './api.js';
import { cartCount, cartEvents } from './cart.js';
import { ConfigError, loadConfig } from './config.js';
import { button, element, panel } from './elements.js';
import { identityEvents, signedInAs, signIn, signOut } from './identity.js';
import { showProblem } from './notices.js';
import { isStorageBlocked, StorageBlocked } from './storage.js';

/** Shows the header, checks the configuration, then lets the page render itself. */
export async function startPage(render) {
  showHeader();
  addEventListener('pageshow', showHeader);
  cartEvents.addEventListener('change', showHeader);
  identityEvents.addEventListener('change', showHeader);
  try {
    requireSecureContext();
    showContact(await loadConfig());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    content().replaceChildren(panel({ title: 'This shop is not set up yet', text: error.message }));
    return;
  }
  if (isStorageBlocked()) content().before(element('p', { class: 'note' }, new StorageBlocked().message));
  await render();
}

/** The page's own area, below its heading. */
export function content() {
  return document.getElementById('content');
}

/** Shows `filling` once `load()` has answered, or what went wrong with a way to retry. */
export async function fill(place, load, filling, { waiting } = {}) {
  place.setAttribute('aria-busy', 'true');
  place.replaceChildren(...(waiting ?? []));
  try {
    place.replaceChildren(...filling(await load()));
  } catch (error) {
    const again = () => fill(place, load, filling, { waiting });
    place.replaceChildren(failure(error, again));
  } finally {
    place.removeAttribute('aria-busy');
  }
}

/** A panel for a request that failed; signing in is offered where that helps. */
export function failure(error, retry) {
  if (error.status === 401) return signInFirst('Please sign in again', error.message);
  const foreseen = error instanceof ApiError || error instanceof ConnectionError;
  if (!foreseen) reportError(error);
  return panel({
    title: error.status === 404 ? 'Nothing here' : 'That did not work',
    text: foreseen ? error.message : 'Something went wrong on this page. Please try again.',
    reference: error.requestId,
    actions: [button('Try again', retry, 'primary')],
  });
}

/** A panel asking the buyer to sign in and come back to this page. */
export function signInFirst(title, text) {
  return panel({ title, text, actions: [signInButton('primary')] });
}

function showHeader() {
  const count = cartCount();
  document.getElementById('cart-count').textContent = count > 0 ? ` (${count})` : '';

  const buyer = signedInAs();
  document.getElementById('account')?.replaceChildren(...(buyer
    ? [element('span', { class: 'email', title: buyer.email }, buyer.email), button('Sign out', signOut, 'quiet')]
    : [signInButton('quiet')]));
}

function showContact({ contact }) {
  if (!contact) return;
  const isAddress = contact.includes('@') && !contact.includes('/');
  document.getElementById('contact').replaceChildren('Questions? ',
    element('a', { href: isAddress ? `mailto:${contact}` : contact }, isAddress ? contact : 'Get in touch'));
}

function signInButton(kind) {
  return button('Sign in', () => signIn().catch((error) => showProblem(error)), kind);
}

function requireSecureContext() {
  if (!isSecureContext) {
    throw new ConfigError('Browsers only allow signing in over https, or on 127.0.0.1 and localhost.');
  }
}
