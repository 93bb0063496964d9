/** The address of a file of this site, wherever the site is mounted. */
export function siteUrl(path) {
  return new URL(`../${path}`, import.meta.url);
}

/**
 * Parses an address that may receive a token or a buyer: https, or http that
 * cannot leave this machine. Returns null for anything else.
 */
export function secureUrl(text) {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  return secure ? url : null;
}

function isLoopback(hostname) {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}
