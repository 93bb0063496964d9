// What the Stripe stand-in has told the shop, and what the shop answered.

import { call, element, look, onClick, when } from "./page.js";

const section = document.querySelector("#webhooks");
const list = section.querySelector(".deliveries");
const banner = document.querySelector("#held");
/** How many of the newest are listed. */
const LISTED = 40;
const STATES = { pending: "waiting", delivered: "delivered", failed: "given up", discarded: "dropped" };

let shown = "";
let told = null;

section.querySelectorAll("[data-action]").forEach(holdOrRelease);

function holdOrRelease(button) {
  onClick(button, () => call(`stripe/deliveries/${button.dataset.action}`, { method: "POST" }));
  return button;
}

export async function showWebhooks() {
  if (!list) return;
  const { held, found, pending, deliveries } = await look(`stripe/deliveries?limit=${LISTED}`);
  tellHold(held, pending);
  const seen = JSON.stringify([found, deliveries]);
  if (seen === shown) return;
  shown = seen;
  section.querySelector(".empty").hidden = found > 0;
  const more = section.querySelector(".more");
  more.hidden = found <= deliveries.length;
  more.querySelector("span").textContent = `The newest ${deliveries.length} of ${found}.`;
  const unfolded = new Set([...list.querySelectorAll("details[open]")].map((details) => details.dataset.event));
  list.replaceChildren(...deliveries.map((delivery) => row(delivery, unfolded.has(delivery.event))));
}

/** Shown at the top: whoever forgets a hold wonders why no purchase is ever paid. */
function tellHold(held, waiting) {
  const now = held ? `Deliveries are held: ${waiting} ${waiting === 1 ? "event waits" : "events wait"}.` : "";
  if (now === told) return;
  told = now;
  section.querySelector("[data-action=hold]").disabled = held;
  const release = element("button", { type: "button" }, "Release all");
  release.dataset.action = "release";
  banner.replaceChildren(...(held
    ? [element("p", { className: "hold buttons" }, element("strong", {}, now),
      " The shop hears of nothing until you release them.", holdOrRelease(release),
      element("a", { href: "#webhooks" }, "See them"))]
    : []));
}

function row(delivery, unfolded) {
  const last = delivery.attempts.at(-1);
  const details = element(
    "details",
    { open: unfolded },
    element(
      "summary",
      {},
      element("span", { className: `badge ${delivery.state}` }, STATES[delivery.state] ?? delivery.state),
      element("code", {}, delivery.type),
      element("span", { className: "quiet" }, last ? when(new Date(last.at * 1000)) : "not sent yet"),
    ),
    element("p", { className: "quiet" }, element("code", {}, delivery.event), ` to ${delivery.url}`),
    buttons(delivery),
    element("ol", { className: "attempts" }, ...delivery.attempts.map(attempt)),
    element("details", {}, element("summary", {}, "Event"), element("pre", {}, pretty(delivery.body))),
  );
  details.dataset.event = delivery.event;
  return element("li", { className: "card" }, details);
}

function buttons(delivery) {
  const make = (label, action) => {
    const button = element("button", { type: "button" }, label);
    onClick(button, () => call(`stripe/events/${delivery.event}/${action}`, { method: "POST" }));
    return button;
  };
  const waiting = delivery.state === "pending";
  const all = [make(waiting ? "Send now" : "Send again", "resend")];
  if (waiting) all.push(make("Drop", "discard"));
  return element("p", { className: "buttons" }, ...all);
}

function attempt(attempt) {
  const outcome = attempt.status ? `answered ${attempt.status}` : attempt.error;
  const line = element("p", {}, when(new Date(attempt.at * 1000)), ` ${outcome} after ${attempt.milliseconds} ms`);
  const item = element("li", {}, line);
  if (attempt.answer) item.append(element("pre", {}, pretty(attempt.answer)));
  return item;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
