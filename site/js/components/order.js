import { element } from '../elements.js';
import { formatMoney } from '../money.js';

/** The lines of a purchase and what they come to. */
export function order({ lines, total }) {
  const money = (amount) => formatMoney({ amount, currency: total.currency });
  return element('div', { class: 'order' },
    element('ul', { class: 'order-lines', role: 'list' }, ...lines.map((line) => element('li', {},
      element('span', {},
        element('span', { class: 'line-name' }, line.name),
        element('span', { class: 'line-detail' }, `${line.quantity} × ${money(line.unit_amount)}`)),
      element('span', { class: 'amount' }, money(line.unit_amount * line.quantity))))),
    element('p', { class: 'order-total' },
      element('span', {}, 'Total'),
      element('span', { class: 'amount' }, formatMoney(total))));
}
