// Events of Stripe's that could not be recorded, and are kept until somebody has fixed why. They are kept by day, for
// 90 days, so that reading them takes hundreds of queries.

import { content } from "./content.js";
import { call, element, onClick, tell, when, whenSeen } from "./page.js";
import { leadsTo } from "./shelf.js";
import { end, line, words } from "./story.js";
import { objectId } from "./stripe.js";

const OUTCOMES = {
  "nothing new": "it said nothing new",
  "seen before": "it had been recorded before",
  "no such purchase": "what it is about no longer exists here, and it moved no money",
  foreign: "it is about something that does not belong to this shop",
  unhandled: "Till does not handle its type",
  parked: "what keeps it from being recorded is still there, so it stays parked",
};

export const showParked = content("parked", "parked.json", "No events are parked.", ({ events }) =>
  (events.length > 0 ? [element("ol", { className: "facts card" }, ...events.map(parked))] : []), whenSeen);

function parked({ id, type, why, parked_at: at, too_large: tooLarge, body }) {
  const again = element("button", { type: "button" }, "Replay");
  again.dataset.key = `${id} replay`;
  onClick(again, () => replay(id));
  return element("li", {},
    line(element("code", {}, type ?? "cannot be read"), end(again)),
    element("p", {}, why),
    element("p", { className: "quiet" }, "parked ", when(new Date(at)), " · ", ...objectId(id)),
    tooLarge ? element("p", { className: "quiet" }, "It was too large to be kept: a replay asks Stripe for it.") : "",
    ...(body ? [folded(id, body)] : []));
}

function folded(id, body) {
  const fold = element("details", { className: "fold" }, element("summary", {}, "What Stripe sent"),
    element("pre", { tabIndex: 0 }, JSON.stringify(body, null, 2)));
  fold.dataset.key = `${id} body`;
  return fold;
}

async function replay(id) {
  const { events } = await call("parked/replay", { method: "POST", body: new URLSearchParams({ id }) });
  showParked.forget();
  tell(...events.flatMap(inWords));
}

function inWords({ id, outcome, error, status, purchase, subscription }) {
  if (error) return [`${id} could not be replayed: ${error}`];
  if (outcome !== "recorded") return [`${id} was replayed: ${OUTCOMES[outcome] ?? outcome}.`];
  const story = purchase ? leadsTo("purchases", purchase, "The purchase") : subscription && leadsTo("subscriptions", subscription, "The subscription");
  return [`${id} is recorded. `, ...(story ? [story] : ["It"]), ` is ${words(status)} now.`];
}
