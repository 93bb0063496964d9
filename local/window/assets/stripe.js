// Where an object of Stripe's can be looked at: on Stripe's own page, and as Stripe's API answers it.

import { at, element } from "./page.js";

/** Where the stand-in shows an object, up to its id; or Stripe's Dashboard. Both are missing if there is neither. */
const { objects, dashboard } = document.querySelector("main").dataset;

/** Where Stripe's Dashboard shows objects, by what their ids begin with. */
const PAGES = {
  pi: "payments", py: "payments", ch: "payments", sub: "subscriptions", in: "invoices", cus: "customers", dp: "disputes",
  du: "disputes", evt: "events",
};
/** What the shop can ask Stripe for. */
const KINDS = new Set(["evt", "cs", "pi", "ch", "py", "re", "pyr", "dp", "du", "in", "sub"]);

/** The address of Stripe's own page about an object; `null` if there is none. */
function pageOf(id) {
  const name = encodeURIComponent(id);
  if (objects) return `${objects}/${name}`;
  if (!dashboard) return null;
  const page = PAGES[kindOf(id)];
  return page ? `${dashboard}/${page}/${name}` : `${dashboard}/search?query=${name}`;
}

function kindOf(id) {
  return id.split("_")[0];
}

/** A link to Stripe's own page about an object, as a list of none or one. */
export function atStripe(id, ...text) {
  const href = pageOf(id);
  return href ? [element("a", { href, rel: "noreferrer" }, ...text)] : [];
}

/** An id of Stripe's with what leads to it, as parts of a line. */
export function objectId(id) {
  const code = element("code", {}, id);
  const [link] = atStripe(id, code);
  if (!KINDS.has(kindOf(id))) return [link ?? code];
  const json = element("a", { className: "json", href: at(`objects/${encodeURIComponent(id)}`) }, "JSON");
  json.setAttribute("aria-label", `JSON of ${id}`);
  return [link ?? code, " · ", json];
}
