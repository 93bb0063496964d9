/**
 * A scene of browser.mjs about what is shipped: the country that the shop has to know, the address on the payment
 * page, and where both are seen afterwards.
 */
import assert from 'node:assert/strict';

/** `tools` are what browser.mjs does and where its things are. */
export function shippingScenes(tools) {
  const { shop, axe, card, fits, headingSays, pay, screenshot, signIn } = tools;

  /** Fills in the payment page's fields about the delivery. */
  async function address(page) {
    for (const [name, value] of Object.entries({
      phone: '+49 30 1234567', shipping_name: 'Ada Byron', shipping_line1: 'Weg 1', shipping_postal_code: '10115',
      shipping_city: 'Berlin',
    })) await page.locator(`[name=${name}]`).fill(value);
    assert.equal(await page.locator('[name=shipping_country]').inputValue(), 'DE', 'the only country is chosen');
  }

  return {
    async 'what is shipped asks for the country, is sent to an address, and says so to the buyer and the seller'(page) {
      await signIn(page, `shipping-${Date.now()}@example.com`);
      const teapot = card(page, 'sample-teapot');
      assert.match(await teapot.innerText(), /Delivered by post/);
      await teapot.getByRole('button', { name: /^Add/ }).click();
      await page.getByRole('link', { name: 'Cart (1)' }).click();
      await page.getByText('What shipping costs is on the payment page').waitFor();

      // Not now: nothing happens, and it is asked again.
      const checkOut = page.getByRole('button', { name: 'Check out' });
      const dialog = page.getByRole('dialog', { name: 'Where should it go?' });
      await checkOut.click();
      await dialog.getByRole('button', { name: 'Not now' }).click();
      await dialog.waitFor({ state: 'detached' });
      await checkOut.click();
      await dialog.waitFor();
      for (const [width, colorScheme] of [[1280, 'light'], [320, 'dark'], [320, 'light']]) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await fits(page, 'the question for the country');
        await axe(page, `the question for the country at ${width} px, ${colorScheme}`);
        await screenshot(page, `shipping-country-${width}-${colorScheme}`);
      }
      await dialog.getByLabel('Country').selectOption({ label: 'Germany' });
      await dialog.getByRole('button', { name: 'Continue' }).click();

      await page.waitForURL('**/pay/**');
      await address(page);
      await screenshot(page, 'shipping-payment');
      await pay(page);
      await headingSays(page, /it is paid/);
      assert.match(await page.locator('.order').innerText(), /Subtotal[\s\S]*38[.,]00[\s\S]*Shipping[\s\S]*12[.,]00/);
      const id = new URL(page.url()).searchParams.get('purchase_id');
      await page.goto(`${shop}/purchase.html?id=${id}`);
      const facts = page.locator('.facts');
      await facts.waitFor();
      assert.match(await facts.innerText(), /Ada Byron\s+Weg 1\s+10115 Berlin\s+Germany/);
      assert.match(await facts.innerText(), /Airmail/);
      for (const width of [320, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        await fits(page, 'a purchase that is shipped');
        await axe(page, `a purchase that is shipped at ${width} px`);
        await screenshot(page, `shipping-purchase-${width}`);
      }

      await page.goto(`${shop}/_local?purchase=${id}`);
      const story = page.locator('#purchases .story');
      await story.getByText('Ada Byron, Weg 1').waitFor();
      assert.match(await story.innerText(), /by Airmail/);
      await screenshot(page, 'shipping-dashboard');
    },

    async 'what is shipped is not paid for together with a subscription'(page) {
      await signIn(page, `shipping-${Date.now()}@example.com`);
      for (const id of ['sample-teapot', 'sample-coffee', 'sample-mug']) {
        await card(page, id).getByRole('button', { name: /^Add/ }).click();
      }
      await page.getByRole('link', { name: 'Cart (3)' }).click();
      await page.getByText('Shipping cannot be paid for together with a subscription.').waitFor();
      const parts = page.locator('#content > .rows');
      assert.equal(await parts.count(), 2);
      assert.match(await parts.first().innerText(), /Coffee box[\s\S]*mug|mug[\s\S]*Coffee box/);
      assert.match(await parts.nth(1).innerText(), /teapot/);
      await fits(page, 'a cart in two parts');
      await screenshot(page, 'shipping-parts');
    },
  };
}
