// Finding a purchase or a subscription by whatever somebody has of it.

import { asked, noteOpen, onReturn } from "./address.js";
import { attempt, element, look } from "./page.js";
import { rowOfPurchase } from "./purchases.js";
import { leadsTo } from "./shelf.js";
import { sayWhenRead, source } from "./source.js";
import { rowOfSubscription } from "./subscriptions.js";

const section = document.querySelector("#search");
const field = section?.querySelector("input");
const heard = section?.querySelector("[role=status]");
const hits = section?.querySelector(".hits");

section?.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = field.value.trim();
  noteOpen("q", wanted || null);
  attempt(() => find(wanted));
});
onReturn("q", (wanted) => attempt(() => find(wanted ?? "")));
if (section && asked("q")) attempt(() => find(asked("q")));

async function find(wanted) {
  field.value = wanted;
  if (!wanted) {
    hits.replaceChildren();
    heard.textContent = "";
    return;
  }
  heard.textContent = "Searching…";
  const path = `search.json?${new URLSearchParams({ q: wanted })}`;
  const answer = await look(path).catch((error) => {
    heard.textContent = "The search failed.";
    throw error;
  });
  // Somebody may have asked for something else in the meantime.
  if (field.value.trim() !== wanted) return;
  heard.textContent = inWords(wanted, answer);
  sayWhenRead(section, answer.read);
  const list = element("ol", {}, ...answer.found.map((hit) => element("li", {}, linkTo(hit))));
  list.setAttribute("aria-label", "What was found");
  hits.replaceChildren(...(answer.found.length > 0 ? [list] : []), source(path));
}

function inWords(wanted, { found, of, says }) {
  if (says) return `${says[0].toUpperCase()}${says.slice(1)}.`;
  if (found.length === 0) return `Nothing was found for “${wanted}”.`;
  const all = of ?? found.length;
  const first = all > found.length ? `, of which these are the newest ${found.length}` : "";
  return `${all === 1 ? "One was" : `${all} were`} found${first}.`;
}

function linkTo({ kind, id, purchase, subscription, invoice }) {
  if (kind === "purchase") return leadsTo("purchases", id, ...rowOfPurchase(purchase));
  const part = invoice ? [element("span", { className: "quiet" }, "invoice ", element("code", {}, invoice))] : [];
  return leadsTo("subscriptions", id, ...rowOfSubscription(subscription), ...part);
}
