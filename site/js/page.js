/** What every page does around its own content. */
import { ApiError, ConnectionError } from './api.js';
import { cartCount, cartEvents } from './cart.js';
import { ConfigError } from './config.js';
import { button, element, panel } from './elements.js';
import { identityEvents, signedInAs, signIn, signOut } from './identity.js';
import { showProblem } from './notices.js';
import { loadShop, shopName, titled, written } from './shop.js';
import { isStorageBlocked } from './storage.js';
import { addressIn, loadTexts, spoken, t } from './texts.js';
import { siteUrl } from './urls.js';

/** Checks the configuration, shows what is around the content, then lets the page render itself. */
export async function startPage(render) {
  try {
    requireSecureContext();
    showFrame(await loadFrame());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    showHeader();
    content().replaceChildren(panel({ title: t('page.not_set_up'), text: error.message }));
    return;
  }
  addEventListener('pageshow', showHeader);
  cartEvents.addEventListener('change', showHeader);
  identityEvents.addEventListener('change', showHeader);
  if (isStorageBlocked()) content().before(element('p', { class: 'note' }, t('storage.blocked')));
  await render();
}

/** Loads what the page is to look like and the words for it, and puts these where the page has them already. */
export async function loadFrame() {
  const shop = await loadShop();
  await loadTexts(shop.languages);
  speak(shop);
  return shop;
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
  if (error.status === 401) return signInFirst(t('page.sign_in_again'), error.message);
  const foreseen = error instanceof ApiError || error instanceof ConnectionError;
  if (!foreseen) reportError(error);
  return panel({
    title: t(error.status === 404 ? 'page.nothing' : 'page.failed'),
    text: foreseen ? error.message : t('page.broken'),
    reference: error.requestId,
    actions: [button(t('page.try_again'), retry, 'primary')],
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
    ? [element('span', { class: 'email', title: buyer.email }, buyer.email), button(t('page.sign_out'), signOut, 'quiet')]
    : [signInButton('quiet')]));
}

/** What is around the content: the header, and the foot of the page. */
function showFrame(shop) {
  showHeader();
  showContact(shop);
  document.getElementById('footer').replaceChildren(...[footerLinks(shop), languageSwitch(shop)].filter(Boolean));
}

/** Puts the shop's own words, and those of another language, in place of the ones that the page came with. */
function speak(shop) {
  const page = document.documentElement;
  page.lang = spoken();
  const put = (attribute, words, place) => {
    for (const node of document.querySelectorAll(`[data-${attribute}]`)) {
      const said = words(node.dataset[attribute]);
      if (said !== null) place(node, said);
    }
  };
  const text = (node, said) => { if (node.textContent !== said) node.textContent = said; };
  put('text', t, text);
  put('label', t, (node, said) => node.setAttribute('aria-label', said));
  put('placeholder', t, (node, said) => { node.placeholder = said; });
  put('title', (key) => titled(t(key)), text);
  put('shop', (member) => (member === 'name' ? shopName() : written(shop[member])), text);
}

function footerLinks({ links }) {
  if (links.length === 0) return null;
  return element('ul', { class: 'footer-links', role: 'list' }, ...links.map(({ text, href }) => (
    element('li', {}, element('a', { href: new URL(href, siteUrl('.')).href }, written(text))))));
}

/** The languages of the shop, each in its own name. */
function languageSwitch({ languages }) {
  if (languages.length < 2) return null;
  return element('nav', { class: 'languages', 'aria-label': t('page.language') }, ...languages.map((code) => element('a', {
    href: addressIn(code), lang: code, hreflang: code, 'aria-current': code === spoken() ? 'true' : null,
  }, new Intl.DisplayNames(code, { type: 'language' }).of(code))));
}

function showContact({ contact }) {
  if (!contact) return;
  const isAddress = contact.includes('@') && !contact.includes('/');
  document.getElementById('contact').replaceChildren(`${t('page.questions')} `,
    element('a', { href: isAddress ? `mailto:${contact}` : contact }, isAddress ? contact : t('page.contact')));
}

function signInButton(kind) {
  return button(t('page.sign_in'), () => signIn().catch((error) => showProblem(error)), kind);
}

function requireSecureContext() {
  if (!isSecureContext) {
    throw new ConfigError('Browsers only allow signing in over https, or on 127.0.0.1 and localhost.');
  }
}
