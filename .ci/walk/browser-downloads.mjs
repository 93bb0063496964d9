/**
 * Scenes of browser.mjs with a product that comes with a file: who has paid downloads it, from a page that has been
 * open for longer than its link works, too, and no longer once the money went back.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PRODUCT = 'sample-notebook';
const NAME = 'Grüße & Notizen.pdf';
const CONTENT = 'what is in the notebook';

/** `tools` are what browser.mjs does and where its things are. */
export function downloadScenes(tools) {
  const { shop, axe, card, fits, headingSays, pay, refund, screenshot, signIn, storySays, until } = tools;

  /** The program `till`, on this shop. */
  function till(...command) {
    const port = (url) => new URL(url).port;
    const ports = ['--port', port(shop), '--stripe-port', port(process.env.STRIPE_URL), '--aws-port', port(process.env.AWS_URL)];
    execFileSync(`${process.env.CARGO_TARGET_DIR}/debug/till`, [...command, ...ports]);
  }

  async function downloaded(page) {
    const started = page.waitForEvent('download');
    await page.getByRole('link', { name: `Download ${NAME}` }).click();
    const download = await started;
    assert.equal(download.suggestedFilename(), NAME);
    assert.equal(readFileSync(await download.path(), 'utf8'), CONTENT);
  }

  return {
    async 'a file is downloaded by who has paid for it, and no more once the money went back'(page) {
      const file = path.join(mkdtempSync(path.join(tmpdir(), 'till-')), NAME);
      writeFileSync(file, CONTENT);
      till('products', 'file', 'push', file, '--product', PRODUCT, '--yes');
      await page.goto(`${shop}/product.html?id=${PRODUCT}`);
      await page.getByText(`A download, ${CONTENT.length} byte`).waitFor();
      await signIn(page, `downloads-${Date.now()}@example.com`);
      await card(page, PRODUCT).getByRole('button', { name: /^Add/ }).click();
      await page.getByRole('link', { name: 'Cart (1)' }).click();
      await page.getByRole('button', { name: 'Check out' }).click();
      await page.waitForURL('**/pay/**');
      await pay(page);
      await headingSays(page, /it is paid/);
      await downloaded(page);
      const id = new URL(page.url()).searchParams.get('purchase_id');
      await page.goto(`${shop}/purchase.html?id=${id}`);
      await page.getByRole('heading', { name: 'Your downloads' }).waitFor();
      for (const [width, colorScheme] of [[1280, 'light'], [320, 'dark']]) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await fits(page, 'a purchase with a file');
        await axe(page, `a purchase with a file at ${width} px, ${colorScheme}`);
        await screenshot(page, `download-${width}-${colorScheme}`);
      }

      till('clock', 'advance', '11m');
      await page.evaluate(() => {
        const now = Date.now.bind(Date);
        Date.now = () => now() + 11 * 60_000;
      });
      await downloaded(page);

      const dashboard = await page.context().newPage();
      await dashboard.goto(`${shop}/_local?purchase=${id}`);
      await dashboard.locator('#purchases .story').waitFor();
      await refund(dashboard);
      await storySays(dashboard, 'refunded');
      await dashboard.close();
      await page.evaluate(() => {
        const now = Date.now.bind(Date);
        Date.now = () => now() + 11 * 60_000;
      });
      await page.getByRole('link', { name: `Download ${NAME}` }).click();
      await page.getByText('This can no longer be downloaded.').waitFor();
      await until('the files are gone', async () => {
        await page.reload();
        await page.locator('.order').waitFor();
        return await page.locator('.downloads').count() === 0;
      });
    },
  };
}
