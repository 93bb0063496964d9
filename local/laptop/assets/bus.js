// What other systems would have been told, as a rule's target on EventBridge gets it.

import { element, when } from "./page.js";
import { reader } from "./reader.js";

export const showBus = reader(document.querySelector("#bus"), { source: "bus.json", row, parts });

function row(event) {
  const { subject, sequence, replay } = event.detail;
  return [
    element("strong", {}, event["detail-type"]),
    element("span", { className: "quiet" }, `${subject} · ${sequence}${replay ? ", again" : ""} · `, when(new Date(event.time))),
  ];
}

function parts(event) {
  return [element("h3", {}, event["detail-type"]), element("pre", { tabIndex: 0 }, JSON.stringify(event, null, 2))];
}
