// What can be done to Stripe's time and to AWS.

import { attempt, call, element, onClick, refresh } from "./dashboard.js";

const clock = document.querySelector("#clock");
const faults = document.querySelector("#faults");
const form = faults.querySelector("form");

for (const button of clock?.querySelectorAll("[data-seconds]") ?? []) {
  const body = new URLSearchParams({ seconds: button.dataset.seconds });
  onClick(button, () => call("/_local/stripe/clock", { method: "POST", body }));
}

onClick(form.querySelector("[data-action=clear]"), () => call("/_local/faults", { method: "DELETE" }));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { operation, fault, times } = Object.fromEntries(new FormData(form));
  const armed = { operation, fault, ...(times && { times: Number(times) }) };
  attempt(async () => {
    await call("/_local/faults", { method: "POST", body: JSON.stringify(armed) });
    await refresh();
  });
});

export async function showSwitches() {
  await Promise.all([showClock(), showFaults()]);
}

async function showClock() {
  if (!clock) return;
  const { now, ahead } = await call("/_local/stripe/clock");
  const date = new Date(now * 1000);
  const time = clock.querySelector("time");
  time.dateTime = date.toISOString();
  time.textContent = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  clock.querySelector(".ahead").textContent = ahead ? `, ${inWords(ahead)} ahead of this machine` : "";
}

function inWords(seconds) {
  const hours = Math.round(seconds / 360) / 10;
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 2.4) / 10} days`;
}

async function showFaults() {
  const armed = await call("/_local/faults");
  const lines = armed.map(({ operation, fault, times }) => {
    const label = [...form.elements.fault.options].find((option) => option.value === fault)?.text ?? fault;
    const name = operation === "*" ? "anything" : operation;
    return element("li", {}, element("code", {}, name), `: ${label}, ${times ? `${times} ×` : "until cleared"}`);
  });
  const none = element("li", { className: "quiet" }, "All is well.");
  faults.querySelector("ul").replaceChildren(...(lines.length > 0 ? lines : [none]));
}
