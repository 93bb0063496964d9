// Sending money back: what would happen is asked of the shop, shown and confirmed before anything does.

import { call, element, onClick, tell } from "./page.js";

const dialog = document.querySelector("#refund");
const form = dialog.querySelector("form");
const button = dialog.querySelector("[value=yes]");
const real = dialog.querySelector(".real");
const typed = real.querySelector("input");

/** How many times Stripe has failed to make a refund, by the payment. It repeats that for a day, but not under another key. */
const failures = new Map();

/** A field for an amount and the button that sends it back. */
export function refundForm(id, paid) {
  const path = `payments/${id}/refund`;
  const currency = paid.currency.toUpperCase();
  const amount = element("input", { name: "amount", type: "text", inputMode: "decimal", placeholder: "all that is left" });
  amount.setAttribute("aria-label", `Amount to refund, in ${currency}`);
  amount.dataset.key = `${path} field`;
  const start = element("button", { type: "button" }, "Refund");
  start.dataset.key = path;
  amount.addEventListener("keydown", (event) => { if (event.key === "Enter") start.click(); });
  onClick(start, async () => {
    const wish = { amount: amount.value.trim(), currency: paid.currency, failed_before: failures.get(id) ?? 0 };
    const planned = await call(`${path}?${new URLSearchParams(wish)}`);
    const confirmed = await confirm(planned);
    if (!confirmed) return;
    const body = new URLSearchParams({ ...wish, ...confirmed, key: planned.key });
    const made = await call(path, { method: "POST", body }).catch((error) => {
      if (error.code === "stripe_failed") failures.set(id, wish.failed_before + 1);
      throw error;
    });
    amount.value = "";
    tell(`Stripe made the refund of ${made.amount.text}: `, element("code", {}, made.refund), ` is ${made.status.replaceAll("_", " ")}.`);
  });
  return element("span", { className: "buttons" }, amount, currency, start);
}

/** The reason and what was typed if somebody wants this refund, or `null`. */
function confirm({ of, buyer, paid, refunded, amount, leaves, live }) {
  form.reset();
  dialog.querySelector(".question").textContent = `Send ${amount.text} back to ${buyer ?? "the buyer"}?`;
  const facts = [["Of", of], ["Paid", paid.text], ["Refunded before", refunded.text], ["Refunded now", amount.text],
    ["Then left", leaves.text]];
  dialog.querySelector("dl").replaceChildren(...facts.map(([name, fact]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, fact))));
  real.hidden = !live;
  typed.required = live;
  typed.oninput = () => typed.setCustomValidity(typed.value.trim() === amount.text ? "" : `Type ${amount.text}`);
  if (live) typed.oninput();
  else typed.setCustomValidity("");
  real.querySelector("b").textContent = amount.text;
  button.textContent = `Refund ${amount.text}`;
  dialog.returnValue = "";
  dialog.showModal();
  dialog.querySelector("[value=no]").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const isWanted = dialog.returnValue === "yes";
      resolve(isWanted ? { reason: form.elements.reason.value, confirmed: typed.value.trim() } : null);
    }, { once: true });
  });
}

dialog.querySelector("[value=no]").addEventListener("click", () => dialog.close());
