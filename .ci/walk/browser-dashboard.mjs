/**
 * Scenes of browser.mjs on the dashboard: finding a purchase and sending its address to somebody, its time line, a
 * refund step by step, what was sold and what is for sale, mail and events that got stuck, and what the page is like
 * where reading costs money.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

/** Widths and colors in which a section is looked at. */
const LOOKS = [[1280, 'light'], [1280, 'dark'], [320, 'light'], [320, 'dark']];
/** By which the webhook recognizes the stand-in. */
const SECRET = 'whsec_local';

/** `tools` are what browser.mjs does and where its things are. */
export function dashboardScenes(tools) {
  const { shop, axe, buy, faintControls, fits, openStory, screenshot, story, storySays, until } = tools;

  async function looked(page, name, { behindDialog = false } = {}) {
    for (const [width, colorScheme] of LOOKS) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await fits(page, `${name} at ${width} px`);
      await axe(page, `${name} at ${width} px, ${colorScheme}`);
      await screenshot(page, `${name}-${width}-${colorScheme}`);
      // What is behind a dialog cannot have the focus.
      if (!behindDialog) assert.deepEqual(await page.evaluate(faintControls), [], `${name}, ${colorScheme}`);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  }

  function search(page) {
    return page.locator('#search');
  }

  async function find(page, wanted) {
    await search(page).getByLabel('Find a purchase or a subscription').fill(wanted);
    await page.keyboard.press('Enter');
  }

  /** Answers to the page as if the shop were deployed, which the page is told by attributes of its own. */
  async function asIfDeployed(page) {
    await page.route(`${shop}/_local`, async (route) => {
      const answer = await route.fetch();
      const body = (await answer.text()).replace('data-guarded="false"', 'data-guarded="true" data-reads="when-asked"')
        .replace(/ data-objects="[^"]*"/, ' data-dashboard="https://dashboard.stripe.com/test"');
      await route.fulfill({ response: answer, body });
    });
    await page.route('**/purchases.json', async (route) => {
      const { 'if-none-match': _, ...headers } = route.request().headers();
      const answer = await route.fetch({ headers });
      await route.fulfill({ response: answer, json: { ...await answer.json(), read: { at: '2026-11-28T10:05:00Z', is_whole: false } } });
    });
  }

  return {
    async 'a purchase is found by whatever somebody has of it, and its address is that of its story'(page, open) {
      const [older, id] = [await buy(await open(), 'sample-mug'), await buy(page, 'sample-poster')];
      await openStory(page, id);
      const intent = await story(page).getByText(/^pi_/).first().innerText();
      const event = await story(page).getByText(/^evt_/).first().innerText();
      for (const wanted of [id, id.slice(-8), intent, event]) {
        await find(page, wanted);
        await search(page).getByText('One was found.').waitFor();
        assert.match(await search(page).getByRole('link', { name: /Lighthouse poster/ }).getAttribute('href'), new RegExp(id));
        assert.equal(new URL(page.url()).searchParams.get('q'), wanted);
      }
      await find(page, 'nobody@example.org');
      await search(page).getByText('Nothing was found for “nobody@example.org”.').waitFor();
      await page.reload();
      await search(page).getByText('Nothing was found for “nobody@example.org”.').waitFor();
      await find(page, 'pi_nothing');
      await search(page).getByRole('status').first().getByText(/pi_nothing/).waitFor();

      await find(page, older.slice(-8));
      await looked(page, 'search');
      await search(page).getByRole('link', { name: /Stoneware mug/ }).click();
      await story(page).locator('h3 + p').getByText(older).waitFor();
      assert.equal(new URL(page.url()).search, `?purchase=${older}`);
      await page.locator(`#purchases .list button[data-key="${id}"]`).click();
      await story(page).locator('h3 + p').getByText(id).waitFor();
      await page.goBack();
      await story(page).locator('h3 + p').getByText(older).waitFor();
      await page.reload();
      await story(page).locator('h3 + p').getByText(older).waitFor();
      await page.goBack();
      await search(page).getByText('One was found.').waitFor();
    },

    async 'the time line says what happened to a purchase, in order, and leads to Stripe’s objects'(page) {
      const id = await buy(page, 'sample-mug');
      await openStory(page, id);
      const line = story(page).locator('.timeline');
      await line.getByText('To the buyer: receipt').waitFor();
      const said = await line.innerText();
      const order = ['The buyer asked to pay', 'Session opened at Stripe', 'checkout.session.completed', 'To the buyer: receipt'];
      const places = order.map((text) => said.indexOf(text));
      assert.deepEqual(places, places.toSorted((one, other) => one - other), said);
      assert.ok(!places.includes(-1) && !said.includes('idempotency key'), said);
      await story(page).getByRole('button', { name: 'Every detail' }).click();
      await line.getByText('idempotency key').waitFor();
      await line.getByText('For other systems: purchase.paid').waitFor();
      await looked(page, 'timeline');
      const event = await line.getByText(/^evt_/).first().innerText();
      await line.getByRole('link', { name: `JSON of ${event}` }).click();
      await page.getByText(`"${event}"`).waitFor();
      await page.goBack();
      await line.getByRole('link', { name: event, exact: true }).click();
      await page.waitForURL(`**/objects/${event}`);
    },

    async 'a refund is shown before it is made, with its reason, and of real money is typed once more'(page) {
      const id = await buy(page, 'sample-mug');
      await openStory(page, id);
      const dialog = page.getByRole('dialog');
      const start = async (amount) => {
        await story(page).getByLabel('Amount to refund, in USD').fill(amount);
        await story(page).getByRole('button', { name: 'Refund', exact: true }).click();
        await dialog.getByText(`Send ${amount} USD back to`).waitFor();
      };
      await start('5.00');
      assert.match(await dialog.innerText(), /Paid\s+15\.00 USD\s+Refunded before\s+0\.00 USD\s+Refunded now\s+5\.00 USD\s+Then left\s+10\.00 USD/);
      assert.ok(await dialog.getByLabel('The amount once more').isHidden());
      await looked(page, 'refund-dialog', { behindDialog: true });
      await dialog.getByLabel('Reason').selectOption('duplicate');
      const [asked] = await Promise.all([
        page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/refund')),
        dialog.getByRole('button', { name: 'Refund 5.00 USD' }).click(),
      ]);
      assert.equal(new URLSearchParams(asked.postData()).get('reason'), 'duplicate');
      await page.getByRole('status').getByText(/Stripe made the refund of 5\.00 USD: re_\w+ is \w+\./).waitFor();
      await storySays(page, 'partially refunded');
      await page.getByRole('status').getByRole('button', { name: 'Close' }).click();
      await page.getByText('Stripe made the refund').waitFor({ state: 'detached' });

      // As of a shop where real money moves.
      await page.route(/\/refund\?/, async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, json: { ...await answer.json(), live: true } });
      });
      await start('2.00');
      await looked(page, 'refund-live', { behindDialog: true });
      const typed = dialog.getByLabel('The amount once more');
      await typed.fill('2');
      await dialog.getByRole('button', { name: 'Refund 2.00 USD' }).click();
      assert.ok(await dialog.isVisible(), 'something else than the amount was enough');
      await typed.fill('2.00 USD');
      await dialog.getByRole('button', { name: 'Refund 2.00 USD' }).click();
      await story(page).locator('.accounts').getByText('8.00 USD').waitFor();
      await page.unrouteAll({ behavior: 'wait' });
    },

    async 'the dashboard shows what was sold and what is for sale'(page) {
      await buy(page, 'sample-mug');
      await page.goto(`${shop}/_local`);
      const sales = page.locator('#sales');
      await sales.getByText(/net, of \d+ payments?|net, of one payment/).first().waitFor();
      await sales.getByText('As a table, USD').click();
      const sum = await sales.locator('figcaption strong').first().innerText();
      await sales.getByRole('row', { name: sum }).waitFor();
      const products = page.locator('#products');
      await products.getByRole('row', { name: /Stoneware mug.*15\.00 USD/ }).waitFor();
      await products.getByRole('row', { name: /Coffee box.*19\.00 USD \/ month/ }).waitFor();
      await products.getByRole('row', { name: /Sticker sheet.*not for sale/ }).waitFor();
    },

    async 'mail that was refused and an event that cannot be recorded are shown, and tried again'(page) {
      const unsent = page.locator('#unsent');
      const parked = page.locator('#parked');
      await fetch(`${shop}/_local/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ operation: 'SendEmail', fault: 'rejected', times: 1 }),
      });
      const id = await buy(page, 'sample-mug');
      await deliver({
        id: 'evt_drifted', object: 'event', type: 'checkout.session.completed', created: Math.floor(Date.now() / 1000), livemode: false,
        data: { object: { id: 'cs_test_drifted', object: 'checkout.session', amount_total: '15 dollars' } },
      });
      await until('the mail was given up', async () => {
        const { mails } = await (await fetch(`${shop}/_local/mails.json`)).json();
        return mails.some((mail) => mail.purchase === id && mail.state === 'failed');
      });
      await page.goto(`${shop}/_local`);
      const mail = unsent.getByRole('listitem').filter({ hasText: id });
      await mail.waitFor();
      await parked.scrollIntoViewIfNeeded();
      const event = parked.getByRole('listitem').filter({ hasText: 'evt_drifted' });
      await event.getByText('What Stripe sent').click();
      await event.getByText('"15 dollars"').waitFor();
      await looked(page, 'stuck');
      await mail.getByRole('link', { name: 'its purchase' }).click();
      await story(page).locator('h3 + p').getByText(id).waitFor();
      await mail.getByRole('button', { name: 'Resend' }).click();
      await page.getByRole('status').getByText('It goes out now.').waitFor();
      // What is due is looked for every minute.
      await mail.waitFor({ state: 'detached', timeout: 90_000 });
      await event.getByRole('button', { name: 'Replay' }).click();
      await page.getByRole('status').getByText('evt_drifted was replayed: what keeps it from being recorded is still there').waitFor();
      await event.waitFor();
    },

    async 'what the dashboard reads is JSON that can be copied as a curl command'(page) {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.goto(`${shop}/_local`);
      const copied = async (section) => {
        await page.locator(`${section} .source`).last().getByRole('button', { name: 'Copy as curl' }).click();
        await page.locator(`${section} .source`).last().getByText(/^Copied\./).waitFor();
        return page.evaluate(() => navigator.clipboard.readText());
      };
      assert.equal(await copied('#products'), `curl '${shop}/_local/products.json'`);
      await asIfDeployed(page);
      await page.reload();
      assert.equal(await copied('#products'), `curl -H 'Cookie: till-dashboard-${new URL(shop).port}=SECRET' '${shop}/_local/products.json'`);
      await page.locator('#products .source').getByRole('link', { name: 'JSON' }).click();
      await page.getByText('"sample-mug"').waitFor();
      await page.unrouteAll({ behavior: 'wait' });
    },

    async 'where reading costs money the page asks rarely, says when a list was read, and reads it again when told'(page) {
      const id = await buy(page, 'sample-mug');
      await asIfDeployed(page);
      await page.goto(`${shop}/_local`);
      const purchases = page.locator('#purchases');
      await purchases.getByText('Not all of it was read, and the newest may be missing').waitFor();
      await purchases.getByText(/As of .*\d:05/).waitFor();
      await purchases.locator('.list button', { hasText: 'Stoneware mug' }).first().waitFor();
      assert.match(await story(page).getByRole('link', { name: /^pi_/ }).first().getAttribute('href'),
        /^https:\/\/dashboard\.stripe\.com\/test\/payments\/pi_/, id);
      await looked(page, 'read-when-asked');
      let asked = 0;
      page.on('request', (request) => { if (/(purchases|subscriptions|sales|products|mails|parked)\b/.test(request.url())) asked += 1; });
      await page.waitForTimeout(12_000);
      assert.equal(asked, 0, 'it looked within seconds');
      await Promise.all([
        page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/reread')),
        purchases.getByRole('button', { name: 'Read again' }).click(),
      ]);
      await until('all of it was asked for', () => asked >= 5);
      await page.unrouteAll({ behavior: 'wait' });
    },
  };

  /** Tells the shop what Stripe would never say. */
  async function deliver(event) {
    const body = JSON.stringify(event);
    const at = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex');
    const headers = { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': `t=${at},v1=${signature}` };
    const answer = await fetch(`${shop}/webhook`, { method: 'POST', headers, body });
    assert.equal(answer.status, 200, await answer.text());
  }
}
