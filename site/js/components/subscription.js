import { openPortal } from '../api.js';
import { button, day, element, linkButton } from '../elements.js';
import { formatMoney } from '../money.js';
import { showProblem } from '../notices.js';
import { secureUrl } from '../urls.js';
import { interval } from './price.js';

/** Every status a subscription can have, in the buyer's words; `tone` names its color. */
const STATUSES = {
  unread: ['Being set up', 'waiting', 'It has just begun. How it stands will be here in a moment.'],
  incomplete: ['Not paid yet', 'waiting', 'It begins with its first payment, which has not been made yet.'],
  incomplete_expired: ['Not completed', 'neutral', 'Its first payment was not made in time. Nothing was charged.'],
  trialing: ['Free trial', 'good', ''],
  active: ['Active', 'good', ''],
  past_due: ['Payment failed', 'bad', 'The last payment did not go through. Please pay it, or change how you pay: '
    + 'otherwise we will try again, and end the subscription if it keeps failing.'],
  unpaid: ['Not paid', 'bad', 'The last payment did not go through, and we have stopped trying. '
    + 'Please pay it to go on.'],
  paused: ['Paused', 'neutral', 'It rests, and nothing is charged. Add a way to pay to go on.'],
  canceled: ['Ended', 'neutral', ''],
};

const INVOICES = {
  draft: ['Being prepared', 'neutral'],
  open: ['To be paid', 'waiting'],
  uncollectible: ['Not paid', 'bad'],
  void: ['Void', 'neutral'],
  paid: ['Paid', 'good'],
  partially_refunded: ['Partly refunded', 'neutral'],
  refunded: ['Refunded', 'neutral'],
  disputed: ['Disputed', 'waiting'],
  charged_back: ['Returned by your bank', 'neutral'],
};

const REASONS = { first: 'First payment', renewal: 'Renewal', change: 'Change of plan', other: 'Invoice' };

/** What the shop does not know of a payment to come: Stripe works it out on the day. */
const EXCEPT = 'less any discount or credit, plus any tax';

/** Statuses in which there is nothing more to manage. */
const OVER = new Set(['canceled', 'incomplete_expired']);

export function isOver({ status }) {
  return OVER.has(status);
}

/** "Coffee box", "2 × Coffee box, Tea" */
export function nameOf({ items }) {
  if (items.length === 0) return 'A subscription';
  return items.map(({ name, quantity }) => (quantity > 1 ? `${quantity} × ${name}` : name)).join(', ');
}

/** "19.00 USD every month", or null if the price has tiers. */
export function planOf({ items, total }) {
  return total && items.length > 0 ? `${formatMoney(total)} every ${interval(items[0].recurring)}` : null;
}

export function subscriptionBadge(subscription) {
  const [label, tone] = describe(subscription);
  return element('span', { class: `badge ${tone}` }, label);
}

export function subscriptionExplanation(subscription) {
  return describe(subscription)[2];
}

/** What comes next, in a sentence: the next payment, or the end. */
export function whatIsNext(subscription) {
  const { status, next, cancel_at: cancelAt, ended_at: endedAt, trial_end: trialEnd, pause } = subscription;
  const sentence = (...parts) => element('span', {}, ...parts);
  if (isOver(subscription)) return endedAt ? sentence('It ended on ', day(endedAt), '.') : null;
  if (cancelAt) return sentence('It is cancelled and ends on ', day(cancelAt), '. Nothing more will be charged.');
  if (pause) {
    return pause.resumes_at
      ? sentence('Payments are paused until ', day(pause.resumes_at), '.')
      : sentence('Payments are paused.');
  }
  if (status === 'trialing' && trialEnd && next) {
    return sentence('It is free until ', day(trialEnd), `. Then ${formatMoney(next.amount)} will be charged, ${EXCEPT}.`);
  }
  return next
    ? sentence('The next payment is ', formatMoney(next.amount), ' on ', day(next.at), `, ${EXCEPT}.`)
    : null;
}

/** What has to be paid to go on, with the page to pay it. */
export function paymentDue({ to_pay: toPay }) {
  if (!toPay) return null;
  const page = secureUrl(toPay.url);
  return element('div', { class: 'note' },
    element('p', {}, `${formatMoney(toPay.amount)} is to be paid.`,
      toPay.next_attempt ? element('span', {}, ' We will try again on ', day(toPay.next_attempt), '.') : null),
    page ? element('div', { class: 'actions' }, linkButton('Pay now', page.href)) : null);
}

/** Opens Stripe's billing portal, where everything about subscriptions can be changed. */
export function portalButton(label = 'Manage at Stripe', kind = 'secondary') {
  const opening = button(label, open, kind);

  async function open() {
    opening.disabled = true;
    opening.setAttribute('aria-busy', 'true');
    try {
      const page = secureUrl((await openPortal()).url);
      if (!page) throw new Error('The shop named a page that is not secure, so we stopped here.');
      location.assign(page);
    } catch (error) {
      showProblem(error);
    } finally {
      opening.disabled = false;
      opening.removeAttribute('aria-busy');
    }
  }

  return opening;
}

/** One invoice of a subscription, with its page at Stripe. */
export function invoiceRow(invoice) {
  const { status, reason, number, created_at: createdAt, total, paid, refunded, url } = invoice;
  const [label, tone] = INVOICES[status] ?? [status, 'neutral'];
  const page = secureUrl(url);
  const inner = [
    element('span', { class: 'row-main' },
      element('span', { class: 'line-name' }, REASONS[reason] ?? REASONS.other),
      element('span', { class: 'line-detail' }, day(createdAt), number ? ` · ${number}` : null),
      refunded.amount > 0
        ? element('span', { class: 'line-detail' }, `Refunded ${formatMoney(refunded)} of ${formatMoney(paid)}`)
        : null),
    element('span', { class: `badge ${tone}` }, label),
    element('span', { class: 'amount' }, formatMoney(total)),
  ];
  return element('li', {}, page
    ? element('a', { class: 'row', href: page.href }, ...inner)
    : element('div', { class: 'row' }, ...inner));
}

function describe({ status, cancel_at: cancelAt }) {
  if (cancelAt && (status === 'active' || status === 'trialing')) return ['Cancelled', 'neutral', ''];
  return STATUSES[status] ?? [status, 'neutral', ''];
}
