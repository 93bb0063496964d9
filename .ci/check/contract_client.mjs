// Uses the shop at $SHOP_URL with the client of the site, and a server of its own for what the shop does not do on demand.
// Run by `contract`.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Till, TillError, Unreachable } from '../../site/js/till.js';

const shopUrl = process.env.SHOP_URL;
const signedIn = await fetch(`${shopUrl}/_local/token`, {
  method: 'POST', body: new URLSearchParams({ email: 'grace@example.com' }),
});
const { access_token: token } = await signedIn.json();
const shop = new Till(shopUrl, { token: () => token });
const mug = { items: [{ product_id: 'sample-mug', quantity: 1 }] };

/** What a call was refused with. */
async function refusal(calling) {
  const error = await calling.then(() => assert.fail('it was not refused'), (thrown) => thrown);
  assert.ok(error instanceof TillError, String(error));
  return error;
}

// Pages are read to the end, and each product by its id.
const ids = [];
for (let cursor; cursor !== null;) {
  const page = await shop.listProducts({ limit: 2, cursor });
  ids.push(...page.products.map(({ id }) => id));
  cursor = page.next;
}
assert.ok(ids.includes('sample-mug') && new Set(ids).size === ids.length, ids.join());
assert.equal((await shop.getProduct('sample-mug')).price.amount, 1500);

// One key is one purchase, no key is another; both are the buyer's, who can cancel them.
const first = await shop.openCheckout(mug, { idempotencyKey: 'one' });
assert.deepEqual(await shop.openCheckout(mug, { idempotencyKey: 'one' }), first);
const second = await shop.openCheckout(mug);
assert.notEqual(second.purchase_id, first.purchase_id);
const { purchases } = await shop.listPurchases({ status: 'open' });
assert.deepEqual(purchases.map(({ id }) => id), [second.purchase_id, first.purchase_id]);
assert.equal((await shop.getPurchase(first.purchase_id)).payment.url, first.url);
for (const { id } of purchases) assert.equal((await shop.cancelPurchase(id)).status, 'expired');
assert.deepEqual((await shop.listPurchases()).purchases, []);
assert.deepEqual((await shop.listSubscriptions()).subscriptions, []);
assert.deepEqual((await shop.listEntitlements({ grace: 60 })).entitlements, []);

// Problems say which they are.
const unknown = await refusal(shop.openCheckout({ items: [{ product_id: 'no-such', quantity: 1 }] }));
assert.deepEqual([unknown.status, unknown.kind], [404, 'unknown-product']);
assert.match(unknown.message, /no-such/);
assert.ok(unknown.requestId);
assert.equal((await refusal(shop.getSubscription('sub_1'))).kind, 'not-found');
assert.equal((await refusal(shop.openPortal())).status, 404);
assert.equal((await refusal(shop.getProduct('a/b?c'))).kind, 'not-found');
assert.equal((await refusal(new Till(shopUrl).listPurchases())).status, 401);
const refused = await refusal(new Till(shopUrl, { token: () => 'stale' }).listPurchases());
assert.deepEqual([refused.status, refused.kind, refused.message], [401, undefined, 'Unauthorized']);
const most = [];
const tooMany = await refusal((async () => {
  for (;;) most.push(await shop.openCheckout(mug));
})());
assert.deepEqual([tooMany.status, tooMany.kind], [429, 'too-many-open-purchases']);
assert.deepEqual(new Set(tooMany.openPurchases.map(({ url }) => url)), new Set(most.map(({ url }) => url)));
for (const { purchase_id: id } of most) await shop.cancelPurchase(id);

/** A server that answers in these ways, one after the other, and what it was asked. */
async function scripted(...answers) {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.headers);
    const [status, headers, body] = answers.shift();
    if (status) response.writeHead(status, headers).end(body);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    asked,
    url: `http://127.0.0.1:${server.address().port}`,
    [Symbol.asyncDispose]: () => { server.closeAllConnections(); server.close(); },
  };
}
const busy = (headers) => [503, { 'content-type': 'application/problem+json', ...headers },
  JSON.stringify({ type: 'urn:till:problem:busy', title: 'Busy', status: 503, detail: 'Busy.', request_id: 'r' })];
const opened = [201, { 'content-type': 'application/json' }, JSON.stringify(first)];

// A busy shop is asked once more after the time it names, under the same key; twice busy is a refusal.
{
  const waited = [];
  const wait = async (seconds) => { waited.push(seconds); };
  const server = await scripted(busy({ 'retry-after': '7' }), opened, busy({ 'retry-after': '1' }), busy({ 'retry-after': '1' }),
    busy({}), busy({ 'retry-after': '3600' }));
  const slow = new Till(`${server.url}/`, { token: () => 't', wait });
  assert.deepEqual(await slow.openCheckout(mug), first);
  assert.deepEqual(waited, [7]);
  const [once, again] = server.asked;
  assert.ok(once['idempotency-key']);
  assert.equal(again['idempotency-key'], once['idempotency-key']);
  assert.equal(once.authorization, 'Bearer t');
  assert.equal((await refusal(slow.openCheckout(mug))).kind, 'busy');
  assert.deepEqual(waited, [7, 1]);
  assert.equal((await refusal(slow.openCheckout(mug))).kind, 'busy');
  assert.equal((await refusal(slow.openCheckout(mug))).kind, 'busy');
  assert.deepEqual(waited, [7, 1]);
  await server[Symbol.asyncDispose]();
}

// What is no answer is not taken for one, and whoever ends a call is told of nothing else.
{
  const server = await scripted([], [], [200, { 'content-type': 'text/html' }, '<p>Welcome to this network'],
    [200, { 'content-type': 'application/json', 'content-length': '100' }, '{']);
  const silent = new Till(server.url, { token: () => 't', timeout: 100 });
  await assert.rejects(silent.listProducts(), Unreachable);
  await assert.rejects(silent.listProducts({}, { signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' });
  assert.equal((await refusal(silent.listProducts())).status, 200);
  await assert.rejects(silent.listProducts(), Unreachable);
  await assert.rejects(new Till('http://127.0.0.1:1').listProducts(), Unreachable);
  await server[Symbol.asyncDispose]();
}
console.log('ok      the site\'s client calls the shop, knows its problems, and waits as long as it is asked to');
