/**
 * Scenes of browser.mjs about products: their pages, the variants of one, categories, looking for them, and the shop
 * in German.
 */
import assert from 'node:assert/strict';

/** Widths and colors in which a page is looked at. */
const LOOKS = [[1280, 'light'], [1280, 'dark'], [320, 'light'], [320, 'dark']];

/** `tools` are what browser.mjs does and where its things are. */
export function productScenes(tools) {
  const { shop, axe, card, enterEmail, faintControls, fits, headingSays, layoutShift, pay, screenshot } = tools;

  async function looked(page, name) {
    for (const [width, colorScheme] of LOOKS) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await fits(page, `${name} at ${width} px`);
      await axe(page, `${name} at ${width} px, ${colorScheme}`);
      await screenshot(page, `${name}-${width}-${colorScheme}`);
      assert.deepEqual(await page.evaluate(faintControls), [], `${name}, ${colorScheme}`);
    }
  }

  return {
    async 'a product has a page of its own, with all its pictures, and is bought there'(page) {
      await page.goto(shop);
      await card(page, 'sample-notebook').getByRole('link', { name: 'Dot-grid notebook' }).click();
      await headingSays(page, 'Dot-grid notebook');
      assert.equal(await page.title(), 'Dot-grid notebook · Till');
      const large = page.getByRole('img', { name: 'Dot-grid notebook' });
      assert.match(await large.getAttribute('src'), /sample-notebook\.svg$/);
      const second = page.getByRole('link', { name: 'Picture 2 of 2' });
      await second.focus();
      await page.keyboard.press('Enter');
      assert.match(await large.getAttribute('src'), /sample-notebook-open\.svg$/);
      assert.equal(await second.getAttribute('aria-current'), 'true');
      await looked(page, 'product');

      await page.setViewportSize({ width: 1280, height: 900 });
      await page.getByRole('button', { name: 'One more' }).click();
      await page.getByRole('button', { name: /^Add to cart/ }).click();
      await page.getByRole('status').getByText('2 × Dot-grid notebook added to your cart.').waitFor();
      await page.getByRole('button', { name: /^Buy/ }).click();
      await enterEmail(page);
      await page.waitForURL('**/pay/**');
      await pay(page);
      await headingSays(page, /it is paid/);
      assert.match(await page.locator('.order').innerText(), /2 × .*12[.,]50/);
    },

    async 'a variant leads to the others of its group, and says which cannot be had'(page) {
      await page.goto(`${shop}/product.html?id=sample-notebook`);
      const covers = page.getByRole('list', { name: 'cover' });
      assert.equal(await covers.locator('[aria-current]').innerText(), 'blue');
      await covers.getByRole('link', { name: 'red', exact: true }).click();
      await headingSays(page, 'Dot-grid notebook, red');
      await covers.getByRole('link', { name: 'blue', exact: true }).waitFor();

      await page.route(/\/products\?/, async (route) => {
        const answer = await route.fetch();
        const json = await answer.json();
        for (const product of json.products) if (product.id === 'sample-notebook') product.stock = 0;
        await route.fulfill({ response: answer, json });
      });
      await page.reload();
      await covers.getByRole('link', { name: 'blue, sold out' }).waitFor();
      await looked(page, 'variant-sold-out');
      // In the shop window, one of them stands for all.
      await page.unroute(/\/products\?/);
      await page.goto(shop);
      await card(page, 'sample-notebook').getByText('To choose: cover').waitFor();
      assert.equal(await card(page, 'sample-notebook-red').count(), 0);
    },

    async 'sizes are in the order in which people wear them, and lead to the most similar that can be had'(page) {
      const shirt = (id, size, color, stock) => ({
        id, name: `Shirt ${size} ${color}`, description: '', images: [], price: { amount: 2500, currency: 'usd' }, active: true,
        group: 'shirt', options: { color, size }, ...(stock === undefined ? {} : { stock }),
      });
      const all = [shirt('s1', 'XL', 'red'), shirt('s2', 'S', 'red'), shirt('s3', 'M', 'red', 0), shirt('s4', 'M', 'sand'),
        shirt('s5', 'L', 'sand'), shirt('s6', 'S', 'sand')];
      await page.route(/\/products\?/, (route) => route.fulfill({ json: { products: all, next: null } }));
      await page.route(/\/products\/s\d$/, (route) => route.fulfill({ json: all.find(({ id }) => route.request().url().endsWith(id)) }));
      await page.goto(`${shop}/product.html?id=s2`);
      const sizes = page.getByRole('list', { name: 'size' });
      await sizes.getByText('XL').waitFor();
      assert.deepEqual((await sizes.getByRole('listitem').allInnerTexts()), ['S', 'M', 'L', 'XL']);
      // Red is what they came for, so it is red that is sold out; there is no large one in red.
      assert.match(await sizes.getByRole('link', { name: 'M, sold out' }).getAttribute('href'), /id=s3$/);
      assert.match(await sizes.getByRole('link', { name: 'L', exact: true }).getAttribute('href'), /id=s5$/);
      assert.match(await page.getByRole('list', { name: 'color' }).getByRole('link').getAttribute('href'), /id=s6$/);
    },

    async 'products are found by words and by category, and what was looked for can be linked to'(page) {
      await page.goto(shop);
      const found = page.locator('.card h2');
      await page.getByRole('searchbox', { name: 'Search the products' }).pressSequentially('LIGHTHOUSE print');
      await page.locator('#told').getByText('2 products found').waitFor();
      assert.deepEqual((await found.allInnerTexts()).sort(), ['Lighthouse poster', 'Signed lighthouse print']);
      assert.ok(page.url().endsWith('?q=LIGHTHOUSE+print'), page.url());
      await page.reload();
      await page.locator('#told').getByText('2 products found').waitFor();
      await looked(page, 'found');

      await page.getByRole('searchbox').fill('röd mügs');
      await page.getByText('Nothing found').waitFor();
      await looked(page, 'nothing-found');
      await page.getByRole('searchbox').fill('');
      await card(page, 'sample-mug').waitFor();
      assert.ok(!page.url().includes('q='), page.url());

      await page.getByRole('navigation', { name: 'Categories' }).getByRole('link', { name: 'Wall' }).click();
      await page.locator('#told').getByText('2 products found').waitFor();
      assert.equal(await page.getByRole('link', { name: 'Wall' }).getAttribute('aria-current'), 'page');
      await page.getByRole('searchbox').fill('signed');
      await page.locator('#told').getByText('1 product found').waitFor();
      await card(page, 'sample-print').getByRole('link').click();
      await page.getByRole('link', { name: 'Wall' }).click();
      await page.locator('#told').getByText('2 products found').waitFor();
    },

    async 'a product that is not there is said to be gone, with a way on'(page) {
      await page.goto(`${shop}/product.html?id=gone-for-good`);
      await page.getByRole('heading', { name: 'This product is no longer sold' }).waitFor();
      await page.goto(`${shop}/product.html`);
      await page.getByRole('heading', { name: 'does not say which product' }).waitFor();
      await page.getByRole('link', { name: 'See the products' }).click();
      await card(page, 'sample-mug').waitFor();
    },

    async 'the whole way through the shop is in German for whoever chooses it'(page) {
      await page.goto(shop);
      await page.getByRole('navigation', { name: 'Language' }).getByRole('link', { name: 'Deutsch' }).click();
      await page.getByRole('heading', { name: 'Gute Dinge, mit Ruhe gemacht' }).waitFor();
      assert.equal(await page.locator('html').getAttribute('lang'), 'de');
      assert.equal(await page.title(), 'Produkte · Till');
      await card(page, 'sample-mug').getByText('15,00 USD').waitFor();
      await card(page, 'sample-magazine').getByText('9,00 USD / 3 Monate').waitFor();
      await looked(page, 'german');

      // It is remembered, also beyond the addresses that other sites make.
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(`${shop}/product.html?id=sample-mug`);
      await page.getByRole('button', { name: 'In den Warenkorb: Stoneware mug' }).click();
      await page.getByRole('status').getByText('1 × Stoneware mug liegt im Warenkorb.').waitFor();
      await page.getByRole('status').getByRole('link', { name: 'Zum Warenkorb' }).click();
      await page.getByRole('heading', { name: 'Ihr Warenkorb' }).waitFor();
      await looked(page, 'german-cart');
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.getByRole('button', { name: 'Zur Kasse' }).click();
      await enterEmail(page);
      await page.waitForURL('**/pay/**');
      await pay(page);
      await headingSays(page, 'Vielen Dank, es ist bezahlt!');
      await screenshot(page, 'german-success');
      await page.getByRole('link', { name: 'Diesen Kauf ansehen' }).click();
      await page.locator('.badge').getByText('Bezahlt', { exact: true }).waitFor();
      await looked(page, 'german-purchase');
      await page.goto(`${shop}/nothing.html`);
      await page.getByRole('heading', { name: 'Diese Seite gibt es nicht' }).waitFor();
    },

    async 'a browser that asks for German gets it, and one that asks for neither gets the first'(page, open, { inLanguage }) {
      const german = await inLanguage('de-CH');
      await german.goto(shop);
      await german.getByRole('heading', { name: 'Gute Dinge' }).waitFor();
      // Somebody in Switzerland separates thousands their own way, in German.
      assert.equal(await german.evaluate(async () => (await import('./js/money.js')).formatMoney({ amount: 1_234_500, currency: 'chf' })),
        new Intl.NumberFormat('de-CH', { minimumFractionDigits: 2 }).format(12345) + '\u00a0CHF');
      await german.goto(`${shop}/index.html?lang=en`);
      await german.getByRole('heading', { name: 'Good things' }).waitFor();
      const portuguese = await inLanguage('pt-BR');
      await portuguese.goto(shop);
      await portuguese.getByRole('heading', { name: 'Good things' }).waitFor();
    },

    async 'nothing jumps about on a product page, in either language'(page) {
      for (const width of [320, 1200]) {
        await page.setViewportSize({ width, height: 800 });
        for (const address of ['product.html?id=sample-notebook', 'product.html?id=sample-mug&lang=de', 'index.html?category=Wall', 'index.html']) {
          await page.goto(`${shop}/${address}`);
          await page.locator('#content:not([aria-busy])').waitFor();
          await page.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 300); }));
          const { sum, moved } = await layoutShift(page);
          assert.ok(sum < 0.1, `${address} at ${width} px shifts by ${sum.toFixed(3)}: ${moved}`);
        }
      }
    },
  };
}

/** Scenes on pages that `till site build` wrote, which a plain static host serves at `site`. */
export function builtScenes(site, tools) {
  const { axe, card, enterEmail, fits, headingSays, layoutShift, pay, screenshot } = tools;
  return {
    async 'a page that was written beforehand shows its product to a browser without scripts'(page, open, { withoutScripts }) {
      const plain = await withoutScripts();
      await plain.goto(`${site}/p/sample-notebook.html`);
      await headingSays(plain, 'Dot-grid notebook');
      assert.match(await plain.locator('main').innerText(), /12\.50 USD/);
      assert.ok(await plain.getByRole('img', { name: 'Dot-grid notebook' }).evaluate((image) => image.complete && image.naturalWidth > 0));
      await plain.goto(`${site}/`);
      await card(plain, 'sample-mug').getByRole('link', { name: 'Stoneware mug' }).click();
      await headingSays(plain, 'Stoneware mug');
      await screenshot(plain, 'built-without-scripts');
    },

    async 'it shows what the shop says as soon as it knows, without jumping, and is bought from'(page) {
      for (const [width, colorScheme] of [[320, 'light'], [1280, 'dark']]) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        for (const address of ['p/sample-notebook.html', '']) {
          await page.goto(`${site}/${address}`);
          await page.locator('#content:not([aria-busy]) .buying .primary').first().waitFor();
          await page.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 300); }));
          const { sum, moved } = await layoutShift(page);
          assert.ok(sum < 0.1, `/${address} at ${width} px shifts by ${sum.toFixed(3)}: ${moved}`);
          await fits(page, `/${address}`);
          await axe(page, `/${address} at ${width} px, ${colorScheme}`);
          await screenshot(page, `built-${address === '' ? 'index' : 'product'}-${width}-${colorScheme}`);
        }
      }
      await page.goto(`${site}/`);
      await card(page, 'sample-notebook').getByRole('link').click();
      await page.waitForURL(`${site}/p/sample-notebook.html`);
      await page.getByRole('list', { name: 'cover' }).getByRole('link', { name: 'red' }).click();
      await page.waitForURL(`${site}/p/sample-notebook-red.html`);
      await page.getByRole('button', { name: /^Add to cart/ }).click();
      await page.getByRole('status').getByRole('link', { name: 'View cart' }).click();
      await page.waitForURL(`${site}/cart.html`);
      await page.locator('.cart-row').getByText('Dot-grid notebook, red').waitFor();
      await page.goBack();
      await page.getByRole('button', { name: /^Buy/ }).click();
      await enterEmail(page);
      await page.waitForURL('**/pay/**');
      await pay(page);
      await headingSays(page, /it is paid/);
    },

    async 'a page weighs less than 100 kB in all, and asks for its first picture before a script has run'(page) {
      const session = await page.context().newCDPSession(page);
      await session.send('Network.enable');
      let weight = 0;
      session.on('Network.loadingFinished', ({ encodedDataLength }) => { weight += encodedDataLength; });
      for (const address of ['p/sample-notebook.html', '']) {
        weight = 0;
        await session.send('Network.clearBrowserCache');
        await page.goto(`${site}/${address}`, { waitUntil: 'networkidle' });
        await page.locator('#content:not([aria-busy]) .buying .primary').first().waitFor();
        const [picture, config] = await page.evaluate(() => {
          const begun = (file) => Math.min(...performance.getEntriesByType('resource')
            .filter(({ name }) => name.includes(file)).map(({ startTime }) => startTime));
          return [begun('/images/sample'), begun('/config.json')];
        });
        assert.ok(picture < config, `/${address} asks for a picture after ${picture} ms, for its configuration after ${config} ms`);
        assert.ok(weight > 20_000 && weight < 100_000, `/${address} weighs ${weight} bytes`);
      }
    },

    async 'a product that is newer than the pages is shown all the same'(page) {
      await page.goto(`${site}/p/.new.html`);
      await page.waitForURL(`${site}/product.html?id=.new`);
      await page.getByRole('heading', { name: 'This product is no longer sold' }).waitFor();
    },
  };
}
