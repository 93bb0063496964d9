import { element } from '../elements.js';
import { formatMoney } from '../money.js';
import { wasPaid } from './status.js';

/** The lines of a purchase, what they come to, and what became of the money. */
export function order(purchase) {
  const { lines, total } = purchase;
  const money = (amount) => formatMoney({ amount, currency: total.currency });
  const sums = wasPaid(purchase) ? movements(purchase) : [];
  return element('div', { class: 'order' },
    element('ul', { class: 'order-lines', role: 'list' }, ...lines.map((line) => element('li', {},
      element('span', {},
        element('span', { class: 'line-name' }, line.name),
        element('span', { class: 'line-detail' }, `${line.quantity} × ${money(line.unit_amount)}`)),
      element('span', { class: 'amount' }, money(line.unit_amount * line.quantity))))),
    sumRow('order-total', 'Total', total),
    ...sums);
}

/** "Refunded $5.00 of $15.00", or null if nothing was, or all of it. */
export function refundedInPart({ status, refunded, paid }) {
  return status === 'partially_refunded' ? `Refunded ${formatMoney(refunded)} of ${formatMoney(paid)}` : null;
}

/** What differs from "the total was paid", line by line; nothing if nothing does. */
function movements({ status, total, paid, refunded, disputed, net, refunds = [] }) {
  const sameCurrency = paid?.currency === total.currency;
  const discount = sameCurrency ? total.amount - paid.amount : 0;
  const moved = refunds.length > 0 || disputed?.amount > 0;
  if (!paid || (discount === 0 && sameCurrency && !moved)) return [];
  return [
    discount > 0 ? sumRow('order-sum', 'Discount', less({ ...total, amount: discount })) : null,
    sumRow('order-sum', 'You paid', paid),
    ...refunds.map(({ status: state, amount }) => (state === 'succeeded'
      ? sumRow('order-sum', 'Refunded', less(amount))
      : sumRow(`order-sum ${UNDONE.includes(state) ? 'undone' : ''}`, REFUNDS[state] ?? `Refund: ${state}`, amount))),
    disputed.amount > 0
      ? sumRow('order-sum', status === 'disputed' ? 'Held by your bank' : 'Returned by your bank', less(disputed))
      : null,
    moved && status !== 'disputed' && net.amount >= 0 ? sumRow('order-total', 'Paid in the end', net) : null,
  ].filter(Boolean);
}

/** Refunds that are not with the buyer. */
const REFUNDS = {
  pending: 'Refund on its way',
  requires_action: 'Refund waiting for you',
  failed: 'Refund that did not arrive',
  canceled: 'Refund called off',
};

const UNDONE = ['failed', 'canceled'];

function sumRow(kind, label, amount) {
  return element('p', { class: kind },
    element('span', {}, label),
    element('span', { class: 'amount' }, formatMoney(amount)));
}

function less({ amount, currency }) {
  return { amount: -amount, currency };
}
