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

/** "$15.00", "−¥1,800", "KWD 3.500": in the visitor's own notation. */
export function formatMoney({ amount, currency }) {
  const decimals = decimalsOf(currency);
  return new Intl.NumberFormat(undefined, {
    style: 'currency',
    currency,
    minimumFractionDigits: WHOLE_BUT_IN_HUNDREDTHS.has(currency) ? 0 : decimals,
    maximumFractionDigits: decimals,
  }).format(amount / 10 ** decimals).replace('-', '−');
}

/** Sums prices per currency, in order of first appearance. */
export function totalsPerCurrency(prices) {
  const totals = new Map();
  for (const { amount, currency } of prices) {
    totals.set(currency, (totals.get(currency) ?? 0) + amount);
  }
  return [...totals].map(([currency, amount]) => ({ amount, currency }));
}

function decimalsOf(currency) {
  if (ZERO_DECIMAL.has(currency)) return 0;
  if (THREE_DECIMAL.has(currency)) return 3;
  return 2;
}
