import { ApiError, ConnectionError, getPurchase } from '../api.js';
import { buyAgain } from '../components/buy-again.js';
import { openPurchaseActions } from '../components/open-purchase.js';
import { order } from '../components/order.js';
import {
  cameToNothing, isFree, isOrdered, isSubscription, isToBePaid, statusBadge, statusExplanation, subscriptionPage,
  voucherButton,
} from '../components/status.js';
import { delay } from '../delay.js';
import { button, element, linkButton, panel } from '../elements.js';
import { signedInAs } from '../identity.js';
import { settleIntent } from '../intents.js';
import { content, failure, signInFirst, startPage } from '../page.js';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;
const PATIENCE_MS = 120_000;

/** A purchase that was made a moment ago may take this long to be found. */
const NOT_FOUND_PATIENCE_MS = 30_000;

const UNDECIDED = ['open', 'pending'];

const HEADINGS = {
  open: 'Confirming your payment…',
  pending: 'Your payment is on its way',
  paid: 'Thank you, it is paid!',
  failed: 'The payment did not go through',
  expired: 'This purchase was not completed',
  abandoned: 'This purchase was not completed',
};

const purchaseId = new URLSearchParams(location.search).get('purchase_id');

startPage(async () => {
  if (!purchaseId) {
    show('Which purchase?', panel({
      title: 'This address does not say which purchase',
      text: 'Your purchase history lists everything you bought.',
      actions: [linkButton('Your purchases', 'purchases.html')],
    }));
  } else if (!signedInAs()) {
    show('Welcome back', signInFirst('Sign in to see your purchase',
      'If you have paid, your payment is safe with us; we only need to know that it is you.'));
  } else {
    await follow();
  }
});

/** Asks for the purchase, less and less often, until its payment is decided or patience ends. */
async function follow() {
  const started = Date.now();
  let purchase = null;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const waited = Date.now() - started;
    try {
      purchase = await getPurchase(purchaseId);
      showPurchase(purchase);
      if (!UNDECIDED.includes(purchase.status)) return;
    } catch (error) {
      if (!worthAskingAgain(error, waited)) {
        show('We could not confirm your payment', failure(error, restart));
        return;
      }
      if (error instanceof ConnectionError) show('Connection trouble', waiting('We are still trying to reach the shop.'));
    }
    if (waited > PATIENCE_MS) {
      showPatienceEnded(purchase);
      return;
    }
    await delay(pause);
  }
}

function worthAskingAgain(error, waited) {
  if (error instanceof ConnectionError) return true;
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 404) return waited < NOT_FOUND_PATIENCE_MS;
  return error.status !== 401 && !error.isRefusal;
}

function restart() {
  show(HEADINGS.open, waiting('This usually takes a few seconds.'));
  follow();
}

function showPurchase(purchase) {
  settleIntent(purchase);
  const heading = headingOf(purchase);
  if (purchase.status === 'open') {
    show(heading, waiting('This usually takes a few seconds.'), order(purchase));
  } else {
    show(heading,
      element('p', { class: 'lead' }, statusBadge(purchase), ' ', statusExplanation(purchase),
        purchase.status === 'paid' ? ' A confirmation is on its way to you by email.' : null),
      order(purchase),
      cameToNothing(purchase) ? buyAgain(purchase) : null,
      whatNext(purchase));
  }
}

function headingOf(purchase) {
  if (isToBePaid(purchase)) return 'One step is left: paying';
  if (isFree(purchase)) return 'Thank you for your purchase!';
  return HEADINGS[purchase.status] ?? 'Your purchase';
}

function whatNext(purchase) {
  const ordered = isOrdered(purchase);
  return element('div', { class: 'actions' },
    voucherButton(purchase),
    ordered
      ? linkButton('View this purchase', `purchase.html?id=${encodeURIComponent(purchase.id)}`,
        isToBePaid(purchase) ? 'secondary' : 'primary')
      : linkButton('Back to the products', 'index.html', 'secondary'),
    ordered && isSubscription(purchase) ? linkButton('Your subscription', subscriptionPage(purchase), 'secondary') : null,
    ordered ? linkButton('Keep browsing', 'index.html', 'secondary') : null);
}

function showPatienceEnded(purchase) {
  const checkAgain = button('Check again', restart, 'primary');
  if (purchase?.status === 'pending') {
    content().append(panel({
      title: 'You can close this page',
      text: 'It has stopped checking for your payment.',
      actions: [checkAgain],
    }));
    return;
  }
  show('Still waiting for your payment', panel({
    title: 'This is taking longer than usual',
    text: 'If you have paid, nothing is lost: the confirmation will reach us a little later, and then we will email you '
      + 'and the purchase will appear in your history. If you have not paid, nothing was charged.',
    actions: [checkAgain, linkButton('Your purchases', 'purchases.html', 'secondary')],
  }), purchase?.payment ? stillToPay(purchase) : null);
}

function stillToPay(purchase) {
  return element('div', {}, element('p', { class: 'lead' }, 'Not paid yet?'),
    openPurchaseActions(purchase, { onend: restart }));
}

function waiting(text) {
  return element('p', { class: 'lead waiting-for' }, text);
}

/** Replaces what is on the page, if that says anything new. */
function show(heading, ...nodes) {
  const wrapped = element('div', {}, ...nodes);
  document.getElementById('told').textContent = heading;
  if (document.querySelector('h1').textContent === heading && content().firstChild?.isEqualNode(wrapped)) return;
  document.querySelector('h1').textContent = heading;
  document.title = `${heading} · Till`;
  content().replaceChildren(wrapped);
}
