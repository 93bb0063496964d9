import { locale } from './texts.js';

/**
 * Amounts as the API and Stripe give them: integers in minor units.
 * Stripe's rules differ from ISO 4217 in places: https://docs.stripe.com/currencies
 */
const ZERO_DECIMAL = new Set([
  'bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf',
]);
const THREE_DECIMAL = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd']);

/** Whole-unit currencies that Stripe still counts in hundredths, always …00. */
const WHOLE_BUT_IN_HUNDREDTHS = new Set(['isk', 'ugx']);

/** "15.00 USD", "−1,800 JPY", "3.500 KWD": as in mail, but with the separators of the visitor's locale. */
export function formatMoney({ amount, currency }) {
  const decimals = decimalsOf(currency);
  const number = new Intl.NumberFormat(locale(), {
    minimumFractionDigits: WHOLE_BUT_IN_HUNDREDTHS.has(currency) ? 0 : decimals,
    maximumFractionDigits: decimals,
  }).format(amount / 10 ** decimals).replace('-', '−');
  return `${number}\u00a0${currency.toUpperCase()}`;
}

/** "US dollars": a currency's name, in the language of this page. */
export function nameOfCurrency(currency) {
  const many = new Intl.NumberFormat(locale(), { style: 'currency', currency, currencyDisplay: 'name' }).formatToParts(2);
  return many.find(({ type }) => type === 'currency').value;
}

function decimalsOf(currency) {
  if (ZERO_DECIMAL.has(currency)) return 0;
  if (THREE_DECIMAL.has(currency)) return 3;
  return 2;
}
