// A list of things on the left, and the whole story of the one that is chosen beside it.

import { addressOf, asked, noteOpen, onReturn } from "./address.js";
import { attempt, element, look } from "./page.js";
import { sayWhenRead, source } from "./source.js";
import { keepingFocus } from "./story.js";

/** What leads to each kind of thing, by kind. */
const openers = new Map();

/**
 * A section with a list and a story. `kind` is what its things are called in the shop's answers; `row` makes the
 * content of a button in the list, `chapters` that of a story. Returns what shows the section.
 */
export function shelf(kind, { row, chapters }) {
  const section = document.querySelector(`#${kind}`);
  if (!section) return () => {};
  const list = section.querySelector(".list");
  const story = section.querySelector(".story");
  // The one that the address is about is opened first, listed or not.
  let wanted = asked(parameterOf(kind));
  let open = wanted;
  let shownList = "";
  let shownStory = "";
  section.append(source(`${kind}.json`));

  async function showSection() {
    const { [kind]: all, found, read, unreadable } = await look(`${kind}.json`);
    sayWhenRead(section, read);
    const seen = JSON.stringify([all, open]);
    if (seen !== shownList) {
      section.querySelector(".empty").hidden = found > 0;
      section.querySelector(".pair").hidden = found === 0;
      section.querySelector(".more").textContent =
        [found > all.length && `The newest ${all.length} of ${found}; till ${kind} list shows them all.`,
          unreadable.length > 0 && `These items cannot be read and are not shown: ${unreadable.join(", ")}.`]
          .filter(Boolean).join(" ");
      if (!open || (open !== wanted && !all.some(({ id }) => id === open))) open = all[0]?.id ?? null;
      shownList = JSON.stringify([all, open]);
      keepingFocus(list, () => list.replaceChildren(...all.map((thing) => element("li", {}, button(thing)))));
    }
    if (open) await showStory();
  }

  function button(thing) {
    const made = element("button", { type: "button" }, ...row(thing));
    made.dataset.key = thing.id;
    made.setAttribute("aria-current", String(thing.id === open));
    made.addEventListener("click", () => choose(thing.id));
    return made;
  }

  async function choose(id) {
    noteOpen(parameterOf(kind), id, kind);
    wanted = id;
    await show(id);
    story.scrollIntoView({ block: "nearest" });
  }

  async function show(id) {
    open = id;
    for (const each of list.querySelectorAll("button")) each.setAttribute("aria-current", String(each.dataset.key === id));
    await attempt(showStory);
  }

  async function showStory() {
    const path = `${kind}/${encodeURIComponent(open)}`;
    const told = await look(path);
    const seen = JSON.stringify(told);
    if (seen === shownStory) return;
    shownStory = seen;
    keepingFocus(story, () => story.replaceChildren(...chapters(told), source(path)));
  }

  onReturn(parameterOf(kind), async (id) => {
    wanted = id;
    if (id) {
      await show(id);
    } else {
      open = null;
      await attempt(showSection);
    }
  });
  openers.set(kind, async (id) => {
    await choose(id);
    section.scrollIntoView();
    story.focus({ preventScroll: true });
  });
  return showSection;
}

/** A link to the story of a thing. */
export function leadsTo(kind, id, ...content) {
  const link = element("a", { href: addressOf(parameterOf(kind), id, kind) }, ...content);
  link.addEventListener("click", (event) => {
    const opener = openers.get(kind);
    if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    opener(id);
  });
  return link;
}

/** How an address names one of a kind: `purchase`, `subscription`. */
function parameterOf(kind) {
  return kind.replace(/s$/, "");
}
