/**
 * What differs between two deployments of this site: the file `config.json`
 * beside `index.html`.
 *
 *   api        base URL of the HTTP API (the stack's `ApiUrl` output)
 *   issuer     OpenID Connect issuer that signs buyers in
 *   client_id  this site's client id there; a public client, so no secret
 *   contact    where buyers can write: an email address, or the https address of
 *              a page; shown at the foot of every page, if given
 *
 * docs/SITE.md has an example for AWS; `cargo run` serves its own.
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
  });
}

function isContact(text) {
  return typeof text === 'string' && (/^[^\s@/]+@[^\s@/]+$/.test(text) || secureUrl(text) !== null);
}

function withoutTrailingSlash(address) {
  return address.replace(/\/+$/, '');
}
