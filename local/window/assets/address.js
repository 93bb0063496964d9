// What the address says is open: ?purchase=…, ?subscription=… and ?q=…, so that it can be sent to a colleague, and
// reload, Back and Forward lead where they should.

let before = new URLSearchParams(location.search);
/** What hears of an address that Back or Forward lead to, by the parameter it is about. */
const listeners = new Map();

/** What the address asks for; `null` if it says nothing about it. */
export function asked(name) {
  return new URLSearchParams(location.search).get(name);
}

/** The address that asks for this and nothing else. */
export function addressOf(name, value, section = "") {
  return `?${new URLSearchParams({ [name]: value })}${section && `#${section}`}`;
}

/** Notes in the address what somebody has opened; `null` is what the page shows by itself. */
export function noteOpen(name, value, section = "") {
  if (asked(name) === value) return;
  history.pushState(null, "", value ? addressOf(name, value, section) : location.pathname);
  before = new URLSearchParams(location.search);
}

/** Calls `open` with what the address asks for once Back or Forward have changed that. */
export function onReturn(name, open) {
  listeners.set(name, open);
}

addEventListener("popstate", () => {
  const now = new URLSearchParams(location.search);
  const changed = [...listeners].filter(([name]) => now.get(name) !== before.get(name));
  before = now;
  for (const [name, open] of changed) open(now.get(name));
});
