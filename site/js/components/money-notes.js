import { element } from '../elements.js';
import { formatMoney } from '../money.js';

/** What a buyer should know about disputes, and about refunds that did not simply arrive: one note each. */
export function moneyNotes({ refunds = [], disputes = [] }) {
  return [
    ...refunds.map(({ status, amount }) => REFUND_NOTES[status]?.(formatMoney(amount))),
    ...disputes.map(({ status, amount }) => DISPUTE_NOTES[status]?.(formatMoney(amount))),
  ].filter(Boolean).map((text) => element('p', { class: 'note' }, text));
}

const REFUND_NOTES = {
  pending: (amount) => `${amount} is on its way back to you. This can take a few days.`,
  requires_action: (amount) => `${amount} should go back to you, but Stripe needs to know where to send it. `
    + 'Please look for an email from Stripe.',
  failed: (amount) => `We sent ${amount} back to you, but your bank returned it to us. `
    + 'Please get in touch, so that we can find another way.',
};

const INQUIRY = 'Your bank has asked us about this payment, and we are answering. No money has moved. '
  + 'If you do recognize this purchase, please tell your bank.';

const DISPUTE = (amount) => `This payment was disputed at your bank, which holds ${amount} until it has decided. `
  + 'That can take two to three months. If it was a mistake, please tell your bank that you recognize this purchase.';

const DISPUTE_NOTES = {
  warning_needs_response: () => INQUIRY,
  warning_under_review: () => INQUIRY,
  warning_closed: () => 'Your bank asked us about this payment; that is settled.',
  prevented: () => 'A dispute about this payment was settled with your bank before it began.',
  needs_response: DISPUTE,
  under_review: DISPUTE,
  won: () => 'This payment was disputed at your bank, which has decided that it stands.',
  // `lost` needs no note: the status says it.
};
