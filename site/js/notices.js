/**
 * The two live regions every page has from the start: `#status` is read out
 * politely, `#alert` at once. One message at a time; a newer one replaces it.
 */
import { button, element } from './elements.js';
import { StorageBlocked } from './storage.js';
import { t } from './texts.js';

const BRIEFLY_MS = 8_000;

let clearing;

/** Says what is going on. */
export function announce(message) {
  clearNotices();
  region('status').append(element('div', { class: 'toast' }, element('p', {}, message)));
}

/** Says what has just worked and, with `link`, where to go next; goes away unless somebody is using it. */
export function announceBriefly(message, link = null) {
  announce(message);
  const toast = region('status').firstElementChild;
  if (link) toast.append(link);
  const leave = () => {
    if (toast.matches(':hover, :focus-within')) clearing = setTimeout(leave, BRIEFLY_MS);
    else clearNotices();
  };
  clearing = setTimeout(leave, BRIEFLY_MS);
}

/** Says what went wrong: `details` show more of it, `actions` help. */
export function showProblem(error, { details = [], actions = [] } = {}) {
  clearNotices();
  region('alert').append(element('div', { class: 'alert' },
    element('p', {}, messageOf(error)),
    error.requestId ? element('p', { class: 'reference' }, t('page.reference', { reference: error.requestId })) : null,
    ...details,
    element('div', { class: 'actions' }, ...actions, button(t('page.dismiss'), clearNotices, 'quiet'))));
}

/** What to tell the visitor. */
export function messageOf(error) {
  return error instanceof StorageBlocked ? t('storage.blocked') : error.message;
}

export function clearNotices() {
  clearTimeout(clearing);
  region('status').replaceChildren();
  region('alert').replaceChildren();
}

function region(id) {
  return document.getElementById(id);
}
