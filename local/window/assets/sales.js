// What was sold on each of the last days, in each currency.

import { content } from "./content.js";
import { element } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";
/** The height of the highest bar, in the units of the drawing; a day is ten wide. */
const HEIGHT = 100;
const DAY = 10;

export const showSales = content("sales", "sales.json", "Nothing was sold on these days.", ({ sales }) =>
  (sales ? sales.together.map((sum) => chart(sum, sales.days))
    : [element("p", {}, "There is more than was read, so nothing can be added up: till books has it day by day.")]));

function chart({ paid, net }, days) {
  const { currency } = net;
  const name = currency.toUpperCase();
  const bars = days.map(({ day, sums }) => ({ day, sum: sums.find((one) => one.net.currency === currency) }));
  const [first, last] = [bars[0].day, bars.at(-1).day];
  return element("figure", { className: "card sales" },
    element("figcaption", {}, element("strong", {}, net.text), element("span", { className: "quiet" }, ` net, of ${payments(paid)}`)),
    drawing(bars, `${name}, day by day from ${spelled(first)} to ${spelled(last)}; the table below has the numbers`),
    element("p", { className: "scale quiet" }, element("span", {}, spelled(first)), element("span", {}, `today, ${spelled(last)}`)),
    table(bars, name));
}

function drawing(bars, label) {
  const most = Math.max(1, ...bars.map(({ sum }) => sum?.net.amount ?? 0));
  const svg = shape("svg", { viewBox: `0 0 ${bars.length * DAY} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label });
  for (const [place, { day, sum }] of bars.entries()) {
    // A day on which something was sold is never so low that it cannot be seen.
    const height = sum ? Math.max(2, (sum.net.amount / most) * HEIGHT) : 0;
    const bar = shape("rect", { x: place * DAY + 1, y: HEIGHT - height, width: DAY - 2, height });
    const title = shape("title", {});
    title.textContent = `${spelled(day)}: ${sum ? `${sum.net.text}, ${payments(sum.paid)}` : "nothing"}`;
    bar.append(title);
    svg.append(bar);
  }
  return svg;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

/** Only days on which something was sold; the latest first, as that is the one people look for. */
function table(bars, name) {
  const rows = bars.filter(({ sum }) => sum).reverse().map(({ day, sum }) => element("tr", {},
    head("row", spelled(day)), element("td", {}, `${sum.paid}`), element("td", {}, sum.net.text)));
  const titles = ["Day (UTC)", "Payments", "Net"].map((title) => head("col", title));
  const fold = element("details", { className: "fold" }, element("summary", {}, `As a table, ${name}`),
    element("table", {}, element("thead", {}, element("tr", {}, ...titles)), element("tbody", {}, ...rows)));
  fold.dataset.key = `sales ${name}`;
  return fold;
}

function head(scope, text) {
  return element("th", { scope }, text);
}

function payments(paid) {
  return paid === 1 ? "one payment" : `${paid} payments`;
}

/** A day of the shop, which counts them in UTC, as the reader writes it. */
function spelled(day) {
  return new Date(`${day}T12:00:00Z`).toLocaleDateString(undefined, { dateStyle: "medium", timeZone: "UTC" });
}
