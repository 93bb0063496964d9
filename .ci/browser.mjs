/**
 * Walks the shop in a real browser: a buyer signs in, buys, pays, sees it
 * confirmed and finds it again; what follows after paying, seen by the buyer and
 * on the dashboard; then the same shop when things go wrong.
 *
 *   node .ci/browser.mjs http://127.0.0.1:3000 [folder for screenshots]
 *
 * The shop must be running (`cargo run -- --memory`). If it was opened with `--site`,
 * FRONT_END says so with the same origin: then a copy of the site is served there,
 * and somebody buys at that one. Needs Chromium (or
 * `CHROMIUM=/path/to/it`) and the npm package playwright-core, where Node finds
 * it or below NODE_PATH. Exits 1 and says what broke if a step fails or a page
 * reports an error of its own.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

const [shop, folder] = process.argv.slice(2);
const frontEnd = process.env.FRONT_END;
if (!shop) {
  console.error('usage: node .ci/browser.mjs <shop URL> [folder for screenshots]');
  process.exit(2);
}

const PATIENCE_MS = 30_000;
const BUYER = `browser-${Date.now()}@example.com`;
const CHOSEN_QUANTITY = 2;

const browser = await launch();
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
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
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

  async 'a refund made on the dashboard is told there and to the buyer, and so is its failure'(page) {
    const id = await buy(page, 'sample-mug');
    await openStory(page, id);
    await story(page).getByLabel('Amount to refund').fill('500');
    await story(page).getByRole('button', { name: 'Refund', exact: true }).click();
    await storySays(page, 'partially refunded');
    await story(page).locator('.accounts').getByText('10.00 USD').waitFor();
    await story(page).getByText('To the buyer: refund').waitFor();
    await screenshot(page, 'story-refund');

    await page.goto(`${shop}/purchase.html?id=${id}`);
    await page.getByText('Refunded $5.00 of $15.00').waitFor();
    assert.match(await page.locator('.order').innerText(), /Refunded\s+−\$5\.00[^]*Paid in the end\s+\$10\.00/);
    await screenshot(page, 'refund');
    await page.goto(`${shop}/purchases.html`);
    assert.match(await page.locator('a.row').first().innerText(), /Refunded \$5\.00 of \$15\.00[^]*Partly refunded/);

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
    await page.goto(`${shop}/purchase.html?id=${id}`);
    await page.getByText('which holds $15.00 until it has decided').waitFor();
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
    assert.match(await page.locator('.order').innerText(), /Discount\s+−\$15\.00\s+You paid\s+\$0\.00/);
    await openStory(page, id);
    await storySays(page, 'paid');
    assert.equal(await story(page).getByRole('button', { name: 'Refund', exact: true }).count(), 0);
  },

  async 'the dashboard tells what a webhook did not, and finds it'(page) {
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
    await story(page).getByText('Nothing was heard of it yet.').waitFor();
    await page.getByRole('button', { name: 'Reconcile now' }).click();
    await page.getByText('1 missed and recorded now').waitFor();
    await storySays(page, 'paid');
    await screenshot(page, 'story-reconciled');
  },

  async 'the dashboard fits a desk and a phone, by day and by night'(page) {
    for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [390, 'light'], [390, 'dark']]) {
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
    await amount.fill('700');
    // Somebody at the bank does something, meanwhile.
    const intent = await story(page).getByText(/^pi_/).innerText();
    await page.evaluate((path) => fetch(path, { method: 'POST', body: new URLSearchParams({ kind: 'inquiry' }) }),
      `/_local/payments/${intent}/dispute`);
    await story(page).getByText('dp_').first().waitFor();
    assert.equal(await amount.inputValue(), '700');
    assert.ok(await amount.evaluate((node) => node === document.activeElement), 'the field has lost the focus');
  },

  async 'leaving the payment page says that nothing was charged'(page) {
    await page.goto(`${shop}/cancel.html`);
    await page.getByText('Nothing was charged').waitFor();
    await screenshot(page, 'cancel');
  },

  async 'every page fits a phone and has no sideways scrolling'(page) {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await signIn(page);
    const adding = page.getByRole('button', { name: /^Add to cart/ });
    for (const index of [0, 1, 2]) await adding.nth(index).click();
    const pages = ['index.html', 'cart.html', 'purchases.html', `purchase.html?id=${purchaseId}`,
      `success.html?purchase_id=${purchaseId}`, 'cancel.html'];
    for (const address of pages) {
      await page.goto(`${shop}/${address}`);
      await page.locator('#content:not([aria-busy])').waitFor();
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(tooWide <= 0, `${address} is ${tooWide} px wider than a phone`);
      await screenshot(page, `phone-${address.split('.')[0]}`);
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

/** The same site with answers that only bad days bring; the browser itself complains about those. */
const badDays = {
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

  async 'a refusal is explained and the next press is a new attempt'(page) {
    await signIn(page);
    const detail = 'The stoneware mug has just sold out.';
    const keys = await watchCheckouts(page, [problem(422, detail), problem(422, detail)]);
    for (let press = 0; press < 2; press += 1) {
      await buyButton(page, 'sample-mug').click();
      await page.getByRole('alert').getByText(detail).waitFor();
      await page.getByRole('button', { name: 'Dismiss' }).click();
    }
    assert.equal(new Set(keys).size, 2);
  },

  async 'what is nearly gone says so, and what has gone meanwhile keeps the rest of the cart'(page) {
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
    const keys = await watchCheckouts(page, [problem(503, 'Busy.', { 'retry-after': '1' })]);
    await buyButton(page, 'sample-mug').click();
    await page.getByText('The shop is busy. Trying again in 1 second…').waitFor();
    await page.waitForURL('**/pay/**');
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
  },

  async 'an ended session asks to sign in and then finishes the purchase'(page) {
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

  async 'an address without a page gets the site’s own page for that'(page) {
    const answer = await page.goto(`${shop}/no/such/page`);
    assert.equal(answer.status(), 404);
    await headingSays(page, /no such page/);
    await page.getByRole('link', { name: 'See what is for sale.' }).click();
    await card(page, 'sample-mug').waitFor();
  },

  async 'products that cannot be loaded can be asked for again'(page) {
    await answer(page, '**/products?*', [problem(500, 'The shelves fell over.')]);
    await page.goto(shop);
    await page.getByText('The shelves fell over.').waitFor();
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

const plan = frontEnd
  ? [[elsewhere, { strict: true }]]
  : [[walks, { strict: true }], [badDays, { strict: false }]];
const served = frontEnd && await serveSite(frontEnd);
let failures = 0;
for (const [scenes, manner] of plan) failures += await run(scenes, manner);
await browser.close();
served?.close();
const total = plan.flatMap(([scenes]) => Object.keys(scenes)).length;
console.log(`browser: ${total - failures} passed, ${failures} failed`);
process.exit(failures > 0 ? 1 : 0);

// What a buyer does

async function signIn(page) {
  await page.goto(shop);
  await page.locator('.account').getByRole('button', { name: 'Sign in' }).click();
  await enterEmail(page);
  await page.locator('.account').getByText(BUYER).waitFor();
}

async function enterEmail(page) {
  await page.locator('input[name=email]').fill(BUYER);
  await page.locator('[type=submit]').first().click();
}

async function choose(page, id, quantity) {
  for (let count = 1; count < quantity; count += 1) {
    await card(page, id).getByRole('button', { name: 'One more' }).click();
  }
}

/** Buys one and sees it paid; answers the purchase's id. */
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
  await headingSays(page, /it is paid/);
  return new URL(page.url()).searchParams.get('purchase_id');
}

/** Somebody else takes some of it. */
async function others(product, quantity) {
  const body = new URLSearchParams({ email: 'others@example.com' });
  const { access_token: token } = await (await fetch(`${shop}/_local/token`, { method: 'POST', body })).json();
  const answer = await fetch(`${shop}/checkout`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ items: [{ product_id: product, quantity }] }),
  });
  assert.equal(answer.status, 201, await answer.text());
}

async function pay(page) {
  await page.locator('input[name=email]').fill(BUYER);
  await page.locator('input[name=card_number]').fill('4242424242424242');
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
  await story(page).getByText(id).waitFor();
}

function story(page) {
  return page.locator('#purchases .story');
}

async function storySays(page, status) {
  await story(page).locator('h3').getByText(status, { exact: true }).waitFor();
}

async function headingSays(page, text) {
  await page.getByRole('heading', { level: 1, name: text }).waitFor();
}

async function screenshot(page, name) {
  if (folder) await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
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
  const usd = (amount) => ({ amount, currency: 'usd' });
  const paid = usd(status === 'paid' ? 1500 : 0);
  return (route) => route.fulfill({ json: {
    id: 'p1', status, created_at: '2026-01-02T03:04:05Z',
    total: usd(1500), paid, refunded: usd(0), disputed: usd(0), net: paid,
    lines: [{ product_id: 'sample-mug', name: 'Mug', quantity: 1, unit_amount: 1500 }],
  } });
}

function problem(status, detail, headers = {}) {
  return (route) => route.fulfill({
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify({ type: 'about:blank', title: 'Made up', status, detail, request_id: 'req-made-up' }),
  });
}

/** A static host: a copy of the site, told of the shop by a config.json of its own. */
async function serveSite(origin) {
  const types = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
  const config = await (await fetch(`${shop}/config.json`)).text();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, origin);
    const name = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    try {
      const content = name === '/config.json' ? config : await readFile(path.join('site', name));
      const type = types[name.split('.').pop()] ?? 'application/json';
      response.writeHead(200, { 'content-type': type }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => { server.listen(new URL(origin).port, '127.0.0.1', resolve); });
  return server;
}

// Running

/** Runs each scene in a fresh browser profile; answers how many failed. */
async function run(scenes, { strict }) {
  let failed = 0;
  for (const [name, scene] of Object.entries(scenes)) {
    const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
    page.on('console', (message) => {
      const { url } = message.location();
      const missing = message.text().startsWith('Failed to load resource');
      const expected = missing && (!strict || url.endsWith('/favicon.ico'));
      if (message.type() === 'error' && !expected) complaints.push(`console: ${message.text()} (${url})`);
    });
    try {
      await scene(page);
      assert.deepEqual(complaints, [], 'the page reported errors');
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n        at ${page.url()}\n        ${error.message}\n        ${complaints.join('\n        ')}`);
      await screenshot(page, `failed-${name.replaceAll(/\W+/g, '-')}`).catch(() => {});
    }
    await context.close();
  }
  return failed;
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
    // `require`, unlike `import`, also looks below NODE_PATH.
    const { chromium } = createRequire(import.meta.url)('playwright-core');
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
