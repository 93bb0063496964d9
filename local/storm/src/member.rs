//! Somebody who subscribes, and what they and the seller do with the subscription at Stripe.

use std::sync::Arc;

use serde_json::Value;

use crate::buyer::{buy, refund};
use crate::membership::{Change, Membership};
use crate::span::DAY;
use crate::world::{World, seconds};

/// A membership, from the cart to whatever becomes of it.
pub(crate) async fn join(world: Arc<World>, membership: Membership) {
    let Some(session) = buy(&world, &membership.visit).await else {
        return;
    };
    let path = format!("/v1/checkout/sessions/{session}");
    let session = world.stripe.get(&path).await;
    let Some(id) = session["subscription"].as_str() else {
        world.is_wrong(format!("{} began no subscription", session["id"]));
        return;
    };
    for turn in &membership.turns {
        seconds(turn.after).await;
        take_turn(&world, id, turn.what).await;
    }
    if membership.renews_daily() {
        seconds(2 * DAY).await;
        take_turn(&world, id, Change::Ends).await;
    }
}

async fn take_turn(world: &Arc<World>, id: &str, change: Change) {
    let path = format!("/v1/subscriptions/{id}");
    let subscription = world.stripe.get(&path).await;
    match change {
        Change::Ends => ask(world, "DELETE", &path, &[]).await,
        Change::WillEnd => ask(world, "POST", &path, &[("cancel_at_period_end", "true")]).await,
        Change::GoesOn => ask(world, "POST", &path, &[("cancel_at_period_end", "false")]).await,
        Change::PaysWith(method) => pay_with(world, &subscription, method).await,
        Change::Takes(quantity) => {
            let item = subscription["items"]["data"][0]["id"].as_str();
            let form = [
                ("items[0][id]", item.unwrap_or_default()),
                ("items[0][quantity]", &quantity.to_string()),
            ];
            ask(world, "POST", &path, &form).await;
        }
        Change::Refund(percent) => refund_newest(world, id, percent).await,
    }
}

async fn ask(world: &World, method: &str, path: &str, form: &[(&str, &str)]) {
    let (status, answer) = world.stripe.ask(method, path, form).await;
    let why = answer["error"]["message"].as_str().unwrap_or_default();
    world.tell(format!("{method} {path} {form:?}: {status} {why}"));
    world.happened.notify_one();
}

/// Takes another card for what is to come, and for what is open.
async fn pay_with(world: &World, subscription: &Value, method: &str) {
    let text = |name: &str| subscription[name].as_str().unwrap_or_default();
    let (id, customer) = (text("id"), text("customer"));
    let path = format!("/v1/payment_methods/{method}/attach");
    let (_, attached) = world
        .stripe
        .ask("POST", &path, &[("customer", customer)])
        .await;
    let attached = attached["id"].as_str().unwrap_or_default();
    let path = format!("/v1/subscriptions/{id}");
    ask(
        world,
        "POST",
        &path,
        &[("default_payment_method", attached)],
    )
    .await;
    let open = format!("/v1/invoices?subscription={id}&status=open");
    for invoice in world.stripe.all(&open).await {
        let path = format!("/v1/invoices/{}/pay", invoice["id"].as_str().unwrap());
        ask(world, "POST", &path, &[]).await;
    }
}

async fn refund_newest(world: &Arc<World>, id: &str, percent: i64) {
    let path = format!("/v1/invoices?subscription={id}&status=paid");
    let paid = world.stripe.all(&path).await;
    let paid = paid.iter().rev().find_map(|invoice| {
        let amount = invoice["amount_paid"].as_i64().filter(|paid| *paid > 0)?;
        Some((invoice["id"].as_str()?, amount))
    });
    let Some((invoice, amount)) = paid else {
        return;
    };
    for intent in intents(world, invoice).await {
        refund(world, &intent, amount * percent / 100).await;
    }
}

/// The payment intents that are to pay an invoice, or have.
pub(crate) async fn intents(world: &World, invoice: &str) -> Vec<String> {
    let path = format!("/v1/invoice_payments?invoice={invoice}");
    let payments = world.stripe.all(&path).await;
    let intents = payments
        .iter()
        .filter_map(|it| it["payment"]["payment_intent"].as_str());
    intents.map(str::to_owned).collect()
}
