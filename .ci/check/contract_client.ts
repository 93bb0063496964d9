// What a program in TypeScript sees of site/js/till.js. `contract` compiles it beside till.d.ts and, as written.js, the
// client itself; it never runs.
import { Till, TillError, Unreachable } from './till.js';
import * as written from './written.js';

// The types are those of what is written.
const client: typeof import('./till.js') = written;

const shop = new client.Till('http://127.0.0.1:3000', { token: async () => 'token' });
const { products, next } = await shop.listProducts({ limit: 5 });
const price: number | undefined = products[0]?.price.amount;
if (next !== null) await shop.listProducts({ cursor: next }, { signal: AbortSignal.timeout(price ?? 0) });
const { url } = await shop.openCheckout({ items: [{ product_id: 'a', quantity: 1 }] }, { idempotencyKey: 'key' });
const { status } = await shop.cancelPurchase(url);
if (status === 'expired' || status === 'abandoned') await new Till(url).listEntitlements({ grace: 60 });

// @ts-expect-error: there is no such status.
if (status === 'cancelled') await shop.openPortal();
// @ts-expect-error: how many?
await shop.openCheckout({ items: [{ product_id: 'a' }] });
// @ts-expect-error: prices are the shop's.
await shop.openCheckout({ items: [{ product_id: 'a', quantity: 1, price: 1 }] });
// @ts-expect-error: a page is never called for by a word.
await shop.listPurchases({ limit: 'all' });
// @ts-expect-error: a stock may be absent.
const stock: number = (await shop.getProduct('a')).stock;

const failed: (error: unknown) => string | undefined = (error) => {
  if (error instanceof Unreachable) return error.message;
  return error instanceof TillError ? error.kind ?? `${error.status} ${error.openPurchases[0]?.url ?? stock}` : undefined;
};
await shop.getPurchase('a').catch(failed);
