// The clock of the shop and of Stripe: moving it, and what happened on the way, month by month.

import { call, element, onClick, when } from "./page.js";
import { leadsTo } from "./shelf.js";
import { namesOfSubscriptions } from "./subscriptions.js";

const clock = document.querySelector("#clock");
const told = clock?.querySelector(".happened");
const said = clock?.querySelector("[role=status]");

/** What a person wants to know of; the other events are folded away. */
const NEWS = {
  "invoice.paid": ({ amount }) => ["good", `${amount} paid`],
  "invoice.payment_failed": ({ amount }) => ["bad", `${amount} could not be charged`],
  "invoice.payment_action_required": ({ amount }) => ["wait", `the bank wants the buyer to confirm ${amount}`],
  "invoice.marked_uncollectible": ({ amount }) => ["bad", `${amount} given up`],
  "invoice.voided": ({ amount }) => ["", `${amount} need not be paid`],
  "customer.subscription.trial_will_end": () => ["wait", "the trial is about to end"],
  "customer.subscription.updated": ({ became }) => became && [STANDINGS[became] ?? "", `now ${became.replaceAll("_", " ")}`],
  "customer.subscription.deleted": () => ["", "ended"],
  "checkout.session.expired": ({ amount }) => ["", `a payment page expired, ${amount}`],
  "charge.refunded": ({ amount }) => ["", `refunded: ${amount}`],
  "charge.dispute.created": ({ amount }) => ["bad", `disputed: ${amount}`],
  "charge.dispute.closed": ({ amount }) => ["", `the dispute over ${amount} is decided`],
};
const STANDINGS = { active: "good", trialing: "good", past_due: "bad", unpaid: "bad", canceled: "", paused: "wait" };

for (const button of clock?.querySelectorAll("[data-span], [data-months]") ?? []) onClick(button, () => move(button.dataset));

/** Moves the clock. Several months are as many moves, so that the shop lives through each of them. */
async function move({ span, months = "1" }) {
  const buttons = [...clock.querySelectorAll("button")];
  for (const each of buttons) each.disabled = true;
  const begin = new Date((await call("stripe/clock")).now * 1000);
  const steps = Number(months);
  const entries = [];
  let isSettled = true;
  try {
    for (let step = 1; step <= steps; step += 1) {
      if (steps > 1) said.textContent = `Month ${step} of ${steps}…`;
      const { news, settled } = await advance(steps > 1 ? await secondsTo(monthsAfter(begin, step)) : span);
      entries.push(...news);
      isSettled = settled;
      tell(entries, await namesOfSubscriptions());
    }
    said.textContent = inShort(entries) + (isSettled ? "" : " More is still on its way.");
  } finally {
    for (const each of buttons) each.disabled = false;
  }
}

/** One move: what happened at Stripe on the way, and the mails that the shop sent because of it. */
async function advance(span) {
  const before = new Set((await call("mailbox.json")).map(({ id }) => id));
  const { happened } = await call("stripe/clock", { method: "POST", body: new URLSearchParams({ advance: span }) });
  const { settled } = await call("settle", { method: "POST" });
  const mails = (await call("mailbox.json")).filter(({ id }) => !before.has(id)).reverse();
  const news = [
    ...happened.map((event) => ({ at: new Date(event.at * 1000), event })),
    ...mails.map((mail) => ({ at: new Date(mail.sent_at), mail })),
  ];
  return { news, settled };
}

/** The same day and time of day, so many months later; the last day of a month that is too short. */
function monthsAfter(date, months) {
  const later = new Date(date);
  later.setUTCDate(1);
  later.setUTCMonth(later.getUTCMonth() + months);
  const last = new Date(Date.UTC(later.getUTCFullYear(), later.getUTCMonth() + 1, 0)).getUTCDate();
  later.setUTCDate(Math.min(date.getUTCDate(), last));
  return later;
}

async function secondsTo(date) {
  const { now } = await call("stripe/clock");
  return String(Math.max(0, Math.round(date.getTime() / 1000) - now));
}

/** Month by month. */
function tell(entries, names) {
  const months = Map.groupBy(entries, ({ at }) => monthOf(at));
  told.replaceChildren(...[...months].map(([month, all]) => {
    const lines = all.map((entry) => newsLine(entry, names)).filter(Boolean);
    const events = all.filter(({ event }) => event);
    const fold = element("details", { className: "fold" },
      element("summary", {}, `All events (${events.length})`),
      element("ol", {}, ...events.map(({ at, event: { type, object } }) =>
        element("li", {}, when(at), " ", element("code", { title: object }, type)))));
    return element("section", {},
      element("h3", {}, month, " ", element("span", { className: "quiet" }, inShort(all))),
      element("ol", { className: "news" }, ...lines),
      ...(events.length > 0 ? [fold] : []));
  }));
}

function newsLine({ at, event, mail }, names) {
  if (mail) {
    const { subject, buyer } = letter(mail);
    return newsItem("mailed", at, `Mail: ${subject}`, `to ${buyer}`);
  }
  const [tone, text] = NEWS[event.type]?.(event) || [];
  if (!text) return null;
  const { subscription } = event;
  return newsItem(tone, at, text,
    subscription ? leadsTo("subscriptions", subscription, names.get(subscription) ?? "A subscription") : "");
}

function newsItem(tone, at, text, about) {
  const day = element("time", { dateTime: at.toISOString(), title: at.toLocaleString() },
    at.toLocaleDateString(undefined, { day: "numeric", month: "short" }));
  return element("li", { className: tone }, day, element("span", {}, text, " ", element("span", { className: "quiet" }, about)));
}

/** In test mode, all mail goes to the developer, and the subject begins with whom it is for. */
function letter({ subject, to }) {
  const [, buyer, rest] = subject.match(/^\[test, for (.+?)\] (.*)$/) ?? [];
  return buyer ? { subject: rest, buyer } : { subject, buyer: to.join(", ") };
}

/** "3 payments, 1 failure, 4 mails" */
function inShort(entries) {
  const number = (type) => entries.filter(({ event }) => event?.type === type).length;
  const counted = [
    count(number("invoice.paid"), "payment"),
    count(number("invoice.payment_failed"), "failed try"),
    count(number("customer.subscription.deleted"), "end"),
    count(entries.filter(({ mail }) => mail).length, "mail"),
  ].filter(Boolean);
  if (counted.length > 0) return counted.join(", ");
  return entries.length > 0 ? "Nothing that people notice." : "Nothing happened at Stripe on the way.";
}

function count(number, what) {
  const plural = what.endsWith("y") ? `${what.slice(0, -1)}ies` : `${what}s`;
  return number > 0 && `${number} ${number === 1 ? what : plural}`;
}

function monthOf(date) {
  return date.toLocaleString(undefined, { month: "long", year: "numeric" });
}

export async function showClock() {
  if (!clock) return;
  // No look: that time passes is no news, for which the page would look again soon.
  const { ahead } = await call("stripe/clock");
  const date = new Date(Date.now() + ahead * 1000);
  const time = clock.querySelector(".now time");
  time.dateTime = date.toISOString();
  time.textContent = date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "short" });
  clock.querySelector(".ahead").textContent = ahead ? `, ${inWords(ahead)} ahead of this machine` : "";
}

function inWords(seconds) {
  const hours = Math.round(seconds / 360) / 10;
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
