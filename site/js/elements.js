import { locale, t } from './texts.js';
import { siteUrl } from './urls.js';

/**
 * Builds a DOM node. Strings become text nodes, never markup, so data from the
 * API cannot turn into HTML.
 *
 *   element('button', { type: 'button', onclick: buy }, 'Buy')
 *
 * Attributes that are null, undefined or false are left out; null children too.
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A button that does something on this page. */
export function button(label, onclick, kind = 'secondary') {
  return element('button', { type: 'button', class: `button ${kind}`, onclick }, label);
}

/** A link that looks like a button, for going somewhere: to an address, or to a page of this site. */
export function linkButton(label, href, kind = 'primary') {
  return element('a', { class: `button ${kind}`, href: new URL(href, siteUrl('.')).href }, label);
}

/** Shown in place of content: nothing here yet, something went wrong, sign in first. */
export function panel({ title, text, reference, actions = [] }) {
  return element('section', { class: 'panel' },
    element('h2', {}, title),
    text ? element('p', {}, text) : null,
    reference ? element('p', { class: 'reference' }, t('page.reference', { reference })) : null,
    actions.length > 0 ? element('div', { class: 'actions' }, ...actions) : null);
}

/** "14:35" today, "3 Dec 2026, 14:35" on another day. */
export function timeOfDay(isoTime) {
  const date = new Date(isoTime);
  const today = date.toDateString() === new Date().toDateString();
  const format = new Intl.DateTimeFormat(locale(), { timeStyle: 'short', dateStyle: today ? undefined : 'medium' });
  return element('time', { datetime: isoTime }, format.format(date));
}

/** "3 Dec 2026" */
export function day(isoTime) {
  const format = new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' });
  return element('time', { datetime: isoTime }, format.format(new Date(isoTime)));
}

export function moment(isoTime) {
  const format = new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' });
  return element('time', { datetime: isoTime }, format.format(new Date(isoTime)));
}
