import { ApiError, ConnectionError, getPurchase } from '../api.js';
import { buyAgain } from '../components/buy-again.js';
import { downloads } from '../components/downloads.js';
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
import { titled } from '../shop.js';
import { t } from '../texts.js';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;
const PATIENCE_MS = 120_000;

/** A purchase that was made a moment ago may take this long to be found. */
const NOT_FOUND_PATIENCE_MS = 30_000;

const UNDECIDED = ['open', 'pending'];

/** Statuses with a heading of their own on this page. */
const HEADED = [...UNDECIDED, 'paid', 'failed', 'expired', 'abandoned'];

const purchaseId = new URLSearchParams(location.search).get('purchase_id');

startPage(async () => {
  if (!purchaseId) {
    show(t('success.which'), panel({
      title: t('purchase.which'),
      text: t('success.history'),
      actions: [linkButton(t('purchases.heading'), 'purchases.html')],
    }));
  } else if (!signedInAs()) {
    show(t('success.welcome'), signInFirst(t('success.sign_in'), t('success.safe')));
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
        show(t('success.not_confirmed'), failure(error, restart));
        return;
      }
      if (error instanceof ConnectionError) show(t('success.trouble'), waiting(t('success.trying')));
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
  show(t('success.open'), waiting(t('success.seconds')));
  follow();
}

function showPurchase(purchase) {
  settleIntent(purchase);
  const heading = headingOf(purchase);
  if (purchase.status === 'open') {
    show(heading, waiting(t('success.seconds')), order(purchase));
  } else {
    show(heading,
      element('p', { class: 'lead' }, statusBadge(purchase), ' ', statusExplanation(purchase),
        purchase.status === 'paid' ? ` ${t('success.mail')}` : null),
      downloads(purchase),
      order(purchase),
      cameToNothing(purchase) ? buyAgain(purchase) : null,
      whatNext(purchase));
  }
}

function headingOf(purchase) {
  if (isToBePaid(purchase)) return t('success.to_be_paid');
  if (isFree(purchase)) return t('success.free');
  const key = `success.${purchase.status}`;
  return t(HEADED.includes(purchase.status) ? key : 'purchase.heading');
}

function whatNext(purchase) {
  const ordered = isOrdered(purchase);
  return element('div', { class: 'actions' },
    voucherButton(purchase),
    ordered
      ? linkButton(t('purchase.view'), `purchase.html?id=${encodeURIComponent(purchase.id)}`,
        isToBePaid(purchase) ? 'secondary' : 'primary')
      : linkButton(t('products.back'), 'index.html', 'secondary'),
    ordered && isSubscription(purchase) ? linkButton(t('subscription.heading'), subscriptionPage(purchase), 'secondary') : null,
    ordered ? linkButton(t('products.browse'), 'index.html', 'secondary') : null);
}

function showPatienceEnded(purchase) {
  const checkAgain = button(t('success.check'), restart, 'primary');
  if (purchase?.status === 'pending') {
    content().append(panel({
      title: t('success.close'),
      text: t('success.stopped'),
      actions: [checkAgain],
    }));
    return;
  }
  show(t('success.still'), panel({
    title: t('success.longer'),
    text: t('success.not_lost'),
    actions: [checkAgain, linkButton(t('purchases.heading'), 'purchases.html', 'secondary')],
  }), purchase?.payment ? stillToPay(purchase) : null);
}

function stillToPay(purchase) {
  return element('div', {}, element('p', { class: 'lead' }, t('success.not_paid')),
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
  document.title = titled(heading);
  content().replaceChildren(wrapped);
}
