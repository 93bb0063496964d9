//! The webhook as it is deployed, without its network: a payload of Lambda's, of which nothing is signed with the
//! secret.

use std::collections::BTreeMap;

use shared::clock::Clock;
use shared::config::Environment;
use shared::http;
use tokio::runtime::{Builder, Runtime};
use webhook::Webhook;

const SECRET: &str = "whsec_known_to_nobody";

struct Door {
    runtime: Runtime,
    webhook: Webhook,
}

thread_local! {
    static DOOR: Door = Door::open();
}

/// Nobody gets in: every payload is answered 400, 405 or 413, before anything is asked of DynamoDB or Stripe; and
/// the answer gives nothing away.
pub(crate) fn run(data: &[u8]) {
    let Ok(payload) = std::str::from_utf8(data) else {
        return;
    };
    let answer = match http::request(payload) {
        Ok(request) => DOOR.with(|door| door.runtime.block_on(door.webhook.handle(request))),
        Err(problem) => problem.into_response(""),
    };
    let answer = http::response(answer);
    let status = answer["statusCode"].as_u64().unwrap_or_default();
    assert!([400, 405, 413].contains(&status), "{answer}");
    assert!(!answer.to_string().contains(SECRET), "{answer}");
}

impl Door {
    fn open() -> Self {
        let variables = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            // Nothing listens there.
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("STRIPE_API_BASE", "http://127.0.0.1:9"),
            ("STRIPE_SECRET_KEY", "sk_test_local"),
            ("STRIPE_WEBHOOK_SECRETS", SECRET),
            ("TILL_MODE", "test"),
            ("TILL_STACK", "till"),
            ("PRODUCTS_TABLE", "products"),
            ("PURCHASES_TABLE", "purchases"),
            ("OUTBOX_TABLE", "outbox"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment::from(BTreeMap::from(variables));
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let webhook = runtime.block_on(Webhook::new(&environment, Clock::default()));
        Self {
            webhook: webhook.expect("a webhook that needs no network to start"),
            runtime,
        }
    }
}
