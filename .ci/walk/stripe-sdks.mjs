// Drives the Stripe stand-in with Stripe's library for Node. Run by `stripe-sdks`.
//
// Each entry of `claims` is one thing that the stand-in claims, in an account of its own.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

// Installed outside of the checkout, where an `import` does not look.
const Stripe = createRequire(`${process.env.NODE_PATH}/`)("stripe");

const base = new URL(process.env.STAND_IN);
const card = "4242424242424242";
const declined = "4000000000000002";
const disputed = "4000000000000259";

function client(key, options = {}) {
  return new Stripe(key, { host: base.hostname, port: base.port, protocol: "http", telemetry: false, ...options });
}

// Posts a form past the library, as a browser or a test suite would.
async function post(path, key, form = {}) {
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const body = new URLSearchParams(form);
  return fetch(new URL(path, base), { method: "POST", headers, body, redirect: "manual" });
}

async function control(path, key, form) {
  const answer = await post(`/_stripe/${path}`, key, form);
  assert.equal(answer.status, 200, await answer.text());
}

async function until(what, ask) {
  const end = Date.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(Date.now() < end, `no ${what} within 20 seconds`);
    await sleep(20);
  }
}

// The error of this class that the call must end in.
async function refused(name, call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    assert.equal(error.constructor.name, name, String(error));
    assert.ok(error instanceof Stripe.errors[name]);
    return error;
  }
  assert.fail(`it was not refused but answered ${JSON.stringify(answer)}`);
}

function newSession(stripe, parameters = {}) {
  return stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [{ price_data: { currency: "usd", unit_amount: 1500, product_data: { name: "Mug" } }, quantity: 1 }],
    success_url: "http://shop.example/thanks?session={CHECKOUT_SESSION_ID}",
    ...parameters,
  });
}

// Submits the payment page's form. Tells where the buyer is sent; null if the card is declined.
async function pay(session, number = card, more = {}) {
  const form = { email: "buyer@mail.example", method: "card", card_number: number, exp: "12 / 40", cvc: "123", ...more };
  const answer = await post(session.url, null, form);
  if (answer.status === 402) return null;
  assert.equal(answer.status, 303, await answer.text());
  return answer.headers.get("location");
}

// The payment intent of a paid session, its charge expanded.
async function paid(stripe, number) {
  const session = await newSession(stripe);
  assert.equal(await pay(session, number), `http://shop.example/thanks?session=${session.id}`);
  const expand = ["payment_intent.latest_charge"];
  const complete = await stripe.checkout.sessions.retrieve(session.id, { expand });
  assert.equal(complete.payment_status, "paid");
  return complete.payment_intent;
}

async function collect(pages) {
  const all = [];
  for await (const one of pages) all.push(one);
  return all;
}

// A webhook as an application has it: a receiver that verifies what comes.
async function receiver(stripe, types) {
  const heard = [];
  const refusals = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      try {
        const signature = request.headers["stripe-signature"];
        heard.push(stripe.webhooks.constructEvent(Buffer.concat(chunks), signature, hears.secret));
        response.writeHead(200).end();
      } catch (error) {
        refusals.push(error);
        response.writeHead(400).end();
      }
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  server.unref();
  const url = `http://127.0.0.1:${server.address().port}/webhook`;
  const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: types });
  const hears = { secret: endpoint.secret, endpoint, heard, refusals };
  return hears;
}

const claims = {
  async "products and prices"(stripe) {
    const product = await stripe.products.create({ name: "Mug", metadata: { shelf: "3" } });
    const price = await stripe.prices.create({ product: product.id, currency: "usd", unit_amount: 1500 });
    const expanded = await stripe.prices.retrieve(price.id, { expand: ["product"] });
    assert.equal(expanded.product.name, "Mug");
    assert.equal((await stripe.prices.update(price.id, { nickname: "plain" })).nickname, "plain");
    assert.equal((await stripe.products.update(product.id, { active: false })).active, false);
    const spare = await stripe.products.create({ name: "Never sold" });
    assert.equal((await stripe.products.del(spare.id)).deleted, true);
  },

  async "customers are created, updated and deleted"(stripe) {
    const customer = await stripe.customers.create({ name: "Ada", address: { line1: "1 Way", country: "GB" } });
    const changed = await stripe.customers.update(customer.id, { metadata: { level: "gold" } });
    assert.deepEqual([changed.name, changed.metadata.level, changed.address.country], ["Ada", "gold", "GB"]);
    assert.equal((await stripe.customers.del(customer.id)).deleted, true);
    assert.equal((await stripe.customers.retrieve(customer.id)).deleted, true);
  },

  async "lists turn their own pages"(stripe) {
    const made = [];
    for (let number = 0; number < 25; number += 1) made.push((await stripe.customers.create({ name: `${number}` })).id);
    made.reverse();
    assert.deepEqual((await collect(stripe.customers.list({ limit: 10 }))).map((it) => it.id), made);
    const some = await stripe.customers.list({ limit: 10 }).autoPagingToArray({ limit: 15 });
    assert.deepEqual(some.map((it) => it.id), made.slice(0, 15));
  },

  async "customers are searched"(stripe) {
    const wanted = await stripe.customers.create({ name: "Ada Lovelace", metadata: { level: "gold" } });
    await stripe.customers.create({ name: "Charles" });
    const found = await collect(stripe.customers.search({ query: "metadata['level']:'gold' AND name~'lovelace'" }));
    assert.deepEqual(found.map((it) => it.id), [wanted.id]);
  },

  async "coupons and promotion codes take their share"(stripe) {
    const coupon = await stripe.coupons.create({ amount_off: 500, currency: "usd", duration: "once" });
    const code = await stripe.promotionCodes.create({ promotion: { type: "coupon", coupon: coupon.id }, code: "SPRING" });
    const session = await newSession(stripe, { allow_promotion_codes: true });
    assert.ok(await pay(session, card, { promotion_code: "SPRING" }));
    const complete = await stripe.checkout.sessions.retrieve(session.id);
    assert.deepEqual([complete.amount_total, complete.total_details.amount_discount], [1000, 500]);
    assert.equal((await stripe.promotionCodes.retrieve(code.id)).times_redeemed, 1);
  },

  async "a checkout session is paid through its page"(stripe) {
    const session = await newSession(stripe, { client_reference_id: "order-1", metadata: { order: "1" } });
    assert.deepEqual([session.status, session.payment_status], ["open", "unpaid"]);
    assert.equal(await pay(session, declined), null);
    assert.ok(await pay(session));
    const complete = await stripe.checkout.sessions.retrieve(session.id, { expand: ["line_items"] });
    assert.deepEqual([complete.status, complete.payment_status], ["complete", "paid"]);
    assert.equal(complete.line_items.data[0].amount_total, 1500);
    assert.equal(complete.metadata.order, "1");
  },

  async "a checkout session expires"(stripe) {
    const session = await newSession(stripe);
    assert.equal((await stripe.checkout.sessions.expire(session.id)).status, "expired");
    await refused("StripeInvalidRequestError", () => stripe.checkout.sessions.expire(session.id));
  },

  async "a payment intent is confirmed at once or later"(stripe) {
    const automatic_payment_methods = { enabled: true, allow_redirects: "never" };
    const order = { amount: 1500, currency: "usd", automatic_payment_methods };
    const atOnce = await stripe.paymentIntents.create({ ...order, payment_method: "pm_card_visa", confirm: true });
    assert.equal(atOnce.status, "succeeded");
    const later = await stripe.paymentIntents.create(order);
    assert.equal(later.status, "requires_payment_method");
    const confirmed = await stripe.paymentIntents.confirm(later.id, { payment_method: "pm_card_mastercard" });
    assert.deepEqual([confirmed.status, confirmed.amount_received], ["succeeded", 1500]);
  },

  async "a declined card is a card error"(stripe) {
    const payment_method = "pm_card_visa_chargeDeclinedInsufficientFunds";
    const order = { amount: 1500, currency: "usd", payment_method, confirm: true };
    const error = await refused("StripeCardError", () => stripe.paymentIntents.create(order));
    assert.deepEqual([error.statusCode, error.code, error.decline_code], [402, "card_declined", "insufficient_funds"]);
    assert.equal(error.payment_intent.status, "requires_payment_method");
  },

  async "a payment is authorized and captured or cancelled"(stripe) {
    const order = { amount: 1500, currency: "usd", payment_method: "pm_card_visa", confirm: true, capture_method: "manual" };
    const held = await stripe.paymentIntents.create(order);
    assert.equal(held.status, "requires_capture");
    const captured = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1000 });
    assert.deepEqual([captured.status, captured.amount_received], ["succeeded", 1000]);
    const other = await stripe.paymentIntents.create(order);
    assert.equal((await stripe.paymentIntents.cancel(other.id)).status, "canceled");
  },

  async "a customer keeps a payment method and is charged again"(stripe) {
    const customer = await stripe.customers.create({ name: "Ada" });
    const payment_method = "pm_card_visa";
    const setup = await stripe.setupIntents.create({ customer: customer.id, payment_method, confirm: true });
    assert.equal(setup.status, "succeeded");
    const kept = await collect(stripe.customers.listPaymentMethods(customer.id));
    assert.deepEqual(kept.map((it) => it.id), [setup.payment_method]);
    const order = { amount: 900, currency: "eur", customer: customer.id, payment_method: kept[0].id };
    const intent = await stripe.paymentIntents.create({ ...order, off_session: true, confirm: true });
    assert.equal(intent.status, "succeeded");
    assert.equal((await stripe.paymentMethods.detach(kept[0].id)).customer, null);
  },

  async "a buyer is authenticated by 3D Secure"(stripe) {
    const payment_method = "pm_card_threeDSecure2Required";
    const order = { amount: 1500, currency: "usd", payment_method, confirm: true, return_url: "http://shop.example/back" };
    const intent = await stripe.paymentIntents.create(order);
    assert.deepEqual([intent.status, intent.next_action.type], ["requires_action", "redirect_to_url"]);
    const answer = await post(intent.next_action.redirect_to_url.url, null, { outcome: "complete" });
    assert.match(answer.headers.get("location"), /redirect_status=succeeded/);
    assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, "succeeded");
  },

  async "refunds in parts"(stripe) {
    const intent = await paid(stripe);
    assert.equal((await stripe.refunds.create({ payment_intent: intent.id, amount: 500 })).status, "succeeded");
    assert.equal((await stripe.refunds.create({ charge: intent.latest_charge.id })).amount, 1000);
    assert.equal((await stripe.charges.retrieve(intent.latest_charge.id)).refunded, true);
    const again = () => stripe.refunds.create({ payment_intent: intent.id });
    assert.equal((await refused("StripeInvalidRequestError", again)).code, "charge_already_refunded");
  },

  async "evidence is uploaded and comes back by a link"(stripe) {
    const data = Buffer.from("\x89PNG\r\n\x1a\nreceipt", "latin1");
    const upload = { data, name: "receipt.png", type: "image/png" };
    const file = await stripe.files.create({
      purpose: "dispute_evidence",
      file: upload,
      file_link_data: { create: true },
    });
    assert.deepEqual([file.filename, file.size, file.type], ["receipt.png", data.length, "png"]);
    const answer = await fetch(file.links.data[0].url);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), data);
    const text = { data: Buffer.from("text"), name: "a.png" };
    const create = () => stripe.files.create({ purpose: "dispute_evidence", file: text });
    assert.equal((await refused("StripeInvalidRequestError", create)).param, "file");
  },

  async "a dispute is won with evidence"(stripe) {
    const intent = await paid(stripe, disputed);
    const list = () => stripe.disputes.list({ payment_intent: intent.id });
    const [dispute] = await until("dispute", async () => ((await list()).data.length ? (await list()).data : null));
    assert.equal(dispute.status, "needs_response");
    await stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: "winning_evidence" } });
    await until("verdict", async () => (await stripe.disputes.retrieve(dispute.id)).status === "won");
  },

  async "events tell what happened"(stripe) {
    const customer = await stripe.customers.create({ name: "Ada" });
    await stripe.customers.update(customer.id, { name: "Ada Lovelace" });
    const types = (await stripe.events.list()).data.map((event) => event.type);
    assert.deepEqual(types, ["customer.updated", "customer.created"]);
    const [update] = (await stripe.events.list({ type: "customer.updated" })).data;
    assert.equal(update.data.previous_attributes.name, "Ada");
    assert.equal((await stripe.events.retrieve(update.id)).data.object.name, "Ada Lovelace");
  },

  async "a webhook endpoint gets what constructEvent accepts"(stripe) {
    const hears = await receiver(stripe, ["checkout.session.completed", "charge.refunded"]);
    const intent = await paid(stripe);
    await stripe.refunds.create({ payment_intent: intent.id });
    await until("second event", () => hears.heard.length === 2);
    const types = hears.heard.map((event) => event.type).sort();
    assert.deepEqual(types, ["charge.refunded", "checkout.session.completed"]);
    assert.equal((await stripe.webhookEndpoints.list()).data[0].id, hears.endpoint.id);
    assert.equal((await stripe.webhookEndpoints.del(hears.endpoint.id)).deleted, true);
  },

  async "a wrong signing secret is noticed"(stripe) {
    const hears = await receiver(stripe, ["customer.created"]);
    hears.secret = "whsec_another";
    await stripe.customers.create({ name: "Ada" });
    await until("refusal", () => hears.refusals.length > 0);
    assert.ok(hears.refusals[0] instanceof Stripe.errors.StripeSignatureVerificationError);
  },

  async "an idempotency key makes one object"(stripe) {
    const idempotencyKey = randomUUID();
    const first = await stripe.customers.create({ name: "Ada" }, { idempotencyKey });
    const again = await stripe.customers.create({ name: "Ada" }, { idempotencyKey });
    assert.equal(first.id, again.id);
    const other = () => stripe.customers.create({ name: "Charles" }, { idempotencyKey });
    await refused("StripeIdempotencyError", other);
  },

  async "errors have the classes of the library"(stripe) {
    const missing = await refused("StripeInvalidRequestError", () => stripe.customers.retrieve("cus_none"));
    assert.deepEqual([missing.statusCode, missing.code, missing.param], [404, "resource_missing", "id"]);
    assert.match(missing.requestId, /^req_/);
    const unknown = await refused("StripeInvalidRequestError", () => stripe.customers.create({ nmae: "Ada" }));
    assert.deepEqual([unknown.statusCode, unknown.code], [400, "parameter_unknown"]);
    await refused("StripeAuthenticationError", () => client("sk_wrong").customers.list());
    await refused("StripePermissionError", () => stripe.customers.list({}, { stripeAccount: "acct_stranger" }));
  },

  async "a rate limit is raised once retries are used up"(stripe, key) {
    await control("faults", key, { fault: "rate_limit", path: "/v1/customers", times: 1 });
    const hasty = client(key, { maxNetworkRetries: 0 });
    assert.equal((await refused("StripeRateLimitError", () => hasty.customers.list())).statusCode, 429);
    assert.deepEqual((await hasty.customers.list()).data, []);
  },

  async "the library repeats calls after faults, and they are done once"(stripe, key) {
    await control("faults", key, { fault: "hang_up", path: "/v1/customers", method: "POST", times: 2 });
    const customer = await stripe.customers.create({ name: "Ada" });
    await control("faults", key, { fault: "error", status: 503, path: "/v1/customers", method: "GET", times: 2 });
    assert.deepEqual((await stripe.customers.list()).data.map((it) => it.id), [customer.id]);
  },

  async "an answer that takes too long is a connection error"(stripe, key) {
    await control("faults", key, { fault: "slow", delay_ms: 3000, path: "/v1/customers", times: 1 });
    const hasty = client(key, { maxNetworkRetries: 0, timeout: 500 });
    await refused("StripeConnectionError", () => hasty.customers.list());
  },

  async "objects are expanded in objects and lists"(stripe) {
    const intent = await paid(stripe);
    const expand = ["payment_intent", "balance_transaction"];
    const charge = await stripe.charges.retrieve(intent.latest_charge.id, { expand });
    assert.equal(charge.payment_intent.id, intent.id);
    assert.ok(charge.balance_transaction.net < 1500);
    const sessions = await stripe.checkout.sessions.list({ expand: ["data.payment_intent.latest_charge"] });
    assert.equal(sessions.data[0].payment_intent.latest_charge.id, charge.id);
  },

  // As Stripe's page "Test clocks" has it: subscribe, advance, fail, mend, pay.
  async "a subscription lives through a year of a test clock"(stripe) {
    const day = 86_400;
    const start = 1_769_860_800; // 31 January 2026, at noon
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: start });
    const customer = await stripe.customers.create({
      test_clock: clock.id,
      payment_method: "pm_card_visa",
      invoice_settings: { default_payment_method: "pm_card_visa" },
    });
    const price = await stripe.prices.create({
      currency: "eur", unit_amount: 900, recurring: { interval: "month" }, product_data: { name: "Coffee" },
    });
    const begun = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
    assert.equal(begun.status, "active");

    async function advance(days) {
      await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: start + days * day });
      await until("ready clock", async () => (await stripe.testHelpers.testClocks.retrieve(clock.id)).status === "ready");
      return stripe.subscriptions.retrieve(begun.id, { expand: ["latest_invoice"] });
    }
    async function payWith(name) {
      const method = await stripe.paymentMethods.attach(name, { customer: customer.id });
      await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } });
    }

    assert.equal((await advance(29)).latest_invoice.status, "paid");
    await payWith("pm_card_chargeCustomerFail");
    const failed = await advance(60);
    assert.equal(failed.status, "past_due");
    await payWith("pm_card_mastercard");
    assert.equal((await stripe.invoices.pay(failed.latest_invoice.id)).status, "paid");
    assert.equal((await stripe.subscriptions.retrieve(begun.id)).status, "active");
    assert.equal((await stripe.subscriptions.cancel(begun.id)).status, "canceled");
  },

  async "other versions of the API are answered as they are"(stripe, key) {
    for (const apiVersion of ["2020-08-27", "2025-03-31.basil", "2025-09-30.clover", Stripe.API_VERSION]) {
      const { lastResponse } = await client(key, { apiVersion }).customers.create({ name: "Ada" });
      assert.equal(lastResponse.apiVersion, apiVersion);
    }
  },

  async "accounts of different keys do not see each other"(stripe) {
    const customer = await stripe.customers.create({ name: "Ada" });
    const other = client(`sk_test_${randomUUID()}`);
    assert.deepEqual((await other.customers.list()).data, []);
    await refused("StripeInvalidRequestError", () => other.customers.retrieve(customer.id));
  },

  async "reset and snapshots give a clean world"(stripe, key) {
    await stripe.customers.create({ name: "Ada" });
    await control("snapshots", key, { name: "one" });
    await stripe.customers.create({ name: "Charles" });
    await control("snapshots/one/restore", key);
    assert.deepEqual((await stripe.customers.list()).data.map((it) => it.name), ["Ada"]);
    await control("reset", key);
    assert.deepEqual((await stripe.customers.list()).data, []);
  },
};

console.log(`stripe-node ${Stripe.PACKAGE_VERSION}, API ${Stripe.API_VERSION}`);
let failed = 0;
for (const [name, claim] of Object.entries(claims)) {
  const key = `sk_test_${randomUUID()}`;
  try {
    await claim(client(key), key);
    console.log(`  works  ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`  FAILS  ${name}\n${error.stack}`);
  }
}
if (failed) console.log(`${failed} of ${Object.keys(claims).length} failed`);
process.exit(failed ? 1 : 0);
