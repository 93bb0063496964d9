//! Stripe's key and the webhook's secrets, from Parameter Store and Secrets Manager, while they
//! are rolled. Where `AWS_ENDPOINT_URL` points to another engine, it keeps them; otherwise a
//! small server here does.

mod key;
mod reconciling;
mod silence;
mod store;
mod webhook;

use std::time::Duration;

use ::webhook::Webhook;
use lambda_http::{Body, Request};
use serde_json::json;
use shared::stripe::signature::{WebhookSecret, sign};

const STRIPE_KEY: &str = "STRIPE_SECRET_KEY";
const WEBHOOK_SECRETS: &str = "STRIPE_WEBHOOK_SECRETS";

/// AWS's two stores, in the words of `SECRETS_STORE`.
const STORES: [&str; 2] = ["ssm", "secretsmanager"];

/// The status that answers an event signed with the secret. Till does not handle its type, so 200
/// says that the signature was believed, and nothing else.
async fn deliver(function: &Webhook, secret: &str) -> u16 {
    let body = json!({
        "id": "evt_1", "object": "event", "type": "product.updated", "livemode": false,
        "api_version": "2026-09-30.endive", "created": 1, "data": {"object": {"id": "prod_1"}},
    });
    let body = body.to_string();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    let signature = sign(body.as_bytes(), &WebhookSecret::new(secret).unwrap(), now);
    let request = http::Request::post("/")
        .header("stripe-signature", signature)
        .body(Body::Text(body));
    let request: Request = request.unwrap();
    function.handle(request).await.status().as_u16()
}

/// A minute goes by.
async fn a_minute_later() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
}
