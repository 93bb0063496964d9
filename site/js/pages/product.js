import { ApiError, getProduct, listAllProducts } from '../api.js';
import { checkoutEvents, resumeCheckout } from '../checkout.js';
import { categoryUrl } from '../components/product-card.js';
import { productDetail } from '../components/product-detail.js';
import { element, linkButton, panel } from '../elements.js';
import { content, fill, startPage } from '../page.js';
import { titled } from '../shop.js';
import { t } from '../texts.js';

/** A page that `till site build` wrote knows its product; the others are told in their address. */
const id = content().dataset.product ?? new URLSearchParams(location.search).get('id');

startPage(async () => {
  if (!id) {
    content().replaceChildren(panel({
      title: t('product.which'),
      actions: [linkButton(t('products.see'), 'index.html')],
    }));
    return;
  }
  checkoutEvents.addEventListener('stock', ({ detail: products }) => { if (products.get(id)) show(products.get(id)); });
  resumeCheckout();
  // What the page has already stays until it can be replaced.
  const waiting = content().childElementCount > 0 ? [...content().childNodes] : [skeleton()];
  await fill(content(), load, (product) => (product ? detail(product) : [gone()]), { waiting });
});

function load() {
  return getProduct(id).catch((error) => {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  });
}

function show(product) {
  content().replaceChildren(...detail(product));
}

function detail(product) {
  document.querySelector('h1').textContent = product.name;
  document.title = titled(product.name);
  showCategory(product);
  return [productDetail(product, { family })];
}

/** The products of the same group, if they can be loaded: without them, this one can still be bought. */
async function family({ group }) {
  const products = await listAllProducts().catch(() => []);
  return products.filter((other) => other.group === group);
}

function showCategory({ category }) {
  const crumbs = document.getElementById('crumbs');
  crumbs.replaceChildren(crumbs.firstElementChild,
    ...(category ? [' › ', element('a', { href: categoryUrl(category) }, category)] : []));
}

function gone() {
  document.querySelector('h1').textContent = t('product.heading');
  return panel({
    title: t('product.gone'),
    text: t('product.gone_text'),
    actions: [linkButton(t('products.see'), 'index.html')],
  });
}

function skeleton() {
  return element('div', { class: 'product', 'aria-hidden': 'true' }, element('div', { class: 'gallery skeleton' }));
}
