// Faults at Stripe and AWS.

import { attempt, call, element, look, onClick, refresh } from "./page.js";

const faults = document.querySelector("#faults");
const form = faults.querySelector("form");
const stripeFaults = document.querySelector("#stripe-faults");
const stripeForm = stripeFaults?.querySelector("form");
/** A fault of webhook deliveries can wait for an event type, one of the API for a path. */
const AT_EVENTS = ["drop", "duplicate", "delay", "reorder", "endpoint_down", "no_event"];
const LATE = ["delay", "slow"];
/** How often a fault strikes that strikes until it is cleared. */
const FOR_EVER = "0";

onClick(form.querySelector("[data-action=clear]"), () => call("faults", { method: "DELETE" }));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { operation, fault, times } = Object.fromEntries(new FormData(form));
  const armed = { operation, fault, times: Number(times || FOR_EVER) };
  attempt(async () => {
    await call("faults", { method: "POST", body: JSON.stringify(armed) });
    await refresh();
  });
});

if (stripeFaults) {
  onClick(stripeForm.querySelector("[data-action=clear]"), () => call("stripe/faults", { method: "DELETE" }));
  stripeForm.elements.fault.addEventListener("change", askWhatItNeeds);
  askWhatItNeeds();
  stripeForm.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      await call("stripe/faults", {
        method: "POST",
        body: new URLSearchParams(plannedFault(Object.fromEntries(new FormData(stripeForm)))),
      });
      await refresh();
    });
  });
}

function askWhatItNeeds() {
  const fault = stripeForm.elements.fault.value;
  const atEvents = AT_EVENTS.includes(fault);
  stripeForm.querySelector(".what").textContent = atEvents ? "Event type" : "Path";
  stripeForm.elements.what.placeholder = atEvents ? "any, or refund.*" : "any, or /v1/refunds*";
  stripeForm.querySelector(".late").hidden = !LATE.includes(fault);
}

function plannedFault({ fault, what, seconds, times }) {
  return {
    fault,
    ...(what && { [AT_EVENTS.includes(fault) ? "type" : "path"]: what }),
    ...(LATE.includes(fault) && { delay_ms: Number(seconds) * 1000 }),
    times: times || FOR_EVER,
  };
}

export async function showSwitches() {
  await Promise.all([showFaults(), showStripeFaults()]);
}

async function showStripeFaults() {
  if (!stripeFaults) return;
  const planned = await look("stripe/faults");
  show(stripeFaults, planned.map(({ fault, type, path, times }) => faultLine(type ?? path ?? "anything", stripeForm, fault, times)));
}

async function showFaults() {
  const planned = await look("faults");
  show(faults, planned.map(({ operation, fault, times }) =>
    faultLine(operation === "*" ? "anything" : operation, form, fault, times)));
}

function faultLine(name, form, fault, times) {
  const label = [...form.elements.fault.options].find((option) => option.value === fault)?.text ?? fault;
  return element("li", {}, element("code", {}, name), `: ${label}, ${times ? `${times} ×` : "until cleared"}`);
}

function show(card, lines) {
  const none = element("li", { className: "quiet" }, "All is well.");
  card.querySelector("ul").replaceChildren(...(lines.length > 0 ? lines : [none]));
}
