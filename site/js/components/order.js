import { element } from '../elements.js';
import { formatMoney } from '../money.js';
import { hasWords, t } from '../texts.js';
import { every, trialOf } from './price.js';
import { wasPaid } from './status.js';

/** "2 × Mug, Notebook and 3 more" */
export function summary(lines) {
  const named = lines.slice(0, 2).map(({ name, quantity }) => (quantity > 1 ? `${quantity} × ${name}` : name));
  const others = lines.length - named.length;
  const text = named.join(', ');
  return others > 0 ? t('order.and_more', { text, count: others }) : text;
}

/** The lines of a purchase, what was paid for them, and what became of the money. */
export function order(purchase) {
  const { lines, total } = purchase;
  const money = (amount) => formatMoney({ amount, currency: total.currency });
  return element('div', { class: 'order' },
    element('ul', { class: 'order-lines', role: 'list' }, ...lines.map((line) => element('li', {},
      element('span', {},
        element('span', { class: 'line-name' }, line.name),
        element('span', { class: 'line-detail' },
          (trialOf(line) ? `${t('order.then', { trial: trialOf(line) })} ` : '')
          + `${line.quantity} × ${money(line.unit_amount)}`
          + (line.recurring ? ` ${every(line.recurring)}` : ''))),
      element('span', { class: 'amount' }, money(trialOf(line) ? 0 : line.unit_amount * line.quantity))))),
    ...(wasPaid(purchase) && purchase.paid ? sums(purchase) : [sumRow('order-total', t('order.total'), total)]));
}

/** "Refunded 5.00 USD of 15.00 USD", or null if nothing was, or all of it. */
export function refundedInPart({ status, refunded, paid }) {
  return status === 'partially_refunded' ? t('order.refunded_of', { refunded: formatMoney(refunded), paid: formatMoney(paid) }) : null;
}

/** From what the lines come to, to what was paid in the end. */
function sums({ status, total, paid, disputed, net, refunds = [], sums: parts }) {
  const moved = refunds.length > 0 || disputed.amount > 0;
  return [
    ...(parts ? toThePayment(parts) : discounted(total, paid)),
    sumRow(moved ? 'order-sum' : 'order-total', t('order.paid'), paid),
    parts ? ofWhichTax(parts.tax_included) : null,
    ...refunds.flatMap(({ status: state, amount, tax }) => [
      state === 'succeeded'
        ? sumRow('order-sum', t('refund.succeeded'), less(amount))
        : sumRow(`order-sum ${UNDONE.includes(state) ? 'undone' : ''}`, hasWords(`refund.${state}`) ? t(`refund.${state}`) : t('refund.other', { state }), amount),
      tax ? ofWhichTax(tax) : null,
    ]),
    disputed.amount > 0
      ? sumRow('order-sum', t(status === 'disputed' ? 'order.held' : 'order.returned'), less(disputed))
      : null,
    moved && status !== 'disputed' && net.amount >= 0 ? sumRow('order-total', t('order.net'), net) : null,
  ].filter(Boolean);
}

/** How a payment comes about, if there is more in it than what the lines come to. */
function toThePayment({ subtotal, discount, shipping, tax, tax_included: included }) {
  const onTop = { ...tax, amount: tax.amount - included.amount };
  const rows = [
    discount.amount > 0 ? sumRow('order-sum', t('order.discount'), less(discount)) : null,
    shipping.amount > 0 ? sumRow('order-sum', t('order.shipping'), shipping) : null,
    onTop.amount > 0 ? sumRow('order-sum', t('order.tax'), onTop) : null,
  ].filter(Boolean);
  return rows.length > 0 ? [sumRow('order-sum', t('order.subtotal'), subtotal), ...rows] : [];
}

/** What of the amount above is tax; null if nothing is. */
function ofWhichTax(tax) {
  return tax.amount > 0 ? sumRow('order-sum of-which', t('order.of_which_tax'), tax) : null;
}

/** The same of a purchase from before the shop kept how a payment comes about. */
function discounted(total, paid) {
  const discount = paid.currency === total.currency ? total.amount - paid.amount : 0;
  if (discount <= 0) return [];
  return [
    sumRow('order-sum', t('order.subtotal'), total),
    sumRow('order-sum', t('order.discount'), less({ ...total, amount: discount })),
  ];
}

/** Refunds that will not reach the buyer. */
const UNDONE = ['failed', 'canceled'];

function sumRow(kind, label, amount) {
  return element('p', { class: kind },
    element('span', {}, label),
    element('span', { class: 'amount' }, formatMoney(amount)));
}

function less({ amount, currency }) {
  return { amount: -amount, currency };
}
