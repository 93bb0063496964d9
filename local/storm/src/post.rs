//! Stripe's events on their way to the webhook: twice, late, in any order, or never.

use std::sync::Arc;
use std::time::Duration;

use laptop::environment::STAND_IN_WEBHOOK_SECRET;
use serde_json::{Value, json};
use shared::stripe::event::handled;
use stand_in::SigningSecret;

use crate::invocation::request;
use crate::span::{DAY, HOUR, MINUTE};
use crate::version::Function;
use crate::weather::Trouble;
use crate::world::{World, seconds};

/// How long Stripe waits before it tries again; after that it gives up.
const PAUSES: [u64; 7] = [
    30,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    8 * HOUR,
    20 * HOUR,
    DAY,
];

/// How often one looks for what the passing of time has made happen.
const UNPROMPTED: Duration = Duration::from_secs(3_600);

/// Sees each event that happens, and sends it on its way.
pub(crate) async fn watch(world: Arc<World>) {
    let mut newest = None;
    loop {
        let _ = tokio::time::timeout(UNPROMPTED, world.happened.notified()).await;
        for event in news(&world, &mut newest).await {
            let kind = event["type"].as_str().unwrap_or_default();
            if !handled().any(|handled| handled == kind) {
                continue;
            }
            let about_session = kind.starts_with("checkout.session.");
            if about_session && world.strikes(Trouble::EventNeverMade) {
                world.tell(format!("{kind} {} is never made", event["id"]));
                let id = event["id"].as_str().unwrap_or_default().to_owned();
                let session = event["data"]["object"]["id"].as_str();
                let session = session.unwrap_or_default().to_owned();
                world.never_made.lock().unwrap().insert(id, session);
                continue;
            }
            if world.strikes(Trouble::EventLost) {
                world.tell(format!("{kind} {} gets lost", event["id"]));
                continue;
            }
            let copies = 1 + usize::from(world.strikes(Trouble::EventTwice));
            for _ in 0..copies {
                let (to, event) = (Arc::clone(&world), event.clone());
                world.begin(async move { deliver(&to, &event).await });
            }
        }
    }
}

/// What has happened after the event with this id, oldest first.
async fn news(world: &World, newest: &mut Option<String>) -> Vec<Value> {
    let mut news = Vec::new();
    loop {
        let after = newest.as_ref().map(|id| format!("&ending_before={id}"));
        let path = format!("/v1/events?limit=100{}", after.unwrap_or_default());
        let page = world.stripe.get(&path).await;
        // The newest comes first.
        let events = page["data"].as_array().cloned().unwrap_or_default();
        let Some(id) = events.first().and_then(|event| event["id"].as_str()) else {
            return news;
        };
        *newest = Some(id.to_owned());
        news.extend(events.into_iter().rev());
        if page["has_more"] != true {
            return news;
        }
    }
}

async fn deliver(world: &Arc<World>, event: &Value) {
    let delay = match world.strikes(Trouble::EventLate) {
        true => world.draw(|dice| dice.u64(..3 * DAY)),
        false => world.draw(|dice| dice.u64(..20)),
    };
    seconds(delay).await;
    let kind = event["type"].as_str().unwrap_or_default();
    let secret = SigningSecret::new(STAND_IN_WEBHOOK_SECRET).expect("a secret");
    for pause in PAUSES {
        let body = event.to_string();
        let signature = secret.sign(&body, world.now());
        let answer = request(world, Function::Webhook, &delivery(&body, &signature)).await;
        let status = answer.as_ref().map_or(0, |(status, _)| *status);
        let result = answer.map_or(Value::Null, |(_, body)| body["result"].clone());
        let about = event["data"]["object"]["id"].as_str().unwrap_or_default();
        world.tell(format!("{kind} about {about}: {status} {result}"));
        if status == 200 {
            return;
        }
        seconds(pause).await;
    }
}

fn delivery(body: &str, signature: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": { "content-type": "application/json", "stripe-signature": signature },
        "isBase64Encoded": false,
        "body": body,
        "requestContext": {
            "requestId": "storm", "http": { "method": "POST", "path": "/" },
        },
    })
}
