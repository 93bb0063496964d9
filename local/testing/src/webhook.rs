//! The shop's webhook: the events on their way to it, and events that tests deliver.

use serde_json::Value;
use shared::stripe::signature::{WebhookSecret, sign};

use crate::answer::{Answer, Checkout, text};
use crate::app::TestApp;
use crate::time::now;

/// What the stand-in signs its deliveries with.
pub const WEBHOOK_SECRET: &str = "whsec_local";

impl TestApp {
    /// Keeps events back, so that the test delivers them itself.
    pub async fn hold_deliveries(&self) {
        self.control("deliveries/hold", &[]).await;
    }

    /// All deliveries to the webhook, oldest first.
    pub async fn deliveries(&self) -> Vec<Value> {
        let request = self.stripe_request("GET", "/_stripe/deliveries");
        let mut shown = self.send(request).await.expect(200).json();
        let deliveries = shown["deliveries"].as_array_mut().unwrap();
        deliveries.reverse();
        std::mem::take(deliveries)
    }

    /// All events so far that are for the webhook and name this session, payment intent, refund or
    /// dispute, oldest first.
    pub async fn events_of(&self, object: &str) -> Vec<String> {
        let deliveries = self.deliveries().await;
        let bodies = deliveries.iter().map(|delivery| text(delivery, "body"));
        bodies.filter(|body| body.contains(object)).collect()
    }

    /// All events of a paid purchase so far that are for the webhook, oldest first.
    pub async fn events_of_payment(&self, checkout: &Checkout) -> Vec<String> {
        let intent = self.payment_intent(checkout).await;
        self.events_of(&intent).await
    }

    /// `POST /webhook`, signed as Stripe signs.
    pub async fn deliver(&self, body: &str) -> Answer {
        let secret = WebhookSecret::new(WEBHOOK_SECRET).unwrap();
        let signature = sign(body.as_bytes(), &secret, now());
        self.post_webhook(Some(&signature), body).await
    }

    /// What the webhook says became of an event that it accepts.
    pub async fn receipt(&self, body: &str) -> String {
        let answer = self.deliver(body).await.expect(200).json();
        assert_eq!(answer["received"], true);
        text(&answer, "result")
    }

    pub async fn post_webhook(&self, signature: Option<&str>, body: &str) -> Answer {
        let plain = "application/json; charset=utf-8";
        self.post_webhook_as(plain, signature, body).await
    }

    /// A body that is neither JSON nor text reaches a function in base64.
    pub async fn post_webhook_as(
        &self,
        content_type: &str,
        signature: Option<&str>,
        body: &str,
    ) -> Answer {
        let mut request = self
            .request("POST", "/webhook")
            .header("content-type", content_type)
            .body(body.to_owned());
        if let Some(signature) = signature {
            request = request.header("stripe-signature", signature);
        }
        self.send(request).await
    }

    pub async fn post_webhook_at(&self, path: &str, signature: &str, body: &str) -> Answer {
        let request = self
            .request("POST", path)
            .header("content-type", "application/json")
            .header("stripe-signature", signature)
            .body(body.to_owned());
        self.send(request).await
    }
}
