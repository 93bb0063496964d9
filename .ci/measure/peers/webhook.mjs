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
  purchase.mails.push('paid');
  purchase.history = purchase.order.buyer.subject;
  delete purchase.work_shard;
  delete purchase.work_due;
  const TransactItems = [
    replace(purchase), claim(event, purchase, now), pointer(session, id),
    noLongerHeld(purchase.history, id, now), receipt(purchase, paid, now),
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

function receipt(purchase, paid, now) {
  const row = {
    id: `${purchase.pk}#paid`, mail: 'paid', state: 'due', due_shard: 'due', next_attempt: now, created_at: now,
    attempts: 0, livemode: false, superseded: false,
    content: { purchase_id: purchase.pk, order: purchase.order, paid },
  };
  return put(OUTBOX, row, 'attribute_not_exists(id)');
}

await serve(handler);
