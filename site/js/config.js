/**
 * What differs between two deployments of this site: the file `config.json`
 * beside `index.html`.
 *
 *   api        base URL of the HTTP API (the stack's `ApiUrl` output)
 *   issuer     OpenID Connect issuer that signs buyers in
 *   client_id  this site's client id there; a public client, so no secret
 *
 * and, if given, what the shop is like:
 *
 *   contact    where buyers can write: an email address, or the https address of
 *              a page; shown at the foot of every page
 *   name       of the shop, in the header and in titles
 *   tagline    the heading above the products
 *   intro      a sentence below it
 *   languages  codes of those that the site speaks, each with a file in `texts/`;
 *              the first is for visitors who speak none of them
 *   categories in the order in which they are to be shown
 *   links      at the foot of every page: `[{ "text", "href" }]`
 *
 * `tagline`, `intro` and a link's `text` may be an object with a text per language.
 * `product_pages` is set by `till site build`, which writes a page per product.
 *
 * docs/SITE.md has an example for AWS; `cargo run` adds its own addresses.
 */
import { secureUrl, siteUrl } from './urls.js';

/** `config.json` is missing or wrong: the message says which, and how to fix it. */
export class ConfigError extends Error {}

let loading;

/** Reads and checks `config.json`, once per page. */
export function loadConfig() {
  loading ??= fetchConfig();
  return loading;
}

async function fetchConfig() {
  const response = await fetch(siteUrl('config.json'), { cache: 'no-cache' }).catch(() => null);
  if (!response) throw new ConfigError('The file config.json could not be loaded: the site’s server did not answer.');
  if (!response.ok) {
    throw new ConfigError(
      `The file config.json could not be loaded: the server answered ${response.status}. `
      + 'Create it beside index.html; docs/SITE.md has an example.',
    );
  }
  return checked(await response.json().catch(() => {
    throw new ConfigError('The file config.json is not valid JSON.');
  }));
}

function checked(values) {
  for (const name of ['api', 'issuer', 'client_id']) {
    if (typeof values?.[name] !== 'string' || values[name] === '') {
      throw new ConfigError(`The file config.json needs "${name}", a string that is not empty.`);
    }
  }
  for (const name of ['api', 'issuer']) {
    if (!secureUrl(values[name])) {
      throw new ConfigError(
        `The file config.json gives "${values[name]}" as "${name}": `
        + 'it must be a complete https:// URL (http:// only for 127.0.0.1 and localhost).',
      );
    }
  }
  const { contact = null } = values;
  if (contact !== null && !isContact(contact)) {
    throw new ConfigError('In the file config.json, "contact" must be an email address or an https:// URL, or be left out.');
  }
  return Object.freeze({
    api: withoutTrailingSlash(values.api),
    issuer: withoutTrailingSlash(values.issuer),
    clientId: values.client_id,
    contact,
    ...appearance(values),
  });
}

/** What the shop is like; none of it is needed. */
function appearance(values) {
  const { name = null, tagline = null, intro = null, languages = ['en'], categories = [], links = [] } = values;
  const texts = (list) => Array.isArray(list) && list.every((each) => typeof each === 'string' && each !== '');
  for (const [member, right, what] of [
    ['name', name === null || (typeof name === 'string' && name !== ''), 'text'],
    ['tagline', tagline === null || isText(tagline), TEXT],
    ['intro', intro === null || isText(intro), TEXT],
    ['languages', texts(languages) && languages.length > 0 && languages.every((code) => /^[a-z]{2,3}$/.test(code)),
      'a list of language codes, such as ["en", "de"]'],
    ['categories', texts(categories), 'a list of texts'],
    ['links', Array.isArray(links) && links.every((link) => isText(link?.text) && isAddress(link.href)),
      '[{ "text": "Imprint", "href": "https://…" }], or the path of a page of this site as "href"'],
  ]) {
    if (!right) throw new ConfigError(`In the file config.json, "${member}" must be ${what}, or be left out.`);
  }
  return { name, tagline, intro, languages, categories, links, productPages: values.product_pages === true };
}

const TEXT = 'a text, or an object with a text per language';

function isText(value) {
  const all = typeof value === 'string' ? [value] : Object.values(value ?? {});
  return all.length > 0 && all.every((text) => typeof text === 'string' && text !== '');
}

/** A link never runs a script. */
function isAddress(href) {
  return typeof href === 'string' && href !== '' && ['http:', 'https:', 'mailto:'].includes(new URL(href, siteUrl('.')).protocol);
}

function isContact(text) {
  return typeof text === 'string' && (/^[^\s@/]+@[^\s@/]+$/.test(text) || secureUrl(text) !== null);
}

function withoutTrailingSlash(address) {
  return address.replace(/\/+$/, '');
}
