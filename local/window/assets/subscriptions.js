// What buyers subscribe to: how each subscription stands, its invoices with their payments, and who was told.

import { call, element, look, onClick, when } from "./page.js";
import { leadsTo, shelf } from "./shelf.js";
import {
  ADVICE, badge, chapter, dispute, end, figures, line, payment, refund, summary,
} from "./story.js";
import { atStripe, objectId } from "./stripe.js";
import { timeline } from "./timeline.js";

const REASONS = { first: "First invoice", renewal: "Renewal", change: "Change of plan", other: "Invoice" };
/** Of invoices that somebody has to look at. */
const TROUBLED = new Set(["open", "uncollectible", "disputed"]);

export const showSubscriptions = shelf("subscriptions", { row: rowOfSubscription, chapters });

/** The name of each subscription that is listed, with its buyer, by id. */
export async function namesOfSubscriptions() {
  if (!document.querySelector("#subscriptions")) return new Map();
  const { subscriptions } = await look("subscriptions.json");
  return new Map(subscriptions.map((one) => [one.id, [nameOf(one), one.buyer.email].filter(Boolean).join(", ")]));
}

function nameOf({ items }) {
  return summary(items, "A subscription");
}

/** A subscription in a list. */
export function rowOfSubscription(subscription) {
  const { status, buyer } = subscription;
  const quiet = (...text) => element("span", { className: "quiet" }, ...text);
  return [
    line(element("strong", {}, nameOf(subscription)), badge(status)),
    line(quiet(buyer.email ?? "buyer unknown")),
    line(quiet(planOf(subscription)), quiet(...whatIsNext(subscription))),
  ];
}

/** "19.00 USD / month" */
function planOf({ items, total }) {
  if (items.length === 0 || !total) return "";
  const { interval, interval_count: count } = items[0].recurring;
  return `${total.text} / ${count > 1 ? `${count} ${interval}s` : interval}`;
}

/** What comes next, as parts of a sentence. */
function whatIsNext({ status, ended_at: ended, cancel_at: ends, pause, next, trial_end: trial }) {
  if (ended) return ["ended ", day(ended)];
  if (ends) return ["cancelled, ends ", day(ends)];
  if (pause) return pause.resumes_at ? ["payments paused until ", day(pause.resumes_at)] : ["payments paused"];
  if (next) return [status === "trialing" && trial ? "trial ends " : "renews ", day(next.at)];
  return [status === "unread" ? "not read at Stripe yet" : "nothing comes next by itself"];
}

function day(moment) {
  return element("time", { dateTime: moment }, new Date(moment).toLocaleDateString(undefined, { dateStyle: "medium" }));
}

function chapters({ subscription, mails, of_invoices: ofInvoices, timeline: moments }) {
  const { id, buyer, status, invoices, started_at: began } = subscription;
  const gone = [mails, ...Object.values(ofInvoices).map((of) => of.mails)].flat()
    .filter(({ state }) => state === "gone").map(({ mail }) => mail);
  const numbers = new Map(invoices.map((one) => [one.id, one.number]));
  const nameOfInvoice = (invoice) => numbers.get(invoice) ?? invoice;
  return [
    element("h3", {}, nameOf(subscription), badge(status)),
    element("p", { className: "quiet" }, `${buyer.email ?? "buyer unknown"} · `, ...(began ? [when(new Date(began)), " · "] : []),
      element("code", {}, id)),
    ...toPay(subscription),
    standing(subscription),
    ways(subscription),
    ...chapter("Invoices", invoices.map(invoice), "There are none yet."),
    ...timeline(id, moments, { gone, nameOfInvoice }),
  ];
}

function toPay({ to_pay: due }) {
  if (!due) return [];
  return [element("p", { className: "alert" }, `${due.amount.text} is still to be paid. `,
    ...(due.next_attempt ? ["Stripe tries again ", when(new Date(due.next_attempt)), "."] : ["Stripe does not try again by itself."]))];
}

function standing(subscription) {
  const { active, active_until: until, trial_end: trial, next, cancel_at: ends, ended_at: ended } = subscription;
  return figures(
    ["Plan", planOf(subscription)],
    [active ? "Paid until" : "Was paid until", until && day(until)],
    [active && trial && new Date(trial) >= new Date(until) ? "Trial until" : "Trial ended", trial && day(trial)],
    ["Next", !ends && !ended && next && element("span", {}, `${next.amount.text} on `, day(next.at))],
    ["Ends", !ended && ends && day(ends)],
    ["Ended", ended && day(ended)],
  );
}

/** Where a person can go on from here. */
function ways({ id, purchase_id: purchase }) {
  const portal = element("button", { type: "button" }, "Open the buyer’s portal");
  portal.dataset.key = `${id} portal`;
  onClick(portal, async () => {
    location.assign((await call(`subscriptions/${id}/portal`, { method: "POST" })).url);
  });
  return element("p", { className: "buttons" }, portal, leadsTo("purchases", purchase, "The purchase it began with"),
    ...atStripe(id, "At Stripe"));
}

function invoice(one) {
  const { id, number, status, reason, total, created_at: made, period, url } = one;
  const fold = element("details", { open: TROUBLED.has(status) },
    element("summary", {}, line(badge(status), element("strong", {}, REASONS[reason] ?? REASONS.other),
      element("span", { className: "quiet" }, day(made)), end(total.text))),
    element("p", { className: "quiet" }, ...(number ? [`${number} · `] : []),
      ...(period ? ["for ", day(period.start), " to ", day(period.end), " · "] : []), ...objectId(id)),
    ...(one.sums?.tax.amount > 0 ? [element("p", { className: "quiet" }, `of which ${one.sums.tax.text} tax`)] : []),
    element("p", { className: "quiet" }, ...tries(one)),
    element("p", { className: "buttons" }, ...(url ? [element("a", { href: url }, "Its page")] : []), ...atStripe(id, "At Stripe")),
    ...(one.attention ?? []).map((each) => element("p", { className: "alert" }, ADVICE[each] ?? each)),
    ...paidBy(one),
    ...chapter("Refunds", one.refunds.map(refund)),
    ...chapter("Disputes", one.disputes.map(dispute)));
  fold.dataset.key = id;
  return element("li", {}, fold);
}

function tries({ status, attempts, next_attempt: next }) {
  if (status === "draft") return ["Stripe finalizes it an hour after it was made."];
  const times = attempts === 1 ? "Tried once." : `Tried ${attempts} times.`;
  return [attempts > 0 ? times : "Not tried yet.", ...(status === "open" && next ? [" Next ", when(new Date(next)), "."] : [])];
}

/** What paid it, as far as that is known, and what can be done about it. */
function paidBy({ id, paid, net, payment_intents: intents }) {
  const facts = intents.map((intent) => element("p", { className: "quiet" }, "by ", ...objectId(intent)));
  if (paid.amount === 0) return facts;
  const returned = net.text === paid.text ? [] : [element("p", { className: "quiet" }, `net ${net.text}`)];
  return [...facts, ...returned, payment(id, paid)];
}
