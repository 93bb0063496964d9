// Mail that did not go out, and events for other systems that were not published. Finding them reads a whole table.

import { content } from "./content.js";
import { subjectOf, titleOf } from "./mails.js";
import { call, confirm, element, isSlow, onClick, seldom, tell, when, whenSeen } from "./page.js";
import { leadsTo } from "./shelf.js";
import { badge, end, line, words } from "./story.js";

export const showUnsent = content("unsent", "mails.json", "All mail has been sent.", ({ mails }) =>
  (mails.length > 0 ? [element("ol", { className: "facts card" }, ...mails.map(unsent))] : []), isSlow ? whenSeen : seldom);

function unsent(one) {
  const { id, purchase: about, mail, event, state, attempts, reason, created_at: called, next_attempt_at: next } = one;
  const notes = [
    ...(about ? [of(about)] : []),
    ...(mail ? subjectOf(mail) : []),
    ...(called ? [element("span", {}, "called for ", when(new Date(called)))] : []),
    ...(attempts > 0 ? [`tried ${attempts} ×`] : []),
    ...(state === "due" && next ? [element("span", {}, "next ", when(new Date(next)))] : []),
  ];
  return element("li", {},
    line(element("span", {}, mail ? titleOf(mail) : `For other systems: ${words(event.split("#")[0])}`), badge(state), end(remedy(id, state, about))),
    element("p", { className: "quiet" }, ...notes.flatMap((note, place) => (place > 0 ? [" · ", note] : [note]))),
    reason ? element("p", { className: "quiet" }, reason) : "",
    element("p", { className: "quiet" }, element("code", {}, id)));
}

/** What it is about: a purchase, a subscription, or an invoice of one. */
function of(about) {
  const [subject, invoice] = about.split("/");
  const link = subject.startsWith("sub_") ? leadsTo("subscriptions", subject, "its subscription") : leadsTo("purchases", subject, "its purchase");
  return invoice ? element("span", {}, link, ", invoice ", element("code", {}, invoice)) : link;
}

/** What can be done: mail that is held goes out once somebody has looked at the purchase. */
function remedy(id, state, purchase) {
  const button = element("button", { type: "button" }, state === "held" ? "Release" : "Resend");
  button.dataset.key = `${id} resend`;
  onClick(button, async () => {
    await (state === "held" ? release(purchase) : resend(id));
    showUnsent.forget?.();
  });
  return button;
}

async function resend(id) {
  const { resent } = await call("mails/resend", { method: "POST", body: new URLSearchParams({ id }) });
  tell(resent ? "It goes out now." : "Nothing was done: it went out, or is going out at this moment.");
}

async function release(purchase) {
  const question = "This purchase was rebuilt from what Stripe knows. Is it right, and shall all mail that is held of it go out?";
  if (!await confirm(question, "Release the mail")) return;
  const { released } = await call(`purchases/${purchase}/confirm`, { method: "POST" });
  tell(released === 1 ? "One mail was released." : `${released} mails were released.`);
}
