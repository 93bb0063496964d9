//! Stripe: its payment page, its API, and what the stand-in lets tests do to it.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::Value;

use crate::answer::{Answer, Checkout, text};
use crate::app::TestApp;
use crate::cast::ADA;
use crate::time::eventually;

const STRIPE_KEY: &str = "sk_test_local";

impl TestApp {
    pub(crate) fn stripe_request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.addresses.stripe);
        self.http.request(method.parse().unwrap(), url)
    }

    /// An object or a list, as Stripe's API shows it.
    pub async fn at_stripe(&self, path: &str) -> Value {
        let request = self.stripe_request("GET", &format!("/v1/{path}"));
        self.send(request.bearer_auth(STRIPE_KEY))
            .await
            .expect(200)
            .json()
    }

    /// Submits the payment page.
    pub async fn pay(&self, checkout: &Checkout, card: &str) -> Answer {
        let form = [
            ("email", ADA),
            ("method", "card"),
            ("card_number", card),
            ("exp", "12 / 40"),
            ("cvc", "123"),
        ];
        self.send(self.http.post(&checkout.url).form(&form)).await
    }

    /// Submits the payment page with a promotion code that leaves nothing to pay.
    pub async fn pay_nothing(&self, checkout: &Checkout) -> Answer {
        let form = [("email", ADA), ("promotion_code", "FREE")];
        self.send(self.http.post(&checkout.url).form(&form)).await
    }

    /// Submits the payment page with the delayed method.
    pub async fn pay_by_bank(&self, checkout: &Checkout) -> Answer {
        let form = [("email", ADA), ("method", "bank_debit")];
        self.send(self.http.post(&checkout.url).form(&form)).await
    }

    /// Submits the payment page for a voucher, which the buyer has to pay yet.
    pub async fn take_voucher(&self, checkout: &Checkout) -> Answer {
        let form = [("email", ADA), ("method", "voucher")];
        self.send(self.http.post(&checkout.url).form(&form)).await
    }

    /// Ends an open session, as Stripe's API lets a shop do.
    pub async fn expire(&self, checkout: &Checkout) {
        let path = format!("/v1/checkout/sessions/{}/expire", checkout.session());
        let request = self.stripe_request("POST", &path).bearer_auth(STRIPE_KEY);
        self.send(request).await.expect(200);
    }

    /// A command of the stand-in's control API.
    pub async fn control(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let request = self.stripe_request("POST", &format!("/_stripe/{path}"));
        self.send(request.form(form)).await.expect(200).json()
    }

    /// `POST /v1/…`
    pub async fn stripe_post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let request = self.stripe_request("POST", &format!("/v1/{path}"));
        let answer = self.send(request.bearer_auth(STRIPE_KEY).form(form)).await;
        answer.expect(200).json()
    }

    /// Takes all of the stand-in's planned faults away.
    pub async fn stripe_is_well(&self) {
        let request = self.stripe_request("DELETE", "/_stripe/faults");
        self.send(request).await.expect(200);
    }

    /// A session that is none of this shop's: of a payment link in the same account, say.
    pub async fn foreign_session(&self) -> Checkout {
        self.session_made_elsewhere(&[]).await
    }

    /// A session that this shop did not make, whatever its metadata say.
    pub async fn session_made_elsewhere(&self, metadata: &[(&str, &str)]) -> Checkout {
        let form = [
            ("mode", "payment"),
            ("success_url", "http://127.0.0.1/"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", "700"),
            (
                "line_items[0][price_data][product_data][name]",
                "A donation",
            ),
            ("line_items[0][quantity]", "1"),
        ];
        let form = [&form, metadata].concat();
        let session = self.stripe_post("checkout/sessions", &form).await;
        Checkout {
            purchase: String::new(),
            url: text(&session, "url"),
        }
    }

    /// The payment intent that paid, `pi_…`
    pub async fn payment_intent(&self, checkout: &Checkout) -> String {
        text(&self.session(checkout.session()).await, "payment_intent")
    }

    /// The seller gives so much back, or all that is left. Answers the refund's id.
    pub async fn refund(&self, checkout: &Checkout, amount: Option<u32>) -> String {
        let intent = self.payment_intent(checkout).await;
        let amount = amount.map(|amount| amount.to_string());
        let mut form = vec![("payment_intent", intent.as_str())];
        form.extend(amount.as_deref().map(|amount| ("amount", amount)));
        text(&self.stripe_post("refunds", &form).await, "id")
    }

    /// A refund goes on: `succeed`, `fail`, `require_action`, `cancel`.
    pub async fn refund_goes(&self, refund: &str, step: &str) {
        self.control(&format!("refunds/{refund}/{step}"), &[]).await;
    }

    /// The buyer goes to their bank. Answers the dispute's id.
    pub async fn dispute(&self, checkout: &Checkout, claim: &[(&str, &str)]) -> String {
        let intent = self.payment_intent(checkout).await;
        let intent = self.at_stripe(&format!("payment_intents/{intent}")).await;
        let charge = text(&intent, "latest_charge");
        let path = format!("charges/{charge}/dispute");
        text(&self.control(&path, claim).await, "dispute")
    }

    /// A dispute goes on to this status.
    pub async fn dispute_goes(&self, dispute: &str, status: &str) {
        let path = format!("disputes/{dispute}/{status}");
        self.control(&path, &[]).await;
    }

    /// How many sessions Stripe has made. Meets planned faults like any other call.
    pub async fn sessions(&self) -> usize {
        let request = self
            .stripe_request("GET", "/v1/checkout/sessions?limit=100")
            .bearer_auth(STRIPE_KEY);
        let answer = self.send(request).await.expect(200).json();
        answer["data"].as_array().unwrap().len()
    }

    /// Lets calls that nobody waits for meet the faults that are still planned.
    pub async fn stripe_recovers(&self) {
        for _ in 0..200 {
            let request = self
                .stripe_request("GET", "/v1/checkout/sessions?limit=1")
                .bearer_auth(STRIPE_KEY)
                .timeout(Duration::from_millis(200));
            if let Ok(response) = request.send().await
                && response.status().is_success()
            {
                return;
            }
        }
        panic!("Stripe does not recover");
    }

    /// Waits until all planned faults have struck: whatever they delay is under way.
    pub async fn stripe_struck(&self) {
        eventually(async || {
            let request = self.stripe_request("GET", "/_stripe/faults");
            let faults = self.send(request).await.expect(200).json();
            faults.as_array().unwrap().is_empty().then_some(())
        })
        .await;
    }

    /// A session as Stripe's API shows it.
    pub async fn session(&self, id: &str) -> Value {
        let path = format!("/v1/checkout/sessions/{id}?expand[]=line_items");
        let request = self.stripe_request("GET", &path).bearer_auth(STRIPE_KEY);
        self.send(request).await.expect(200).json()
    }

    /// Stripe's next calls go wrong.
    pub async fn stripe_fails(&self, fault: &[(&str, &str)]) {
        let session = [("path", "/v1/checkout/sessions")];
        self.control("faults", &[&session, fault].concat()).await;
    }
}
