/**
 * Scenes of browser.mjs about subscriptions: the billing portal, and a year in which the dashboard's dial moves
 * the clock of shop and Stripe. They come last, because the clock never goes back.
 */
import assert from 'node:assert/strict';

const GOOD_CARD = '4242424242424242';
/** It can be kept, but is declined whenever it is charged. */
const FAILING_CARD = '4000000000000341';
const KEY = 'sk_test_local';

/** `tools` are what browser.mjs does and where its things are. */
export function subscriptionScenes(tools) {
  const { shop, axe, card, fits, headingSays, pay, screenshot, signIn, tokenOf, until } = tools;

  /** Subscribes to the coffee and opens the subscription's page. Returns its id. */
  async function subscribe(page, buyer) {
    await signIn(page, buyer);
    await card(page, 'sample-coffee').getByRole('button', { name: /^Subscribe/ }).click();
    await page.waitForURL('**/pay/**');
    await pay(page);
    await headingSays(page, /it is paid/);
    await page.getByRole('link', { name: 'Your subscription' }).click();
    await sees(page, 'Active');
    return new URL(page.url()).searchParams.get('id');
  }

  /** Waits until the subscription's page on the site says how it stands. */
  async function sees(page, badge) {
    await until(`the subscription is shown as "${badge}"`, async () => {
      await page.reload();
      const shown = page.locator('#content:not([aria-busy]) .badge').first();
      await shown.waitFor();
      return await shown.innerText() === badge;
    });
  }

  async function openPortal(page, id) {
    await page.goto(`${shop}/subscription.html?id=${id}`);
    await page.getByRole('button', { name: /^(Change how you pay|Keep it)/ }).click();
    await page.waitForURL('**/portal/**');
    await page.getByRole('heading', { name: 'Your plans and payments' }).waitFor();
  }

  /** Adds a card in the portal, by one of the presses beside the form. */
  async function addCard(page, number) {
    await page.getByRole('link', { name: 'Add payment method' }).click();
    await page.locator(`.hints button[data-card="${number.replace(/(\d{4})(?=\d)/g, '$1 ')}"]`).click();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Your payment method has been added.').waitFor();
    await page.locator('#methods + ul li', { hasText: number.slice(-4) }).getByText('Default').first().waitFor();
  }

  async function backToShop(page) {
    await page.getByRole('link', { name: /Return to/ }).first().click();
    await page.waitForURL('**/subscriptions.html');
  }

  /** Turns the dial, and waits for what happened. */
  async function turn(page, label) {
    const clock = page.locator('#clock');
    const button = clock.getByRole('button', { name: label, exact: true });
    await button.click();
    await page.locator('#clock button:disabled').first().waitFor();
    await button.and(page.locator(':enabled')).waitFor();
    assert.doesNotMatch(await clock.getByRole('status').innerText(), /still on its way/);
  }

  async function openDashboard(page, id) {
    await page.goto(`${shop}/_local?subscription=${id}`);
    await page.locator('#subscriptions .story').getByText(id).first().waitFor();
  }

  async function asked(path, headers) {
    const answer = await fetch(path, { headers });
    assert.ok(answer.ok, `${path} answered ${answer.status}`);
    return answer.json();
  }

  /** What Stripe's own API says of a subscription's invoices, oldest first. */
  async function invoicesAtStripe(page, id) {
    const stripe = new URL(await page.locator('main').getAttribute('data-objects')).origin;
    const listed = await asked(`${stripe}/v1/invoices?subscription=${id}&limit=100`, { authorization: `Bearer ${KEY}` });
    return listed.data.reverse().map(({ id: invoice, number, status, amount_paid: paid }) => [invoice, number, status, paid]);
  }

  return {
    async 'a subscriber looks after their plan in the portal, also on a small phone at night'(page) {
      const id = await subscribe(page, `portal-${Date.now()}@example.com`);
      for (const [width, colorScheme] of [[1280, 'light'], [320, 'dark']]) {
        const seen = async (what) => {
          await fits(page, `${what} at ${width} px`);
          await axe(page, what);
          await screenshot(page, `portal-${what.replaceAll(' ', '-')}-${width}`);
        };
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await openPortal(page, id);
        await seen('the portal');
        await page.getByRole('link', { name: 'Add payment method' }).click();
        await seen('adding a card');
        await page.getByRole('link', { name: '← Back' }).click();
        await addCard(page, width > 320 ? '5555555555554444' : GOOD_CARD);
        await page.getByRole('button', { name: /^Remove/ }).first().click();
        await page.getByText('Your payment method has been removed.').waitFor();

        await page.getByRole('link', { name: 'Cancel plan' }).click();
        await seen('cancelling');
        await page.getByRole('button', { name: 'Cancel plan' }).click();
        await page.getByText('Cancels soon').waitFor();
        await seen('a cancelled plan');
        await backToShop(page);
        await page.goto(`${shop}/subscription.html?id=${id}`);
        await sees(page, 'Cancelled');
        await openPortal(page, id);
        await page.getByRole('button', { name: 'Don\'t cancel plan' }).click();
        await page.getByText('Your plan goes on.').waitFor();

        await page.getByRole('link', { name: 'Update details' }).click();
        await seen('the details');
        await page.getByLabel('Name').fill('Ada Lovelace');
        await page.getByRole('button', { name: 'Save' }).click();
        await page.getByText('Ada Lovelace').waitFor();
        await page.locator('#invoices + ul a').first().click();
        await page.getByText('Invoice from').waitFor();
        await seen('an invoice');
        await page.goto(`${shop}/subscription.html?id=${id}`);
        await sees(page, 'Active');
      }
    },

    async 'the dial stays shut until a move is over, also while the page still shows the one before'(page) {
      const gate = async (path) => {
        const [opened, open] = promised();
        await page.route(path, async (route) => {
          await opened;
          await route.continue();
        });
        return open;
      };
      await page.goto(`${shop}/_local`);
      const button = page.locator('#clock').getByRole('button', { name: '+ 1 hour', exact: true });
      const shut = page.locator('#clock button:disabled');
      const openBus = await gate('**/_local/bus.json*');
      await button.click();
      await shut.first().waitFor();
      await button.and(page.locator(':enabled')).waitFor();

      const openSettle = await gate('**/_local/settle');
      await button.click();
      await shut.first().waitFor();
      openBus();
      // The page looks again once it has shown everything.
      await page.waitForResponse('**/_local/bus.json*');
      await page.waitForRequest('**/_local/bus.json*');
      assert.equal(await button.isDisabled(), true, 'a move is under way, and another could be begun');
      openSettle();
      await button.and(page.locator(':enabled')).waitFor();
    },

    async 'a year of a subscription, whose card fails in March and is replaced in April'(page, open) {
      const buyer = `year-${Date.now()}@example.com`;
      await fetch(`${shop}/_local/stripe/clock`, { method: 'POST', body: new URLSearchParams({ advance: `${await secondsToJanuary(shop, asked)}` }) });
      const id = await subscribe(page, buyer);
      const dashboard = await open();
      const clock = dashboard.locator('#clock');
      /** What the dial told of this buyer: others subscribe, too. */
      const told = async () => (await clock.locator('.news li', { hasText: buyer }).allInnerTexts()).join('\n');
      const times = async (what) => (await told()).match(what)?.length ?? 0;
      await openDashboard(dashboard, id);
      // From now on, each month ends just after a renewal.
      await turn(dashboard, '+ 1 day');
      await turn(dashboard, '+ 1 month');
      assert.match(await clock.locator('.happened h3').last().innerText(), /^February/);
      assert.match(await told(), /\$19\.00 paid[^]*Mail: .*receipt/);

      await openPortal(page, id);
      await addCard(page, FAILING_CARD);
      await turn(dashboard, '+ 1 month');
      assert.match(await told(), /\$19\.00 could not be charged[^]*now past due[^]*Mail: .*payment/i);
      await screenshot(dashboard, 'dial-march');
      await page.goto(`${shop}/subscription.html?id=${id}`);
      await sees(page, 'Payment failed');
      await page.getByText('19.00 USD is to be paid.').waitFor();
      await screenshot(page, 'past-due');
      await dashboard.locator('#mailbox .list button', { hasText: buyer }).filter({ hasText: /payment .* failed/i }).first().waitFor();
      await dashboard.locator('#subscriptions .story h3').getByText('past due').waitFor();
      await screenshot(dashboard, 'dashboard-past-due');

      await turn(dashboard, '+ 1 week');
      await openPortal(page, id);
      await addCard(page, GOOD_CARD);
      await page.locator('#invoices + ul li', { hasText: 'Open' }).getByRole('link').click();
      await page.getByRole('button', { name: /^Pay \$19\.00/ }).click();
      await page.locator('.state.paid').waitFor();
      await page.goto(`${shop}/subscription.html?id=${id}`);
      await sees(page, 'Active');

      for (const label of ['+ 3 months', '+ 3 months', '+ 1 month', '+ 1 month', '+ 1 month']) {
        await turn(dashboard, label);
        if (label === '+ 3 months') {
          assert.deepEqual([await times(/\$19\.00 paid/g), await times(/Mail: .*receipt/g)], [3, 3], await told());
          await screenshot(dashboard, 'dial-three-months');
        }
      }
      await page.reload();
      await sees(page, 'Active');
      await screenshot(page, 'year');

      // Whoever is asked says the same.
      const stripe = await invoicesAtStripe(dashboard, id);
      assert.equal(stripe.length, 12);
      assert.ok(stripe.every(([, , status, paid]) => status === 'paid' && paid === 1900), JSON.stringify(stripe));
      const line = ({ id: invoice, number, status, paid }) => [invoice, number, status, paid.amount];
      const authorization = `Bearer ${await tokenOf(buyer)}`;
      const seen = await asked(`${shop}/subscriptions/${id}`, { authorization });
      assert.deepEqual(seen.invoices.map(line).reverse(), stripe);
      assert.equal(await page.locator('.rows a.row').count(), 12);
      const story = await asked(`${shop}/_local/subscriptions/${id}`);
      assert.deepEqual(story.subscription.invoices.map(line).reverse(), stripe);
      const entitled = await asked(`${shop}/entitlements?grace=0`, { authorization });
      assert.deepEqual(entitled.entitlements.map(({ product_id: product, active, active_until: end }) => [product, active, end]),
        [['sample-coffee', true, seen.period.end]]);

      const sent = (mails) => mails.filter(({ state }) => state === 'sent').map(({ mail }) => mail.split('#')[0]);
      const letters = stripe.map(([invoice]) => sent(story.of_invoices[invoice].mails));
      assert.deepEqual(letters.map((kinds) => kinds.includes('paid')), [false, ...Array(11).fill(true)]);
      assert.ok(letters[2].includes('payment_failed'), 'nobody was told that the payment in March failed');
      const began = await asked(`${shop}/_local/purchases/${story.subscription.purchase_id}`);
      assert.deepEqual(sent(began.mails), ['welcome', 'sold']);
      const mails = (await asked(`${shop}/_local/mailbox.json`)).filter(({ subject, to }) => `${subject} ${to}`.includes(buyer));
      assert.equal(mails.length, 1 + letters.flat().length);
      await dashboard.reload();
      await axe(dashboard, 'the dashboard');
      await screenshot(dashboard, 'dashboard-year');
    },
  };
}

/** To noon on the next 25 January, so that the months of the year to come are those of the calendar. */
async function secondsToJanuary(shop, asked) {
  const { now } = await asked(`${shop}/_local/stripe/clock`);
  const year = new Date(now * 1000).getUTCFullYear();
  const noons = [year, year + 1].map((each) => Date.UTC(each, 0, 25, 12) / 1000);
  return noons.find((noon) => noon > now) - now;
}

/** A promise, and what keeps it. */
function promised() {
  let keep;
  const promise = new Promise((kept) => { keep = kept; });
  return [promise, keep];
}
