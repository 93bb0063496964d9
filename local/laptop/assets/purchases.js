// What was bought, the whole story of each purchase, and what may still happen to it.

import { call, confirm, element, look, onClick, when } from "./page.js";

const section = document.querySelector("#purchases");
const list = section?.querySelector(".list");
const story = section?.querySelector(".story");
const reconciling = section?.querySelector("[data-action=reconcile]");
const hasStandIn = section?.dataset.standIn === "true";

const TONES = {
  paid: "good", won: "good", succeeded: "good", settled: "good", sent: "good", warning_closed: "good", prevented: "good",
  pending: "wait", requires_action: "wait", disputed: "wait", needs_response: "wait", under_review: "wait",
  warning_needs_response: "wait", warning_under_review: "wait", due: "wait", held: "wait",
  failed: "bad", charged_back: "bad", lost: "bad",
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
};

const ADVICE = {
  paid_twice: "It was paid more than once: refund the excess.",
  overpaid: "More was paid than it costs: compare it with Stripe.",
  other_currency: "Money moved in another currency than the order's.",
  rebuilt: "The purchase was lost here and rebuilt from what Stripe knows. Its mail is held until you run till purchases confirm.",
  paid_after_stock_returned: "It was paid after its stock was given back: check that there is enough left.",
  overreturned: "More went back than was paid: was it refunded and charged back?",
  dispute_decided_twice: "A dispute was both won and lost: ask Stripe.",
};

const MAILS = {
  pending: "To the buyer: payment on its way",
  voucher: "To the buyer: please pay",
  failed: "To the buyer: payment failed",
  paid: "To the buyer: receipt",
  refund: "To the buyer: refund",
  refund_failed: "To the buyer: refund failed",
  inquiry_opened: "To the seller: inquiry",
  dispute_opened: "To the seller: dispute",
  dispute_closed: "To the seller: dispute closed",
  welcome: "To the buyer: welcome to the subscription",
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

/** The dispute that a mail's link is about: its purchase is opened first. */
let asked = new URLSearchParams(location.search).get("dispute");
let open = null;
let shownList = "";
let shownStory = "";

if (reconciling) {
  onClick(reconciling, async () => {
    const said = section.querySelector("[role=status]");
    said.textContent = "Comparing with Stripe…";
    try {
      said.textContent = inWords(await call("/_local/reconcile", { method: "POST" }));
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

export async function showPurchases() {
  if (!section) return;
  const { purchases, found } = await look("/_local/purchases.json");
  const seen = JSON.stringify([purchases, open]);
  if (seen !== shownList) {
    shownList = seen;
    section.querySelector(".empty").hidden = found > 0;
    section.querySelector(".pair").hidden = found === 0;
    section.querySelector(".more").textContent =
      found > purchases.length ? `The newest ${purchases.length} of ${found}; till purchases list shows them all.` : "";
    if (asked) open = purchases.find(({ disputes }) => disputes.some(({ id }) => id === asked))?.id ?? open;
    asked = null;
    if (!purchases.some(({ id }) => id === open)) open = purchases[0]?.id ?? null;
    keepingFocus(list, () => list.replaceChildren(...purchases.map(row)));
  }
  if (open) await showStory();
}

function row(purchase) {
  const { id, status, buyer, lines, sessions, total, net, created_at: made } = purchase;
  const isPaid = sessions.some(({ state }) => state === "settled");
  const button = element(
    "button",
    { type: "button" },
    line(element("strong", {}, summary(lines)), badge(status)),
    line(
      element("span", { className: "quiet" }, buyer.email ?? "buyer unknown"),
      element("span", { className: "quiet" }, total.text),
    ),
    line(
      element("span", { className: "quiet" }, when(new Date(made)), purchase.attention ? " · needs attention" : ""),
      isPaid && net.text !== total.text && element("span", { className: "quiet" }, `net ${net.text}`),
    ),
  );
  button.dataset.key = id;
  button.setAttribute("aria-current", String(id === open));
  button.addEventListener("click", async () => {
    open = id;
    for (const each of list.querySelectorAll("button")) each.setAttribute("aria-current", String(each === button));
    await showStory().catch(() => {});
    story.scrollIntoView({ block: "nearest" });
  });
  return element("li", {}, button);
}

async function showStory() {
  const told = await look(`/_local/purchases/${open}`);
  const seen = JSON.stringify(told);
  if (seen === shownStory) return;
  shownStory = seen;
  keepingFocus(story, () => story.replaceChildren(...chapters(told)));
}

function chapters({ purchase, events, mails }) {
  return [
    element("h3", {}, summary(purchase.lines), badge(purchase.status)),
    element("p", { className: "quiet" }, `${purchase.buyer.email ?? "buyer unknown"} · `, when(new Date(purchase.created_at)),
      " · ", element("code", {}, purchase.id)),
    ...(purchase.attention ?? []).map((each) => element("p", { className: "alert" }, ADVICE[each] ?? each)),
    accounts(purchase),
    ...chapter("Payment", purchase.sessions.map((each) => session(each, purchase.buyer)), "Stripe has not opened a session."),
    ...chapter("Refunds", purchase.refunds.map(refund)),
    ...chapter("Disputes", purchase.disputes.map(dispute)),
    ...chapter("Events", events.map((event, place) => recorded(event, events[place - 1])), "Nothing has arrived yet."),
    ...chapter("Mails", mails.map(mail), "None was needed yet."),
  ];
}

function chapter(title, facts, ifNone) {
  if (facts.length === 0 && !ifNone) return [];
  const content = facts.length > 0 ? element("ol", { className: "facts" }, ...facts) : element("p", { className: "quiet" }, ifNone);
  return [element("h4", {}, title), content];
}

function accounts({ total, paid, refunded, disputed, net }) {
  const entry = (name, amount, className = "") =>
    element("div", { className }, element("dt", {}, name), element("dd", {}, amount.text));
  return element(
    "dl",
    { className: "accounts" },
    entry("Total", total), entry("Paid", paid), entry("Refunded", refunded), entry("Disputed", disputed),
    entry("Net", net, "net"),
  );
}

function session({ id, state, amount, payment_intent: intent, waits_for: waitsFor }, buyer) {
  const fact = [line(badge(state), id && element("code", {}, id), end(amount?.text))];
  if (intent) fact.push(element("p", { className: "quiet" }, "by ", element("code", {}, intent)), payment(intent, amount, buyer));
  if (state === "settled" && !intent) fact.push(element("p", { className: "quiet" }, "There was nothing to pay."));
  const byVoucher = waitsFor?.who === "buyer";
  if (byVoucher) fact.push(element("p", { className: "quiet" }, "The buyer still has to pay."));
  if (state === "pending" && hasStandIn) {
    const ends = byVoucher ? { succeed: "They pay", fail: "The voucher expires" }
      : { succeed: "The bank pays", fail: "The bank refuses" };
    fact.push(steps(ends, (step) => `/_local/stripe/sessions/${id}/${step}`));
  }
  return element("li", {}, ...fact);
}

/** Money can go back because the seller wants it to, or because the buyer does. */
function payment(intent, paid, buyer) {
  const currency = paid.currency.toUpperCase();
  const amount = element("input", { name: "amount", type: "text", inputMode: "decimal", placeholder: "all that is left" });
  const wishes = form("Refund", `Amount to refund, in ${currency}`, amount, `/_local/payments/${intent}/refund`, {
    unit: currency,
    fixed: { currency: paid.currency },
    question: () => `Send ${amount.value.trim() ? `${amount.value.trim()} ${currency}` : `all that is left of ${paid.text}`} `
      + `back to ${buyer.email ?? "the buyer"}?`,
  });
  if (!hasStandIn) return element("div", { className: "buttons" }, wishes);
  const kind = element("select", { name: "kind" },
    ...Object.entries({ chargeback: "dispute", inquiry: "inquiry", prevented: "prevented dispute" })
      .map(([value, text]) => element("option", { value }, text)));
  const contests = form("Open", "What the buyer’s bank does", kind, `/_local/payments/${intent}/dispute`);
  return element("div", { className: "buttons" }, wishes, contests);
}

/** A field and its button. `unit` is shown beside the field, `fixed` is sent with it, `question` is asked first. */
function form(label, meaning, field, path, { unit, fixed = {}, question } = {}) {
  field.setAttribute("aria-label", meaning);
  field.dataset.key = `${path} field`;
  const button = element("button", { type: "button" }, label);
  button.dataset.key = path;
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") button.click(); });
  onClick(button, async () => {
    if (!field.reportValidity()) return;
    if (question && !await confirm(question(), label)) return;
    const body = new URLSearchParams({ ...fixed, ...(field.value && { [field.name]: field.value }) });
    await call(path, { method: "POST", body });
    if (field.name === "amount") field.value = "";
  });
  return element("span", { className: "buttons" }, field, ...(unit ? [unit] : []), button);
}

function refund({ id, status, amount }) {
  return element("li", {},
    line(badge(status), element("code", {}, id), end(amount.text)),
    hasStandIn ? steps(REFUND_STEPS[status], (step) => `/_local/stripe/refunds/${id}/${step}`) : "");
}

function dispute({ id, status, amount, reason, due_by: due, balance }) {
  const evidence = due && status.endsWith("needs_response") ? [", evidence until ", when(new Date(due * 1000))] : [];
  const movements = balance.map(({ amount: moved, fee_text: fee }) =>
    element("p", { className: "quiet" }, `${moved.text} on the balance, with a fee of ${fee}`));
  return element("li", {},
    line(badge(status), element("code", {}, id), end(amount.text)),
    element("p", { className: "quiet" }, words(reason), ...evidence),
    ...movements,
    hasStandIn ? steps(DISPUTE_STEPS[status], (step) => `/_local/stripe/disputes/${id}/${step}`) : "");
}

function steps(possible, path) {
  if (!possible) return "";
  return element("p", { className: "buttons" }, ...Object.entries(possible).map(([step, label]) => action(label, path(step))));
}

function recorded({ id, type, recorded_at: at, changed, status }, before) {
  const from = before && before.status !== status ? `${words(before.status)} → ` : "";
  const effect = changed ? element("span", { className: `badge ${TONES[status] ?? ""}` }, from + words(status))
    : element("span", { className: "quiet" }, "nothing new");
  const again = hasStandIn && id.startsWith("evt_") ? action("Send again", `/_local/stripe/events/${id}/resend`) : "";
  return element("li", {},
    line(element("code", {}, type === "fetched" ? "fetched from Stripe" : type), effect, end(again)),
    element("p", { className: "quiet" }, when(new Date(at)), " · ", element("code", {}, id)));
}

function mail({ mail: name, state, attempts, created_at: called, finished_at: finished, next_attempt_at: next, reason }) {
  const [kind, about] = name.split("#");
  const tries = state === "due" && attempts > 0 ? [` · tried ${attempts} ×`, ...(next ? [", next ", when(new Date(next))] : [])] : [];
  const moment = finished ?? called;
  return element("li", {},
    line(element("span", {}, MAILS[kind] ?? name), badge(state)),
    element("p", { className: "quiet" }, ...(moment ? [when(new Date(moment))] : []), ...tries, ...(about ? [" · ", element("code", {}, about)] : [])),
    reason ? element("p", { className: "quiet" }, reason) : "");
}

function action(label, path) {
  const button = element("button", { type: "button" }, label);
  button.dataset.key = path;
  onClick(button, () => call(path, { method: "POST" }));
  return button;
}

function line(...parts) {
  return element("span", { className: "line" }, ...parts.filter(Boolean));
}

function end(content) {
  return content ? element("span", { className: "end" }, content) : null;
}

function badge(status) {
  return element("span", { className: `badge ${TONES[status] ?? ""}` }, LABELS[status] ?? words(status));
}

function words(name) {
  return name.replaceAll("_", " ");
}

function summary(lines) {
  if (lines.length === 0) return "A purchase that was lost";
  const [{ name, quantity }] = lines;
  const first = quantity > 1 ? `${quantity} × ${name}` : name;
  return lines.length > 1 ? `${first} and ${lines.length - 1} more` : first;
}

/** Redraws; whoever is at a button or a field stays there, with what they have typed. */
function keepingFocus(place, draw) {
  const at = place.contains(document.activeElement) ? document.activeElement : null;
  const typed = [...place.querySelectorAll("input, select")].map(({ dataset, value }) => [dataset.key, value]);
  draw();
  const named = (key) => [...place.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
  for (const [key, value] of typed) {
    const field = named(key);
    if (field && value) field.value = value;
  }
  if (at) (named(at.dataset.key) ?? place.closest(".story"))?.focus({ preventScroll: true });
}
