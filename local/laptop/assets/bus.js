// What other systems would have been told, as a rule's target on EventBridge gets it.

import { element, look, when } from "./page.js";

const section = document.querySelector("#bus");
const list = section.querySelector(".list");
const reader = section.querySelector(".event");

let shown = "";
let open = null;

export async function showBus() {
  const events = await look("/_local/bus.json");
  const seen = events.map((event) => event.id).join();
  if (seen === shown) return;
  shown = seen;
  section.querySelector(".empty").hidden = events.length > 0;
  section.querySelector(".pair").hidden = events.length === 0;
  list.replaceChildren(...events.map(row));
  if (!events.some((event) => event.id === open) && events.length > 0) read(events[0]);
  markOpen();
}

function row(event) {
  const { subject, sequence, replay } = event.detail;
  const button = element(
    "button",
    { type: "button" },
    element("strong", {}, event["detail-type"]),
    element("span", { className: "quiet" }, `${subject} · ${sequence}${replay ? ", again" : ""} · `, when(new Date(event.time))),
  );
  button.dataset.id = event.id;
  button.addEventListener("click", () => {
    read(event);
    markOpen();
    reader.scrollIntoView({ block: "nearest" });
  });
  return element("li", {}, button);
}

function markOpen() {
  for (const button of list.querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.id === open));
  }
}

function read(event) {
  open = event.id;
  reader.replaceChildren(
    element("h3", {}, event["detail-type"]),
    element("pre", { tabIndex: 0 }, JSON.stringify(event, null, 2)),
  );
}
