import { getSubscription } from '../api.js';
import { every } from '../components/price.js';
import {
  invoiceRow, isOver, paymentDue, portalButton, subscriptionBadge, subscriptionExplanation, whatIsNext,
} from '../components/subscription.js';
import { day, element, linkButton, panel } from '../elements.js';
import { signedInAs } from '../identity.js';
import { formatMoney } from '../money.js';
import { content, fill, signInFirst, startPage } from '../page.js';
import { t } from '../texts.js';

const id = new URLSearchParams(location.search).get('id');

startPage(async () => {
  if (!id) {
    content().replaceChildren(panel({
      title: t('subscription.which'),
      actions: [linkButton(t('subscriptions.heading'), 'subscriptions.html')],
    }));
  } else if (!signedInAs()) {
    content().replaceChildren(signInFirst(t('subscription.sign_in'), t('purchase.only_buyer')));
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
      portalButton(t(subscription.cancel_at ? 'subscription.keep' : 'subscription.change'))),
    facts(subscription),
    invoices.length > 0 ? element('h2', {}, t('subscription.payments')) : null,
    invoices.length > 0 ? element('ul', { class: 'rows', role: 'list' }, ...invoices.map(invoiceRow)) : null,
  ].filter(Boolean);
}

/** What it is to, line by line, as in an order. */
function plan({ items, currency, total }) {
  if (items.length === 0) return null;
  const money = (amount) => formatMoney({ amount, currency });
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
        element('span', {}, `${t('order.total')} ${every(items[0].recurring)}`), element('span', { class: 'amount' }, formatMoney(total)))
      : null);
}

function facts({ id: subscriptionId, started_at: startedAt, active, active_until: until, purchase_id: purchase }) {
  const fact = (name, ...value) => [element('dt', {}, name), element('dd', {}, ...value)];
  return element('dl', { class: 'facts' },
    ...(startedAt ? fact(t('subscription.began'), day(startedAt)) : []),
    ...(until ? fact(t(active ? 'subscription.until' : 'subscription.was_until'), day(until)) : []),
    ...fact(t('subscription.bought_with'), element('a', { href: `purchase.html?id=${encodeURIComponent(purchase)}` }, t('subscription.purchase'))),
    ...fact(t('subscription.number'), element('span', { class: 'reference' }, subscriptionId)));
}
