// What the stories of purchases and subscriptions have in common: what became of money, and what can be done about it.

import { call, element, onClick, when } from "./page.js";
import { refundForm } from "./refund.js";
import { objectId } from "./stripe.js";

/** Whether banks and Stripe do what is pressed here. */
export const hasStandIn = document.querySelector("main").dataset.standIn === "true";

/** How good or bad a status is. */
export const TONES = {
  paid: "good", won: "good", succeeded: "good", settled: "good", sent: "good", published: "good", warning_closed: "good", prevented: "good",
  active: "good", trialing: "good",
  pending: "wait", requires_action: "wait", disputed: "wait", needs_response: "wait", under_review: "wait",
  warning_needs_response: "wait", warning_under_review: "wait", due: "wait", held: "wait",
  open: "wait", incomplete: "wait", paused: "wait",
  failed: "bad", charged_back: "bad", lost: "bad", past_due: "bad", unpaid: "bad", uncollectible: "bad",
};

const LABELS = {
  warning_needs_response: "inquiry, needs an answer",
  warning_under_review: "inquiry, answered",
  warning_closed: "inquiry, closed",
  needs_response: "needs evidence",
  requires_action: "waiting for the buyer",
  due: "to be sent",
  held: "held until confirmed",
  gone: "no longer kept",
  untold: "from before events",
};

export const ADVICE = {
  paid_twice: "It was paid more than once: refund the excess.",
  overpaid: "More was paid than it costs: compare it with Stripe.",
  other_currency: "Money moved in another currency than the order's.",
  rebuilt: "The purchase was lost here and rebuilt from what Stripe knows. Its mail is held until you run till purchases confirm.",
  paid_after_stock_returned: "It was paid after its stock was given back: check that there is enough left.",
  overreturned: "More went back than was paid: was it refunded and charged back?",
  dispute_decided_twice: "A dispute was both won and lost: ask Stripe.",
  paid_and_void: "It was seen both paid and void: ask Stripe.",
  paid_after_end: "It was paid after the subscription had ended: refund it, or begin another.",
};

/** What a bank, a buyer or Stripe can do next, by status. */
const REFUND_STEPS = {
  pending: { succeed: "It arrives", fail: "It fails", require_action: "Ask the buyer" },
  requires_action: { succeed: "It arrives", fail: "It fails", cancel: "Cancel it" },
  succeeded: { fail: "It fails after all" },
};
const DISPUTE_STEPS = {
  warning_needs_response: { warning_under_review: "Answer it", warning_closed: "Bank drops it", needs_response: "Make it a dispute" },
  warning_under_review: { warning_closed: "Bank drops it", needs_response: "Make it a dispute" },
  needs_response: { under_review: "Send evidence", won: "Win it", lost: "Lose it" },
  under_review: { won: "Win it", lost: "Lose it" },
  lost: { won: "Win it after all" },
};

export function chapter(title, facts, ifNone) {
  if (facts.length === 0 && !ifNone) return [];
  const content = facts.length > 0 ? element("ol", { className: "facts" }, ...facts) : element("p", { className: "quiet" }, ifNone);
  return [element("h4", {}, title), content];
}

/**
 * Money can go back because the seller wants it to, or because the buyer does. `id` is that of the payment, or of
 * the invoice that it paid.
 */
export function payment(id, paid) {
  const wishes = refundForm(id, paid);
  return element("div", { className: "buttons" }, wishes, ...(hasStandIn ? [contest(id)] : []));
}

/** What the buyer's bank can do. */
function contest(id) {
  const path = `payments/${id}/dispute`;
  const kind = element("select", { name: "kind" },
    ...Object.entries({ chargeback: "dispute", inquiry: "inquiry", prevented: "prevented dispute" })
      .map(([value, text]) => element("option", { value }, text)));
  kind.setAttribute("aria-label", "What the buyer’s bank does");
  kind.dataset.key = `${path} field`;
  const button = element("button", { type: "button" }, "Open");
  button.dataset.key = path;
  onClick(button, () => call(path, { method: "POST", body: new URLSearchParams({ kind: kind.value }) }));
  return element("span", { className: "buttons" }, kind, button);
}

export function refund({ id, status, amount, tax }) {
  return element("li", {},
    line(badge(status), element("span", {}, ...objectId(id)), end(amount.text)),
    tax?.amount > 0 ? element("p", { className: "quiet" }, `of which ${tax.text} tax`) : "",
    hasStandIn ? steps(REFUND_STEPS[status], (step) => `stripe/refunds/${id}/${step}`) : "");
}

export function dispute({ id, status, amount, reason, due_by: due, balance }) {
  const evidence = due && status.endsWith("needs_response") ? [", evidence until ", when(new Date(due * 1000))] : [];
  const movements = balance.map(({ amount: moved, fee_text: fee }) =>
    element("p", { className: "quiet" }, `${moved.text} on the balance, with a fee of ${fee}`));
  return element("li", {},
    line(badge(status), element("span", {}, ...objectId(id)), end(amount.text)),
    element("p", { className: "quiet" }, words(reason), ...evidence),
    ...movements,
    hasStandIn ? steps(DISPUTE_STEPS[status], (step) => `stripe/disputes/${id}/${step}`) : "");
}

export function steps(possible, path) {
  if (!possible) return "";
  return element("p", { className: "buttons" }, ...Object.entries(possible).map(([step, label]) => action(label, path(step))));
}

export function action(label, path, className = "") {
  const button = element("button", { type: "button", className }, label);
  button.dataset.key = path;
  onClick(button, () => call(path, { method: "POST" }));
  return button;
}

export function line(...parts) {
  return element("span", { className: "line" }, ...parts.filter(Boolean));
}

export function end(content) {
  return content ? element("span", { className: "end" }, content) : null;
}

export function badge(status) {
  return element("span", { className: `badge ${TONES[status] ?? ""}` }, LABELS[status] ?? words(status));
}

export function words(name) {
  return name.replaceAll("_", " ");
}

/** "2 × Coffee box and 1 more" */
export function summary(lines, ifNone) {
  if (lines.length === 0) return ifNone;
  const [{ name, quantity }] = lines;
  const first = quantity > 1 ? `${quantity} × ${name}` : name;
  return lines.length > 1 ? `${first} and ${lines.length - 1} more` : first;
}

/** Figures side by side: [name, figure], or [name, figure, class]. What has no figure is left out. */
export function figures(...entries) {
  const known = entries.filter(([, figure]) => figure);
  return element("dl", { className: "accounts" }, ...known.map(([name, figure, className = ""]) =>
    element("div", { className }, element("dt", {}, name), element("dd", {}, figure))));
}

/** Redraws; whoever is at a button or a field stays there, with what they have typed, and what they have unfolded. */
export function keepingFocus(place, draw) {
  const at = place.contains(document.activeElement) ? document.activeElement : null;
  const typed = [...place.querySelectorAll("input, select")].map(({ dataset, value }) => [dataset.key, value]);
  const folds = [...place.querySelectorAll("details[data-key]")].map(({ dataset, open }) => [dataset.key, open]);
  draw();
  const named = (key) => [...place.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
  for (const [key, value] of typed) {
    const field = named(key);
    if (field && value) field.value = value;
  }
  for (const [key, open] of folds) {
    const fold = named(key);
    if (fold) fold.open = open;
  }
  if (at) (named(at.dataset.key) ?? place.closest(".story"))?.focus({ preventScroll: true });
}
