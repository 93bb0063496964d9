// Everything there is to buy, and how much of it is left.

import { content } from "./content.js";
import { element } from "./page.js";

export const showProducts = content("products", "products.json", "There are no products yet.", ({ products }) =>
  (products.length > 0 ? [table(products)] : []));

function table(products) {
  const titles = ["Product", "Price", "Stock"].map((title) => element("th", { scope: "col" }, title));
  return element("div", { className: "card" }, element("table", {},
    element("thead", {}, element("tr", {}, ...titles)),
    element("tbody", {}, ...products.map(row))));
}

function row(product) {
  const { id, name, active, price_in_words: price } = product;
  return element("tr", {},
    element("th", { scope: "row" }, name, ...(active ? [] : [" ", badge("", "not for sale")]),
      element("div", { className: "quiet" }, element("code", {}, id))),
    element("td", {}, price),
    element("td", {}, ...stock(product)));
}

function stock({ stock: left, low_stock: low }) {
  if (left === undefined) return [element("span", { className: "quiet" }, "unlimited")];
  if (left === 0) return [badge("bad", "sold out")];
  return left <= (low ?? 0) ? [`${left} `, badge("wait", "low")] : [`${left}`];
}

function badge(tone, text) {
  return element("span", { className: `badge ${tone}` }, text);
}
