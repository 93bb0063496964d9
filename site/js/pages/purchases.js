import { listPurchases } from '../api.js';
import { pagedList } from '../components/paged-list.js';
import { refundedInPart } from '../components/order.js';
import { statusBadge, wasPaid } from '../components/status.js';
import { element, linkButton, moment, panel } from '../elements.js';
import { signedInAs } from '../identity.js';
import { formatMoney } from '../money.js';
import { content, fill, signInFirst, startPage } from '../page.js';

startPage(async () => {
  if (!signedInAs()) {
    content().replaceChildren(signInFirst('Sign in to see your purchases', 'Only you can see what you have bought.'));
    return;
  }
  await fill(content(), () => fetchPage(), history, { waiting: [skeleton()] });
});

async function fetchPage(cursor) {
  const { purchases, next } = await listPurchases(cursor);
  return { items: purchases, next };
}

function history(first) {
  if (first.items.length === 0 && !first.next) {
    return [panel({
      title: 'No purchases yet',
      text: 'What you buy will be listed here.',
      actions: [linkButton('See the products', 'index.html')],
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

/** "2 × Mug, Notebook and 3 more" */
function summary(lines) {
  const named = lines.slice(0, 2).map(({ name, quantity }) => (quantity > 1 ? `${quantity} × ${name}` : name));
  const others = lines.length - named.length;
  return named.join(', ') + (others > 0 ? ` and ${others} more` : '');
}

function skeleton() {
  const row = () => element('div', { class: 'row skeleton' });
  return element('div', { class: 'rows', 'aria-hidden': 'true' }, row(), row(), row());
}
