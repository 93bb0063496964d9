import { getPurchase } from '../api.js';
import { element } from '../elements.js';
import { signedInAs } from '../identity.js';
import { purchasesBegun, settleIntent } from '../intents.js';
import { t } from '../texts.js';
import { openPurchase } from './open-purchase.js';
import { isDecided } from './status.js';

/**
 * Reminds the buyer, above `place`, of what they started to buy in this browser and
 * have not paid for. What was decided in the meantime is settled, so that the cart
 * is right. Returns the purchases that are still open; when the buyer ends one,
 * `onend` is told which, and which are left.
 */
export async function unpaidPurchases(place, { onend = () => {} } = {}) {
  const begun = signedInAs() ? purchasesBegun() : [];
  if (begun.length === 0) return [];
  const list = element('div', {}, ...begun.map(() => element('div', { class: 'row skeleton' })));
  const box = element('section', { class: 'unpaid' }, element('h2', {}, t('open.title')), list);
  place.before(box);
  return show();

  async function show() {
    // A reminder is not worth an error: what cannot be loaded is left out.
    const known = await Promise.all(purchasesBegun().map((id) => getPurchase(id).catch(() => null)));
    known.filter(Boolean).forEach(settleIntent);
    const open = known.filter((purchase) => purchase && !isDecided(purchase));
    list.replaceChildren(...open.map((purchase) => openPurchase(purchase, { onend: () => ended(purchase) })));
    if (open.length === 0) box.remove();
    return open;
  }

  async function ended(purchase) {
    onend(purchase, await show());
  }
}
