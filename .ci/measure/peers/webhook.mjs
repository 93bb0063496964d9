// What the webhook does of durable work for a paid session, as one writes it for Node: with the AWS SDK and stripe.
import { GetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import Stripe from 'stripe';
import { serve } from './serve.mjs';
import { DAY, OUTBOX, PURCHASES, dynamodb, put, replace, secret } from './tables.mjs';

const [signing] = (await secret('STRIPE_WEBHOOK_SECRETS')).split(',');
const stripe = new Stripe('sk_test_unused');

async function handler({ body, headers }) {
  const event = stripe.webhooks.constructEvent(body, headers['stripe-signature'], signing);
  const session = event.data.object;
  const now = Math.floor(Date.now() / 1000);
  const id = session.metadata.purchase_id;
  const Key = marshall({ pk: id, sk: 'purchase' });
  const found = await dynamodb.send(new GetItemCommand({ TableName: PURCHASES, Key, ConsistentRead: true }));
  const purchase = unmarshall(found.Item);
  const paid = { amount: session.amount_total, currency: session.currency };
  purchase.facts.sessions[session.id] = { state: 'settled', amount: paid, payment_intent: session.payment_intent };
  purchase.mails.push('paid', 'sold');
  purchase.announced = { paid: { sequence: purchase.version + 1, at: now } };
  purchase.history = purchase.order.buyer.subject;
  delete purchase.work_shard;
  delete purchase.work_due;
  const TransactItems = [
    replace(purchase), claim(event, purchase, now), pointer(session, id),
    noLongerHeld(purchase.history, id, now), mail('paid', purchase, paid, now),
    mail('sold', purchase, paid, now, { sale: { payment_intent: session.payment_intent } }), told(purchase, paid, now),
  ];
  await dynamodb.send(new TransactWriteItemsCommand({ TransactItems }));
  const said = JSON.stringify({ received: true, result: 'recorded' });
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: said };
}

function claim(event, purchase, now) {
  const row = {
    pk: purchase.pk, sk: `event#${event.id}`, type: event.type, recorded_at: now, changed: true, status: 'paid',
    version: purchase.version,
  };
  return put(PURCHASES, row, 'attribute_not_exists(pk)');
}

function pointer(session, id) {
  const row = { pk: `intent#${session.payment_intent}`, sk: 'pointer', purchase_id: id };
  return put(PURCHASES, row, 'attribute_not_exists(pk) OR purchase_id = :owner', { ':owner': id });
}

function noLongerHeld(buyer, id, now) {
  return {
    Update: {
      TableName: PURCHASES,
      Key: marshall({ pk: `buyer#${buyer}`, sk: 'open' }),
      UpdateExpression: 'REMOVE #purchase SET #ttl = :ttl ADD version :one',
      ExpressionAttributeNames: { '#purchase': id, '#ttl': 'ttl' },
      ExpressionAttributeValues: marshall({ ':ttl': now + 90 * DAY, ':one': 1 }),
    },
  };
}

function mail(which, purchase, paid, now, besides) {
  const row = {
    ...due(`${purchase.pk}#${which}`, now), mail: which, livemode: false, superseded: false,
    content: { purchase_id: purchase.pk, order: purchase.order, paid, ...besides },
  };
  return put(OUTBOX, row, 'attribute_not_exists(id)');
}

/** The event for other systems, which names the buyer by subject only. */
function told(purchase, paid, now) {
  const { pk: id, order } = purchase;
  const none = { ...paid, amount: 0 };
  const detail = {
    schema: 1, id: `${id}#paid`, subject: id, sequence: purchase.version, recorded_at: utc(now), replay: false,
    livemode: false,
    purchase: {
      // The id begins with when it was made up, in milliseconds.
      id, status: 'paid', created_at: utc(parseInt(id.slice(0, 8) + id.slice(9, 13), 16) / 1000),
      buyer: { subject: order.buyer.subject },
      lines: order.lines.map(line),
      total: order.total, paid, refunded: none, disputed: none, net: paid,
    },
  };
  const row = { ...due(`event#${id}#paid`, now), kind: 'purchase.paid', detail: JSON.stringify(detail) };
  return put(OUTBOX, row, 'attribute_not_exists(id)');
}

function line({ product_id, name, quantity, unit_amount }) {
  return { product_id, name, quantity, unit_amount };
}

/** What a row of the outbox has, whatever is to be done. */
function due(id, now) {
  return { id, layout: 1, state: 'due', due_shard: 'due', next_attempt: now, created_at: now, attempts: 0 };
}

function utc(seconds) {
  return `${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19)}Z`;
}

await serve(handler);
