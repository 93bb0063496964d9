import { getPurchase } from '../api.js';
import { openPurchaseActions, payUntil } from '../components/open-purchase.js';
import { order } from '../components/order.js';
import { isDecided, statusBadge, statusExplanation } from '../components/status.js';
import { element, linkButton, panel } from '../elements.js';
import { signedInAs } from '../identity.js';
import { settleIntent } from '../intents.js';
import { content, fill, signInFirst, startPage } from '../page.js';
import { t } from '../texts.js';

const purchaseId = new URLSearchParams(location.search).get('purchase_id');

startPage(async () => {
  if (!purchaseId) {
    content().replaceChildren(panel({
      title: t('purchase.which'),
      text: t('cancel.which'),
      actions: [linkButton(t('purchases.heading'), 'purchases.html'), linkButton(t('cart.heading'), 'cart.html', 'secondary')],
    }));
  } else if (!signedInAs()) {
    content().replaceChildren(signInFirst(t('purchase.sign_in'), t('cancel.sign_in')));
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
      decided ? linkButton(t('purchase.view'), `purchase.html?id=${encodeURIComponent(purchase.id)}`) : null,
      linkButton(t('products.back'), 'index.html', 'secondary'),
      linkButton(t('cart.heading'), 'cart.html', 'secondary')),
  ].filter(Boolean);
}
