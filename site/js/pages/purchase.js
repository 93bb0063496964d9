import { getPurchase } from '../api.js';
import { moneyNotes } from '../components/money-notes.js';
import { order, refundedInPart } from '../components/order.js';
import { statusBadge, statusExplanation, voucherButton } from '../components/status.js';
import { element, linkButton, moment, panel } from '../elements.js';
import { signedInAs } from '../identity.js';
import { content, fill, signInFirst, startPage } from '../page.js';

startPage(async () => {
  const id = new URLSearchParams(location.search).get('id');
  if (!id) {
    content().replaceChildren(panel({
      title: 'This address names no purchase',
      actions: [linkButton('Your purchases', 'purchases.html')],
    }));
  } else if (!signedInAs()) {
    content().replaceChildren(signInFirst('Sign in to see this purchase', 'Only its buyer can.'));
  } else {
    await fill(content(), () => getPurchase(id), receipt, { waiting: [element('div', { class: 'row skeleton' })] });
  }
});

function receipt(purchase) {
  const refunded = refundedInPart(purchase);
  const voucher = voucherButton(purchase);
  return [
    element('p', { class: 'lead' }, statusBadge(purchase), ' ', statusExplanation(purchase),
      refunded ? ` ${refunded}.` : null),
    voucher ? element('div', { class: 'actions' }, voucher) : null,
    ...moneyNotes(purchase),
    purchase.attention?.length > 0
      ? element('p', { class: 'note' },
        'We are looking into something about this purchase and will be in touch if we need you.')
      : null,
    order(purchase),
    element('dl', { class: 'facts' },
      element('dt', {}, 'Bought'), element('dd', {}, moment(purchase.created_at)),
      element('dt', {}, 'Purchase number'), element('dd', { class: 'reference' }, purchase.id)),
  ].filter(Boolean);
}
