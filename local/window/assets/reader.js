// A list of things that came in, on the left, and the one that is chosen, to be read, beside it.

import { element, look } from "./page.js";

/**
 * A section with a list and a reader. `source` answers with the things, newest first; `row` makes the content of a
 * button in the list, `parts` what is to be read of a thing. Returns what shows the section.
 */
export function reader(section, { source, row, parts }) {
  const list = section.querySelector(".list");
  const paper = section.querySelector("article");
  let shown = "";
  let open = null;

  async function showSection() {
    const things = await look(source);
    const seen = things.map(({ id }) => id).join();
    if (seen === shown) return;
    shown = seen;
    section.querySelector(".empty").hidden = things.length > 0;
    section.querySelector(".pair").hidden = things.length === 0;
    list.replaceChildren(...things.map((thing) => element("li", {}, button(thing))));
    if (!things.some(({ id }) => id === open) && things.length > 0) read(things[0]);
    markOpen();
  }

  function button(thing) {
    const made = element("button", { type: "button" }, ...row(thing));
    made.dataset.id = thing.id;
    made.addEventListener("click", () => {
      read(thing);
      markOpen();
      paper.scrollIntoView({ block: "nearest" });
    });
    return made;
  }

  function markOpen() {
    for (const made of list.querySelectorAll("button")) {
      made.setAttribute("aria-current", String(made.dataset.id === open));
    }
  }

  function read(thing) {
    open = thing.id;
    paper.replaceChildren(...parts(thing));
  }

  return showSection;
}
