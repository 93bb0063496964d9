// The stack's alarms: those that have gone off one by one, the others in a fold.

import { element, look, when } from "./page.js";
import { source } from "./source.js";

const section = document.querySelector("#alarms");
const summary = section.querySelector(".summary");
const list = section.querySelector("ol");

const STATES = {
  ALARM: ["has gone off", "bad"],
  OK: ["ok", "good"],
  INSUFFICIENT_DATA: ["nothing to measure yet", ""],
};

let shown = "";
section.append(source("alarms.json"));

export async function showAlarms() {
  const { alarms } = await look("alarms.json");
  const seen = JSON.stringify(alarms);
  if (seen === shown) return;
  shown = seen;
  const off = alarms.filter(({ state }) => state === "ALARM");
  const others = alarms.filter(({ state }) => state !== "ALARM");
  summary.textContent = off.length === 0 ? `None of ${alarms.length} has gone off.` : `${off.length} of ${alarms.length} ${off.length === 1 ? "has" : "have"} gone off.`;
  const wasOpen = list.querySelector("details")?.open ?? false;
  list.replaceChildren(...off.map(alarm), ...(others.length > 0 ? [folded(others, wasOpen)] : []));
}

function alarm({ name, state, reason, since, description }) {
  const [text, tone] = STATES[state] ?? [state, ""];
  return element("li", {},
    element("span", { className: "line" }, element("strong", {}, name), element("span", { className: `badge ${tone}` }, text)),
    ...(description ? [element("p", {}, description)] : []),
    element("p", { className: "quiet" }, ...(since ? ["since ", when(new Date(since)), reason ? " · " : ""] : []), reason));
}

function folded(alarms, open) {
  const fold = element("details", { open },
    element("summary", {}, `The others (${alarms.length})`),
    element("ol", { className: "facts" }, ...alarms.map(alarm)));
  return element("li", {}, fold);
}
