// What the doctor finds, when somebody asks.

import { call, element, look, onClick, when } from "./page.js";
import { source } from "./source.js";

const section = document.querySelector("#doctor");
const said = section.querySelector("[role=status]");
const list = section.querySelector("ol");

/** The worst first. */
const VERDICTS = {
  fail: ["to fix", "bad"],
  warn: ["to look at", "wait"],
  not_checked: ["not checked", ""],
  ok: ["ok", "good"],
};

let shown = "";
section.append(source("doctor.json"));

onClick(section.querySelector("[data-action=examine]"), async () => {
  said.textContent = "Examining…";
  try {
    await call("doctor", { method: "POST" });
  } catch (error) {
    said.textContent = "It could not be examined.";
    throw error;
  }
});

export async function showDoctor() {
  const { at, findings } = await look("doctor.json");
  const seen = JSON.stringify([at, findings]);
  if (seen === shown || !at) return;
  shown = seen;
  const order = Object.keys(VERDICTS);
  const sorted = findings.toSorted((one, other) => order.indexOf(one.verdict) - order.indexOf(other.verdict));
  const counts = order.map((verdict) => [findings.filter((finding) => finding.verdict === verdict).length, VERDICTS[verdict][0]]);
  const inWords = counts.filter(([count]) => count > 0).map(([count, text]) => `${count} ${text}`).join(", ");
  said.replaceChildren(`${inWords}, seen `, when(new Date(at)), ".");
  list.replaceChildren(...sorted.map(finding));
}

function finding({ check, verdict, says, remedy }) {
  const [text, tone] = VERDICTS[verdict] ?? [verdict, ""];
  return element("li", {},
    element("span", { className: "line" }, element("strong", {}, check), element("span", { className: `badge ${tone}` }, text)),
    element("p", {}, says),
    ...(remedy ? [element("p", { className: "quiet" }, `→ ${remedy}`)] : []));
}
