// A section whose content is drawn anew whenever it has changed.

import { element, look, seldom } from "./page.js";
import { sayWhenRead, source } from "./source.js";
import { keepingFocus } from "./story.js";

/**
 * Returns what shows the section with this id. `draw` makes its content of what answers at `path`; an empty list says
 * that there is nothing, in the words of `ifNone`. `manner` says how often it is looked at.
 */
export function content(id, path, ifNone, draw, manner = seldom) {
  const section = document.querySelector(`#${id}`);
  if (!section) return () => {};
  const place = section.querySelector(".content");
  let shown = "";
  section.append(source(path));
  return manner(section, async () => {
    const answer = await look(path);
    sayWhenRead(section, answer.read);
    const seen = JSON.stringify(answer);
    if (seen === shown) return;
    shown = seen;
    const parts = draw(answer);
    keepingFocus(place, () => place.replaceChildren(...(parts.length > 0 ? parts : [element("p", { className: "quiet" }, ifNone)])));
  });
}
