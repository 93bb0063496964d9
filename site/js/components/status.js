import { element } from '../elements.js';

/** Every status a purchase can have, in the buyer's words; `tone` names its colour. */
const STATUSES = {
  open: ['Not paid yet', 'neutral', 'The payment has not been finished. Nothing has been charged.'],
  abandoned: ['Not completed', 'neutral', 'This purchase was never completed. Nothing was charged.'],
  expired: ['Not completed', 'neutral', 'This purchase was cancelled, or not paid in time. Nothing was charged.'],
  pending: ['Payment on its way', 'waiting', 'Your bank is still moving the money, which can take a few days. '
    + 'There is nothing more for you to do: we will email you when it arrives.'],
  failed: ['Payment failed', 'bad', 'The payment did not go through. Nothing was charged; you are welcome to try again.'],
  paid: ['Paid', 'good', 'The payment has arrived.'],
  partially_refunded: ['Partly refunded', 'neutral', 'We sent a part of your payment back to you.'],
  refunded: ['Refunded', 'neutral', 'We sent your payment back to you. Your bank may take some days to show it.'],
  disputed: ['Disputed', 'waiting', 'Your bank is looking into this payment.'],
  charged_back: ['Returned by your bank', 'neutral', 'After a dispute, your bank returned this payment to you.'],
};

/** Those in which the buyer has done their part. */
const ORDERED = new Set(['pending', 'paid', 'partially_refunded', 'refunded', 'disputed', 'charged_back']);

/** Those in which money has arrived at some time, if any was due. */
const WAS_PAID = new Set([...ORDERED].filter((status) => status !== 'pending'));

/** Whether there is nothing left for the buyer to pay, or no way to. */
export function isDecided({ status }) {
  return status !== 'open';
}

export function isOrdered({ status }) {
  return ORDERED.has(status);
}

/** Whether nothing came of it, so that the buyer may want to try once more. */
export function cameToNothing({ status }) {
  return isDecided({ status }) && !isOrdered({ status });
}

export function wasPaid({ status }) {
  return WAS_PAID.has(status);
}

export function statusBadge(status) {
  const [label, tone] = describe(status);
  return element('span', { class: `badge ${tone}` }, label);
}

export function statusExplanation({ status, paid }) {
  if (status === 'paid' && paid?.amount === 0) return 'There was nothing to pay.';
  return describe(status)[2];
}

function describe(status) {
  return STATUSES[status] ?? [status, 'neutral', ''];
}
