import { getProducts, listAllProducts, listProducts } from '../api.js';
import { checkoutEvents, resumeCheckout } from '../checkout.js';
import { unpaidPurchases } from '../components/unpaid-purchases.js';
import { pagedList } from '../components/paged-list.js';
import { categoryUrl, productCard, renewCard } from '../components/product-card.js';
import { element, linkButton, panel } from '../elements.js';
import { content, fill, startPage } from '../page.js';
import { matches, oncePerGroup } from '../search.js';
import { shopCategories } from '../shop.js';
import { t } from '../texts.js';
import { siteUrl } from '../urls.js';

const category = new URLSearchParams(location.search).get('category') ?? '';
const field = document.getElementById('q');

/** All products, once somebody is looking for one. */
let all = null;

startPage(async () => {
  checkoutEvents.addEventListener('stock', ({ detail: products }) => renewCards(products));
  field.value = new URLSearchParams(location.search).get('q') ?? '';
  field.addEventListener('input', show);
  field.form.addEventListener('submit', (event) => { event.preventDefault(); show(); });
  resumeCheckout();
  await Promise.all([show(), unpaidPurchases(content(), { onend: showReturned })]);
});

/** What an unpaid purchase held is for sale again. */
async function showReturned({ lines }) {
  renewCards(await getProducts(lines.map((line) => line.product_id), { fresh: true }).catch(() => new Map()));
}

function renewCards(products) {
  [...products.values()].filter(Boolean).forEach(renewCard);
}

/** Shows what is looked for, or the first page of everything. */
async function show() {
  keepInAddress();
  if (words() === '' && category === '') {
    // A page that came with its products keeps them until they can be replaced.
    const shown = content().querySelector('.cards:not([aria-hidden])') ? [...content().childNodes] : [skeleton()];
    await fill(content(), () => fetchPage(), shopWindow, { waiting: shown });
  } else if (all) {
    content().replaceChildren(...found(all));
  } else {
    // The visitor may type on meanwhile, so what is shown is what is in the field then.
    await fill(content(), async () => { all = await listAllProducts(); }, () => found(all), { waiting: [skeleton()] });
  }
}

function words() {
  return field.value.trim();
}

/** So that what was looked for can be linked to, and is still there when the visitor comes back. */
function keepInAddress() {
  const address = new URL(location.href);
  if (words() === '') address.searchParams.delete('q');
  else address.searchParams.set('q', words());
  if (address.href !== location.href) history.replaceState(null, '', address);
}

async function fetchPage(cursor, isNew = oncePerGroup()) {
  const { products, next } = await listProducts(cursor);
  return { items: products.filter(isNew), next, known: products, isNew };
}

function shopWindow(first) {
  tell('');
  if (first.items.length === 0 && !first.next) {
    return [panel({ title: t('products.empty'), text: t('products.empty_text') })];
  }
  const more = (cursor) => fetchPage(cursor, first.isNew);
  return [categories(first.known), ...pagedList({ className: 'cards', first, more, row: productCard })].filter(Boolean);
}

function found(products) {
  const wanted = products
    .filter((product) => category === '' || product.category === category)
    .filter((product) => matches(product, words()))
    .filter(oncePerGroup());
  tell(t('products.found', { count: wanted.length }));
  return [
    categories(products),
    wanted.length > 0
      ? element('ul', { class: 'cards', role: 'list' }, ...wanted.map(productCard))
      : panel({
        title: t('products.none'),
        text: t('products.none_text'),
        actions: [linkButton(t('products.show_all'), 'index.html')],
      }),
  ].filter(Boolean);
}

/** Links to the categories: those that the seller has put in order, else those of the products known so far. */
function categories(products) {
  const own = products.map((product) => product.category).filter(Boolean);
  const names = [...shopCategories(), ...[...new Set(own)].sort((one, other) => one.localeCompare(other))];
  const unique = [...new Set(names)];
  if (unique.length === 0) return null;
  const link = (name, href, isHere) => element('a', { href, 'aria-current': isHere ? 'page' : null }, name);
  return element('nav', { class: 'categories', 'aria-label': t('products.categories') },
    link(t('products.all'), siteUrl('index.html').href, category === ''),
    ...unique.map((name) => link(name, categoryUrl(name), name === category)));
}

/** Says it to those who do not see the list change. */
function tell(words) {
  document.getElementById('told').textContent = words;
}

function skeleton() {
  const card = () => element('div', { class: 'card skeleton' });
  return element('div', { class: 'cards', 'aria-hidden': 'true' }, card(), card(), card());
}
