import { getSubscription } from '../api.js';
import { interval } from '../components/price.js';
import {
  invoiceRow, isOver, paymentDue, portalButton, subscriptionBadge, subscriptionExplanation, whatIsNext,
} from '../components/subscription.js';
import { day, element, linkButton, panel } from '../elements.js';
import { signedInAs } from '../identity.js';
import { formatMoney } from '../money.js';
import { content, fill, signInFirst, startPage } from '../page.js';

const id = new URLSearchParams(location.search).get('id');

startPage(async () => {
  if (!id) {
    content().replaceChildren(panel({
      title: 'This address does not say which subscription',
      actions: [linkButton('Your subscriptions', 'subscriptions.html')],
    }));
  } else if (!signedInAs()) {
    content().replaceChildren(signInFirst('Sign in to see this subscription', 'Only its buyer can see it.'));
  } else {
    await fill(content(), () => getSubscription(id), standing, { waiting: [element('div', { class: 'row skeleton' })] });
  }
});

function standing(subscription) {
  const { invoices } = subscription;
  return [
    element('p', { class: 'lead' }, subscriptionBadge(subscription), ' ', subscriptionExplanation(subscription), ' ',
      whatIsNext(subscription)),
    paymentDue(subscription),
    plan(subscription),
    isOver(subscription) ? null : element('div', { class: 'actions' },
      portalButton(subscription.cancel_at ? 'Keep it, or change how you pay' : 'Change how you pay, or cancel')),
    facts(subscription),
    invoices.length > 0 ? element('h2', {}, 'Payments') : null,
    invoices.length > 0 ? element('ul', { class: 'rows', role: 'list' }, ...invoices.map(invoiceRow)) : null,
  ].filter(Boolean);
}

/** What it is to, line by line, as in an order. */
function plan({ items, currency, total }) {
  if (items.length === 0) return null;
  const money = (amount) => formatMoney({ amount, currency });
  const rhythm = `every ${interval(items[0].recurring)}`;
  return element('div', { class: 'order' },
    element('ul', { class: 'order-lines', role: 'list' }, ...items.map(({ name, quantity, unit_amount: price }) => (
      element('li', {},
        element('span', {},
          element('span', { class: 'line-name' }, name),
          element('span', { class: 'line-detail' },
            price === undefined ? `${quantity} ×` : `${quantity} × ${money(price)}`)),
        price === undefined ? null : element('span', { class: 'amount' }, money(price * quantity)))))),
    total
      ? element('p', { class: 'order-total' },
        element('span', {}, `Total ${rhythm}`), element('span', { class: 'amount' }, formatMoney(total)))
      : null);
}

function facts({ id: subscriptionId, started_at: startedAt, active, active_until: until, purchase_id: purchase }) {
  const fact = (name, ...value) => [element('dt', {}, name), element('dd', {}, ...value)];
  return element('dl', { class: 'facts' },
    ...(startedAt ? fact('Began', day(startedAt)) : []),
    ...(until ? fact(active ? 'Yours until' : 'Was yours until', day(until)) : []),
    ...fact('Bought with', element('a', { href: `purchase.html?id=${encodeURIComponent(purchase)}` }, 'this purchase')),
    ...fact('Subscription number', element('span', { class: 'reference' }, subscriptionId)));
}
