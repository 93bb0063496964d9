// Makes the window live: pages take over what has changed, buttons act without leaving the page, and
// texts can be copied. Without this script every page still works, as of the moment it was opened.

const PAUSE_MS = 250;
const TOAST_MS = 4000;
/** A pointer that rests for longer points at nothing. */
const POINTING_MS = 1500;

const said = document.getElementById('said');

/** Says it where screen readers hear it too. */
function say(text, tone = '') {
  if (!said) return;
  const line = document.createElement('p');
  line.textContent = text;
  line.className = tone;
  said.replaceChildren(line);
  setTimeout(() => line.remove(), TOAST_MS);
}

// --- Taking over what has changed ---

/** Rows that came while somebody was reading the list, waiting to be shown. */
const waiting = new Set();

/** When the pointer last moved. */
let lastMove = -Infinity;
addEventListener('pointermove', () => { lastMove = performance.now(); }, { passive: true });

/** Whether somebody is about to use a list, so that nothing in it may move. */
function isInUse(list) {
  const selection = getSelection();
  const isPointedAt = list.matches(':hover') && performance.now() - lastMove < POINTING_MS;
  return isPointedAt || list.contains(document.activeElement)
    || (!selection.isCollapsed && selection.containsNode(list, true));
}

/** Makes `old` like `fresh`, touching nothing that is the same already. */
function takeOver(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(document.importNode(fresh, true));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  takeOverAttributes(old, fresh);
  if ('liveRows' in old.dataset) takeOverRows(old, fresh);
  else takeOverChildren(old, fresh);
}

/** What a person has opened stays open, what is shown by this script stays shown. */
const OWN_ATTRIBUTES = new Set(['open', 'hidden', 'value']);

function takeOverAttributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (!OWN_ATTRIBUTES.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!OWN_ATTRIBUTES.has(name) && name !== 'class' && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
}

function takeOverChildren(old, fresh) {
  const next = [...fresh.childNodes];
  const now = [...old.childNodes].filter((node) => !node.classList?.contains('fresh'));
  next.forEach((child, index) => {
    if (index < now.length) takeOver(now[index], child);
    else old.append(document.importNode(child, true));
  });
  now.slice(next.length).forEach((node) => node.remove());
}

function takeOverRows(old, fresh) {
  const list = old.closest('[data-live-region]') ?? old;
  const isHeld = isInUse(list);
  const known = new Map([...old.children].map((row) => [row.id, row]));
  const isFull = 'more' in (fresh.closest('[data-live-region]')?.dataset ?? {});
  let place = old.firstElementChild;
  let last = null;
  for (const row of fresh.children) {
    const same = known.get(row.id);
    if (same) {
      takeOver(same, row);
      known.delete(row.id);
      last = same;
      place = same.nextElementSibling;
    } else {
      const arrived = document.importNode(row, true);
      arrived.classList.add('new');
      if (isHeld) {
        arrived.hidden = true;
        waiting.add(arrived);
      }
      old.insertBefore(arrived, place);
      last = arrived;
    }
  }
  // Rows that only made way for newer ones stay: somebody may be reading them.
  for (const row of known.values()) {
    const isOlder = last && last.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (!(isFull && isOlder)) row.remove();
  }
  offer(list);
}

/** Offers the rows that wait, above their list. */
function offer(list) {
  const rows = [...list.querySelectorAll('tr[hidden]')].filter((row) => waiting.has(row));
  let button = list.querySelector('.fresh');
  if (!rows.length) {
    button?.remove();
    return;
  }
  if (!button) {
    button = document.createElement('button');
    button.type = 'button';
    button.className = 'fresh';
    button.addEventListener('click', () => {
      list.querySelector('tbody a')?.focus({ preventScroll: true });
      show(list);
    });
    list.prepend(button);
  }
  button.textContent = `Show ${rows.length} new`;
  setTimeout(settle, POINTING_MS, list);
}

/** Shows what waits, if nobody is at the list any more. */
function settle(list) {
  if (!list.querySelector('.fresh')) return;
  if (isInUse(list)) setTimeout(settle, POINTING_MS, list);
  else show(list);
}

function show(list) {
  keepingPlace(() => {
    for (const row of list.querySelectorAll('tr[hidden]')) {
      row.hidden = false;
      waiting.delete(row);
    }
    list.querySelector('.fresh')?.remove();
  });
}

/** Whatever is at the top of what is seen stays there, unless that is the top of the page. */
function keepingPlace(change) {
  const bar = document.querySelector('.bar')?.offsetHeight ?? 0;
  const seen = scrollY > 0
    && [...document.querySelectorAll('tr, h2, .json, .card')].find((node) => node.getBoundingClientRect().top >= bar);
  const before = seen && seen.getBoundingClientRect().top;
  change();
  if (seen && seen.isConnected) scrollBy({ top: seen.getBoundingClientRect().top - before, behavior: 'instant' });
}

let isRefreshing = false;
let isStale = false;

/** Fetches this page again. News that come meanwhile are fetched once it is done. */
async function refresh() {
  isStale = true;
  if (isRefreshing || document.hidden) return;
  isRefreshing = true;
  while (isStale && !document.hidden) {
    isStale = false;
    const begun = performance.now();
    try {
      const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
      if (answer.ok || answer.status === 404) adopt(await answer.text());
    } catch {
      // The stand-in is gone. When it is back, the stream of news opens again and calls for this.
      break;
    }
    // A page that takes long to make is asked for less often.
    await new Promise((done) => { setTimeout(done, PAUSE_MS + 4 * (performance.now() - begun)); });
  }
  isRefreshing = false;
}

function adopt(html) {
  const fresh = new DOMParser().parseFromString(html, 'text/html');
  keepingPlace(() => {
    for (const region of document.querySelectorAll('[data-live-region]')) {
      const again = fresh.getElementById(region.id);
      if (again) takeOver(region, again);
    }
  });
  showCopyButtons();
}

const live = document.body.dataset.live;
if (live) {
  const news = new EventSource(live);
  let wasOpen = false;
  news.addEventListener('changed', refresh);
  news.addEventListener('open', () => {
    // What happened before is known, except after a break.
    if (wasOpen) refresh();
    wasOpen = true;
  });
  addEventListener('pagehide', () => news.close());
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
  document.addEventListener('visibilitychange', () => { if (isStale) refresh(); });
}

// --- Buttons ---

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!('stay' in form.dataset)) return;
  event.preventDefault();
  try {
    const answer = await fetch(form.action, {
      method: 'POST',
      body: new URLSearchParams(new FormData(form)),
      redirect: 'manual',
    });
    if (answer.type === 'opaqueredirect') {
      say(form.dataset.stay);
      form.closest('details.fold')?.removeAttribute('open');
      refresh();
    } else {
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      say(page.getElementById('trouble-message')?.textContent ?? `It failed (${answer.status}).`, 'bad');
    }
  } catch {
    say('The stand-in does not answer: is it still running?', 'bad');
  }
});

function showCopyButtons() {
  for (const button of document.querySelectorAll('[data-copy]')) button.hidden = false;
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  say(await copy(text) ? 'Copied' : 'The browser does not allow copying.');
});

async function copy(text) {
  // Browsers have this only where they trust the address: not at any host name without https.
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(() => true, () => false);
  }
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  return copied;
}

// A choice takes effect when it is made.
for (const form of document.querySelectorAll('[data-choice]')) {
  form.classList.add('live-choice');
  form.addEventListener('change', (event) => { if (event.target.matches('select')) form.requestSubmit(); });
}

document.addEventListener('keydown', (event) => {
  const isTyping = event.target.closest('input, select, textarea');
  if (event.key === '/' && !isTyping && !event.metaKey && !event.ctrlKey && !event.altKey) {
    event.preventDefault();
    document.querySelector('.search input')?.focus();
  }
  if (event.key === 'Escape') document.getElementById('accounts')?.removeAttribute('open');
});

showCopyButtons();
