import { getPurchase } from '../api.js';
import { buyAgain } from '../components/buy-again.js';
import { deliveryFacts } from '../components/delivery.js';
import { downloads } from '../components/downloads.js';
import { moneyNotes } from '../components/money-notes.js';
import { openPurchaseActions, payUntil } from '../components/open-purchase.js';
import { order, refundedInPart } from '../components/order.js';
import {
  cameToNothing, isDecided, isOrdered, isSubscription, statusBadge, statusExplanation, subscriptionPage,
  voucherButton,
} from '../components/status.js';
import { element, linkButton, moment, panel } from '../elements.js';
import { signedInAs } from '../identity.js';
import { settleIntent } from '../intents.js';
import { content, fill, signInFirst, startPage } from '../page.js';
import { t } from '../texts.js';

const id = new URLSearchParams(location.search).get('id');

startPage(async () => {
  if (!id) {
    content().replaceChildren(panel({
      title: t('purchase.which'),
      actions: [linkButton(t('purchases.heading'), 'purchases.html')],
    }));
  } else if (!signedInAs()) {
    content().replaceChildren(signInFirst(t('purchase.sign_in'), t('purchase.only_buyer')));
  } else {
    await show();
  }
});

function show() {
  return fill(content(), () => getPurchase(id), receipt, { waiting: [element('div', { class: 'row skeleton' })] });
}

/** The invoice that Stripe wrote of it, as a term and a description; nothing if there is none. */
function invoiceFacts({ invoice }) {
  const address = invoice?.url ?? invoice?.pdf;
  if (!address) return [];
  const link = element('a', { href: address }, invoice.number ?? t('purchase.see_invoice'));
  return [element('dt', {}, t('purchase.invoice')), element('dd', {}, link)];
}

function receipt(purchase) {
  settleIntent(purchase);
  const refunded = refundedInPart(purchase);
  const voucher = voucherButton(purchase);
  return [
    element('p', { class: 'lead' }, statusBadge(purchase), ' ', statusExplanation(purchase),
      refunded ? ` ${refunded}.` : null, ' ', payUntil(purchase)),
    isDecided(purchase) ? null : openPurchaseActions(purchase, { onend: show }),
    voucher ? element('div', { class: 'actions' }, voucher) : null,
    ...moneyNotes(purchase),
    purchase.attention?.length > 0
      ? element('p', { class: 'note' }, t('purchase.attention'))
      : null,
    downloads(purchase),
    order(purchase),
    isOrdered(purchase) && isSubscription(purchase)
      ? element('div', { class: 'actions' }, linkButton(t('subscription.heading'), subscriptionPage(purchase), 'secondary'))
      : null,
    cameToNothing(purchase) ? buyAgain(purchase) : null,
    element('dl', { class: 'facts' },
      ...deliveryFacts(purchase),
      ...invoiceFacts(purchase),
      element('dt', {}, t(isOrdered(purchase) ? 'purchase.bought' : 'purchase.started')), element('dd', {}, moment(purchase.created_at)),
      element('dt', {}, t('purchase.number')), element('dd', { class: 'reference' }, purchase.id)),
  ].filter(Boolean);
}
