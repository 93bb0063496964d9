// Where what is shown comes from: the very JSON, how to get it on a command line, and when it was read.

import { at, call, element, onClick, timeOf } from "./page.js";
import { keepingFocus } from "./story.js";

/** Whether only a browser with this page's cookie is answered. */
const isGuarded = document.querySelector("main").dataset.guarded === "true";

/** How long it is said that something was copied. */
const SAID_MS = 4000;

/** Links to what answers at a path. */
export function source(path) {
  const copy = element("button", { type: "button", className: "plain" }, "Copy as curl");
  const said = element("span", { role: "status" });
  copy.dataset.key = `${path} curl`;
  copy.addEventListener("click", async () => {
    said.textContent = await copied(curlOf(path));
    setTimeout(() => { said.textContent = ""; }, SAID_MS);
  });
  return element("p", { className: "source" }, element("a", { href: at(path) }, "JSON"), copy, said);
}

/** Whoever runs it puts the secret in: it never stands in what is copied. An address cannot end its quotes. */
function curlOf(path) {
  const cookie = isGuarded ? `-H 'Cookie: till-dashboard-${location.port}=SECRET' ` : "";
  return `curl ${cookie}'${at(path).replaceAll("'", "%27")}'`;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return isGuarded ? "Copied. Put the secret of the printed address in place of SECRET." : "Copied.";
  } catch {
    return `The browser does not let the page copy: ${text}`;
  }
}

/** Says when the shop read what a section shows, if not just now, and whether that was all of it. */
export function sayWhenRead(section, read) {
  if (!read) return;
  const { at: moment, is_whole: isWhole } = read;
  const place = section.querySelector(".read");
  const seen = `${moment} ${isWhole}`;
  if (place.dataset.seen === seen) return;
  place.dataset.seen = seen;
  const again = element("button", { type: "button", className: "plain" }, "Read again");
  again.dataset.key = "read again";
  onClick(again, () => call("reread", { method: "POST" }));
  place.hidden = false;
  const cut = isWhole ? [] : [element("strong", {}, "Not all of it was read, and the newest may be missing; an id is found all the same. ")];
  keepingFocus(place, () => place.replaceChildren(...cut, "As of ", timeOf(new Date(moment)), ". ", again));
}
