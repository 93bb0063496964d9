//! What Stripe has under an id, as Stripe answers it but for client secrets.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;

use super::answer::{Trouble, unchanged};
use super::window::Window;

pub(super) fn routes(window: Window) -> Router {
    Router::new()
        .route("/objects/{id}", get(show))
        .with_state(window)
}

/// What ids begin with, and where Stripe's API has what they are of.
const KINDS: [(&str, &str); 11] = [
    ("evt_", "events"),
    ("cs_", "checkout/sessions"),
    ("pi_", "payment_intents"),
    ("ch_", "charges"),
    ("py_", "charges"),
    ("re_", "refunds"),
    ("pyr_", "refunds"),
    ("dp_", "disputes"),
    ("du_", "disputes"),
    ("in_", "invoices"),
    ("sub_", "subscriptions"),
];

async fn show(State(window): State<Window>, Path(id): Path<String>) -> Result<Response, Trouble> {
    let unknown = || Trouble::NoSuch(format!("Stripe has nothing with the id {id}"));
    let is_id = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let mut kinds = KINDS.iter().filter(|_| is_id);
    let kind = kinds.find(|(prefix, _)| id.starts_with(prefix));
    let (_, path) = kind.ok_or_else(unknown)?;
    let stripe = window.seen().await.shop.stripe().await?;
    let object: Option<Value> = stripe.get(&format!("/{path}/{id}"), &[]).await?;
    let mut object = object.ok_or_else(unknown)?;
    withhold(&mut object);
    Ok(unchanged(&object))
}

/// With a client secret, a page could go on with somebody's payment.
fn withhold(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(withhold),
        Value::Object(members) => {
            members.retain(|name, _| name != "client_secret");
            members.values_mut().for_each(withhold);
        }
        _ => {}
    }
}
