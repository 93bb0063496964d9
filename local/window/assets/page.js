// What the sections of the page have in common: elements, calls to the shop, and being kept fresh
// while somebody looks.

const trouble = document.querySelector("#trouble");
const told = document.querySelector("#told");
const dialog = document.querySelector("#confirm");

/** Whether what is read costs something, so that it is looked at rarely. */
export const isSlow = document.querySelector("main").dataset.reads === "when-asked";
/** How soon to look again: after something has changed, and when nothing has for a while. */
const SOON_MS = isSlow ? 60_000 : 1000;
const LATER_MS = isSlow ? 60_000 : 10_000;
/** By then Stripe has usually told the shop of what was done here. */
const AFTER_ACTION_MS = isSlow ? 5000 : 1000;

/** The last answer to each look, by path, with its tag: the shop sends only what has changed. */
const known = new Map();
/** What shows each section. */
let sections = [];
let changed = false;
let aftermath = 0;
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
    const { message, code } = body.error ?? {};
    throw Object.assign(new Error(message ?? (body || `${path} answered ${answer.status}`)), { code });
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
    tell("");
    await attempt(async () => {
      try {
        await action();
      } finally {
        // Before anything else is awaited: what is shown next, or a second click, may disable it again.
        button.disabled = false;
      }
      await refresh();
    });
  });
}

/** Says what was done; it stays until something else is, or until it is closed. */
export function tell(...outcome) {
  if (!outcome.join("")) {
    told.replaceChildren();
    return;
  }
  const close = element("button", { type: "button" }, "Close");
  close.addEventListener("click", () => tell(""));
  told.replaceChildren(element("p", { className: "told" }, element("span", {}, ...outcome), close));
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

/** Shows every section as it is now, because something was done. */
export async function refresh() {
  aftermath = AFTERMATH;
  await showAll({ idle: false });
  lookAgain(AFTER_ACTION_MS);
}

async function showAll(why) {
  await Promise.all(sections.map((show) => show(why)));
}

/** How many times a section is passed over that nobody sees, while nothing happens. */
const PASSED_OVER = 10;
/** How many looks after something was done are for all sections: it has effects that follow. */
const AFTERMATH = 4;

/**
 * Shows a section that changes rarely: at first and whenever something was done, but while the page is idle only if
 * somebody sees it, or every now and then.
 */
export function seldom(section, show) {
  let inSight = false;
  let passed = PASSED_OVER;
  new IntersectionObserver((seen) => { inSight = seen.at(-1).isIntersecting; }).observe(section);
  return async ({ idle }) => {
    passed += 1;
    if (idle && !inSight && passed < PASSED_OVER) return;
    passed = 0;
    await show();
  };
}

/** The least time between two looks at what takes many reads. Where they cost something, the shop keeps what it has read. */
const COSTLY_MS = isSlow ? 0 : 60_000;

/**
 * Shows a section that takes many reads: only once somebody sees it, and rarely again. Call `forget` on what is
 * returned if it has to be read again at the next look.
 */
export function whenSeen(section, show) {
  let inSight = false;
  let next = 0;
  const showSection = async () => {
    if (!inSight || Date.now() < next) return;
    // Whoever comes while it is being read does not read it, too.
    next = Date.now() + COSTLY_MS;
    await show();
  };
  showSection.forget = () => { next = 0; };
  new IntersectionObserver((seen) => {
    inSight = seen.at(-1).isIntersecting;
    if (inSight && Date.now() >= next) attempt(showSection);
  }).observe(section);
  return showSection;
}

/** A time of day as the reader writes it; hovering shows the date as well. */
export function timeOf(date) {
  const text = date.toLocaleTimeString(undefined, { timeStyle: "medium" });
  return element("time", { dateTime: date.toISOString(), title: date.toLocaleString() }, text);
}

/** A date as the reader writes it. */
export function dayOf(date) {
  return date.toLocaleDateString(undefined, { dateStyle: "medium" });
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
  aftermath = Math.max(0, aftermath - 1);
  await attempt(() => showAll({ idle: aftermath === 0 }));
  lookAgain(changed ? SOON_MS : Math.min(before * 2, LATER_MS));
}

/** Begins to keep these sections fresh. */
export function begin(...shows) {
  sections = shows;
  document.addEventListener("visibilitychange", keepFresh);
  keepFresh();
}

dialog.querySelector("[value=no]").addEventListener("click", () => dialog.close());
