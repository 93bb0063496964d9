// What `POST /checkout` does of durable work, as one writes it for Node: with the AWS SDK and stripe.
import { createHash, randomUUID } from 'node:crypto';
import { BatchGetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import Stripe from 'stripe';
import { serve } from './serve.mjs';
import { DAY, PRODUCTS, PURCHASES, dynamodb, put, replace, secret } from './tables.mjs';

const { SITE_URL, TILL_STACK, STRIPE_API_BASE } = process.env;
const { hostname, port } = new URL(STRIPE_API_BASE);
const stripe = new Stripe(await secret('STRIPE_SECRET_KEY'), { host: hostname, port, timeout: 5000 });
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

async function handler(event) {
  const { sub: subject, email } = event.requestContext.authorizer.jwt.claims;
  const cart = JSON.parse(event.body).items;
  const now = Math.floor(Date.now() / 1000);
  const request = `idem#${subject}#${sha256(event.headers['idempotency-key'])}`;
  const products = await read(subject, request, cart);
  const purchase = opened(cart, products, { subject, email }, now);
  const write = (TransactItems) => dynamodb.send(new TransactWriteItemsCommand({ TransactItems }));
  await write(opening(purchase, request, event.body, now));
  const session = await sessionOf(purchase);
  purchase.facts.sessions[session.id] = { state: 'open' };
  purchase.attempt.url = session.url;
  await write([replace(purchase)]);
  const body = JSON.stringify({ purchase_id: purchase.pk, url: session.url });
  return { statusCode: 201, headers: { 'content-type': 'application/json' }, body };
}

async function read(buyer, request, cart) {
  const rows = [{ pk: `buyer#${buyer}`, sk: 'open' }, { pk: request, sk: 'request' }];
  const ids = cart.map((line) => marshall({ id: line.product_id }));
  const found = await dynamodb.send(new BatchGetItemCommand({
    RequestItems: {
      [PURCHASES]: { Keys: rows.map((row) => marshall(row)), ConsistentRead: true },
      [PRODUCTS]: { Keys: ids },
    },
  }));
  if (found.Responses[PURCHASES].length > 0) throw new Error('each of these buyers buys once');
  return new Map(found.Responses[PRODUCTS].map((item) => unmarshall(item)).map((product) => [product.id, product]));
}

function opened(cart, products, buyer, now) {
  const lines = cart.map(({ product_id: id, quantity }) => line(products.get(id), quantity));
  const { currency } = products.get(cart[0].product_id).price;
  const amount = lines.reduce((sum, one) => sum + one.unit_amount * one.quantity, 0);
  return {
    pk: randomUUID(), sk: 'purchase', version: 1, layout: 1, earliest: 1, order: { buyer, lines, total: { amount, currency } },
    attempt: { number: 1, started_at: now, expires_at: now + 23 * 3600 }, facts: { sessions: {} },
    mails: [], superseded: [], abandoned: false, work_shard: 'work', work_due: now + 3600,
  };
}

function line(product, quantity) {
  return {
    product_id: product.id, name: product.name, description: product.description, image: product.images[0],
    quantity, unit_amount: product.price.amount,
  };
}

function opening(purchase, request, body, now) {
  const held = {
    pk: `buyer#${purchase.order.buyer.subject}`, sk: 'open', version: 1, ttl: now + 90 * DAY,
    [purchase.pk]: { pieces: 0, until: purchase.attempt.expires_at + 600 },
  };
  const known = { pk: request, sk: 'request', fingerprint: sha256(body), purchase_id: purchase.pk, ttl: now + DAY };
  return [
    put(PURCHASES, purchase, 'attribute_not_exists(pk)'),
    put(PURCHASES, held, 'attribute_not_exists(pk)'),
    put(PURCHASES, known, 'attribute_not_exists(pk) OR #ttl <= :now', { ':now': now }, { '#ttl': 'ttl' }),
  ];
}

function sessionOf(purchase) {
  const { order, pk } = purchase;
  const metadata = { till_stack: TILL_STACK, purchase_id: pk, buyer: order.buyer.subject };
  const priced = (one) => ({
    quantity: one.quantity,
    price_data: {
      currency: order.total.currency,
      unit_amount: one.unit_amount,
      product_data: {
        name: one.name, description: one.description, images: [one.image], metadata: { product_id: one.product_id },
      },
    },
  });
  return stripe.checkout.sessions.create({
    mode: 'payment',
    client_reference_id: pk,
    customer_email: order.buyer.email,
    expires_at: purchase.attempt.expires_at,
    allow_promotion_codes: true,
    adaptive_pricing: { enabled: false },
    line_items: order.lines.map(priced),
    metadata,
    payment_intent_data: { metadata },
    success_url: `${SITE_URL}/success.html?purchase_id=${pk}`,
    cancel_url: `${SITE_URL}/cancel.html?purchase_id=${pk}`,
  }, { idempotencyKey: `${pk}:1` });
}

await serve(handler);
