/**
 * A scene of browser.mjs: the tour in README.md, step by step, so that it stays true. The pictures in README.md are
 * taken on the way.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const BUYER = 'ada@example.com';
/** Of the same shape, so that two fit side by side. */
const [PAGE, DESK] = [{ width: 1040, height: 780 }, { width: 1200, height: 900 }];
/** Whoever reads the README loads all of them. */
const LARGEST = 80_000;

/** `tools` are what browser.mjs does and where its things are. Pictures are kept in `folder`, if it is given. */
export function tourScenes(tools, folder) {
  const { shop, buyButton, headingSays, openStory, pay, refund, signIn, story, storySays, until } = tools;

  return {
    async 'the tour in the README goes as it says'(page) {
      await page.setViewportSize(PAGE);
      await page.goto(shop);
      await buyButton(page, 'sample-mug').waitFor();
      await loaded(page);
      await picture(page, 'shop');

      // Buy, and be declined first.
      await signIn(page, BUYER);
      await buyButton(page, 'sample-mug').click();
      await page.waitForURL('**/pay/**');
      await picture(page, 'payment');
      await pay(page, { email: BUYER, card: '4000000000000002' });
      await page.getByRole('alert').getByText('declined').waitFor();
      await pay(page, { email: BUYER });
      await headingSays(page, /it is paid/);
      const id = new URL(page.url()).searchParams.get('purchase_id');

      // See it, and its mail.
      await page.getByRole('link', { name: 'Purchases' }).click();
      assert.match(await page.locator('a.row').first().innerText(), /Stoneware mug[^]*Paid/);
      await openStory(page, id);
      await storySays(page, 'paid');
      const receipts = page.locator('#mailbox .list').getByText(`receipt from Till (purchase ${id.slice(-8)})`);
      await receipts.waitFor();
      await page.setViewportSize(DESK);
      // The buyer's receipt, and the seller's mail.
      await story(page).getByText('sent', { exact: true }).nth(1).waitFor();
      await page.evaluate(() => document.querySelector('#search').scrollIntoView());
      await picture(page, 'dashboard');

      // The same event once more changes nothing.
      const events = story(page).getByRole('button', { name: 'Send again' });
      await events.click();
      await until('the event was sent twice', async () => {
        const { deliveries } = await (await fetch(`${shop}/_local/stripe/deliveries?limit=1`)).json();
        return deliveries[0].attempts.length === 2;
      });
      await page.reload();
      await storySays(page, 'paid');
      assert.equal(await events.count(), 1);
      await receipts.waitFor();

      // Send some of it back.
      await story(page).getByLabel('Amount to refund, in USD').fill('5.00');
      await refund(page);
      await storySays(page, 'partially refunded');
      await story(page).getByText('To the buyer: refund').waitFor();
      await page.setViewportSize(PAGE);
      await page.goto(`${shop}/purchase.html?id=${id}`);
      await page.getByText('Refunded 5.00 USD of 15.00 USD').waitFor();
      await picture(page, 'purchase');

      // An event that gets lost.
      await page.goto(`${shop}/_local`);
      const switches = page.locator('#stripe-faults');
      await switches.getByLabel('Event type').fill('checkout.session.*');
      await switches.getByRole('button', { name: 'Arm' }).click();
      await switches.getByText('checkout.session.*: an event is not delivered, 1 ×').waitFor();
      await page.goto(shop);
      await buyButton(page, 'sample-notebook').click();
      await page.waitForURL('**/pay/**');
      await pay(page, { email: BUYER });
      await headingSays(page, /Confirming/);
      await page.goto(`${shop}/_local`);
      await page.getByRole('button', { name: 'Reconcile now' }).click();
      await page.getByText('1 missed and recorded now').waitFor();
      await storySays(page, 'paid');
    },
  };

  /** What is in sight, by day and by night. */
  async function picture(page, name) {
    await page.evaluate(steady);
    const browser = await page.context().newCDPSession(page);
    for (const colorScheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme });
      // Playwright does not write WebP, which is a third as large as PNG here.
      const { data } = await browser.send('Page.captureScreenshot', { format: 'webp', quality: 80 });
      const image = Buffer.from(data, 'base64');
      assert.ok(image.length < LARGEST, `the picture of the ${name} has ${image.length} bytes`);
      if (!folder) continue;
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, `${name}-${colorScheme}.webp`), image);
    }
    await browser.detach();
  }
}

/** The pictures of what is in sight have loaded. */
async function loaded(page) {
  await page.waitForFunction(() => [...document.images]
    .filter((image) => image.getBoundingClientRect().top < innerHeight)
    .every((image) => image.complete && image.naturalWidth > 0));
}

/** Gives all times and ids on the page the same value in every run, so that pictures differ only if the page does. */
function steady() {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    text.data = text.data
      .replaceAll(/\b[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d{2}(:\d{2})? [AP]M/g,
        (_, seconds) => `Dec 1, 2026, 9:41${seconds ? ':00' : ''} AM`)
      .replaceAll(/^\d{1,2}:\d{2}:\d{2} [AP]M$/g, '9:41:00 AM')
      .replaceAll(/^[A-Z][a-z]{2} \d{1,2}, \d{4}$/g, 'Dec 1, 2026')
      .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g,
        '01a21f7a-5295-7c5b-87be-a90320313d0c')
      .replaceAll(/\b((?:cs_test|evt|pi|re)_)(\w{16,})/g,
        (_, prefix, rest) => prefix + '1Q2w3E4r5T6y7U8i9O0p'.repeat(4).slice(0, rest.length));
  }
}
