import { formatBytes } from '../bytes.js';
import { formatMoney } from '../money.js';
import { t } from '../texts.js';

/** "15.00 USD", or "9.00 USD / month" for what is paid for again and again. */
export function priceOf({ price, recurring }) {
  return recurring ? `${formatMoney(price)} / ${interval(recurring)}` : formatMoney(price);
}

/** "14 days free", or null if the first payment is due at once. */
export function trialOf({ recurring }) {
  const days = recurring?.trial_days ?? 0;
  if (days === 0) return null;
  return t('price.free_days', { count: days });
}

/** "plus tax" of a price that tax comes on top of, or null. How much that is, only the payment page knows. */
export function taxOf({ tax_behavior: behavior }) {
  return behavior === 'exclusive' ? t('price.plus_tax') : null;
}

/** How something that is shipped is delivered; of what recurs, that is in the price. */
export function shippingOf({ recurring }) {
  return t(recurring ? 'price.shipped_included' : 'price.shipped');
}

/** What kind of thing it is if it can be downloaded: "A download, 4.5 MB". */
export function downloadOf({ download }) {
  return download.size ? t('price.download_size', { size: formatBytes(download.size) }) : t('price.download');
}

/** "month", "3 months": the time between two payments. */
function interval({ interval: unit, interval_count: count }) {
  return t(`price.${unit}`, { count });
}

/** "every month", "every 3 months" */
export function every({ interval: unit, interval_count: count }) {
  return t(`price.every_${unit}`, { count });
}

/** Whether two products can be in one subscription, which has one rhythm and one trial. */
export function haveSameTerms(one, other) {
  return one.interval === other.interval && one.interval_count === other.interval_count
    && (one.trial_days ?? 0) === (other.trial_days ?? 0);
}

/** What these are together, each `{ price, recurring, quantity }`: today, and each time from then on. */
export function sumOf(items) {
  const { currency } = items[0].price;
  const sum = (some) => ({
    currency,
    amount: some.reduce((amount, { price, quantity }) => amount + price.amount * quantity, 0),
  });
  const recurring = items.filter((item) => item.recurring);
  return {
    today: sum(items.filter((item) => !trialOf(item))),
    renewal: recurring.length > 0 ? { price: sum(recurring), recurring: recurring[0].recurring } : null,
  };
}
