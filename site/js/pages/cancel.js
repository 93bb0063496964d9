import { getPurchase } from '../api.js';
import { openPurchaseActions, payUntil } from '../components/open-purchase.js';
import { order } from '../components/order.js';
import { isDecided, statusBadge, statusExplanation } from '../components/status.js';
import { element, linkButton, panel } from '../elements.js';
import { signedInAs } from '../identity.js';
import { settleIntent } from '../intents.js';
import { content, fill, signInFirst, startPage } from '../page.js';

const purchaseId = new URLSearchParams(location.search).get('purchase_id');

startPage(async () => {
  if (!purchaseId) {
    content().replaceChildren(panel({
      title: 'This address does not say which purchase',
      text: 'If you have not paid, nothing was charged. Your purchases show where things stand.',
      actions: [linkButton('Your purchases', 'purchases.html'), linkButton('Your cart', 'cart.html', 'secondary')],
    }));
  } else if (!signedInAs()) {
    content().replaceChildren(signInFirst('Sign in to see this purchase', 'Then you can pay for it after all, or cancel it.'));
  } else {
    await show();
  }
});

function show() {
  return fill(content(), () => getPurchase(purchaseId), standing, { waiting: [element('div', { class: 'row skeleton' })] });
}

/** Where the purchase stands: it may well be paid, in another tab or before going back. */
function standing(purchase) {
  settleIntent(purchase);
  const decided = isDecided(purchase);
  return [
    element('p', { class: 'lead' }, statusBadge(purchase), ' ', statusExplanation(purchase), ' ', payUntil(purchase)),
    decided ? null : openPurchaseActions(purchase, { onend: show }),
    order(purchase),
    element('div', { class: 'actions' },
      decided ? linkButton('View this purchase', `purchase.html?id=${encodeURIComponent(purchase.id)}`) : null,
      linkButton('Back to the products', 'index.html', 'secondary'),
      linkButton('Your cart', 'cart.html', 'secondary')),
  ].filter(Boolean);
}
