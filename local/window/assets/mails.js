// What mails are called.

import { element } from "./page.js";

const TITLES = {
  pending: "To the buyer: payment on its way",
  voucher: "To the buyer: please pay",
  failed: "To the buyer: payment failed",
  paid: "To the buyer: receipt",
  shipped: "To the buyer: on its way",
  refund: "To the buyer: refund",
  refund_failed: "To the buyer: refund failed",
  inquiry_opened: "To the seller: inquiry",
  dispute_opened: "To the seller: dispute",
  dispute_closed: "To the seller: dispute closed",
  welcome: "To the buyer: welcome to the subscription",
  sold: "To the seller: sold",
  payment_failed: "To the buyer: a payment failed",
  action_required: "To the buyer: please confirm a payment",
  trial_ending: "To the buyer: the trial is about to end",
  plan_changed: "To the buyer: another plan",
  cancelled: "To the buyer: cancelled, until when it lasts",
  ended: "To the buyer: it is over",
  lost: "To the seller: a subscription is lost",
  stock: "To the seller: stock is running out",
};

/** What a mail is called, by its name: `refund#re_1`. */
export function titleOf(name) {
  return TITLES[name.split("#")[0]] ?? name;
}

/** What the rest of a mail's name says: a refund, a dispute, or which attempt to charge an invoice failed. */
export function subjectOf(name) {
  const [kind, about] = name.split("#");
  if (!about || kind === "stock") return [];
  if (kind === "payment_failed" || kind === "action_required") return [`attempt ${about}`];
  // A notice about a subscription is told apart by a number that means nothing to anybody.
  return /^\d+$/.test(about) ? [] : [element("code", {}, about)];
}
