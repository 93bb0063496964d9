import { element, linkButton } from '../elements.js';
import { t } from '../texts.js';
import { trialOf } from './price.js';

/** The color of every status a purchase can have. */
const TONES = {
  open: 'neutral', abandoned: 'neutral', expired: 'neutral', pending: 'waiting', failed: 'bad', paid: 'good',
  partially_refunded: 'neutral', refunded: 'neutral', disputed: 'waiting', charged_back: 'neutral',
};

/** Statuses in which the buyer has ordered, even if the payment is still to come. */
const ORDERED = new Set(['pending', 'paid', 'partially_refunded', 'refunded', 'disputed', 'charged_back']);

/** Statuses in which the money has arrived at some point, if any was due. */
const WAS_PAID = new Set([...ORDERED].filter((status) => status !== 'pending'));

/** Whether there is nothing left for the buyer to pay, or no way to pay it. */
export function isDecided({ status }) {
  return status !== 'open';
}

export function isOrdered({ status }) {
  return ORDERED.has(status);
}

/** Whether nothing came of it, so that the buyer may want to try again. */
export function cameToNothing({ status }) {
  return isDecided({ status }) && !isOrdered({ status });
}

export function wasPaid({ status }) {
  return WAS_PAID.has(status);
}

/** Whether the buyer has to pay with the voucher that they were given. */
export function isToBePaid({ status, waits_for: waitsFor }) {
  return status === 'pending' && waitsFor?.who === 'buyer';
}

export function isFree({ status, paid }) {
  return status === 'paid' && paid?.amount === 0;
}

/** Whether some of it is paid for again and again. */
export function isSubscription({ lines = [] }) {
  return lines.some(({ recurring }) => recurring);
}

/** Where its subscription is shown; or, as long as that is not known, all of them. */
export function subscriptionPage({ subscription_id: id }) {
  return id ? `subscription.html?id=${encodeURIComponent(id)}` : 'subscriptions.html';
}

export function statusBadge(purchase) {
  const { label, tone } = describe(purchase);
  return element('span', { class: `badge ${tone}` }, label);
}

export function statusExplanation(purchase) {
  return describe(purchase).explanation;
}

/** Leads to the voucher, if Stripe has a page for it. */
export function voucherButton(purchase) {
  const url = isToBePaid(purchase) && purchase.waits_for.voucher_url;
  return url && /^https?:/.test(url) ? linkButton(t('status.voucher'), url) : null;
}

function describe(purchase) {
  const { status, waits_for: waitsFor } = purchase;
  // Where the status alone would not be true, something else is said.
  if (isToBePaid(purchase)) return inWords('to_be_paid', 'waiting');
  if (isFree(purchase)) return inWords(purchase.lines.some(trialOf) ? 'trial' : 'free', 'good');
  if (status === 'pending' && waitsFor?.who === 'unknown') return inWords('to_come', 'waiting');
  return TONES[status] ? inWords(status, TONES[status]) : { label: status, tone: 'neutral', explanation: '' };
}

function inWords(state, tone) {
  return { label: t(`status.${state}`), tone, explanation: t(`explained.${state}`) };
}
