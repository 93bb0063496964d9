import { ApiError, getProduct } from '../api.js';
import { cartLines, removeFromCart, setInCart } from '../cart.js';
import { checkoutButton, resumeCheckout } from '../checkout.js';
import { productImage } from '../components/product-image.js';
import { stepper } from '../components/stepper.js';
import { button, element, linkButton, panel } from '../elements.js';
import { formatMoney, totalsPerCurrency } from '../money.js';
import { content, fill, startPage } from '../page.js';

startPage(async () => {
  resumeCheckout();
  await fill(content(), fetchProducts, cart, { waiting: [element('div', { class: 'row skeleton' })] });
});

/** The products in the cart by id; one that is no longer sold is null. */
async function fetchProducts() {
  const ids = cartLines().map((line) => line.product_id);
  const products = await Promise.all(ids.map((id) => getProduct(id).catch(nullIfGone)));
  return new Map(ids.map((id, index) => [id, products[index]]));
}

function nullIfGone(error) {
  if (error instanceof ApiError && error.status === 404) return null;
  throw error;
}

function cart(products) {
  const lines = cartLines();
  if (lines.length === 0) {
    return [panel({
      title: 'Your cart is empty',
      text: 'What you add to it stays here until you close this tab.',
      actions: [linkButton('See the products', 'index.html')],
    })];
  }

  const total = element('span', { class: 'amount' });
  const showTotal = () => { total.textContent = totalText(products); };
  const redraw = () => content().replaceChildren(...cart(products));
  showTotal();
  return [
    element('ul', { class: 'rows', role: 'list' }, ...lines.map((line) =>
      cartRow(line, products.get(line.product_id), { onquantity: showTotal, onremove: redraw }))),
    element('p', { class: 'order-total' }, element('span', {}, 'Total'), total),
    element('div', { class: 'actions' },
      checkoutButton('Check out', cartLines, { fromCart: true, disabled: !allForSale(lines, products) }),
      linkButton('Keep browsing', 'index.html', 'secondary')),
  ];
}

function cartRow({ product_id: id, quantity }, product, { onquantity, onremove }) {
  const name = product?.name ?? id;
  const remove = button('Remove', () => { removeFromCart(id); onremove(); }, 'quiet');
  remove.setAttribute('aria-label', `Remove ${name}`);
  return element('li', { class: 'row cart-row' },
    productImage(product ?? {}),
    element('span', { class: 'row-main' },
      element('span', { class: 'line-name' }, name),
      element('span', { class: 'line-detail' },
        isForSale(product) ? `${formatMoney(product.price)} each` : 'No longer sold; please remove it')),
    isForSale(product) ? stepper({
      label: `Quantity of ${name}`,
      quantity,
      onchange: (chosen) => { setInCart(id, chosen); onquantity(); },
    }).node : null,
    remove);
}

/** One sum per currency; the shop takes one currency per purchase and says so at checkout. */
function totalText(products) {
  const prices = cartLines()
    .filter((line) => isForSale(products.get(line.product_id)))
    .map((line) => {
      const { amount, currency } = products.get(line.product_id).price;
      return { amount: amount * line.quantity, currency };
    });
  return totalsPerCurrency(prices).map(formatMoney).join(' + ');
}

function allForSale(lines, products) {
  return lines.every((line) => isForSale(products.get(line.product_id)));
}

function isForSale(product) {
  return Boolean(product) && product.active !== false;
}
