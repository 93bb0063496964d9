import { element } from '../elements.js';
import { formatMoney } from '../money.js';
import { hasWords, t } from '../texts.js';

/** What a buyer should know about disputes, and about refunds that did not simply arrive: one note each. */
export function moneyNotes({ refunds = [], disputes = [] }) {
  // A refund that succeeded and a dispute that was lost need no note: the status says it.
  return [
    ...refunds.map(({ status, amount }) => note(`refund_note.${status}`, amount)),
    ...disputes.map(({ status, amount }) => note(`dispute_note.${status}`, amount)),
  ].filter(Boolean);
}

function note(key, amount) {
  return hasWords(key) ? element('p', { class: 'note' }, t(key, { amount: formatMoney(amount) })) : null;
}
