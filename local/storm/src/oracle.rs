//! What must be true when the dust has settled: the shop believes what Stripe says, money and stock add
//! up, each mail that is due was sent, nobody sees what is not theirs, and nothing is stuck.

mod at_stripe;
mod members;
mod shortages;
mod sums;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use self::at_stripe::AtStripe;
use crate::buyer::event;
use crate::digest;
use crate::invocation::request;
use crate::other::Other;
use crate::products::WARES;
use crate::tables::number;
use crate::version::Function;
use crate::visit::BUYERS;
use crate::world::World;

/// Judges a world whose weather is fair. How many mails were sent twice, as they may be.
pub(crate) async fn judge(world: &Arc<World>) -> u32 {
    let at_stripe = AtStripe::read(world).await;
    let rows = world.tables.scan(&world.names.purchases).await;
    let mut shop = BTreeMap::new();
    for row in &rows {
        match row["sk"]["S"].as_str() {
            Some("purchase") => {
                let id = row["pk"]["S"].as_str().unwrap_or_default();
                let buyer = row["order"]["M"]["buyer"]["M"]["subject"]["S"].as_str();
                let buyer = buyer.unwrap_or_default().to_owned();
                let shown = show(world, &buyer, id).await;
                shop.insert(id.to_owned(), (buyer, shown));
            }
            Some("open") => check_hold(world, row),
            _ => {}
        }
        check_not_stuck(world, row);
    }
    for id in world.opened.lock().unwrap().values() {
        if !shop.contains_key(id) {
            world.is_wrong(format!("{id} was answered with 201 and is not there"));
        }
    }
    for (id, paid) in &at_stripe.purchases {
        match shop.get(id) {
            Some((_, shown)) => compare(world, id, shown, paid),
            None => world.is_wrong(format!("{id} has a session at Stripe and is not there")),
        }
    }
    for (id, (_, shown)) in &shop {
        let status = shown["status"].as_str().unwrap_or_default();
        if !at_stripe.purchases.contains_key(id) && status != "abandoned" {
            world.is_wrong(format!(
                "{id} is {status}, and Stripe never had a session of it"
            ));
        }
    }
    members::check(world, &at_stripe).await;
    for wrong in world.others.lost(&rows) {
        world.is_wrong(wrong);
    }
    check_stock(world, &shop).await;
    for buyer in BUYERS {
        check_list(world, buyer, &shop).await;
    }
    let rows = world.tables.scan(&world.names.outbox).await;
    let (events, mails): (Vec<_>, Vec<_>) = rows.iter().partition(is_event);
    shortages::check(world, &mails).await;
    check_events(world, &events, &at_stripe);
    check_mails(world, &mails, &at_stripe)
}

/// How purchases stand that were paid, whatever has become of the money.
const BOUGHT: [&str; 5] = [
    "paid",
    "partially_refunded",
    "refunded",
    "disputed",
    "charged_back",
];

async fn show(world: &Arc<World>, buyer: &str, id: &str) -> Value {
    let event = event(buyer, "GET /purchases/{id}", Some(id), &Value::Null);
    match request(world, Function::Purchases, &event).await {
        Some((200, shown)) => shown,
        other => {
            world.is_wrong(format!("{buyer} cannot see {id}: {other:?}"));
            Value::Null
        }
    }
}

/// One purchase as its buyer sees it, and as Stripe has it.
fn compare(world: &World, id: &str, shown: &Value, paid: &at_stripe::Purchase) {
    let money = |name: &str| shown[name]["amount"].as_i64().unwrap_or_default();
    for (name, at_stripe) in [
        ("paid", paid.paid()),
        ("refunded", paid.returns.refunded()),
        ("disputed", paid.returns.disputed()),
        (
            "net",
            paid.paid() - paid.returns.refunded() - paid.returns.disputed(),
        ),
    ] {
        let here = money(name);
        if here != at_stripe {
            world.is_wrong(format!(
                "{id}: {name} is {here} here and {at_stripe} at Stripe"
            ));
        }
    }
    if let Some(session) = paid.session_paid().filter(|it| is_told(world, it)) {
        sums::compare(world, id, shown, session);
        sums::compare_tax(world, id, shown, paid);
        sums::compare_invoice(world, id, shown, paid);
    }
    let status = shown["status"].as_str().unwrap_or_default();
    if status != paid.status() {
        world.is_wrong(format!(
            "{id} is {status} here and {} at Stripe",
            paid.status()
        ));
    }
    for (list, at_stripe) in [
        ("refunds", &paid.returns.refunds),
        ("disputes", &paid.returns.disputes),
    ] {
        let here = shown[list].as_array().cloned().unwrap_or_default();
        let here: BTreeMap<_, _> = here
            .iter()
            .map(|one| (text(one, "id"), text(one, "status")))
            .collect();
        let there: BTreeMap<_, _> = at_stripe
            .iter()
            .map(|one| (text(one, "id"), text(one, "status")))
            .collect();
        if here != there {
            world.is_wrong(format!(
                "{id}: {list} are {here:?} here and {there:?} at Stripe"
            ));
        }
    }
    let twice = shown["attention"].as_array();
    if twice.is_some_and(|all| all.iter().any(|one| one == "paid_twice")) {
        world.is_wrong(format!("{id} was paid twice"));
    }
}

/// Whether this version has heard of a session. An earlier one may have looked at it, and kept what it
/// knew of; if Stripe never made an event of it, nobody comes back to that.
fn is_told(world: &World, session: &Value) -> bool {
    let is_first = world.rollout.as_ref().map(|it| it.other) != Some(Other::Earlier);
    let never_made = world.never_made.lock().unwrap();
    is_first || never_made.values().all(|untold| session["id"] != *untold)
}

/// Pieces that are gone are in somebody's hands, and no others.
async fn check_stock(world: &World, shop: &BTreeMap<String, (String, Value)>) {
    let products = world.tables.scan(&world.names.products).await;
    for ware in WARES {
        let Some(had) = ware.stock else { continue };
        let row = products.iter().find(|row| row["id"]["S"] == ware.id);
        let left: i64 = row.map_or(0, |row| number(&row["stock"]));
        let sold: i64 = shop
            .values()
            .filter(|(_, shown)| BOUGHT.iter().any(|status| shown["status"] == *status))
            .filter(|(_, shown)| !shown["attention"].to_string().contains("stock_returned"))
            .flat_map(|(_, shown)| shown["lines"].as_array().cloned().unwrap_or_default())
            .filter(|line| line["product_id"] == ware.id)
            .filter_map(|line| line["quantity"].as_i64())
            .sum();
        let restocked = world.restocked.lock().unwrap().get(ware.id).copied();
        let had = had + restocked.unwrap_or_default();
        if had != left + sold {
            world.is_wrong(format!(
                "of {had} {}, {left} are left and {sold} are sold",
                ware.id
            ));
        }
    }
}

/// A buyer's list has what they bought or are about to, and nobody else's.
async fn check_list(world: &Arc<World>, buyer: &str, shop: &BTreeMap<String, (String, Value)>) {
    let query = json!({ "rawQueryString": "limit=100" });
    let event = event(buyer, "GET /purchases", None, &query);
    let Some((200, page)) = request(world, Function::Purchases, &event).await else {
        world.is_wrong(format!("{buyer} has no list of purchases"));
        return;
    };
    let listed = page["purchases"].as_array().cloned().unwrap_or_default();
    let listed: BTreeSet<String> = listed.iter().map(|one| text(one, "id")).collect();
    let theirs: BTreeSet<String> = shop
        .iter()
        .filter(|(_, (owner, _))| owner == buyer)
        .filter(|(_, (_, shown))| {
            let status = shown["status"].as_str().unwrap_or_default();
            !["open", "expired", "abandoned"].contains(&status)
        })
        .map(|(id, _)| id.clone())
        .collect();
    if listed != theirs {
        world.is_wrong(format!("{buyer}'s list is {listed:?}, not {theirs:?}"));
    }
}

/// Nothing is held for ever. An entry may outlive its purchase until its own time is over, because it
/// must not be in the way of the fact that ended it.
fn check_hold(world: &World, row: &Value) {
    for (id, hold) in row.as_object().into_iter().flatten() {
        if hold.get("M").is_some() && number(&hold["M"]["until"]) > world.now() {
            world.is_wrong(format!("{} still holds {id}", row["pk"]["S"]));
        }
    }
}

/// Nothing waits for reconcile for longer than a day, and no event is put aside.
fn check_not_stuck(world: &World, row: &Value) {
    let key = row["pk"]["S"].as_str().unwrap_or_default();
    if key.starts_with("parked#") {
        world.is_wrong(format!("an event is parked: {row}"));
    }
    if row.get("work_due").is_some() && number(&row["work_due"]) < world.now() - 86_400 {
        world.is_wrong(format!("{key} waits for reconcile"));
    }
}

/// Each mail that is due was sent, once, or twice in the window that the documents name.
fn check_mails(world: &World, rows: &[&Value], at_stripe: &AtStripe) -> u32 {
    let sent = world.mails.all();
    let mut states = BTreeMap::new();
    for row in rows {
        let id = row["id"]["S"].as_str().unwrap_or_default();
        let state = row["state"]["S"].as_str().unwrap_or_default();
        let times = sent.get(id).map_or(0, |mail| mail.times);
        states.insert(id, state);
        // An earlier version may not know of it.
        let waits = world.digest.is_daily && world.earlier.is_none() && id.ends_with("#sold");
        if let Some(mail) = sent.get(id).filter(|_| waits)
            && digest::is_early(number(&row["created_at"]), mail.last_at)
        {
            world.is_wrong(format!("the mail {id} did not wait for its time of day"));
        }
        let is_right = match state {
            "sent" => times > 0,
            "superseded" => true,
            _ => false,
        };
        if !is_right {
            world.is_wrong(format!(
                "the mail {id} is {state}, and was sent {times} times"
            ));
        }
    }
    for (id, purchase) in &at_stripe.purchases {
        for mail in purchase.mails() {
            let state = states.get(format!("{id}#{mail}").as_str());
            if state != Some(&"sent") {
                world.is_wrong(format!("the mail {id}#{mail} is {state:?}"));
            }
        }
        for mail in ["paid", "sold"] {
            let is_told = states.contains_key(format!("{id}#{mail}").as_str());
            if is_told && purchase.session_paid().is_none() {
                world.is_wrong(format!("{id} has the mail {mail}, and nobody paid"));
            }
        }
    }
    for subscription in at_stripe.subscriptions.values() {
        for mail in subscription.mails() {
            let state = states.get(mail.as_str());
            if state != Some(&"sent") {
                world.is_wrong(format!("the mail {mail} is {state:?}"));
            }
        }
        let ended = format!("{}#ended#", text(&subscription.object, "id"));
        let ends = states.keys().filter(|id| id.starts_with(&ended)).count();
        if ends != usize::from(subscription.object["status"] == "canceled") {
            world.is_wrong(format!(
                "{ends} mails say that it is over: {}",
                subscription.object["id"]
            ));
        }
    }
    sent.values().map(|mail| mail.times.saturating_sub(1)).sum()
}

fn is_event(row: &&Value) -> bool {
    let id = row["id"]["S"].as_str().unwrap_or_default();
    id.starts_with("event#")
}

/// Whatever other systems have to be told was published, and nothing before what came earlier in the
/// life of the same purchase.
fn check_events(world: &World, rows: &[&Value], at_stripe: &AtStripe) {
    let times = world.events.times();
    for row in rows {
        let id = row["id"]["S"].as_str().unwrap_or_default();
        let state = row["state"]["S"].as_str().unwrap_or_default();
        let id = id.trim_start_matches("event#");
        if state != "sent" || !times.contains_key(id) {
            world.is_wrong(format!("the event {id} is {state}"));
        }
    }
    for (id, purchase) in &at_stripe.purchases {
        for news in purchase.news() {
            if !times.contains_key(&format!("{id}#{news}")) {
                world.is_wrong(format!("nobody was told of {id}#{news}"));
            }
        }
        if times.contains_key(&format!("{id}#paid")) && purchase.session_paid().is_none() {
            world.is_wrong(format!("{id} is told to be paid, and nobody paid"));
        }
    }
    for subscription in at_stripe.subscriptions.values() {
        for news in subscription.news() {
            if !times.contains_key(&news) {
                world.is_wrong(format!("nobody was told of {news}"));
            }
        }
        let ended = format!("{}#ended#", text(&subscription.object, "id"));
        let ends = times.keys().filter(|id| id.starts_with(&ended)).count();
        if ends != usize::from(subscription.object["status"] == "canceled") {
            world.is_wrong(format!(
                "{ends} events say that it is over: {}",
                subscription.object["id"]
            ));
        }
    }
    for id in world.events.late() {
        world.is_wrong(format!("the event {id} came after a later one"));
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
