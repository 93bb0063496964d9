//! Subscriptions as their buyers see them, and as Stripe has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::at_stripe::{AtStripe, Subscription};
use crate::buyer::event;
use crate::invocation::request;
use crate::version::Function;
use crate::visit::BUYERS;
use crate::world::World;

pub(super) async fn check(world: &Arc<World>, at_stripe: &AtStripe) {
    let mut seen = BTreeSet::new();
    for buyer in BUYERS {
        let listed = ask(world, buyer, "GET /subscriptions", None).await;
        let mut entitled = BTreeSet::new();
        for one in listed["subscriptions"].as_array().into_iter().flatten() {
            let id = one["id"].as_str().unwrap_or_default();
            let Some(there) = at_stripe.subscriptions.get(id) else {
                world.is_wrong(format!("{buyer} has {id}, which Stripe has not"));
                continue;
            };
            if there.object["metadata"]["purchase_id"] != one["purchase_id"] {
                world.is_wrong(format!("{buyer} has {id} with another purchase"));
            }
            seen.insert(id.to_owned());
            let here = ask(world, buyer, "GET /subscriptions/{id}", Some(id)).await;
            compare(world, id, &here, there);
            if there.is_served() {
                let items = here["items"].as_array().into_iter().flatten();
                entitled.extend(
                    items
                        .filter_map(|item| item["product_id"].as_str())
                        .map(str::to_owned),
                );
            }
        }
        let found = ask(world, buyer, "GET /entitlements", None).await;
        let found = found["entitlements"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let active = found.iter().filter(|one| one["active"] == true);
        let active: BTreeSet<_> = active
            .filter_map(|one| one["product_id"].as_str())
            .map(str::to_owned)
            .collect();
        if !entitled.is_subset(&active) {
            world.is_wrong(format!(
                "{buyer} may use {active:?}, and not all of {entitled:?}"
            ));
        }
    }
    for id in at_stripe.subscriptions.keys() {
        if !seen.contains(id) {
            world.is_wrong(format!("nobody has the subscription {id}"));
        }
    }
}

async fn ask(world: &Arc<World>, buyer: &str, route: &str, id: Option<&str>) -> Value {
    match request(
        world,
        Function::Purchases,
        &event(buyer, route, id, &Value::Null),
    )
    .await
    {
        Some((200, answer)) => answer,
        other => {
            world.is_wrong(format!("{route} {id:?} of {buyer}: {other:?}"));
            Value::Null
        }
    }
}

fn compare(world: &World, id: &str, here: &Value, there: &Subscription) {
    let object = &there.object;
    if here["status"] != object["status"] {
        world.is_wrong(format!(
            "{id} is {} here and {} at Stripe",
            here["status"], object["status"]
        ));
    }
    let ends = here["cancel_at"].is_string();
    let is_over = object["status"] == "canceled";
    if !is_over && ends != object["cancel_at"].is_number() {
        world.is_wrong(format!(
            "{id} ends: {} here, {} at Stripe",
            here["cancel_at"], object["cancel_at"]
        ));
    }
    let (some, others) = (
        &here["items"][0]["quantity"],
        &object["items"]["data"][0]["quantity"],
    );
    if some != others {
        world.is_wrong(format!("{id} is {some} of it here and {others} at Stripe"));
    }
    let line = |number: &Value, status: &str, paid: i64, refunded: i64| {
        (
            number.to_string(),
            format!("{status}, {paid} paid, {refunded} back"),
        )
    };
    let money = |invoice: &Value, name: &str| invoice[name]["amount"].as_i64().unwrap_or_default();
    let shown = here["invoices"].as_array().into_iter().flatten();
    let shown: BTreeMap<_, _> = shown
        .map(|one| {
            let status = one["status"].as_str().unwrap_or_default();
            line(
                &one["number"],
                status,
                money(one, "paid"),
                money(one, "refunded"),
            )
        })
        .collect();
    let billed = there
        .invoices
        .iter()
        .filter(|one| one.object["status"] != "draft");
    let billed: BTreeMap<_, _> = billed
        .map(|one| {
            let refunded = one.returns.refunded();
            line(&one.object["number"], one.status(), one.paid(), refunded)
        })
        .collect();
    if shown != billed {
        world.is_wrong(format!(
            "{id} has the invoices {shown:?} here and {billed:?} at Stripe"
        ));
    }
}
