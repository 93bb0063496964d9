import { listOpenPurchases, listPurchases } from '../api.js';
import { openPurchase } from '../components/open-purchase.js';
import { pagedList } from '../components/paged-list.js';
import { refundedInPart, summary } from '../components/order.js';
import { statusBadge, wasPaid } from '../components/status.js';
import { element, linkButton, moment, panel } from '../elements.js';
import { signedInAs } from '../identity.js';
import { formatMoney } from '../money.js';
import { content, fill, signInFirst, startPage } from '../page.js';
import { t } from '../texts.js';

startPage(async () => {
  if (!signedInAs()) {
    content().replaceChildren(signInFirst(t('purchases.sign_in'), t('purchases.only_you')));
    return;
  }
  await show();
});

function show() {
  return fill(content(), fetchAll, purchases, { waiting: [skeleton()] });
}

/** The history, and what is waiting for payment, which is not in it; without the latter, the history will do. */
async function fetchAll() {
  const [first, open] = await Promise.all([fetchPage(), listOpenPurchases().catch(() => [])]);
  return { first, open };
}

function purchases({ first, open }) {
  return [...(open.length > 0 ? waiting(open) : []), ...history(first, open.length === 0)];
}

function waiting(open) {
  return [
    element('h2', {}, t('open.title')),
    ...open.map((purchase) => openPurchase(purchase, { onend: show })),
    element('h2', {}, t('purchase.bought')),
  ];
}

async function fetchPage(cursor) {
  const { purchases, next } = await listPurchases(cursor);
  return { items: purchases, next };
}

function history(first, nothingElse) {
  if (first.items.length === 0 && !first.next) {
    return [panel({
      title: t(nothingElse ? 'purchases.none' : 'purchases.nothing'),
      text: t('purchases.will_be'),
      actions: [linkButton(t('products.see'), 'index.html')],
    })];
  }
  return pagedList({ className: 'rows', first, more: fetchPage, row: purchaseRow });
}

function purchaseRow(purchase) {
  const refunded = refundedInPart(purchase);
  return element('li', {},
    element('a', { class: 'row', href: `purchase.html?id=${encodeURIComponent(purchase.id)}` },
      element('span', { class: 'row-main' },
        element('span', { class: 'line-name' }, summary(purchase.lines)),
        element('span', { class: 'line-detail' }, moment(purchase.created_at)),
        refunded ? element('span', { class: 'line-detail' }, refunded) : null),
      statusBadge(purchase),
      element('span', { class: 'amount' }, formatMoney(wasPaid(purchase) ? purchase.paid : purchase.total))));
}

function skeleton() {
  const row = () => element('div', { class: 'row skeleton' });
  return element('div', { class: 'rows', 'aria-hidden': 'true' }, row(), row(), row());
}
