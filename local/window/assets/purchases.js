// What was bought, the whole story of each purchase, and what may still happen to it.

import { call, element, onClick, when } from "./page.js";
import { leadsTo, shelf } from "./shelf.js";
import {
  ADVICE, badge, chapter, dispute, end, figures, hasStandIn, line, payment, refund, steps, summary,
} from "./story.js";
import { objectId } from "./stripe.js";
import { timeline } from "./timeline.js";

const section = document.querySelector("#purchases");
const reconciling = section?.querySelector("[data-action=reconcile]");

/** What a purchase without lines is called. */
const LOST = "A purchase that was lost";

if (reconciling) {
  onClick(reconciling, async () => {
    const said = section.querySelector("[role=status]");
    said.textContent = "Comparing with Stripe…";
    try {
      said.textContent = inWords(await call("reconcile", { method: "POST" }));
    } catch (error) {
      said.textContent = "Reconciling failed.";
      throw error;
    }
  });
}

function inWords({ events, purchases, found, parked, failed }) {
  const looked = `${count(events, "event")} and ${count(purchases, "open purchase")} compared with Stripe`;
  const missed = found > 0 ? `${found} missed and recorded now` : "nothing was missed";
  const rest = [parked > 0 && `${parked} parked`, failed > 0 && `${failed} left for the next run`].filter(Boolean);
  return `${[`${looked}: ${missed}`, ...rest].join(", ")}.`;
}

function count(number, what) {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

export const showPurchases = shelf("purchases", { row: rowOfPurchase, chapters });

/** A purchase in a list. */
export function rowOfPurchase(purchase) {
  const { status, buyer, lines, sessions, sums, net, created_at: made } = purchase;
  const total = sums?.total ?? purchase.total;
  const isPaid = sessions.some(({ state }) => state === "settled");
  return [
    line(element("strong", {}, summary(lines, LOST)), badge(status)),
    line(
      element("span", { className: "quiet" }, buyer.email ?? "buyer unknown"),
      element("span", { className: "quiet" }, total.text),
    ),
    line(
      element("span", { className: "quiet" }, when(new Date(made)), purchase.attention ? " · needs attention" : ""),
      isPaid && net.text !== total.text && element("span", { className: "quiet" }, `net ${net.text}`),
    ),
  ];
}

function chapters({ purchase, mails, timeline: moments }) {
  const gone = mails.filter(({ state }) => state === "gone").map(({ mail }) => mail);
  return [
    element("h3", {}, summary(purchase.lines, LOST), badge(purchase.status)),
    element("p", { className: "quiet" }, `${purchase.buyer.email ?? "buyer unknown"} · `, when(new Date(purchase.created_at)),
      " · ", element("code", {}, purchase.id)),
    ...(purchase.attention ?? []).map((each) => element("p", { className: "alert" }, ADVICE[each] ?? each)),
    accounts(purchase),
    ...chapter("Delivery", goesTo(purchase)),
    ...chapter("Invoice", written(purchase)),
    ...chapter("Payment", purchase.sessions.map(session), "Stripe has not opened a session."),
    ...chapter("Refunds", purchase.refunds.map(refund)),
    ...chapter("Disputes", purchase.disputes.map(dispute)),
    ...timeline(purchase.id, moments, { gone }),
  ];
}

/** Where it goes, if the buyer was asked and has paid. */
function goesTo({ delivery }) {
  if (!delivery) return [];
  const { name, phone, address, rate } = delivery;
  const { line1, line2, postal_code: code, city, state, country } = address;
  const label = [name, line1, line2, [code, city, state].filter(Boolean).join(" "), country].filter(Boolean).join(", ");
  const more = [phone, rate && `by ${rate}`].filter(Boolean).join(" · ");
  return [element("li", {}, element("p", {}, label), ...(more ? [element("p", { className: "quiet" }, more)] : []))];
}

/** The invoice that Stripe wrote of it, if there is one. */
function written({ invoice }) {
  if (!invoice) return [];
  const label = invoice.number ?? "Invoice";
  return [element("li", {}, invoice.url ? element("a", { href: invoice.url }, label) : label)];
}

function accounts({ total, sums, paid, refunded, disputed, net }) {
  const shipping = sums?.shipping.amount > 0 ? [["Shipping", sums.shipping.text]] : [];
  const discount = sums?.discount.amount > 0 ? [["Discount", `−${sums.discount.text}`]] : [];
  const tax = sums?.tax.amount > 0 ? [[taxes(sums), sums.tax.text]] : [];
  return figures(["Total", total.text], ...discount, ...shipping, ...tax, ["Paid", paid.text], ["Refunded", refunded.text], ["Disputed", disputed.text],
    ["Net", net.text, "net"]);
}

/** Whether tax came on top of the prices, was in them, or both. */
function taxes({ tax, tax_included: included }) {
  if (included.amount === 0) return "Tax";
  return included.amount === tax.amount ? "Tax (in prices)" : `Tax (${included.text} in prices)`;
}

function session({ id, state, amount, payment_intent: intent, subscription, waits_for: waitsFor }) {
  const fact = [line(badge(state), id && element("span", {}, ...objectId(id)), end(amount?.text))];
  if (intent) fact.push(element("p", { className: "quiet" }, "by ", ...objectId(intent)), payment(intent, amount));
  if (state === "settled" && !intent) fact.push(element("p", { className: "quiet" }, ...withoutPayment(amount, subscription)));
  const byVoucher = waitsFor?.who === "buyer";
  if (byVoucher) fact.push(element("p", { className: "quiet" }, "The buyer still has to pay."));
  if (state === "pending" && hasStandIn) {
    const ends = byVoucher ? { succeed: "They pay", fail: "The voucher expires" }
      : { succeed: "The bank pays", fail: "The bank refuses" };
    fact.push(steps(ends, (step) => `stripe/sessions/${id}/${step}`));
  }
  return element("li", {}, ...fact);
}

/** Why a settled session has no payment of its own. */
function withoutPayment(amount, subscription) {
  if (!subscription) return ["There was nothing to pay."];
  const story = leadsTo("subscriptions", subscription, "the subscription");
  return amount.amount > 0
    ? ["Paid by the first invoice of ", story, "."]
    : ["Nothing was due yet: ", story, " began without a payment."];
}
