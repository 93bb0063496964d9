// The time line of a purchase or a subscription: what happened to it, in order.

import { dayOf, element, timeOf, when } from "./page.js";
import { subjectOf, titleOf } from "./mails.js";
import { action, badge, end, hasStandIn, line, TONES, words } from "./story.js";
import { objectId } from "./stripe.js";

/** The stories that are told with every detail, and those that are told from the beginning. */
const inDetail = new Set();
const fromBeginning = new Set();

/** How many of the latest moments are shown at first of a long story, and how long that is. */
const LATEST = 12;
const LONG = 20;

const TITLES = {
  request: () => ["The buyer asked to pay"],
  attempt: ({ number }) => [number > 1 ? `Session opened at Stripe, attempt ${number}` : "Session opened at Stripe"],
  invoice: ({ amount }) => ["Invoice", end(amount.text)],
  event: ({ id, type, changed, from, status }) => [
    element("code", {}, type === "fetched" ? "fetched from Stripe" : type),
    changed ? element("span", { className: `badge ${TONES[status] ?? ""}` }, (from ? `${words(from)} → ` : "") + words(status))
      : element("span", { className: "quiet" }, "nothing new"),
    end(hasStandIn && id.startsWith("evt_") && action("Send again", `stripe/events/${id}/resend`, "plain")),
  ],
  refund: ({ state, amount }) => ["Refund", badge(state), end(amount.text)],
  dispute: ({ state, amount }) => ["Dispute", badge(state), end(amount.text)],
  parcel: ({ carrier, id }) => [carrier || id ? "Sent to the buyer" : "Fulfilled"],
  mail: ({ mail, state }) => [titleOf(mail), badge(state)],
  publication: ({ event, state }) => [`For other systems: ${event}`, badge(state === "sent" ? "published" : state)],
};

/** What is said of a moment below its title: `plain` always, `fine` only to who wants every detail. */
const NOTES = {
  request: ({ id }) => ({ fine: [code(id)] }),
  attempt: ({ sessions, idempotency_key: key, expires_at: expires }) => ({
    fine: [...sessions.map(objectId), ["idempotency key ", code(key)], ["expires ", when(new Date(expires))]],
  }),
  invoice: ({ id }) => ({ plain: [objectId(id)] }),
  event: ({ id, version }) => ({ plain: [objectId(id)], fine: [`version ${version} since`] }),
  refund: ({ id }) => ({ plain: [objectId(id)] }),
  dispute: ({ id }) => ({ plain: [objectId(id)] }),
  parcel: ({ id, carrier, url }) => ({
    plain: [[carrier, id].filter(Boolean).join(" "), url && element("a", { href: url, rel: "noreferrer" }, url)].filter(Boolean),
  }),
  mail: (one) => ({ plain: [...subjectOf(one.mail), ...tries(one)], fine: fineOf(one) }),
  publication: (one) => ({ plain: tries(one), fine: fineOf(one) }),
};

/** A chapter with all moments. `key` is the id of what they are about; `gone` are names of mails without a record. */
export function timeline(key, all, { gone = [], nameOfInvoice = () => "" } = {}) {
  const moments = joined(all);
  const list = element("ol", { className: "timeline" });
  const earlier = moments.length > LONG ? moments.length - LATEST : 0;
  let day = "";
  for (const [place, moment] of moments.entries()) {
    const date = moment.at ? new Date(moment.at) : null;
    const now = date ? dayOf(date) : "At a time that nobody noted";
    const isEarlier = place < earlier;
    if (now !== day || place === earlier) list.append(element("li", { className: isEarlier ? "day earlier" : "day" }, now));
    day = now;
    const item = told(moment, date, nameOfInvoice);
    item.classList.toggle("earlier", isEarlier);
    list.append(item);
  }
  const switches = [toggle(key, "Every detail", inDetail, list, "in-detail")];
  if (earlier > 0) switches.push(toggle(key, `The ${earlier} before`, fromBeginning, list, "whole"));
  const notes = [];
  if (!moments.some(({ kind }) => kind === "event")) notes.push("Nothing has arrived yet.");
  if (gone.length > 0) notes.push(`No longer kept: ${gone.map(titleOf).join("; ")}.`);
  return [element("div", { className: "title" }, element("h4", {}, "Time line"), ...switches), list,
    ...notes.map((note) => element("p", { className: "quiet" }, note))];
}

/** What was called for and what became of it are one moment, the later one. */
function joined(all) {
  const latest = new Map();
  for (const moment of all) {
    const name = moment.kind === "mail" || moment.kind === "publication" ? moment.id : Symbol(moment.kind);
    const before = latest.get(name);
    latest.delete(name);
    latest.set(name, before ? { ...moment, called: before.at } : moment);
  }
  return [...latest.values()];
}

function told(moment, date, nameOfInvoice) {
  const { plain = [], fine = [] } = NOTES[moment.kind](moment);
  const invoice = moment.kind !== "invoice" && moment.invoice ? [`invoice ${nameOfInvoice(moment.invoice)}`] : [];
  const isTechnical = moment.kind === "publication" ? moment.state === "sent" : moment.kind === "event" && !moment.changed;
  return element("li", { className: isTechnical ? "fine" : "" },
    element("span", { className: "time" }, ...(date ? [timeOf(date)] : [])),
    element("div", {},
      line(...TITLES[moment.kind](moment)),
      note("quiet", [...invoice, ...plain]),
      moment.reason ? element("p", { className: "quiet" }, moment.reason) : "",
      note("quiet fine", fine)));
}

/** Several notes in one line. */
function note(className, notes) {
  if (notes.length === 0) return "";
  const parts = notes.flatMap((each, place) => [...(place > 0 ? [" · "] : []), ...(Array.isArray(each) ? each : [each])]);
  return element("p", { className }, ...parts);
}

function code(text) {
  return element("code", {}, text);
}

function tries({ state, attempts, next_attempt_at: next }) {
  if (state !== "due" || !attempts) return [];
  return [`tried ${attempts} ×`, ...(next ? [["next ", when(new Date(next))]] : [])];
}

function fineOf({ id, called, at: moment }) {
  return [code(id), ...(called && called !== moment ? [["called for ", timeOf(new Date(called))]] : [])];
}

/** A button that shows and hides a part of the list; `shown` has the stories of which it is shown. */
function toggle(key, label, shown, list, className) {
  const button = element("button", { type: "button", className: "plain" }, label);
  button.dataset.key = `${key} ${className}`;
  const show = () => {
    list.classList.toggle(className, shown.has(key));
    button.setAttribute("aria-pressed", String(shown.has(key)));
  };
  button.addEventListener("click", () => {
    if (!shown.delete(key)) shown.add(key);
    show();
  });
  show();
  return button;
}
