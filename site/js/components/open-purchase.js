import { cancelPurchase } from '../api.js';
import { button, element, linkButton, timeOfDay } from '../elements.js';
import { settleIntent } from '../intents.js';
import { showProblem } from '../notices.js';
import { rich, t } from '../texts.js';
import { secureUrl } from '../urls.js';
import { summary } from './order.js';

/**
 * A purchase that is waiting for payment, with both ways out of it. `onend` is
 * called when it is no longer waiting.
 */
export function openPurchase(purchase, { onend }) {
  const until = payUntil(purchase);
  return element('div', { class: 'open-purchase' },
    element('p', {},
      element('span', { class: 'line-name' }, purchase.lines ? summary(purchase.lines) : t('open.unnamed')),
      until ? element('span', { class: 'line-detail' }, until) : null),
    openPurchaseActions(purchase, { onend }));
}

/** "Continue to payment", if there is a page for it, and "Cancel this purchase". */
export function openPurchaseActions(purchase, { onend }) {
  const page = secureUrl(purchase.payment?.url);
  const cancelling = button(t('open.cancel'), cancel);

  async function cancel() {
    cancelling.disabled = true;
    cancelling.setAttribute('aria-busy', 'true');
    try {
      settleIntent(await cancelPurchase(purchase.id));
      await onend();
    } catch (error) {
      if (error.kind === 'not-open') await onend();
      showProblem(error);
    } finally {
      cancelling.disabled = false;
      cancelling.removeAttribute('aria-busy');
    }
  }

  return element('div', { class: 'actions' },
    page ? linkButton(t('open.continue'), page.href) : null,
    cancelling);
}

/** "It can be paid until 14:35.", if that is known. */
export function payUntil({ payment }) {
  return payment?.expires_at ? element('span', {}, ...rich('open.until', { time: timeOfDay(payment.expires_at) })) : null;
}
