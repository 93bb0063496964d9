// The dashboard: keeps its sections fresh while somebody looks.

import { showMailbox } from "./mailbox.js";
import { showPurchases } from "./purchases.js";
import { showSwitches } from "./switches.js";
import { showWebhooks } from "./webhooks.js";

const PAUSE_MS = 2000;
const trouble = document.querySelector("#trouble");

/** An element with properties and children; text is text, never markup. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** What the shop answers, as JSON where it is JSON. */
export async function call(path, options) {
  const answer = await fetch(path, options);
  const json = answer.headers.get("content-type")?.startsWith("application/json");
  const body = json ? await answer.json() : await answer.text();
  if (!answer.ok) {
    throw new Error(body.error?.message ?? (body || `${path} answered ${answer.status}`));
  }
  return body;
}

/** Does what a button is for, then shows the outcome. */
export function onClick(button, action) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    await attempt(async () => {
      await action();
      await refresh();
    });
    button.disabled = false;
  });
}

/** Says what went wrong, if anything does. */
export async function attempt(action) {
  try {
    await action();
    trouble.hidden = true;
  } catch (error) {
    trouble.textContent = error instanceof TypeError ? "The shop does not answer. Is it open?" : error.message;
    trouble.hidden = false;
  }
}

export async function refresh() {
  await Promise.all([showPurchases(), showMailbox(), showWebhooks(), showSwitches()]);
}

/** A date and time as the reader writes them. */
export function when(date) {
  const options = { dateStyle: "medium", timeStyle: "medium" };
  return element("time", { dateTime: date.toISOString() }, date.toLocaleString(undefined, options));
}

async function keepFresh() {
  if (document.visibilityState === "visible") await attempt(refresh);
  setTimeout(keepFresh, PAUSE_MS);
}

// Not before every module above has run: they import this one.
queueMicrotask(keepFresh);
