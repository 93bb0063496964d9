/**
 * The words of this site: one file per language in `texts/`, and `t` and `rich` to say them.
 *
 * English is part of the page's own modules: it costs no request of its own, and there are words even
 * if another language's file cannot be loaded.
 */
import english from '../texts/en.js';
import { browser } from './storage.js';

const CHOICE = 'language';
const PARAMETER = 'lang';

let words = english;
let language = 'en';

/** Chooses one of the languages that the shop offers, the first if no other is wanted, and loads its words. */
export async function loadTexts(offered) {
  const chosen = wanted().map((tag) => tag.toLowerCase().split('-')[0]).find((code) => offered.includes(code)) ?? offered[0];
  if (chosen === language) return;
  const file = chosen === 'en' ? { default: english } : await import(`../texts/${chosen}.js`).catch(() => null);
  if (file) [words, language] = [file.default, chosen];
}

/** "en", "de": the language that this page speaks. */
export function spoken() {
  return language;
}

/** For numbers, dates and names: as the visitor writes them, if that is the language of this page. */
export function locale() {
  return navigator.languages.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language;
}

/** This page's address in another language, which the next pages then speak, too. */
export function addressIn(code) {
  const address = new URL(location.href);
  address.searchParams.set(PARAMETER, code);
  return address.href;
}

/** Words for `key`: `{name}` becomes `values.name`, and `values.count` chooses between one and several. */
export function t(key, values = {}) {
  return rich(key, values).join('');
}

/** The same in parts, for values that are nodes. */
export function rich(key, values = {}) {
  const parts = formOf(key, values.count).split(/\{(\w+)\}/);
  return parts.map((part, index) => (index % 2 === 0 ? part : values[part] ?? '')).filter((part) => part !== '');
}

/** Whether there are words for it: answers of the API may have states that this site does not know. */
export function hasWords(key) {
  return Object.hasOwn(english, key);
}

function formOf(key, count) {
  // A language that is not finished yet falls back, key by key.
  const found = words[key] ?? english[key] ?? key;
  if (typeof found === 'string') return found;
  return found[new Intl.PluralRules(language).select(count)] ?? found.other;
}

/** What the visitor wants, best first: what the address says, what they chose before, what the browser says. */
function wanted() {
  const asked = new URLSearchParams(location.search).get(PARAMETER);
  if (asked) {
    try {
      browser.remember(CHOICE, asked);
    } catch {
      // Then it counts for this page only.
    }
  }
  const chosen = browser.recall(CHOICE);
  return [asked, typeof chosen === 'string' ? chosen : null, ...navigator.languages].filter(Boolean);
}
