import { getProducts, listProducts } from '../api.js';
import { checkoutEvents, resumeCheckout } from '../checkout.js';
import { unpaidPurchases } from '../components/unpaid-purchases.js';
import { pagedList } from '../components/paged-list.js';
import { productCard, renewCard } from '../components/product-card.js';
import { element, panel } from '../elements.js';
import { content, fill, startPage } from '../page.js';

startPage(async () => {
  checkoutEvents.addEventListener('stock', ({ detail: products }) => renewCards(products));
  resumeCheckout();
  await Promise.all([
    fill(content(), () => fetchPage(), shopWindow, { waiting: [skeleton()] }),
    unpaidPurchases(content(), { onend: showReturned }),
  ]);
});

/** What an unpaid purchase held is for sale again. */
async function showReturned({ lines }) {
  renewCards(await getProducts(lines.map((line) => line.product_id), { fresh: true }).catch(() => new Map()));
}

function renewCards(products) {
  [...products.values()].filter(Boolean).forEach(renewCard);
}

async function fetchPage(cursor) {
  const { products, next } = await listProducts(cursor);
  return { items: products, next };
}

function shopWindow(first) {
  if (first.items.length === 0 && !first.next) {
    return [panel({ title: 'The shelves are empty', text: 'There is nothing for sale right now. Please come back soon.' })];
  }
  return pagedList({ className: 'cards', first, more: fetchPage, row: productCard });
}

function skeleton() {
  const card = () => element('div', { class: 'card skeleton' });
  return element('div', { class: 'cards', 'aria-hidden': 'true' }, card(), card(), card());
}
