/**
 * A scene of browser.mjs, of a shop whose tax Stripe reckons and which has invoices written (TAXED): what is said of
 * tax beside a price, in the cart, on the payment page, and of what was paid and refunded.
 */
import assert from 'node:assert/strict';

/** `tools` are what browser.mjs does and where its things are. */
export function taxScenes(tools) {
  const { shop, axe, card, fits, headingSays, pay, refund, screenshot, signIn, storySays, until } = tools;

  /** Sets whether tax is in a product's price, as `till products set` would. */
  async function tax(id, behavior) {
    const answer = await fetch(process.env.AWS_URL, {
      method: 'POST',
      headers: {
        'X-Amz-Target': 'DynamoDB_20120810.UpdateItem',
        'X-Amz-Date': '20260101T000000Z',
        'Content-Type': 'application/x-amz-json-1.0',
        Authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00',
      },
      body: JSON.stringify({
        TableName: 'ProductsTable', Key: { id: { S: id } }, UpdateExpression: 'SET tax_behavior = :behavior',
        ExpressionAttributeValues: { ':behavior': { S: behavior } },
      }),
    });
    assert.equal(answer.status, 200, await answer.text());
  }

  /** Fills in where the buyer lives, which the payment page asks for because of the tax. */
  async function livesInBerlin(page) {
    await page.locator('[name=billing_country]').selectOption('DE');
    for (const [name, value] of Object.entries({
      billing_line1: 'Weg 1', billing_postal_code: '10115', billing_city: 'Berlin',
    })) await page.locator(`[name=${name}]`).fill(value);
  }

  return {
    async 'tax comes on top of one price, is in the other, and is said of what is paid and refunded'(page) {
      await tax('sample-mug', 'exclusive');
      await tax('sample-notebook', 'inclusive');
      await signIn(page, `taxes-${Date.now()}@example.com`);
      assert.match(await card(page, 'sample-mug').innerText(), /15[.,]00[^\n]*plus tax/);
      assert.doesNotMatch(await card(page, 'sample-notebook').innerText(), /plus tax/);
      for (const id of ['sample-mug', 'sample-notebook']) {
        await card(page, id).getByRole('button', { name: /^Add/ }).click();
      }
      await page.getByRole('link', { name: 'Cart (2)' }).click();
      await page.getByText('How much tax comes on top is on the payment page, before you pay.').waitFor();
      for (const [width, colorScheme] of [[1280, 'light'], [320, 'dark']]) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await fits(page, 'a cart with tax');
        await axe(page, `a cart with tax at ${width} px, ${colorScheme}`);
        await screenshot(page, `tax-cart-${width}-${colorScheme}`);
      }
      await page.getByRole('button', { name: 'Check out' }).click();
      await page.waitForURL('**/pay/**');
      await livesInBerlin(page);
      await pay(page);
      await headingSays(page, /it is paid/);
      const id = new URL(page.url()).searchParams.get('purchase_id');
      await page.goto(`${shop}/purchase.html?id=${id}`);
      const order = page.locator('.order');
      await order.waitFor();
      assert.match(await order.innerText(), /Subtotal[\s\S]*Tax[\s\S]*2[.,]85[\s\S]*You paid[\s\S]*Of which tax/);
      const invoice = page.locator('.facts a');
      await until('the invoice is known', async () => {
        if (await invoice.count() === 0) await page.reload();
        return await invoice.count() > 0;
      });
      assert.match(await invoice.getAttribute('href'), /^http/);

      await page.goto(`${shop}/_local?purchase=${id}`);
      const story = page.locator('#purchases .story');
      await story.getByText('in prices').first().waitFor();
      await screenshot(page, 'tax-dashboard');
      await refund(page);
      await storySays(page, 'refunded');
      await until('the refund is there', async () => {
        await page.goto(`${shop}/purchase.html?id=${id}`);
        await order.waitFor();
        return /Refunded/.test(await order.innerText());
      });
      assert.match(await order.innerText(), /Refunded[\s\S]*Of which tax/);
      for (const width of [320, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        await fits(page, 'a purchase with tax');
        await axe(page, `a purchase with tax at ${width} px`);
        await screenshot(page, `tax-purchase-${width}`);
      }
    },
  };
}
