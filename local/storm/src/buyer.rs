//! What buyers, the seller and banks do.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::invocation::request;
use crate::version::Function;
use crate::visit::{BUYERS, DECLINED, Ends, Later, Returns, Visit};
use crate::weather::Trouble;
use crate::world::{World, seconds};

/// How often a buyer tries again when the shop fails.
const PATIENCE: u32 = 8;

/// An HTTP event at one of the shop's routes, from a buyer who is signed in.
pub(crate) fn event(buyer: &str, route: &str, id: Option<&str>, more: &Value) -> Value {
    let (method, path) = route.split_once(' ').expect("a method and a path");
    let path = path.replace("{id}", id.unwrap_or_default());
    let claims = json!({
        "sub": buyer, "email": format!("{buyer}@buyers.example"), "email_verified": "true",
    });
    let mut event = json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "isBase64Encoded": false,
        "requestContext": {
            "requestId": "storm",
            "routeKey": route,
            "http": { "method": method, "path": path },
            "authorizer": { "jwt": { "claims": claims, "scopes": null } },
        },
    });
    let event_parts = event.as_object_mut().expect("an object");
    if let Some(id) = id {
        event_parts.insert("pathParameters".to_owned(), json!({ "id": id }));
    }
    event_parts.extend(more.as_object().cloned().unwrap_or_default());
    event
}

/// A visit, from the cart to whatever becomes of the money.
pub(crate) async fn visit(world: Arc<World>, visit: Visit) {
    if let Some(session) = buy(&world, &visit).await {
        for later in &visit.later {
            seconds(later.after).await;
            give_back(&world, &session, later).await;
        }
    }
}

/// A visit up to the payment: the session, if it is paid.
pub(crate) async fn buy(world: &Arc<World>, visit: &Visit) -> Option<String> {
    seconds(visit.at).await;
    let (purchase, url) = check_out(world, visit).await?;
    let session = url.rsplit('/').next().unwrap_or_default().to_owned();
    seconds(visit.hesitates).await;
    let is_paid = pay(world, visit, &purchase, &session).await;
    look(world, visit.buyer, &purchase).await;
    is_paid.then_some(session)
}

/// Tries until the shop says yes or no. The purchase, and where to pay.
async fn check_out(world: &Arc<World>, visit: &Visit) -> Option<(String, String)> {
    let items: Vec<_> = visit
        .cart
        .iter()
        .map(|(product, quantity)| json!({ "product_id": product, "quantity": quantity }))
        .collect();
    let more = json!({
        "headers": {
            "content-type": "application/json",
            "idempotency-key": format!("visit-{}", visit.number),
        },
        "body": json!({ "items": items }).to_string(),
    });
    let event = event(visit.buyer, "POST /checkout", None, &more);
    for _ in 0..PATIENCE {
        let answer = match world.strikes(Trouble::Impatience) {
            true => {
                let (one, other) = tokio::join!(
                    request(world, Function::Checkout, &event),
                    request(world, Function::Checkout, &event)
                );
                let first = note_opened(world, visit, one);
                note_opened(world, visit, other).or(first)
            }
            false => note_opened(
                world,
                visit,
                request(world, Function::Checkout, &event).await,
            ),
        };
        match answer {
            Some((201, body)) => {
                let text = |name: &str| body[name].as_str().map(str::to_owned);
                return Some((text("purchase_id")?, text("url")?));
            }
            Some((status, _)) if status < 500 => return None,
            _ => seconds(world.draw(|dice| dice.u64(1..120))).await,
        }
    }
    None
}

/// A key stands for one purchase, however often it is sent.
fn note_opened(world: &World, visit: &Visit, answer: Option<(u16, Value)>) -> Option<(u16, Value)> {
    let (status, body) = answer?;
    let Visit { number, buyer, .. } = visit;
    let purchase = body["purchase_id"].as_str().unwrap_or_default();
    let detail = body["title"].as_str().unwrap_or(purchase);
    world.tell(format!(
        "{buyer}'s checkout for visit {number}: {status} {detail}"
    ));
    if status == 201 {
        let mut opened = world.opened.lock().unwrap();
        let earlier = opened.insert(*number, purchase.to_owned());
        drop(opened);
        if let Some(earlier) = earlier.filter(|earlier| earlier != purchase) {
            world.is_wrong(format!(
                "one key stands for two purchases, {earlier} and {purchase}"
            ));
        }
    }
    Some((status, body))
}

/// Whether the buyer has paid, now or later.
async fn pay(world: &Arc<World>, visit: &Visit, purchase: &str, session: &str) -> bool {
    match visit.ends {
        Ends::Leaves => false,
        Ends::Cancels => {
            let event = event(
                visit.buyer,
                "POST /purchases/{id}/cancel",
                Some(purchase),
                &Value::Null,
            );
            for _ in 0..PATIENCE {
                let answer = request(world, Function::Purchases, &event).await;
                let status = answer.map_or(0, |(status, _)| status);
                world.tell(format!("{} cancels {purchase}: {status}", visit.buyer));
                if (1..500).contains(&status) {
                    break;
                }
                seconds(world.draw(|dice| dice.u64(1..120))).await;
            }
            false
        }
        Ends::Card { number, declined } => {
            if declined {
                submit(world, visit, session, &card(DECLINED)).await;
                seconds(20).await;
            }
            submit(world, visit, session, &card(number)).await
        }
        Ends::Bank { after, succeeds } => {
            let submitted = submit(world, visit, session, &[("method", "bank_debit")]).await;
            submitted && decided(world, session, after, succeeds).await
        }
        Ends::Voucher { after, paid } => {
            let submitted = submit(world, visit, session, &[("method", "voucher")]).await;
            submitted && decided(world, session, after, paid).await
        }
    }
}

/// Where whatever is shipped goes.
const ADDRESS: [(&str, &str); 6] = [
    ("phone", "+49301234567"),
    ("shipping_name", "Ada Byron"),
    ("shipping_line1", "Weg 1"),
    ("shipping_city", "Berlin"),
    ("shipping_postal_code", "10115"),
    ("shipping_country", "DE"),
];

/// Where the buyer lives, by which the payment is taxed.
const BILLING: [(&str, &str); 4] = [
    ("billing_country", "DE"),
    ("billing_line1", "Weg 1"),
    ("billing_city", "Berlin"),
    ("billing_postal_code", "10115"),
];

fn card(number: &'static str) -> [(&'static str, &'static str); 4] {
    [
        ("method", "card"),
        ("card_number", number),
        ("exp", "12 / 40"),
        ("cvc", "123"),
    ]
}

/// Submits the payment page. Whether that led anywhere.
async fn submit(world: &World, visit: &Visit, session: &str, means: &[(&str, &str)]) -> bool {
    let mut form = vec![("email", "buyer@buyers.example")];
    form.extend(means);
    form.extend(visit.code.map(|code| ("promotion_code", code)));
    let path = format!("/v1/checkout/sessions/{session}");
    let shown = world.stripe.get(&path).await;
    if shown["shipping_address_collection"].is_object() {
        form.extend(ADDRESS);
        let rates = shown["shipping_options"].as_array();
        let rate = rates.and_then(|rates| {
            let rate = rates.get(visit.number % rates.len().max(1))?;
            rate["shipping_rate"].as_str()
        });
        form.extend(rate.map(|rate| ("shipping_rate", rate)));
    } else if shown["automatic_tax"]["enabled"] == true {
        form.extend(BILLING);
    }
    let (status, _) = world
        .stripe
        .ask("POST", &format!("/pay/{session}"), &form)
        .await;
    world.tell(format!("{session} is paid with {:?}: {status}", means[0].1));
    world.happened.notify_one();
    status == 303
}

/// The bank decides, or the buyer pays a voucher or not.
async fn decided(world: &World, session: &str, after: u64, succeeds: bool) -> bool {
    seconds(after).await;
    let step = if succeeds { "succeed" } else { "fail" };
    let path = format!("/_stripe/sessions/{session}/{step}");
    let (status, _) = world.stripe.ask("POST", &path, &[]).await;
    world.tell(format!(
        "the delayed payment of {session} should {step}: {status}"
    ));
    world.happened.notify_one();
    succeeds && status == 200
}

/// The buyer comes back to the site, which shows the purchase; others who try see nothing.
async fn look(world: &Arc<World>, buyer: &str, purchase: &str) {
    for visitor in BUYERS {
        let event = event(visitor, "GET /purchases/{id}", Some(purchase), &Value::Null);
        let answer = request(world, Function::Purchases, &event).await;
        match answer {
            Some((200, _)) if visitor != buyer => {
                world.is_wrong(format!("{visitor} sees {buyer}'s purchase {purchase}"));
            }
            Some((200, body)) if body["id"] != purchase => {
                world.is_wrong(format!(
                    "{buyer} asks for {purchase} and sees {}",
                    body["id"]
                ));
            }
            _ => {}
        }
    }
}

/// The seller refunds, or the buyer's bank disputes.
async fn give_back(world: &Arc<World>, session: &str, later: &Later) {
    let shown = world
        .stripe
        .get(&format!("/v1/checkout/sessions/{session}"))
        .await;
    let Some(intent) = shown["payment_intent"].as_str() else {
        return;
    };
    match later.what {
        Returns::Refund { percent } => {
            let total = shown["amount_total"].as_i64().unwrap_or_default();
            refund(world, intent, total * percent / 100).await;
        }
        Returns::Dispute {
            kind,
            decides_after,
            ends,
        } => {
            let path = format!("/v1/payment_intents/{intent}");
            let intent = world.stripe.get(&path).await;
            let charge = intent["latest_charge"].as_str().unwrap_or_default();
            let path = format!("/_stripe/charges/{charge}/dispute");
            let (status, dispute) = world.stripe.ask("POST", &path, &[("kind", kind)]).await;
            world.tell(format!("{session} is disputed, {kind}: {status}"));
            world.happened.notify_one();
            if let Some(dispute) = dispute["dispute"].as_str() {
                let (dispute, world) = (dispute.to_owned(), Arc::clone(world));
                world.clone().begin(async move {
                    seconds(decides_after).await;
                    decide(&world, &dispute, ends).await;
                });
            }
        }
    }
}

/// The seller refunds so much of a payment.
pub(crate) async fn refund(world: &Arc<World>, intent: &str, amount: i64) {
    let amount = amount.to_string();
    let form = [("payment_intent", intent), ("amount", amount.as_str())];
    let (status, refund) = world.stripe.ask("POST", "/v1/refunds", &form).await;
    let id = refund["id"].as_str().unwrap_or("no refund").to_owned();
    world.tell(format!("{amount} of {intent} go back: {status} {id}"));
    world.happened.notify_one();
    if refund["status"] == "pending" {
        let world = Arc::clone(world);
        world
            .clone()
            .begin(async move { end_refund(&world, &id).await });
    }
}

/// A refund that was on its way ends.
async fn end_refund(world: &World, refund: &str) {
    seconds(world.draw(|dice| dice.u64(60..200_000))).await;
    let step = ["succeed", "fail"][world.draw(|dice| dice.usize(..2))];
    let path = format!("/_stripe/refunds/{refund}/{step}");
    let (status, _) = world.stripe.ask("POST", &path, &[]).await;
    world.tell(format!("{refund} should {step}: {status}"));
    world.happened.notify_one();
}

/// A bank decides.
pub(crate) async fn decide(world: &World, dispute: &str, ends: &str) {
    let path = format!("/_stripe/disputes/{dispute}/{ends}");
    let (status, _) = world.stripe.ask("POST", &path, &[]).await;
    world.tell(format!("{dispute} ends, {ends}: {status}"));
    world.happened.notify_one();
}
