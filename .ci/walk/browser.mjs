/**
 * Walks the shop in a real browser: a buyer signs in, buys, pays, sees it
 * confirmed and finds it again; what follows a payment, seen by the buyer and on
 * the dashboard; then the same shop when things go wrong.
 *
 *   node .ci/walk/browser.mjs http://127.0.0.1:3000 [folder for screenshots]
 *
 * The shop must be running (`cargo run -- --memory`). If it was started with
 * `--site`, set FRONT_END to the same origin and SITE_FOLDER to what `till site build`
 * wrote: then that is served there, and somebody buys from it. Needs Chromium (or `CHROMIUM=/path/to/it`) and
 * the npm packages playwright-core and axe-core, where Node finds them or below NODE_PATH. Exits 1
 * and says what broke if a step fails or a page reports an error of its own.
 * `SCENES='back from|two tabs'` plays only the scenes whose names match. With
 * `PICTURES=folder` it only takes the tour, and keeps the pictures of README.md there.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { dashboardScenes } from './browser-dashboard.mjs';
import { downloadScenes } from './browser-downloads.mjs';
import { builtScenes, productScenes } from './browser-products.mjs';
import { shippingScenes } from './browser-shipping.mjs';
import { stackScenes } from './browser-stack.mjs';
import { subscriptionScenes } from './browser-subscriptions.mjs';
import { taxScenes } from './browser-taxes.mjs';
import { tourScenes } from './browser-tour.mjs';

/** Unlike `import`, it also looks below NODE_PATH. */
const require = createRequire(import.meta.url);

const [shop, folder] = process.argv.slice(2);
const frontEnd = process.env.FRONT_END;
if (!shop) {
  console.error('usage: node .ci/walk/browser.mjs <shop URL> [folder for screenshots]');
  process.exit(2);
}

const PATIENCE_MS = 30_000;
/** A browser that hangs does not always respect its own time-outs. */
const LONGEST_SCENE_MS = 180_000;

const only = new RegExp(process.env.SCENES ?? '', 'i');

/** Requests that scenes expect to fail. */
const EXPECTED_MISSING = /\/v1\/nothing-|\/products\/gone-for-good$|\/refund(\?|$)|\/success\.html|\/nothing\.html$|\/\.new(\.html)?$/;
const BUYER = `browser-${Date.now()}@example.com`;
const CHOSEN_QUANTITY = 2;

let browser = await launch();
let purchaseId;

const walks = {
  async 'a visitor sees the products with their pictures'(page) {
    await page.goto(shop);
    await card(page, 'sample-mug').waitFor();
    assert.match(await card(page, 'sample-mug').innerText(), /15[.,]00/);
    const pictures = page.locator('.card img');
    for (let index = 0; index < await pictures.count(); index += 1) {
      await pictures.nth(index).scrollIntoViewIfNeeded();
      await until('a product picture has loaded', () =>
        pictures.nth(index).evaluate((image) => image.complete && image.naturalWidth > 0));
    }
    await page.evaluate(() => scrollTo(0, 0));
    await screenshot(page, 'products');
  },

  async 'buying signs in first, then goes on to the payment page, then to paid'(page) {
    await page.goto(shop);
    await choose(page, 'sample-mug', CHOSEN_QUANTITY);
    await buyButton(page, 'sample-mug').click();
    await enterEmail(page);
    await page.waitForURL('**/pay/**');
    await screenshot(page, 'payment');

    await pay(page);
    await page.waitForURL('**/success.html?purchase_id=*');
    purchaseId = new URL(page.url()).searchParams.get('purchase_id');
    await headingSays(page, /it is paid/);
    assert.match(await page.locator('.order').innerText(), /2 × .*15[.,]00/);
    assert.match(await page.locator('.order-total').innerText(), /30[.,]00/);
    assert.match(await page.locator('.account').innerText(), new RegExp(BUYER));
    await screenshot(page, 'success');
  },

  async 'the purchase is in the history and has a page of its own'(page) {
    await signIn(page);
    await page.goto(`${shop}/purchases.html`);
    const row = page.locator('a.row').first();
    await row.waitFor();
    assert.match(await row.innerText(), /Paid/);
    assert.match(await row.innerText(), /30[.,]00/);
    await screenshot(page, 'purchases');
    await row.click();
    await page.locator('.order').waitFor();
    assert.match(await page.locator('main').innerText(), new RegExp(purchaseId));
    await screenshot(page, 'purchase');
  },

  async 'signing out forgets the buyer'(page) {
    await signIn(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('.account').getByRole('button', { name: 'Sign in' }).waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
    await page.goto(`${shop}/purchases.html`);
    await page.getByText('Sign in to see your purchases').waitFor();
    await screenshot(page, 'signed-out');
  },

  async 'a cart of two products is paid for at once and is then empty'(page) {
    await signIn(page);
    await page.getByRole('button', { name: /^Add to cart/ }).first().waitFor();
    for (const id of ['sample-mug', 'sample-poster']) {
      await card(page, id).getByRole('button', { name: /^Add/ }).click();
    }
    await page.getByRole('link', { name: 'Cart (2)' }).click();
    await page.locator('.cart-row').nth(1).waitFor();
    assert.match(await page.locator('.order-total').innerText(), /39[.,]00/);
    await screenshot(page, 'cart');
    await page.getByRole('button', { name: 'Check out' }).click();
    await page.waitForURL('**/pay/**');
    await pay(page);
    await headingSays(page, /it is paid/);
    assert.equal(await page.locator('.order-lines li').count(), 2);
    await page.goto(`${shop}/cart.html`);
    await page.getByText('Your cart is empty').waitFor();
  },

  async 'products come a page at a time, each of them once'(page) {
    await page.route('**/products?*', (route) =>
      route.continue({ url: route.request().url().replace(/limit=\d+/, 'limit=2') }));
    await page.goto(shop);
    await card(page, 'sample-mug').or(page.locator('.load-more')).first().waitFor();
    const more = page.getByRole('button', { name: 'Load more' });
    assert.ok(await more.isVisible(), 'the first page of two is all there is');
    while (await more.isVisible()) {
      await more.click();
      await page.locator('.load-more:not([aria-busy])').waitFor({ state: 'attached' });
    }
    const ids = await page.locator('.card').evaluateAll((cards) => cards.map((each) => each.id));
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.includes('product-sample-mug') && ids.length > 4, `only ${ids.join(', ')}`);
  },

  async 'a quantity stays between 1 and 999 however it is typed'(page) {
    await page.goto(shop);
    const field = card(page, 'sample-mug').getByRole('spinbutton');
    for (const [typed, becomes] of [['1000', '999'], ['0', '1'], ['-5', '1'], ['2.9', '2'], ['', '1'], ['12', '12']]) {
      await field.fill(typed);
      await field.blur();
      assert.equal(await field.inputValue(), becomes, `typing "${typed}"`);
    }
  },

  async 'the keyboard alone reaches the payment page'(page) {
    await signIn(page);
    await page.reload();
    await buyButton(page, 'sample-mug').waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.locator(':focus').innerText(), 'Skip to content');
    for (let presses = 0; presses < 100; presses += 1) {
      await page.keyboard.press('Tab');
      if (await buyButton(page, 'sample-mug').evaluate((node) => node === document.activeElement)) break;
    }
    await page.keyboard.press('Enter');
    await page.waitForURL('**/pay/**');
  },

  async 'a refund made on the dashboard shows there and to the buyer, and so does its failure'(page) {
    const id = await buy(page, 'sample-mug');
    await openStory(page, id);
    await story(page).getByLabel('Amount to refund, in USD').fill('15.01');
    await story(page).getByRole('button', { name: 'Refund', exact: true }).click();
    await page.getByRole('alert').getByText('15.01 USD is more than is left of this payment').waitFor();
    await story(page).getByLabel('Amount to refund, in USD').fill('5.00');
    await story(page).getByRole('button', { name: 'Refund', exact: true }).click();
    await page.getByRole('dialog').getByText(`Send 5.00 USD back to ${BUYER}?`).waitFor();
    await screenshot(page, 'refund-asked');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await story(page).getByText(/^re_/).count(), 0);
    await refund(page);
    await storySays(page, 'partially refunded');
    await story(page).locator('.accounts').getByText('10.00 USD').waitFor();
    await story(page).getByText('To the buyer: refund').waitFor();
    await screenshot(page, 'story-refund');

    await page.goto(`${shop}/purchase.html?id=${id}`);
    await page.getByText('Refunded 5.00 USD of 15.00 USD').waitFor();
    assert.match(await page.locator('.order').innerText(), /Refunded\s+−5\.00\sUSD[^]*Paid in the end\s+10\.00\sUSD/);
    await screenshot(page, 'refund');
    await page.goto(`${shop}/purchases.html`);
    assert.match(await page.locator('a.row').first().innerText(), /Refunded 5\.00\sUSD of 15\.00\sUSD[^]*Partly refunded/);

    await openStory(page, id);
    await story(page).getByRole('button', { name: 'It fails after all' }).click();
    await storySays(page, 'paid');
    await story(page).getByText('To the buyer: refund failed').waitFor();
    await page.goto(`${shop}/purchase.html?id=${id}`);
    await page.getByText('your bank returned it to us').waitFor();
    await screenshot(page, 'refund-failed');
  },

  async 'a dispute is told to the seller in full and to the buyer in plain words'(page) {
    const id = await buy(page, 'sample-mug');
    await openStory(page, id);
    await story(page).getByRole('button', { name: 'Open', exact: true }).click();
    await storySays(page, 'disputed');
    await story(page).getByText('with a fee of 15.00 USD').waitFor();
    await story(page).getByText('To the seller: dispute').waitFor();
    await screenshot(page, 'story-dispute');
    const dispute = await story(page).getByText(/^du_/).first().innerText();
    await others('sample-mug', 1);
    await page.goto(`${shop}/_local/test/disputes/${dispute}`);
    await story(page).locator('h3 + p').getByText(id).waitFor();
    await page.goto(`${shop}/purchase.html?id=${id}`);
    await page.getByText('which holds 15.00 USD until it has decided').waitFor();
    assert.doesNotMatch(await page.locator('main').innerText(), /fee|evidence|fraudulent/i);
    await screenshot(page, 'dispute');

    await openStory(page, id);
    await story(page).getByRole('button', { name: 'Lose it' }).click();
    await storySays(page, 'charged back');
    await page.goto(`${shop}/purchase.html?id=${id}`);
    await page.getByText('your bank returned this payment to you').waitFor();
    await screenshot(page, 'dispute-lost');
    await openStory(page, id);
    await story(page).getByRole('button', { name: 'Win it after all' }).click();
    await storySays(page, 'paid');
  },

  async 'a promotion code may leave nothing to pay'(page) {
    const id = await buy(page, 'sample-mug', { code: 'FREE' });
    await screenshot(page, 'free');
    await page.goto(`${shop}/purchase.html?id=${id}`);
    await page.getByText('There was nothing to pay.').waitFor();
    assert.match(await page.locator('.order').innerText(), /Subtotal\s+15\.00\sUSD\s+Discount\s+−15\.00\sUSD\s+You paid\s+0\.00\sUSD/);
    await openStory(page, id);
    await storySays(page, 'paid');
    assert.equal(await story(page).getByRole('button', { name: 'Refund', exact: true }).count(), 0);
  },

  async 'the dashboard shows that no event arrived, and reconciling finds the payment'(page) {
    await signIn(page);
    await page.goto(`${shop}/_local`);
    const switches = page.locator('#stripe-faults');
    await switches.getByLabel('Event type').fill('checkout.session.*');
    await switches.getByRole('button', { name: 'Arm' }).click();
    await switches.getByText('checkout.session.*: an event is not delivered, 1 ×').waitFor();
    await page.goto(shop);
    await buyButton(page, 'sample-mug').click();
    await page.waitForURL('**/pay/**');
    await pay(page);
    await headingSays(page, /Confirming/);
    const id = new URL(page.url()).searchParams.get('purchase_id');
    await openStory(page, id);
    await story(page).getByText('Nothing has arrived yet.').waitFor();
    await page.getByRole('button', { name: 'Reconcile now' }).click();
    await page.getByText('1 missed and recorded now').waitFor();
    await storySays(page, 'paid');
    await screenshot(page, 'story-reconciled');
  },

  async 'the dashboard fits a desk and a phone, by day and by night'(page) {
    for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [320, 'light'], [320, 'dark']]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.goto(`${shop}/_local`);
      await story(page).locator('h3').waitFor();
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(tooWide <= 0, `the dashboard is ${tooWide} px wider than ${width}`);
      await screenshot(page, `dashboard-${width}-${colorScheme}`);
    }
  },

  async 'a story stays where the reader is, and keeps what they have typed'(page) {
    const id = await buy(page, 'sample-mug');
    await openStory(page, id);
    const amount = story(page).getByLabel('Amount to refund');
    await amount.fill('7.00');
    // In the meantime, somebody at the bank does something.
    const intent = await story(page).getByText(/^pi_/).first().innerText();
    await page.evaluate((path) => fetch(path, { method: 'POST', body: new URLSearchParams({ kind: 'inquiry' }) }),
      `/_local/payments/${intent}/dispute`);
    await story(page).getByText('du_').first().waitFor();
    assert.equal(await amount.inputValue(), '7.00');
    assert.ok(await amount.evaluate((node) => node === document.activeElement), 'the field has lost the focus');
  },

  async 'whoever comes back from the payment page is told only what is true'(page) {
    await page.goto(`${shop}/cancel.html`);
    await page.getByText('If you have not paid, nothing was charged.').waitFor();
    await page.goto(`${shop}/cancel.html?purchase_id=${purchaseId}`);
    await page.getByText('Sign in to see this purchase').waitFor();
    await signIn(page);
    await page.goto(`${shop}/cancel.html?purchase_id=${purchaseId}`);
    await page.locator('.badge').getByText('Paid', { exact: true }).waitFor();
    assert.doesNotMatch(await page.locator('main').innerText(), /nothing (was|has been) charged|cancel/i);
    await screenshot(page, 'cancel-paid');
  },

  async 'back from the payment page, Buy leads to the same payment page and not to a second purchase'(page) {
    await signIn(page);
    await buyButton(page, 'sample-mug').click();
    await page.waitForURL('**/pay/**');
    const paymentPage = page.url();
    await page.goBack();
    await page.reload();
    await page.getByRole('heading', { name: 'Waiting for payment' }).waitFor();
    await screenshot(page, 'back-after-buy');
    await buyButton(page, 'sample-mug').click();
    await page.waitForURL('**/pay/**');
    assert.equal(page.url(), paymentPage);
    await pay(page);
    await headingSays(page, /it is paid/);
    await page.goto(shop);
    await buyButton(page, 'sample-mug').waitFor();
    assert.equal(await page.getByText('Waiting for payment').count(), 0, 'it is paid, but still shown as waiting');
  },

  async 'two tabs have one cart, and what is checked out twice is one purchase'(page, open) {
    await signIn(page);
    const other = await open();
    await other.goto(shop);
    await card(other, 'sample-mug').getByRole('button', { name: /^Add/ }).click();
    await page.getByRole('link', { name: 'Cart (1)' }).click();
    await page.locator('.cart-row').waitFor();
    await card(other, 'sample-poster').getByRole('button', { name: /^Add/ }).click();
    await page.locator('.cart-row').nth(1).waitFor();

    await page.getByRole('button', { name: 'Check out' }).click();
    await page.waitForURL('**/pay/**');
    await other.goto(`${shop}/cart.html`);
    await other.getByRole('button', { name: 'Check out' }).click();
    await enterEmail(other);
    await other.waitForURL('**/pay/**');
    assert.equal(other.url(), page.url());

    // What is added while the other tab pays stays when what was paid is taken out.
    const third = await open();
    await third.goto(shop);
    await card(third, 'sample-mug').getByRole('button', { name: /^Add/ }).click();
    await pay(other);
    await headingSays(other, /it is paid/);
    await third.getByRole('link', { name: 'Cart (1)' }).waitFor();
  },

  async 'a cart that was paid for in a tab since closed is not bought again by accident'(page) {
    const buyer = `closed-tab-${Date.now()}@example.com`;
    await signIn(page, buyer);
    await card(page, 'sample-mug').getByRole('button', { name: /^Add/ }).click();
    await page.getByRole('link', { name: 'View cart' }).click();
    await page.getByRole('button', { name: 'Check out' }).click();
    await page.waitForURL('**/pay/**');
    const paymentPage = page.url();
    await page.goBack();
    await page.getByRole('button', { name: 'Check out' }).waitFor();
    // Of a tab that is closed in time, all that the shop's site ever sees is that somebody paid.
    const paid = await fetch(paymentPage, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ email: buyer, card_number: '4242424242424242', exp: '12 / 40', cvc: '123' }),
    });
    if (paid.status !== 303) throw new Error(`the payment page answered ${paid.status}`);
    const token = await tokenOf(buyer);
    await until('the purchase is paid', async () => {
      const answer = await fetch(`${shop}/purchases`, { headers: { authorization: `Bearer ${token}` } });
      return (await answer.json()).purchases.some((purchase) => purchase.status === 'paid');
    });
    await page.getByRole('button', { name: 'Check out' }).click();
    await page.getByText('You already bought this').waitFor();
    await page.getByRole('link', { name: 'View that purchase' }).click();
    await page.locator('.badge').getByText('Paid', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Cart', exact: true }).click();
    await page.getByText('Your cart is empty').waitFor();
  },

  async 'the shop works, whatever is stored in place of the cart'(page) {
    const garbage = ['{', 'null', '"mug"', '[null, 1, "x", [], {}]', '{"length": 3}',
      '[{"product_id": 5, "quantity": 1}, {"product_id": "sample-mug", "quantity": -1}]',
      '[{"product_id": "sample-mug", "quantity": 1e99}]'];
    await page.goto(shop);
    for (const found of garbage) {
      await page.evaluate((text) => { for (const key of ['till.cart', 'till.intents']) localStorage.setItem(key, text); }, found);
      await page.goto(`${shop}/cart.html`);
      await page.getByText('Your cart is empty').waitFor();
    }
    await page.evaluate(() => localStorage.setItem('till.cart',
      '[{"product_id": "sample-mug", "quantity": 5000}, 7, {"product_id": "sample-mug", "quantity": 1}]'));
    await page.goto(`${shop}/cart.html`);
    await page.getByRole('link', { name: 'Cart (999)' }).waitFor();
    // The link knows at once, and the row when its product has been asked for.
    await page.locator('.cart-row').first().waitFor();
    assert.equal(await page.locator('.cart-row').count(), 1);
  },

  async 'a browser that keeps nothing gets a plain message and still shows the products'(page) {
    await page.addInitScript(() => {
      for (const name of ['localStorage', 'sessionStorage']) {
        Object.defineProperty(window, name, { get() { throw new DOMException('Access is denied', 'SecurityError'); } });
      }
    });
    await page.goto(shop);
    await card(page, 'sample-mug').waitFor();
    await page.locator('.note').getByText('Please allow cookies and site data for this site').waitFor();
    await screenshot(page, 'blocked-storage');
    for (const name of [/^Add to cart: Stoneware/, /^Buy: Stoneware/, 'Sign in']) {
      await page.getByRole('button', { name }).first().click();
      await page.getByRole('alert').getByText('does not let this site store anything').waitFor();
      await page.getByRole('button', { name: 'Dismiss' }).click();
    }
    await page.goto(`${shop}/cart.html`);
    await page.getByText('Your cart is empty').waitFor();
  },

  async 'a cart in two currencies says so and is bought in two parts'(page) {
    await inEuro(page, 'sample-poster');
    await signIn(page);
    for (const id of ['sample-mug', 'sample-poster']) await card(page, id).getByRole('button', { name: /^Add/ }).click();
    await page.getByRole('link', { name: 'View cart' }).click();
    await page.getByText('A payment can only be in one currency, and these are in different ones.').waitFor();
    await page.getByRole('heading', { name: 'Purchase 1 of 2: in US dollars' }).waitFor();
    await page.getByRole('heading', { name: 'Purchase 2 of 2: in euros' }).waitFor();
    await screenshot(page, 'two-currencies');
    const bodies = [];
    page.on('request', (request) => { if (request.url().endsWith('/checkout')) bodies.push(request.postDataJSON()); });
    await page.getByRole('button', { name: 'Check out' }).first().click();
    await page.waitForURL('**/pay/**');
    assert.deepEqual(bodies, [{ items: [{ product_id: 'sample-mug', quantity: 1 }] }]);
    await pay(page);
    await headingSays(page, /it is paid/);
    await page.getByRole('link', { name: 'Cart (1)' }).click();
    await page.locator('.cart-row').getByText('Lighthouse poster').waitFor();
    assert.equal(await page.locator('.cart-row').count(), 1);
  },

  async 'what recurs says how often, and two rhythms are bought in two parts'(page) {
    await signIn(page);
    assert.match(await card(page, 'sample-coffee').innerText(), /19[.,]00\sUSD \/ month/);
    assert.match(await card(page, 'sample-magazine').innerText(), /9[.,]00\sUSD \/ 3 months[^]*14 days free/);
    for (const id of ['sample-coffee', 'sample-magazine', 'sample-mug']) {
      await card(page, id).getByRole('button', { name: /^Add/ }).click();
    }
    await page.getByRole('link', { name: 'View cart' }).click();
    await page.getByText('A subscription is paid for in one rhythm, and these have different ones.').waitFor();
    await page.getByRole('heading', { name: 'Purchase 2 of 2: a subscription' }).waitFor();
    const sums = await page.locator('.checking-out').allInnerTexts();
    assert.match(sums[0], /Due today[^]*34[.,]00\sUSD[^]*From then on[^]*19[.,]00\sUSD \/ month/);
    assert.match(sums[1], /Due today[^]*0[.,]00\sUSD[^]*After 14 days[^]*9[.,]00\sUSD \/ 3 months/);
    await screenshot(page, 'two-rhythms');
    await page.goto(`${shop}/subscriptions.html`);
    await page.getByText('No subscriptions yet').waitFor();
  },

  async 'whoever subscribes sees when the next payment is due'(page) {
    await signIn(page, `subscriber-${Date.now()}@example.com`);
    await card(page, 'sample-coffee').getByRole('button', { name: /^Subscribe/ }).click();
    await page.waitForURL('**/pay/**');
    await screenshot(page, 'subscribe-payment');
    await pay(page);
    await headingSays(page, /it is paid/);
    await screenshot(page, 'subscribed');
    await page.getByRole('link', { name: 'Your subscription' }).click();
    await until('the subscription has been read', async () => {
      await page.reload();
      await page.locator('#content:not([aria-busy]) .badge').first().waitFor();
      return /Active[^]*The next payment is 19[.,]00\sUSD on/.test(await page.locator('main').innerText());
    });
    assert.match(await page.locator('main').innerText(), /Total every month[^]*First payment/);
    await screenshot(page, 'subscription-active');
    await page.goto(`${shop}/subscriptions.html`);
    await page.locator('a.row').getByText('Coffee box').waitFor();
  },

  async 'subscriptions say what they are to, what comes next, and what to do if a payment fails'(page) {
    await page.route('**/subscriptions', (route) => route.fulfill({ json: { subscriptions: [subscription()], next: null } }));
    await page.route('**/subscriptions/sub_1', (route) => route.fulfill({ json: { ...subscription(), invoices: [invoice()] } }));
    await page.route('**/portal', (route) => route.fulfill({ status: 201, json: { url: `${shop}/_local` } }));
    await signIn(page);
    for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [320, 'light'], [320, 'dark']]) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      await page.goto(`${shop}/subscriptions.html`);
      const row = page.locator('a.row').first();
      await row.waitFor();
      assert.match(await row.innerText(), /Coffee box[^]*19[.,]00\sUSD every month[^]*Payment failed/);
      await fits(page, 'the subscriptions');
      await screenshot(page, `subscriptions-${width}-${colorScheme}`);
      await row.click();
      await page.getByRole('link', { name: 'Pay now' }).waitFor();
      assert.match(await page.locator('main').innerText(), /19[.,]00\sUSD is to be paid\. We will try again on/);
      await fits(page, 'a subscription');
      await screenshot(page, `subscription-${width}-${colorScheme}`);
    }
    await page.getByRole('button', { name: /^Change how you pay/ }).click();
    await page.waitForURL('**/_local');
  },

  async 'a cart too large for one purchase is bought in two parts'(page) {
    await page.route('**/products/many-*', (route) => route.fulfill({ json: {
      id: new URL(route.request().url()).pathname.split('/').pop(), name: 'One of many', description: '', images: [],
      price: { amount: 100, currency: 'usd' }, active: true,
    } }));
    await page.goto(shop);
    await page.evaluate(() => localStorage.setItem('till.cart', JSON.stringify(
      Array.from({ length: 91 }, (_, index) => ({ product_id: `many-${index}`, quantity: 1 })))));
    await page.goto(`${shop}/cart.html`);
    await page.getByText('One purchase can have at most 90 different products.').waitFor();
    assert.match((await page.locator('.order-total').allInnerTexts()).join(), /90\.00\sUSD[^]*1\.00\sUSD/);
  },

  async 'the cart names what is no longer for sale, with a way out'(page) {
    await page.goto(shop);
    await page.evaluate(() => localStorage.setItem('till.cart', JSON.stringify(
      [{ product_id: 'gone-for-good', quantity: 1 }, { product_id: 'sample-mug', quantity: 1 }, { product_id: 'sample-stickers', quantity: 2 }])));
    await page.route('**/products/gone-for-good', (route) => route.fulfill({ status: 404, json: { status: 404 } }));
    await page.goto(`${shop}/cart.html`);
    await page.getByText('Something that is no longer sold and Sticker sheet cannot be bought now.').waitFor();
    assert.doesNotMatch(await page.locator('main').innerText(), /gone-for-good/);
    assert.ok(await page.getByRole('button', { name: 'Check out' }).isDisabled());
    await screenshot(page, 'not-for-sale');
    await page.getByRole('button', { name: 'Remove all of these' }).click();
    assert.ok(await page.getByRole('button', { name: 'Check out' }).isEnabled());
    assert.equal(await page.locator('.cart-row').count(), 1);
  },

  async 'a row that is removed hands the focus to the next, and the last to a way on'(page) {
    await page.goto(shop);
    await page.evaluate(() => localStorage.setItem('till.cart', JSON.stringify(
      ['sample-mug', 'sample-notebook', 'sample-poster'].map((id) => ({ product_id: id, quantity: 1 })))));
    await page.goto(`${shop}/cart.html`);
    const focus = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);
    for (const [name, then] of [['Dot-grid notebook', 'Remove Lighthouse poster'],
      ['Lighthouse poster', 'Remove Stoneware mug'], ['Stoneware mug', 'See the products']]) {
      await page.getByRole('button', { name: `Remove ${name}` }).click();
      await page.getByRole('status').getByText(`${name} removed from your cart.`).waitFor();
      assert.equal(await focus(), then);
    }
  },

  async 'messages come where a screen reader already listens, and the toast leads to the cart'(page) {
    await page.goto(shop);
    await card(page, 'sample-mug').waitFor();
    const regions = await page.locator('.notices > [role]').evaluateAll((nodes) =>
      nodes.map((node) => [node.role, node.childNodes.length, getComputedStyle(node).display]));
    assert.deepEqual(regions, [['status', 0, 'block'], ['alert', 0, 'block']]);
    await card(page, 'sample-mug').getByRole('button', { name: /^Add/ }).click();
    await page.getByRole('status').getByText('1 × Stoneware mug added to your cart.').waitFor();
    await screenshot(page, 'toast');
    await page.getByRole('status').getByRole('link', { name: 'View cart' }).click();
    await page.locator('.cart-row').waitFor();
  },

  async 'every page says whom to ask'(page) {
    for (const address of ['index.html', 'cart.html', 'purchases.html', 'cancel.html']) {
      await page.goto(`${shop}/${address}`);
      await page.locator('footer').getByRole('link', { name: 'shop@example.com' }).waitFor();
    }
  },

  async 'every page fits a small phone, also with text twice as large, by day and by night'(page) {
    await page.setViewportSize({ width: 320, height: 640 });
    await signIn(page);
    for (const id of ['sample-mug', 'sample-notebook']) await card(page, id).getByRole('button', { name: /^Add/ }).click();
    for (const [colorScheme, size] of [['light', 100], ['dark', 100], ['light', 200]]) {
      await page.emulateMedia({ colorScheme });
      for (const address of everyPage()) {
        await page.goto(`${shop}/${address}`);
        await page.locator('#content:not([aria-busy])').waitFor();
        await page.evaluate((percent) => { document.documentElement.style.fontSize = `${percent}%`; }, size);
        await fits(page, `${address} with text of ${size} %`);
        await screenshot(page, `small-${colorScheme}-${size}-${address.split('.')[0]}`);
      }
    }
    await page.goto(shop);
    await buyButton(page, 'sample-mug').click();
    await page.waitForURL('**/pay/**');
    await fits(page, 'the payment page');
    await screenshot(page, 'small-payment');
    await page.goBack();
    await page.goto(`${shop}/purchases.html`);
    await page.locator('a.row').first().waitFor();
    await fits(page, 'the purchases with one that waits');
  },

  async 'the way to the cart stays in sight on a phone'(page) {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.goto(shop);
    await card(page, 'sample-mug').waitFor();
    await page.mouse.wheel(0, 1500);
    await until('the header has shrunk', async () => {
      const { y, height } = await page.locator('.site-header').boundingBox();
      return y < 0 && y + height < 60;
    });
    assert.ok((await page.getByRole('link', { name: /^Cart/ }).boundingBox()).y >= 0);
    await screenshot(page, 'header-scrolled');
  },

  async 'nothing jumps about while a page fills'(page) {
    await signIn(page);
    for (const id of ['sample-mug', 'sample-notebook']) await card(page, id).getByRole('button', { name: /^Add/ }).click();
    for (const [width, height] of [[320, 640], [1200, 900]]) {
      await page.setViewportSize({ width, height });
      for (const address of everyPage()) {
        await page.goto(`${shop}/${address}`);
        await page.locator('#content:not([aria-busy])').waitFor();
        await page.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 300); }));
        const { sum, moved } = await layoutShift(page);
        assert.ok(sum < 0.1, `${address} at ${width} px shifts by ${sum.toFixed(3)}: ${moved}`);
      }
    }
  },

  async 'controls and the focus are visible by day and by night'(page) {
    await signIn(page);
    await card(page, 'sample-mug').getByRole('button', { name: /^Add/ }).click();
    const seen = async (what) => {
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        const faint = await page.evaluate(faintControls);
        assert.deepEqual(faint, [], `${what}, ${colorScheme}`);
      }
    };
    for (const address of ['index.html', 'cart.html', 'purchases.html', '_local']) {
      await page.goto(`${shop}/${address}`);
      await page.locator('#content:not([aria-busy]), #purchases .story h3').first().waitFor();
      await seen(address);
    }
    await page.goto(shop);
    await buyButton(page, 'sample-mug').click();
    await page.waitForURL('**/pay/**');
    await seen('the payment page');
  },

  async 'a hold on deliveries shows at the top of the dashboard, and is released there'(page) {
    await signIn(page);
    await page.goto(`${shop}/_local`);
    await page.getByRole('button', { name: 'Hold new deliveries' }).click();
    await page.getByRole('status').getByText('Deliveries are held: 0 events wait.').waitFor();
    await page.goto(shop);
    await buyButton(page, 'sample-mug').click();
    await page.waitForURL('**/pay/**');
    await pay(page);
    await headingSays(page, /Confirming/);
    await page.goto(`${shop}/_local`);
    await page.getByRole('status').getByText(/Deliveries are held: [1-9]\d* events? waits?\./).waitFor();
    await screenshot(page, 'held');
    await page.locator('#held').getByRole('button', { name: 'Release all' }).click();
    await page.getByText('Deliveries are held').waitFor({ state: 'detached' });
    await storySays(page, 'paid');
  },

  async 'an idle dashboard asks for little'(page) {
    await page.goto(`${shop}/_local`);
    await story(page).locator('h3').waitFor();
    let asked = 0;
    let answered = 0;
    page.on('response', (response) => {
      if (!response.url().includes('/_local/')) return;
      asked += 1;
      if (response.status() !== 304) answered += 1;
    });
    await page.waitForTimeout(20_000);
    assert.ok(asked > 0 && asked < 50, `${asked} requests in 20 s`);
    assert.ok(answered < 8, `${answered} of ${asked} answers were sent in full`);
  },

  async 'the stand-in’s window shows calls as they are made, and leads from id to id'(page) {
    await page.goto(`${shop}/_local`);
    await page.getByRole('link', { name: 'Look into Stripe' }).click();
    await page.waitForURL('**/_stripe/window/**');
    const calls = page.locator('#request-rows tr', { hasText: 'POST' });
    const before = await calls.count();
    const buyer = await page.context().newPage();
    await buy(buyer, 'sample-mug');
    await until('the call appears', async () => await calls.count() > before);
    await calls.getByRole('link', { name: '/v1/checkout/sessions' }).first().click();
    await page.locator('#answer').getByRole('link', { name: /^cs_test_/ }).first().click();
    await page.locator('#events').getByRole('link', { name: 'checkout.session.completed' }).click();
    await page.getByText('Try 1').waitFor();
    await page.getByRole('button', { name: 'Resend' }).click();
    await page.getByText('Try 2').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type(BUYER);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: `Search: ${BUYER}` }).waitFor();
    await page.locator('#object-rows a').first().waitFor();
  },

  async 'the window keeps the reader’s place when new rows come'(page) {
    await page.goto(`${shop}/_local`);
    await page.getByRole('link', { name: 'Look into Stripe' }).click();
    const call = (path) => page.evaluate((url) => fetch(url), path);
    for (let index = 0; index < 20; index += 1) await call(`/v1/nothing-${index}`);
    await page.getByRole('link', { name: '/v1/nothing-19' }).first().waitFor();
    const at = async (row) => (await row.boundingBox()).y;
    // A pointer on its way to a row does not see it move.
    const aimedAt = page.locator('#request-rows tr:not([hidden])').nth(2);
    const name = await aimedAt.getAttribute('id');
    const row = page.locator(`[id="${name}"]`);
    const place = await at(row);
    await row.hover();
    await call('/v1/nothing-here');
    await page.getByRole('button', { name: /^Show \d+ new$/ }).waitFor();
    assert.equal(await at(row), place);
    await page.getByRole('button', { name: /^Show \d+ new$/ }).click();
    await page.getByText('/v1/nothing-here').first().waitFor();
    // Nor does somebody who has scrolled down.
    await page.setViewportSize({ width: 1280, height: 300 });
    await page.mouse.move(5, 5);
    await page.evaluate(() => document.activeElement.blur());
    await page.evaluate(() => scrollTo(0, 200));
    const scrolledTo = await at(row);
    await call('/v1/nothing-there');
    await page.locator('tr:not([hidden])', { hasText: '/v1/nothing-there' }).waitFor({ state: 'attached' });
    assert.ok(Math.abs(await at(row) - scrolledTo) < 2, 'the page moved');
  },

  async 'the window fits a desk and a phone, by day and by night'(page) {
    await page.goto(`${shop}/_local`);
    const window = await page.getByRole('link', { name: 'Look into Stripe' }).getAttribute('href');
    await page.goto(window);
    const base = page.url().replace(/\/requests$/, '');
    const first = async (list) => {
      await page.goto(`${base}/${list}`);
      return page.locator('.rows .main a').first().getAttribute('href');
    };
    const pages = ['requests', 'objects', 'objects?kind=charge', 'events', 'switches', 'search?q=mug']
      .map((path) => `${base}/${path}`);
    for (const list of ['requests', 'objects', 'events']) pages.push(new URL(await first(list), base).href);
    for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [320, 'light'], [320, 'dark']]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      for (const [index, url] of pages.entries()) {
        await page.goto(url);
        const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(tooWide <= 0, `${url} is ${tooWide} px wider than ${width}`);
        await screenshot(page, `window-${index}-${width}-${colorScheme}`);
      }
    }
  },

  async 'the contract can be read on a desk and a phone, by day and by night, and leads from call to schema'(page) {
    for (const [width, colorScheme] of [[1280, 'light'], [320, 'dark']]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.goto(`${shop}/_local`);
      await page.getByRole('link', { name: 'API', exact: true }).click();
      await page.getByRole('heading', { name: 'API', level: 1 }).waitFor();
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(tooWide <= 0, `the contract is ${tooWide} px wider than ${width}`);
      await axe(page, `the contract, ${colorScheme}`);
      assert.deepEqual(await page.evaluate(faintControls), [], colorScheme);
      await screenshot(page, `contract-${width}-${colorScheme}`);
      await page.getByRole('link', { name: 'POST /checkout' }).click();
      await page.getByRole('article', { name: 'POST /checkout' }).getByRole('link', { name: 'Cart' }).click();
      await page.getByRole('article', { name: 'Cart' }).getByText('items[].quantity').waitFor();
      assert.ok(page.url().endsWith('/openapi#Cart'), page.url());
    }
  },

  async 'amounts follow Stripe’s rules for their currency'(page) {
    await page.goto(shop);
    const shown = await page.evaluate(async () => {
      const { formatMoney } = await import('./js/money.js');
      return [[1500, 'usd'], [1800, 'jpy'], [3500, 'kwd'], [50000, 'isk'], [50000, 'ugx'], [105, 'huf']]
        .map(([amount, currency]) => formatMoney({ amount, currency }));
    });
    assert.deepEqual(shown.map((text) => text.replace(/[^\d.,]/g, '')),
      ['15.00', '1,800', '3.500', '500', '500', '1.05']);
  },
};

/** The same site with answers that only come on bad days; the browser itself complains about those. */
const badDays = {
  async 'a buyer who holds the last three and goes back can still pay for them, or let them go'(page) {
    const buyer = `last-three-${Date.now()}@example.com`;
    await signIn(page, buyer);
    await choose(page, 'sample-print', 3);
    await buyButton(page, 'sample-print').click();
    await page.waitForURL('**/pay/**');
    const paymentPage = page.url();
    await page.getByRole('link', { name: 'Back' }).click();
    await page.waitForURL('**/cancel.html?purchase_id=*');
    const id = new URL(page.url()).searchParams.get('purchase_id');
    for (const address of [`cancel.html?purchase_id=${id}`, 'index.html', 'purchases.html', `purchase.html?id=${id}`]) {
      await page.goto(`${shop}/${address}`);
      await page.getByText(/It can be paid until/).waitFor();
      assert.equal(await page.getByRole('link', { name: 'Continue to payment' }).getAttribute('href'), paymentPage);
      await screenshot(page, `held-${address.split('.')[0]}`);
    }
    assert.equal(await stock('sample-print'), 0);

    // A cart with one more of them cannot be bought, and says why.
    await page.evaluate(() => localStorage.setItem('till.cart', '[{"product_id": "sample-print", "quantity": 1}]'));
    await page.goto(`${shop}/cart.html`);
    await page.getByRole('button', { name: 'Check out' }).click();
    await page.getByRole('alert').getByText('it holds what you want').waitFor();
    await page.getByRole('alert').getByText('3 × Signed lighthouse print').waitFor();
    await page.getByRole('alert').getByRole('button', { name: 'Cancel this purchase' }).click();
    await page.getByRole('status').getByText('That purchase is cancelled. Nothing was charged.').waitFor();
    assert.equal(await stock('sample-print'), 3);
    await page.goto(`${shop}/purchase.html?id=${id}`);
    await page.getByRole('button', { name: 'Buy again' }).waitFor();
    await page.goto(paymentPage);
    await page.getByText('This checkout has expired').waitFor();
  },

  async 'a double click makes one purchase'(page) {
    await signIn(page);
    const keys = await watchCheckouts(page);
    await buyButton(page, 'sample-mug').dblclick();
    await page.waitForURL('**/pay/**');
    assert.equal(keys.length, 1);
  },

  async 'a retry after a lost answer carries the same idempotency key'(page) {
    await signIn(page);
    const lost = (route) => route.abort('connectionreset');
    const keys = await watchCheckouts(page, [lost, lost]);
    await buyButton(page, 'sample-mug').click();
    await page.getByRole('alert').getByText('cannot be reached').waitFor();
    await screenshot(page, 'lost-answer');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await buyButton(page, 'sample-mug').click();
    await page.waitForURL('**/pay/**');
    assert.equal(keys.length, 3);
    assert.equal(new Set(keys).size, 1);
    assert.match(keys[0], /^[0-9a-f-]{36}$/);
  },

  async 'after a purchase that came to nothing, whatever is asked or retried is about one new purchase'(page) {
    await signIn(page);
    let status = 'open';
    await page.route('**/purchases/p1', (route) => purchase(status)(route));
    await page.route('**/pay/p1', (route) => route.fulfill({ contentType: 'text/html', body: '<title>Made up</title>' }));
    const opened = (route) => route.fulfill({ status: 201, json: { purchase_id: 'p1', url: `${shop}/pay/p1` } });
    const where = problem(422, 'shipping.country is missing', { countries: ['DE', 'FR'] });
    const lost = (route) => route.abort('connectionreset');
    const keys = await watchCheckouts(page, [opened, where, lost, opened]);
    await buyButton(page, 'sample-mug').click();
    await page.waitForURL('**/pay/p1');
    await page.goto(shop);
    await buyButton(page, 'sample-mug').waitFor();
    status = 'expired';
    await buyButton(page, 'sample-mug').click();
    const dialog = page.getByRole('dialog', { name: 'Where should it go?' });
    await dialog.getByLabel('Country').selectOption({ label: 'Germany' });
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('alert').getByText('cannot be reached').waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForURL('**/pay/p1');
    assert.equal(keys.length, 4);
    assert.notEqual(keys[0], keys[1]);
    assert.equal(new Set(keys.slice(1)).size, 1);
  },

  async 'a refusal is explained and the next press is a new attempt'(page) {
    await signIn(page);
    const kinds = {
      'product-inactive': 'is not for sale at the moment',
      'unknown-product': 'is no longer sold',
      'total-not-chargeable': 'Please change the quantities',
      'bad-request': 'does not understand',
    };
    const refusals = Object.keys(kinds).map((kind) => problem(422, 'items[0].product_id: there is no product sample-mug', { kind }));
    const keys = await watchCheckouts(page, refusals);
    for (const said of Object.values(kinds)) {
      await buyButton(page, 'sample-mug').click();
      await page.getByRole('alert').getByText(said).waitFor();
      assert.doesNotMatch(await page.getByRole('alert').innerText(), /items|product_id|sample-mug/);
      await page.getByRole('button', { name: 'Dismiss' }).click();
    }
    assert.equal(new Set(keys).size, keys.length);
  },

  async 'an unpaid purchase of the buyer’s own that is in the way can be paid for or cancelled'(page) {
    await signIn(page);
    const open_purchases = [{ purchase_id: 'p1', url: `${shop}/pay/p1`, expires_at: new Date(Date.now() + 600_000).toISOString() }];
    await page.route('**/purchases/p1', purchase('open'));
    await page.route('**/purchases/p1/cancel', purchase('abandoned'));
    const kinds = { 'sold-out': 409, 'too-much-reserved': 409, 'too-many-open-purchases': 429 };
    await watchCheckouts(page, Object.entries(kinds).map(([kind, status]) =>
      problem(status, 'p1 is open', { kind, open_purchases, headers: { 'retry-after': '5' } })));
    const alert = page.getByRole('alert');
    for (const said of [/holds what you want/, /as much as one buyer can hold/, /several purchases that are not paid/]) {
      await buyButton(page, 'sample-mug').click();
      await alert.getByText(said).waitFor();
      await alert.getByText('Mug').first().waitFor();
      assert.equal(await alert.getByRole('link', { name: 'Continue to payment' }).getAttribute('href'), `${shop}/pay/p1`);
      await screenshot(page, `in-the-way-${said.source.slice(0, 5)}`);
      await alert.getByRole('button', { name: 'Cancel this purchase' }).click();
      await page.getByRole('status').getByText('That purchase is cancelled. Nothing was charged.').waitFor();
    }
  },

  async 'a purchase waiting for payment is found again, and cancelled'(page) {
    await signIn(page);
    let status = 'open';
    await page.route('**/purchases/p1', (route) => purchase(status)(route));
    await page.route('**/purchases?status=open', (route) =>
      route.fulfill({ json: { purchases: status === 'open' ? [purchaseAs('open')] : [], next: null } }));
    await page.route('**/purchases/p1/cancel', (route) => { status = 'abandoned'; return purchase(status)(route); });
    for (const address of ['purchases.html', 'purchase.html?id=p1', 'cancel.html?purchase_id=p1']) {
      status = 'open';
      await page.goto(`${shop}/${address}`);
      await page.getByText(/It can be paid until/).waitFor();
      assert.equal(await page.getByRole('link', { name: 'Continue to payment' }).getAttribute('href'), `${shop}/pay/p1`);
      await screenshot(page, `open-${address.split('.')[0]}`);
      await page.getByRole('button', { name: 'Cancel this purchase' }).click();
      await page.getByRole('link', { name: 'Continue to payment' }).waitFor({ state: 'detached' });
    }
    await page.goto(`${shop}/purchase.html?id=p1`);
    await page.getByText('was never completed').waitFor();
  },

  async 'a purchase that came to nothing can be bought again'(page) {
    await signIn(page);
    await page.route('**/purchases/p1', purchase('failed'));
    for (const address of ['success.html?purchase_id=p1', 'purchase.html?id=p1']) {
      await page.goto(`${shop}/${address}`);
      await page.getByRole('button', { name: 'Buy again' }).click();
      await page.locator('.cart-row').getByText('Stoneware mug').waitFor();
      await page.getByRole('link', { name: 'Cart (1)' }).waitFor();
    }
  },

  async 'long names and addresses break no page'(page) {
    const name = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(3);
    await page.route('**/products?*', async (route) => {
      const answer = await route.fetch();
      const json = await answer.json();
      json.products[0].name = name;
      json.products[0].description = name;
      await route.fulfill({ response: answer, json });
    });
    const long = purchaseAs('paid');
    long.lines[0].name = name;
    await page.route('**/purchases/p1', (route) => route.fulfill({ json: long }));
    await page.route('**/purchases?*', (route) => route.fulfill({ json: { purchases: [long], next: null } }));
    await page.setViewportSize({ width: 320, height: 640 });
    await signIn(page, `${'long'.repeat(15)}@${'example'.repeat(8)}.com`);
    for (const address of ['index.html', 'purchases.html', 'purchase.html?id=p1']) {
      await page.goto(`${shop}/${address}`);
      await page.getByText(name).first().waitFor();
      await fits(page, address);
      await screenshot(page, `long-${address.split('.')[0]}`);
    }
  },

  async 'a product that is nearly sold out says so, and once it is sold out the rest of the cart stays'(page) {
    await signIn(page);
    await card(page, 'sample-print').getByText('Only 3 left').waitFor();
    await choose(page, 'sample-print', 3);
    assert.ok(await card(page, 'sample-print').getByRole('button', { name: 'One more' }).isDisabled());
    for (const id of ['sample-print', 'sample-mug']) {
      await card(page, id).getByRole('button', { name: /^Add/ }).click();
    }
    await page.getByRole('link', { name: 'Cart (4)' }).click();
    await page.locator('.cart-row').nth(1).waitFor();
    await others('sample-print', 2);
    await page.getByRole('button', { name: 'Check out' }).click();
    await page.getByRole('alert').getByText('There is only 1 of Signed lighthouse print left.').waitFor();
    await page.getByRole('alert').getByText('The rest of your cart is still there.').waitFor();
    await page.locator('.cart-row').getByText('Only 1 left; you wanted 3').waitFor();
    assert.match(await page.locator('.order-total').innerText(), /63[.,]00/);
    await screenshot(page, 'nearly-gone');

    await others('sample-print', 1);
    await page.getByRole('button', { name: 'Check out' }).click();
    await page.getByRole('alert').getByText('Signed lighthouse print has just sold out.').waitFor();
    await page.locator('.cart-row').getByText('Sold out; please remove it').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Check out' }).isDisabled());
    await screenshot(page, 'sold-out');
    await page.getByRole('button', { name: 'Remove Signed lighthouse print' }).click();
    await page.getByRole('button', { name: 'Check out' }).click();
    await page.waitForURL('**/pay/**');
  },

  async 'a product that sold out a moment ago shows it when somebody presses Buy'(page) {
    await page.route('**/products?*', async (route) => {
      const answer = await route.fetch();
      const page = await answer.json();
      for (const product of page.products) if (product.id === 'sample-print') product.stock = 3;
      await route.fulfill({ response: answer, json: page });
    });
    await signIn(page);
    await buyButton(page, 'sample-print').click();
    await page.getByRole('alert').getByText('Signed lighthouse print has just sold out.').waitFor();
    await card(page, 'sample-print').getByText('Sold out').waitFor();
    await screenshot(page, 'sold-out-product');
  },

  async 'a busy shop is asked once more after the time it names'(page) {
    await signIn(page);
    const keys = await watchCheckouts(page, [problem(503, 'Busy.', { headers: { 'retry-after': '1' } })]);
    await buyButton(page, 'sample-mug').click();
    await page.getByText('The shop is busy. Trying again in 1 second…').waitFor();
    await page.waitForURL('**/pay/**');
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
  },

  async 'an expired session asks the buyer to sign in and then finishes the purchase'(page) {
    await signIn(page);
    const keys = await watchCheckouts(page, [(route) => route.fulfill({ status: 401, json: { message: 'Unauthorized' } })]);
    await buyButton(page, 'sample-mug').click();
    await page.getByRole('button', { name: 'Sign in and continue' }).click();
    await enterEmail(page);
    await page.waitForURL('**/pay/**');
    assert.equal(keys[0], keys[1]);
  },

  async 'the success page follows a payment from unknown to pending to paid'(page) {
    await signIn(page);
    await answer(page, '**/purchases/p1', [
      problem(404, 'No such purchase.'), problem(500, 'Sorry.'), (route) => route.abort(),
      purchase('open'), purchase('pending'), purchase('pending'), purchase('paid'),
    ]);
    await page.goto(`${shop}/success.html?purchase_id=p1`);
    await headingSays(page, /Confirming/);
    await headingSays(page, /on its way/);
    await screenshot(page, 'pending');
    await headingSays(page, /it is paid/);
  },

  async 'the success page stops asking after a while, says what comes next and can ask again'(page) {
    await signIn(page);
    let status = 'open';
    await page.route('**/purchases/p1', (route) => purchase(status)(route));
    await page.clock.install();
    await page.goto(`${shop}/success.html?purchase_id=p1`);
    await headingSays(page, /Confirming/);
    await until('the page has stopped asking', async () => {
      await page.clock.fastForward(10_000);
      return page.getByText('nothing is lost').isVisible();
    });
    await screenshot(page, 'patience-ended');
    status = 'paid';
    await page.getByRole('button', { name: 'Check again' }).click();
    await headingSays(page, /it is paid/);
  },

  async 'an address without a page gets the site’s own not-found page'(page) {
    const answer = await page.goto(`${shop}/no/such/page`);
    assert.equal(answer.status(), 404);
    await headingSays(page, /no such page/);
    await page.getByRole('link', { name: 'See what is for sale.' }).click();
    await card(page, 'sample-mug').waitFor();
  },

  async 'products that did not load can be loaded again'(page) {
    await answer(page, '**/products?*', [problem(500, 'The shelves fell over.')]);
    await page.goto(shop);
    await page.getByText('Something went wrong on our side.').waitFor();
    assert.equal(await page.getByText('The shelves fell over.').count(), 0);
    await screenshot(page, 'products-failed');
    await page.getByRole('button', { name: 'Try again' }).click();
    await card(page, 'sample-mug').waitFor();
  },

  async 'a missing or broken config.json is named on the page'(page) {
    await answer(page, '**/config.json', [
      (route) => route.fulfill({ status: 404 }),
      (route) => route.fulfill({ body: '{' }),
      (route) => route.fulfill({ json: { api: 'http://shop.example', issuer: shop, client_id: 'x' } }),
    ]);
    for (const complaint of [/answered 404/, /not valid JSON/, /"http:\/\/shop.example" as "api"/]) {
      await page.goto(shop);
      await page.locator('.panel').getByText(complaint).waitFor();
    }
  },

  async 'a callback that was not asked for signs nobody in'(page) {
    await page.goto(shop);
    await page.locator('.account').getByRole('button', { name: 'Sign in' }).click();
    await page.locator('input[name=email]').waitFor();
    await page.goto(`${shop}/callback.html?code=stolen&state=made-up`);
    await page.getByText('not started in this tab').waitFor();
    assert.ok(!page.url().includes('stolen'), 'the code is still in the address');
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  },
};

/** Buying where the shop's pages are at another origin. */
const elsewhere = {
  async 'a front end at another origin buys, and everything leads back to it'(page) {
    await page.goto(frontEnd);
    await buyButton(page, 'sample-mug').click();
    await enterEmail(page);
    await page.waitForURL('**/pay/**');
    await pay(page);
    await page.waitForURL(`${frontEnd}/success.html?purchase_id=*`);
    await headingSays(page, /it is paid/);
    await screenshot(page, 'front-end');
    const id = new URL(page.url()).searchParams.get('purchase_id');

    const link = `${frontEnd}/purchase.html?id=${id}`;
    await until('a mail leads to the front end', async () => {
      const mails = await (await fetch(`${shop}/_local/mailbox.json`)).json();
      return mails.some((mail) => mail.text.includes(link));
    });
    await page.goto(link);
    await page.locator('.order').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${frontEnd}/index.html`);
    await page.goto(`${shop}/_local`);
    await page.getByRole('link', { name: 'Open the shop' }).click();
    await page.waitForURL(`${frontEnd}/`);
  },
};

const tools = {
  shop, axe, buy, buyButton, card, enterEmail, faintControls, fits, headingSays, layoutShift, openStory, pay, refund, screenshot,
  signIn, story, storySays, tokenOf, until,
};
const [shipping, subscriptions] = [shippingScenes(tools), subscriptionScenes(tools)];
const tour = [tourScenes(tools, process.env.PICTURES), { strict: false }];
// The shop refuses a checkout that has to say where it goes, and the browser reports that. The tour comes first,
// because the others leave more behind than the one event that it misses.
const everything = [
  tour, [walks, { strict: true }], [productScenes(tools), { strict: true }], [badDays, { strict: false }],
  [dashboardScenes(tools), { strict: true }], [downloadScenes(tools), { strict: true }], [stackScenes(tools), { strict: false }],
  [shipping, { strict: false }], [subscriptions, { strict: true }],
];
const atFrontEnd = [[elsewhere, { strict: true }], [builtScenes(frontEnd, tools), { strict: true }]];
const taxed = [taxScenes(tools), { strict: true }];
const plan = frontEnd ? atFrontEnd
  : process.env.TAXED ? [taxed]
    : process.env.PICTURES ? [tour] : everything;
const served = frontEnd && await serveSite(frontEnd, process.env.SITE_FOLDER);
let played = 0;
let failures = 0;
for (const [scenes, manner] of plan) failures += await run(scenes, manner);
await within(PATIENCE_MS, browser.close()).catch(() => {});
served?.close();
console.log(`browser: ${played - failures} passed, ${failures} failed`);
process.exit(failures > 0 ? 1 : 0);

// What a buyer does

async function signIn(page, email = BUYER) {
  await page.goto(shop);
  await page.locator('.account').getByRole('button', { name: 'Sign in' }).click();
  await enterEmail(page, email);
  await page.locator('.account').getByText(email).waitFor();
  await card(page, 'sample-mug').waitFor();
}

async function enterEmail(page, email = BUYER) {
  await page.locator('input[name=email]').fill(email);
  await page.locator('[type=submit]').first().click();
}

async function choose(page, id, quantity) {
  for (let count = 1; count < quantity; count += 1) {
    await card(page, id).getByRole('button', { name: 'One more' }).click();
  }
}

/** Buys one and sees it paid; returns the purchase's id. */
async function buy(page, id, { code } = {}) {
  await signIn(page);
  await buyButton(page, id).click();
  await page.waitForURL('**/pay/**');
  if (code) {
    await page.locator('input[name=promotion_code]').fill(code);
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('$0.00').first().waitFor();
    await page.locator('#pay .pay').click();
  } else {
    await pay(page);
  }
  await headingSays(page, code === 'FREE' ? /Thank you for your purchase/ : /it is paid/);
  return new URL(page.url()).searchParams.get('purchase_id');
}

/** How many are left. */
async function stock(product) {
  return (await (await fetch(`${shop}/products/${product}`)).json()).stock;
}

async function tokenOf(email) {
  const body = new URLSearchParams({ email });
  return (await (await fetch(`${shop}/_local/token`, { method: 'POST', body })).json()).access_token;
}

/** Somebody else takes some of it. */
async function others(product, quantity) {
  const token = await tokenOf('others@example.com');
  const answer = await fetch(`${shop}/checkout`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ items: [{ product_id: product, quantity }] }),
  });
  assert.equal(answer.status, 201, await answer.text());
}

async function pay(page, { email = BUYER, card = '4242424242424242' } = {}) {
  // Whoever subscribes is a customer already, whose address is not theirs to change there.
  const field = page.locator('input[name=email]');
  if (await field.isEditable()) await field.fill(email);
  await page.locator('input[name=card_number]').fill(card);
  await page.locator('input[name=exp]').fill('12/40');
  await page.locator('input[name=cvc]').fill('123');
  await page.locator('form', { has: page.locator('input[name=card_number]') }).locator('[type=submit]').first().click();
}

// Where things are

function card(page, id) {
  return page.locator(`#product-${id}`);
}

function buyButton(page, id) {
  return card(page, id).getByRole('button', { name: /^Buy/ });
}

/** Opens the purchase on the dashboard. */
async function openStory(page, id) {
  await page.goto(`${shop}/_local`);
  await page.locator(`#purchases .list button[data-key="${id}"]`).click();
  await story(page).locator('h3 + p').getByText(id).waitFor();
}

function story(page) {
  return page.locator('#purchases .story');
}

/** Presses *Refund* and confirms it. */
async function refund(page) {
  await story(page).getByRole('button', { name: 'Refund', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Refund' }).click();
}

async function storySays(page, status) {
  await story(page).locator('h3').getByText(status, { exact: true }).waitFor();
}

async function headingSays(page, text) {
  await page.getByRole('heading', { level: 1, name: text }).waitFor();
}

/** Every page of the site, as seen by a buyer who has bought something. */
function everyPage() {
  return ['index.html', 'cart.html', 'purchases.html', 'subscriptions.html', `purchase.html?id=${purchaseId}`,
    `success.html?purchase_id=${purchaseId}`, `cancel.html?purchase_id=${purchaseId}`];
}

async function fits(page, what) {
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(tooWide <= 0, `${what} is ${tooWide} px wider than the screen`);
}

/** Cumulative layout shift so far: how much of the page has moved by itself, and what moved most. */
function layoutShift(page) {
  return page.evaluate(() => new Promise((resolve) => {
    let sum = 0;
    const moved = new Set();
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, sources } of list.getEntries()) {
        if (hadRecentInput) continue;
        sum += value;
        for (const { node } of sources) if (node) moved.add(node.id || node.className || node.nodeName);
      }
    }).observe({ type: 'layout-shift', buffered: true });
    // If nothing has moved, the observer stays silent.
    setTimeout(() => resolve({ sum, moved: [...moved].join(', ') }), 50);
  }));
}

/**
 * Runs in the page: the controls whose edge or focus ring has less contrast with
 * what is around them than the 3:1 of WCAG's 1.4.11.
 */
function faintControls() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, below) => top.slice(0, 3).map((part, index) => part * top[3] + below[index] * (1 - top[3])).concat(1);
  const ground = (node) => {
    const layers = [];
    for (let each = node; each; each = each.parentElement) {
      layers.unshift(rgba(getComputedStyle(each).backgroundColor));
    }
    return layers.reduce((below, top) => over(top, below), rgba(getComputedStyle(document.documentElement).backgroundColor));
  };
  const luminance = (color) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, index) => {
    const part = color[index] / 255;
    return sum + weight * (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  }, 0);
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const name = (node) => `${node.tagName} ${node.getAttribute('aria-label') ?? node.name ?? ''} ${node.textContent.trim().slice(0, 20)}`;
  const faint = [];
  for (const node of document.querySelectorAll('a[href], button, input:not([type=hidden]), select')) {
    if (node.disabled || !node.checkVisibility()) continue;
    const around = ground(node.parentElement);
    // A field's edge may be that of a box around it, as in a stepper.
    const box = node.matches('input') && node.closest('.stepper') ? node.closest('.stepper') : node;
    const style = getComputedStyle(box);
    const edged = node.matches('input:not([type=radio]), select') || (parseFloat(style.borderTopWidth) > 0 && rgba(style.borderTopColor)[3] > 0);
    const edge = over(rgba(style.borderTopColor), around);
    const body = ground(box);
    if (edged && Math.max(contrast(edge, ground(box.parentElement)), contrast(body, ground(box.parentElement))) < 3) faint.push(`edge: ${name(node)}`);
    node.focus({ focusVisible: true, preventScroll: true });
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(node);
    const ring = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && contrast(over(rgba(outlineColor), around), around) >= 3;
    if (!ring) faint.push(`focus: ${name(node)}`);
  }
  return faint;
}

/** What axe finds wrong with the page: https://github.com/dequelabs/axe-core */
async function axe(page, what) {
  // The page's policy forbids scripts from elsewhere, but not what the browser is told to evaluate.
  await page.evaluate(require('axe-core').source);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  assert.deepEqual(found, [], what);
}

/** Gives the product a price in another currency than all the others. */
async function inEuro(page, id) {
  const change = (product) => (product.id === id ? { ...product, price: { ...product.price, currency: 'eur' } } : product);
  await page.route(/\/products([/?]|$)/, async (route) => {
    const answer = await route.fetch();
    const json = await answer.json();
    await route.fulfill({ response: answer, json: json.products ? { ...json, products: json.products.map(change) } : change(json) });
  });
}

async function screenshot(page, name) {
  if (folder) await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

/** A subscription whose renewal could not be charged. */
function subscription() {
  const price = { amount: 1900, currency: 'usd' };
  const recurring = { interval: 'month', interval_count: 1 };
  return {
    id: 'sub_1', purchase_id: '01997a3c-4f4d-7000-8000-000000000001', status: 'past_due', active: false,
    active_until: '2026-11-20T09:00:00Z', currency: 'usd', total: price, started_at: '2026-10-20T09:00:00Z',
    items: [{ product_id: 'sample-coffee', name: 'Coffee box', quantity: 1, unit_amount: 1900, recurring }],
    to_pay: { invoice_id: 'in_2', amount: price, url: 'https://invoice.stripe.com/i/2', next_attempt: '2026-11-23T09:00:00Z' },
  };
}

function invoice() {
  const money = (amount) => ({ amount, currency: 'usd' });
  return {
    id: 'in_2', number: 'A1-0002', status: 'open', reason: 'renewal', created_at: '2026-11-20T09:00:00Z',
    total: money(1900), paid: money(0), refunded: money(0), disputed: money(0), net: money(0), url: 'https://invoice.stripe.com/i/2',
  };
}

// Answers made up for bad days

/** Notes the idempotency key of every checkout; the first ones get the given answers. */
async function watchCheckouts(page, answers = []) {
  const keys = [];
  await page.route('**/checkout', (route) => {
    keys.push(route.request().headers()['idempotency-key']);
    const next = answers.shift();
    return next ? next(route) : route.continue();
  });
  return keys;
}

/** Answers the first requests to `url` in turn; the rest reach the shop. */
async function answer(page, url, answers) {
  await page.route(url, (route) => {
    const next = answers.shift();
    return next ? next(route) : route.continue();
  });
}

function purchase(status) {
  return (route) => route.fulfill({ json: purchaseAs(status) });
}

function purchaseAs(status) {
  const usd = (amount) => ({ amount, currency: 'usd' });
  const paid = usd(status === 'paid' ? 1500 : 0);
  return {
    id: 'p1', status, created_at: '2026-01-02T03:04:05Z',
    total: usd(1500), paid, refunded: usd(0), disputed: usd(0), net: paid,
    lines: [{ product_id: 'sample-mug', name: 'Mug', quantity: 1, unit_amount: 1500 }],
    ...(status === 'open' && { payment: { url: `${shop}/pay/p1`, expires_at: new Date(Date.now() + 600_000).toISOString() } }),
  };
}

function problem(status, detail, { kind, headers = {}, ...members } = {}) {
  const type = kind ? `urn:till:problem:${kind}` : 'about:blank';
  return (route) => route.fulfill({
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify({ type, title: 'Made up', status, detail, request_id: 'req-made-up', ...members }),
  });
}

/** A static host of the plainest kind, which compresses as they all do. */
async function serveSite(origin, site) {
  const types = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, origin);
    const name = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    try {
      const content = await readFile(path.join(site, name));
      const type = types[name.split('.').pop()] ?? 'application/json';
      response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' }).end(gzipSync(content));
    } catch {
      response.writeHead(404, { 'content-type': 'text/html' }).end(await readFile(path.join(site, '404.html')));
    }
  });
  await new Promise((resolve) => { server.listen(new URL(origin).port, '127.0.0.1', resolve); });
  return server;
}

// Running

/** Runs each scene in a fresh browser profile, where it can `open` more tabs; returns how many failed. */
async function run(scenes, { strict }) {
  let failed = 0;
  for (const [name, scene] of Object.entries(scenes)) {
    if (!only.test(name)) continue;
    played += 1;
    const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' });
    context.setDefaultTimeout(PATIENCE_MS);
    const complaints = [];
    const open = async () => {
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
      page.on('console', (message) => {
        const { url } = message.location();
        const missing = message.text().startsWith('Failed to load resource');
        const expected = missing && (!strict || url.endsWith('/favicon.ico') || EXPECTED_MISSING.test(url));
        if (message.type() === 'error' && !expected) complaints.push(`console: ${message.text()} (${url})`);
      });
      return page;
    };
    const others = [];
    const otherwise = async (options) => {
      others.push(await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options }));
      return others.at(-1).newPage();
    };
    const inLanguage = (locale) => otherwise({ locale });
    const withoutScripts = () => otherwise({ javaScriptEnabled: false });
    const page = await open();
    try {
      await within(LONGEST_SCENE_MS, scene(page, open, { inLanguage, withoutScripts }));
      assert.deepEqual(complaints, [], 'the page reported errors');
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n        at ${page.url()}\n        ${error.message}\n        ${complaints.join('\n        ')}`);
      const picture = screenshot(page, `failed-${name.replaceAll(/\W+/g, '-')}`);
      await within(PATIENCE_MS, picture).catch(() => {});
    }
    for (const other of others) await other.close().catch(() => {});
    // What hangs in one scene must not stop the next.
    await within(PATIENCE_MS, context.close()).catch(async () => { browser = await launch(); });
  }
  return failed;
}

async function within(milliseconds, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${milliseconds / 1000} s`)), milliseconds);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function until(what, holds) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!await holds()) {
    assert.ok(Date.now() < deadline, `never came true: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

async function launch() {
  if (folder) mkdirSync(folder, { recursive: true });
  const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find((file) => file && existsSync(file));
  if (!executablePath) {
    console.error('No Chromium found: install it or set CHROMIUM to its path.');
    process.exit(1);
  }
  try {
    const { chromium } = require('playwright-core');
    return await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync'],
    });
  } catch (error) {
    console.error(`The browser does not start: ${error.message}`);
    process.exit(1);
  }
}
