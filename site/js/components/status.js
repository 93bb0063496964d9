import { element, linkButton } from '../elements.js';
import { trialOf } from './price.js';

/** Every status a purchase can have, in the buyer's words; `tone` names its color. */
const STATUSES = {
  open: ['Not paid yet', 'neutral', 'The payment has not been finished. Nothing has been charged.'],
  abandoned: ['Not completed', 'neutral', 'This purchase was never completed. Nothing was charged.'],
  expired: ['Not completed', 'neutral', 'This purchase was cancelled, or not paid in time. Nothing was charged.'],
  pending: ['Payment on its way', 'waiting', 'Your bank is still moving the money, which can take a few days. '
    + 'There is nothing more for you to do: we will email you when it arrives.'],
  failed: ['Payment failed', 'bad', 'The payment did not go through. Nothing was charged; you are welcome to try again.'],
  paid: ['Paid', 'good', 'The payment has arrived.'],
  partially_refunded: ['Partly refunded', 'neutral', 'We sent part of your payment back to you.'],
  refunded: ['Refunded', 'neutral', 'We sent your payment back to you. It may take your bank a few days to show it.'],
  disputed: ['Disputed', 'waiting', 'Your bank is looking into this payment.'],
  charged_back: ['Returned by your bank', 'neutral', 'After a dispute, your bank returned this payment to you.'],
};

/** Said instead where the status alone would not be true. */
const TO_BE_PAID = ['Waiting for you to pay', 'waiting', 'You still have to pay: your payment voucher says where, and until when. '
  + 'We will email you when the payment arrives.'];
const TO_COME = ['Payment to come', 'waiting', 'If you were given a voucher or payment instructions, please follow them in time. '
  + 'We will email you when the payment arrives.'];
const FREE = ['Free', 'good', 'There was nothing to pay.'];
const TRIAL = ['Free trial', 'good', 'Your free trial has begun. Nothing was charged.'];

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
  const [label, tone] = describe(purchase);
  return element('span', { class: `badge ${tone}` }, label);
}

export function statusExplanation(purchase) {
  return describe(purchase)[2];
}

/** Leads to the voucher, if Stripe has a page for it. */
export function voucherButton(purchase) {
  const url = isToBePaid(purchase) && purchase.waits_for.voucher_url;
  return url && /^https?:/.test(url) ? linkButton('Open the voucher', url) : null;
}

function describe(purchase) {
  const { status, waits_for: waitsFor } = purchase;
  if (isToBePaid(purchase)) return TO_BE_PAID;
  if (isFree(purchase)) return purchase.lines.some(trialOf) ? TRIAL : FREE;
  if (status === 'pending' && waitsFor?.who === 'unknown') return TO_COME;
  return STATUSES[status] ?? [status, 'neutral', ''];
}
