import { getProducts } from '../api.js';
import { cartLines, removeFromCart, setInCart } from '../cart.js';
import { checkoutButton, checkoutEvents, resumeCheckout } from '../checkout.js';
import { productImage } from '../components/product-image.js';
import { stepper } from '../components/stepper.js';
import { fewLeft, isForSale, mostOf, whyNotForSale } from '../components/stock.js';
import { button, element, linkButton, panel } from '../elements.js';
import { formatMoney, totalsPerCurrency } from '../money.js';
import { content, fill, startPage } from '../page.js';

startPage(async () => {
  checkoutEvents.addEventListener('soldout', ({ detail: products }) => content().replaceChildren(...cart(products)));
  resumeCheckout();
  await fill(content(), fetchProducts, cart, { waiting: [element('div', { class: 'row skeleton' })] });
});

function fetchProducts() {
  return getProducts(cartLines().map((line) => line.product_id));
}

function cart(products) {
  const wanted = cartLines();
  for (const { product_id: id, quantity } of wanted) {
    const product = products.get(id);
    if (isForSale(product) && quantity > mostOf(product)) setInCart(id, mostOf(product));
  }
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
    element('ul', { class: 'rows', role: 'list' }, ...wanted.map((line) =>
      cartRow(line, products.get(line.product_id), { onquantity: showTotal, onremove: redraw }))),
    element('p', { class: 'order-total' }, element('span', {}, 'Total'), total),
    element('div', { class: 'actions' },
      checkoutButton('Check out', cartLines, { fromCart: true, disabled: !allForSale(lines, products) }),
      linkButton('Keep browsing', 'index.html', 'secondary')),
  ];
}

function cartRow({ product_id: id, quantity: wanted }, product, { onquantity, onremove }) {
  const name = product?.name ?? id;
  const remove = button('Remove', () => { removeFromCart(id); onremove(); }, 'quiet');
  remove.setAttribute('aria-label', `Remove ${name}`);
  return element('li', { class: 'row cart-row' },
    productImage(product ?? {}),
    element('span', { class: 'row-main' },
      element('span', { class: 'line-name' }, name),
      element('span', { class: 'line-detail' },
        isForSale(product) ? `${formatMoney(product.price)} each` : `${whyNotForSale(product)}; please remove it`),
      isForSale(product) ? scarcity(product, wanted) : null),
    isForSale(product) ? stepper({
      label: `Quantity of ${name}`,
      quantity: wanted,
      most: mostOf(product),
      onchange: (chosen) => { setInCart(id, chosen); onquantity(); },
    }).node : null,
    remove);
}

/** How many are left, if that is few or fewer than wanted. */
function scarcity(product, wanted) {
  const left = wanted > mostOf(product) ? `Only ${product.stock} left; you wanted ${wanted}` : fewLeft(product);
  return left ? element('span', { class: 'few-left' }, left) : null;
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
