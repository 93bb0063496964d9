/**
 * What this browser remembers about a buyer, in two places:
 *
 *   tab      ends with the tab and is never shared with another: who is signed in
 *   browser  stays, and is the same in all tabs: the cart, and what is being bought
 *
 * Anything may be found there, left by an older version of this site or put there
 * by hand: whoever recalls a value checks its shape.
 */
const PREFIX = 'till.';

/** The browser does not let this site keep anything. */
export class StorageBlocked extends Error {
  constructor() {
    super('The browser does not let this site store anything.');
  }
}

export const tab = keptIn('sessionStorage');
export const browser = keptIn('localStorage');

/** Forgets everything about the buyer: in this tab, and what all tabs share. */
export function forgetEverything() {
  tab.clear();
  browser.clear();
}

export function isStorageBlocked() {
  try {
    for (const place of [tab, browser]) {
      place.remember('test', true);
      place.forget('test');
    }
    return false;
  } catch {
    return true;
  }
}

function keptIn(name) {
  // If storage is blocked, merely naming it may throw.
  const attempt = (action, otherwise) => {
    try {
      return action(window[name]);
    } catch {
      return otherwise();
    }
  };
  return {
    /** The remembered value, or null if there is none that can be read. */
    recall: (key) => attempt((storage) => JSON.parse(storage.getItem(PREFIX + key)), () => null),

    remember: (key, value) => attempt(
      (storage) => storage.setItem(PREFIX + key, JSON.stringify(value)),
      () => { throw new StorageBlocked(); },
    ),

    forget: (key) => attempt((storage) => storage.removeItem(PREFIX + key), () => {}),

    clear: () => attempt((storage) => {
      Object.keys(storage).filter((key) => key.startsWith(PREFIX)).forEach((key) => storage.removeItem(key));
    }, () => {}),

    /** Calls `listener` when another tab has changed the value. */
    onChangeElsewhere: (key, listener) => addEventListener('storage', (event) => {
      const mine = event.storageArea === attempt((storage) => storage, () => null);
      if (mine && (event.key === null || event.key === PREFIX + key)) listener();
    }),
  };
}
