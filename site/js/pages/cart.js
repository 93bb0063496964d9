import { getProducts } from '../api.js';
import { cartEvents, cartLines, removeFromCart, setInCart } from '../cart.js';
import { checkoutButton, checkoutEvents, resumeCheckout } from '../checkout.js';
import { haveSameTerms, priceOf, shippingOf, sumOf, taxOf, trialOf } from '../components/price.js';
import { productImage } from '../components/product-image.js';
import { stepper } from '../components/stepper.js';
import { fewLeft, isForSale, mostOf, whyNotForSale } from '../components/stock.js';
import { unpaidPurchases } from '../components/unpaid-purchases.js';
import { button, element, linkButton, panel } from '../elements.js';
import { formatMoney, nameOfCurrency } from '../money.js';
import { announceBriefly } from '../notices.js';
import { content, fill, startPage } from '../page.js';
import { productUrl } from '../shop.js';
import { locale, t } from '../texts.js';

/** How many different products one purchase can have. */
const MOST_PRODUCTS = 90;

/** How many a subscription can have, and how many others can be bought along with it. */
const MOST_OF_SUBSCRIPTION = 20;

/** The cart's products as far as they are known, by id; null for one that no longer exists. */
const known = new Map();

/** Pieces that the buyer's own unpaid purchases hold, by product: not in stock any more, but theirs to buy. */
const held = new Map();

/** Whether this page itself is changing the cart. */
let ours = false;

startPage(async () => {
  checkoutEvents.addEventListener('stock', ({ detail: products }) => draw(products));
  // Another tab, or a purchase that turns out to be paid.
  cartEvents.addEventListener('change', () => { if (!ours) show(); });
  // A page from the back/forward cache has missed what other tabs did.
  addEventListener('pageshow', ({ persisted }) => { if (persisted) show(); });
  resumeCheckout();
  await showUnpaid();
  await show();
});

async function showUnpaid() {
  const open = await unpaidPurchases(content(), { onend: (purchase, left) => {
    hold(left);
    show({ fresh: true });
  } });
  hold(open);
}

function hold(open) {
  held.clear();
  for (const { product_id: id, quantity } of open.flatMap(({ lines }) => lines)) {
    held.set(id, (held.get(id) ?? 0) + quantity);
  }
}

function show(options) {
  const ids = cartLines().map((line) => line.product_id);
  return fill(content(), () => getProducts(ids, options), cart, { waiting: [element('div', { class: 'row skeleton' })] });
}

/** Shows the cart as it is now, with what was found out about its products. */
function draw(found = []) {
  content().replaceChildren(...cart(found));
}

function cart(found) {
  for (const [id, product] of found) known.set(id, product);
  const products = new Map([...known].map(([id, product]) => [id, withHeld(product)]));
  const wanted = cartLines();
  if (wanted.length === 0) return [emptyCart()];

  changeCart(() => wanted.forEach(({ product_id: id, quantity }) => {
    const product = products.get(id);
    if (isForSale(product) && quantity > mostOf(product)) setInCart(id, mostOf(product));
  }));
  const row = (line) => cartRow(line, products.get(line.product_id));
  const missing = wanted.filter((line) => !isForSale(products.get(line.product_id)));
  const parts = purchases(wanted.filter((line) => isForSale(products.get(line.product_id))), products);
  return [
    missing.length > 0 ? hindrance(missing, products) : null,
    missing.length > 0 ? rows(missing.map(row)) : null,
    parts.length > 1 ? whyInParts(parts) : null,
    ...parts.flatMap((part, index) => [
      parts.length > 1 ? element('h2', { class: 'part' }, partTitle(part, index, parts)) : null,
      rows(part.lines.map(row)),
      checkingOut(part, products, { blocked: missing.length > 0 }),
    ]),
  ].filter(Boolean);
}

function withHeld(product) {
  if (product?.stock === undefined || !held.has(product.id)) return product;
  return { ...product, stock: product.stock + held.get(product.id) };
}

/** The purchases that these lines make: each has one currency, at most one subscription, and not too many products. */
function purchases(lines, products) {
  const currencyOf = (line) => products.get(line.product_id).price.currency;
  const currencies = [...new Set(lines.map(currencyOf))];
  return currencies.flatMap((currency) => {
    const same = lines.filter((line) => currencyOf(line) === currency);
    let once = same.filter((line) => !termsOf(line, products));
    const parts = subscriptions(same.filter((line) => termsOf(line, products)), products)
      .map((lines) => ({ currency, subscription: true, lines }));
    // What is bought once comes along with the first subscription: one payment for the buyer. But
    // Stripe charges no shipping there.
    const along = once.filter((line) => !isShipped(line, products));
    if (parts.length > 0 && along.length <= MOST_OF_SUBSCRIPTION) {
      parts[0].lines.push(...along);
      once = once.filter((line) => isShipped(line, products));
    }
    while (once.length > 0) {
      const lines = once.splice(0, MOST_PRODUCTS);
      parts.push({ currency, subscription: false, shipped: lines.some((line) => isShipped(line, products)), lines });
    }
    return parts;
  });
}

/** Lines that recur, in groups that are paid for at the same times. */
function subscriptions(lines, products) {
  const groups = [];
  for (const line of lines) {
    const group = groups.find((group) => group.length < MOST_OF_SUBSCRIPTION
      && haveSameTerms(termsOf(group[0], products), termsOf(line, products)));
    if (group) group.push(line);
    else groups.push([line]);
  }
  return groups;
}

function termsOf(line, products) {
  return products.get(line.product_id).recurring;
}

function isShipped(line, products) {
  return products.get(line.product_id).shipped === true;
}

function partTitle({ currency, subscription }, index, parts) {
  const title = t('cart.part', { number: index + 1, of: parts.length });
  if (parts.some((other) => other.currency !== currency)) return t('cart.part_in', { title, currency: nameOfCurrency(currency) });
  return subscription ? t('cart.part_subscription', { title }) : title;
}

function whyInParts(parts) {
  const currencies = new Set(parts.map(({ currency }) => currency)).size;
  const several = parts.filter(({ subscription }) => subscription).length > 1;
  const beside = parts.some(({ subscription }) => subscription) && parts.some(({ shipped }) => shipped);
  const why = [
    currencies > 1 ? t('cart.currencies') : null,
    several ? t('cart.rhythms') : null,
    beside ? t('cart.beside') : null,
  ].filter(Boolean).join(' ') || t(
    parts.some(({ subscription }) => subscription) ? 'cart.too_many_beside' : 'cart.too_many',
    { most: MOST_PRODUCTS, beside: MOST_OF_SUBSCRIPTION },
  );
  return element('p', { class: 'note' }, `${why} ${t('cart.in_parts')}`);
}

function hindrance(missing, products) {
  const names = missing.map((line) => nameOf(products.get(line.product_id)));
  const remove = button(t('cart.remove_these', { count: missing.length }), () => {
    changeCart(() => missing.forEach((line) => removeFromCart(line.product_id)));
    draw();
    focusAfterRemoval(0);
  });
  return element('div', { class: 'note', id: 'hindrance' },
    element('p', {}, t('cart.hindrance', { names: new Intl.ListFormat(locale()).format(names) })),
    element('div', { class: 'actions' }, remove));
}

function checkingOut({ lines, subscription, shipped }, products, { blocked }) {
  const ids = new Set(lines.map((line) => line.product_id));
  const now = () => cartLines().filter((line) => ids.has(line.product_id));
  const total = element('span', { class: 'amount' });
  const label = element('span', {});
  const renewal = element('p', { class: 'order-sum' });
  const showTotal = () => showSums(now(), products, { total, label, renewal });
  showTotal();
  cartEvents.addEventListener('change', () => { if (total.isConnected) showTotal(); });
  const pay = checkoutButton(t(subscription ? 'buying.subscribe' : 'cart.check_out'), now, { fromCart: true, disabled: blocked });
  if (blocked) pay.setAttribute('aria-describedby', 'hindrance');
  return element('div', { class: 'checking-out' },
    element('p', { class: 'order-total' }, label, total),
    renewal,
    onThePaymentPage(shipped, lines.some((line) => taxOf(products.get(line.product_id)))),
    element('div', { class: 'actions' }, pay, linkButton(t('products.browse'), 'index.html', 'secondary')));
}

/** What is not known yet, and where it will be. */
function onThePaymentPage(shipped, taxed) {
  if (!shipped && !taxed) return null;
  return element('p', { class: 'order-sum' },
    t(shipped && taxed ? 'cart.shipping_and_tax' : shipped ? 'cart.shipping' : 'cart.tax'));
}

function showSums(lines, products, { total, label, renewal }) {
  const items = lines.map(({ product_id: id, quantity }) => ({ ...products.get(id), quantity }));
  if (items.length === 0) return;
  const sums = sumOf(items);
  total.textContent = formatMoney(sums.today);
  label.textContent = t(sums.renewal ? 'cart.today' : 'order.total');
  const trial = items.map((item) => item.recurring?.trial_days).find(Boolean);
  renewal.replaceChildren(...(sums.renewal ? [
    element('span', {}, trial ? t('cart.after_trial', { count: trial }) : t('cart.from_then')),
    element('span', { class: 'amount' }, priceOf(sums.renewal)),
  ] : []));
  renewal.hidden = !sums.renewal;
}

function rows(list) {
  return element('ul', { class: 'rows', role: 'list' }, ...list);
}

function cartRow({ product_id: id, quantity: wanted }, product) {
  const name = nameOf(product);
  const remove = button(t('cart.remove'), () => {
    const place = removeButtons().indexOf(remove);
    changeCart(() => removeFromCart(id));
    draw();
    announceBriefly(t('cart.removed', { name }));
    focusAfterRemoval(place);
  }, 'quiet');
  remove.classList.add('remove');
  remove.setAttribute('aria-label', t('cart.remove_name', { name }));
  return element('li', { class: 'row cart-row' },
    productImage(product ?? {}),
    element('span', { class: 'row-main' },
      product ? element('a', { class: 'line-name', href: productUrl(product) }, name) : element('span', { class: 'line-name' }, name),
      element('span', { class: 'line-detail' },
        isForSale(product) ? [t('cart.each', { price: priceOf(product) }), taxOf(product), trialOf(product)].filter(Boolean).join(', ') : t('cart.please_remove', { why: whyNotForSale(product) })),
      isForSale(product) && product.shipped ? element('span', { class: 'line-detail' }, shippingOf(product)) : null,
      isForSale(product) ? scarcity(product, wanted) : null),
    element('div', { class: 'cart-controls' },
      isForSale(product) ? stepper({
        label: t('buying.quantity', { name }),
        quantity: wanted,
        most: mostOf(product),
        onchange: (chosen) => changeCart(() => setInCart(id, chosen)),
      }).node : null,
      remove));
}

function nameOf(product) {
  return product?.name ?? t('cart.nameless');
}

/** How many are left, if that is only a few, or fewer than wanted. */
function scarcity(product, wanted) {
  const left = wanted > mostOf(product) ? t('cart.fewer', { count: product.stock, wanted }) : fewLeft(product);
  return left ? element('span', { class: 'few-left' }, left) : null;
}

function emptyCart() {
  return panel({
    title: t('cart.empty'),
    text: t('cart.stays'),
    actions: [linkButton(t('products.see'), 'index.html')],
  });
}

/** Changes the cart without redrawing it, which would take the focus away from what the buyer is using. */
function changeCart(change) {
  ours = true;
  try {
    change();
  } finally {
    ours = false;
  }
}

function removeButtons() {
  return [...document.querySelectorAll('.cart-row .remove')];
}

/** Moves the focus to the row that took the place of the one removed; after the last row, to a way on. */
function focusAfterRemoval(place) {
  const left = removeButtons();
  (left[Math.min(place, left.length - 1)] ?? content().querySelector('a.button'))?.focus();
}
