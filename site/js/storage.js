/**
 * What this tab remembers. sessionStorage, so that a token or a half-finished
 * purchase ends with the tab and is never shared with another.
 */
const PREFIX = 'till.';

/** The remembered value, or null if there is none or it is not ours to read. */
export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

export function remember(name, value) {
  sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
}

export function forget(name) {
  sessionStorage.removeItem(PREFIX + name);
}

export function forgetEverything() {
  Object.keys(sessionStorage)
    .filter((key) => key.startsWith(PREFIX))
    .forEach((key) => sessionStorage.removeItem(key));
}
