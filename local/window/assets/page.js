// What the sections of the page have in common: elements, calls to the shop, and being kept fresh
// while somebody looks.

/** How soon to look again: after something has changed, and when nothing has for a while. */
const SOON_MS = 1000;
const LATER_MS = 10_000;

const trouble = document.querySelector("#trouble");
const dialog = document.querySelector("#confirm");

/** The last answer to each look, by path, with its tag: the shop sends only what has changed. */
const known = new Map();
/** What shows each section. */
let sections = [];
let changed = false;
let pause = SOON_MS;
let waiting;

/** An element with properties and children; text is text, never markup. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** The address of what a path leads to, which is relative to these scripts. */
export function at(path) {
  return new URL(path, import.meta.url).href;
}

/** What the shop shows now. */
export async function look(path) {
  const seen = known.get(path);
  const answer = await fetch(at(path), { headers: seen ? { "if-none-match": seen.tag } : {} });
  if (answer.status === 304) return seen.body;
  const body = await content(answer, path);
  known.set(path, { tag: answer.headers.get("etag"), body });
  changed = true;
  return body;
}

/** Asks the shop to do something. */
export async function call(path, options) {
  return content(await fetch(at(path), options), path);
}

/** An answer's body, parsed if it is JSON; throws if the answer is an error. */
async function content(answer, path) {
  const json = answer.headers.get("content-type")?.startsWith("application/json");
  const body = json ? await answer.json() : await answer.text();
  if (!answer.ok) {
    throw new Error(body.error?.message ?? (body || `${path} answered ${answer.status}`));
  }
  return body;
}

/** Whether the person at the screen wants this. */
export function confirm(question, label) {
  dialog.querySelector("#question").textContent = question;
  dialog.querySelector("[value=yes]").textContent = label;
  dialog.returnValue = "";
  dialog.showModal();
  dialog.querySelector("[value=no]").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
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
    say("");
  } catch (error) {
    say(error instanceof TypeError ? "The shop does not answer. Is it running?" : error.message);
  }
}

/** The place for messages is always on the page, or nothing would be read out. */
function say(message) {
  if (trouble.textContent === message) return;
  trouble.replaceChildren(...(message ? [element("p", { className: "alert" }, message)] : []));
}

/** Shows every section as it is now. */
export async function refresh() {
  await Promise.all(sections.map((show) => show()));
  lookAgain(SOON_MS);
}

/** A date and time as the reader writes them. */
export function when(date) {
  const options = { dateStyle: "medium", timeStyle: "medium" };
  return element("time", { dateTime: date.toISOString() }, date.toLocaleString(undefined, options));
}

function lookAgain(after) {
  pause = after;
  clearTimeout(waiting);
  waiting = setTimeout(keepFresh, pause);
}

/** Looks less and less often while nothing happens, and not at all while nobody can see it. */
async function keepFresh() {
  if (document.visibilityState !== "visible") return;
  const before = pause;
  changed = false;
  await attempt(refresh);
  lookAgain(changed ? SOON_MS : Math.min(before * 2, LATER_MS));
}

/** Begins to keep these sections fresh. */
export function begin(...shows) {
  sections = shows;
  document.addEventListener("visibilitychange", keepFresh);
  keepFresh();
}

dialog.querySelector("[value=no]").addEventListener("click", () => dialog.close());
