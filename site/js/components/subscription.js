import { openPortal } from '../api.js';
import { button, day, element, linkButton } from '../elements.js';
import { formatMoney } from '../money.js';
import { showProblem } from '../notices.js';
import { hasWords, rich, t } from '../texts.js';
import { secureUrl } from '../urls.js';
import { every } from './price.js';

/** The color of every status a subscription can have. */
const TONES = {
  unread: 'waiting', incomplete: 'waiting', incomplete_expired: 'neutral', trialing: 'good', active: 'good',
  past_due: 'bad', unpaid: 'bad', paused: 'neutral', canceled: 'neutral',
};

const INVOICE_TONES = {
  draft: 'neutral', open: 'waiting', uncollectible: 'bad', void: 'neutral', paid: 'good',
  partially_refunded: 'neutral', refunded: 'neutral', disputed: 'waiting', charged_back: 'neutral',
};

/** Statuses in which there is nothing more to manage. */
const OVER = new Set(['canceled', 'incomplete_expired']);

export function isOver({ status }) {
  return OVER.has(status);
}

/** "Coffee box", "2 × Coffee box, Tea" */
export function nameOf({ items }) {
  if (items.length === 0) return t('subscription.unnamed');
  return items.map(({ name, quantity }) => (quantity > 1 ? `${quantity} × ${name}` : name)).join(', ');
}

/** "19.00 USD every month", or null if the price has tiers. */
export function planOf({ items, total }) {
  return total && items.length > 0 ? `${formatMoney(total)} ${every(items[0].recurring)}` : null;
}

export function subscriptionBadge(subscription) {
  const { label, tone } = describe(subscription);
  return element('span', { class: `badge ${tone}` }, label);
}

export function subscriptionExplanation(subscription) {
  return describe(subscription).explanation;
}

/** What comes next, in a sentence: the next payment, or the end. */
export function whatIsNext(subscription) {
  const { status, next, cancel_at: cancelAt, ended_at: endedAt, trial_end: trialEnd, pause } = subscription;
  const sentence = (key, values) => element('span', {}, ...rich(key, values));
  if (isOver(subscription)) return endedAt ? sentence('next.ended', { day: day(endedAt) }) : null;
  if (cancelAt) return sentence('next.cancelled', { day: day(cancelAt) });
  if (pause) return pause.resumes_at ? sentence('next.paused_until', { day: day(pause.resumes_at) }) : sentence('next.paused');
  // What else Stripe works out on the day, the shop does not know: discounts, credit, tax.
  const amount = next && formatMoney(next.amount);
  if (status === 'trialing' && trialEnd && next) return sentence('next.trial', { day: day(trialEnd), amount });
  return next ? sentence('next.payment', { amount, day: day(next.at) }) : null;
}

/** What has to be paid to go on, with the page to pay it. */
export function paymentDue({ to_pay: toPay }) {
  if (!toPay) return null;
  const page = secureUrl(toPay.url);
  return element('div', { class: 'note' },
    element('p', {}, t('subscription.due', { amount: formatMoney(toPay.amount) }),
      toPay.next_attempt ? element('span', {}, ' ', ...rich('subscription.again', { day: day(toPay.next_attempt) })) : null),
    page ? element('div', { class: 'actions' }, linkButton(t('subscription.pay'), page.href)) : null);
}

/** Opens Stripe's billing portal, where everything about subscriptions can be changed. */
export function portalButton(label = t('subscription.portal'), kind = 'secondary') {
  const opening = button(label, open, kind);

  async function open() {
    opening.disabled = true;
    opening.setAttribute('aria-busy', 'true');
    try {
      const page = secureUrl((await openPortal()).url);
      if (!page) throw new Error(t('buying.not_secure'));
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
  const { status, reason, number, created_at: createdAt, total, paid, refunded, sums, url } = invoice;
  const key = `invoice.${status}`;
  const page = secureUrl(url);
  const inner = [
    element('span', { class: 'row-main' },
      element('span', { class: 'line-name' }, t(hasWords(`invoice_for.${reason}`) ? `invoice_for.${reason}` : 'invoice_for.other')),
      element('span', { class: 'line-detail' }, day(createdAt), number ? ` · ${number}` : null),
      sums?.tax.amount > 0
        ? element('span', { class: 'line-detail' }, `${t('order.of_which_tax')} ${formatMoney(sums.tax)}`)
        : null,
      refunded.amount > 0
        ? element('span', { class: 'line-detail' }, t('order.refunded_of', { refunded: formatMoney(refunded), paid: formatMoney(paid) }))
        : null),
    element('span', { class: `badge ${INVOICE_TONES[status] ?? 'neutral'}` }, hasWords(key) ? t(key) : status),
    element('span', { class: 'amount' }, formatMoney(total)),
  ];
  return element('li', {}, page
    ? element('a', { class: 'row', href: page.href }, ...inner)
    : element('div', { class: 'row' }, ...inner));
}

function describe({ status, cancel_at: cancelAt }) {
  if (cancelAt && (status === 'active' || status === 'trialing')) {
    return { label: t('subscription.cancelled'), tone: 'neutral', explanation: '' };
  }
  if (!TONES[status]) return { label: status, tone: 'neutral', explanation: '' };
  const explained = `subscription_explained.${status}`;
  return { label: t(`subscription.${status}`), tone: TONES[status], explanation: hasWords(explained) ? t(explained) : '' };
}
