//! Stripe: its payment page, its API, and what the stand-in lets tests do to it.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::Value;

use crate::answer::{Answer, Checkout, text};
use crate::app::TestApp;
use crate::cast::{ADA, CARD};
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

    /// Submits the payment page of something that is shipped, with an address in Berlin and the rate
    /// of this name; if it has none, with the one that is chosen at first.
    pub async fn pay_shipped(&self, checkout: &Checkout, rate: &str) -> Answer {
        let session = self.session(checkout.session()).await;
        let mut chosen = String::new();
        for option in session["shipping_options"].as_array().unwrap() {
            let id = text(option, "shipping_rate");
            let offered = self.at_stripe(&format!("shipping_rates/{id}")).await;
            if offered["display_name"] == *rate {
                chosen = id;
            }
        }
        assert!(
            rate.is_empty() || !chosen.is_empty(),
            "no {rate} in {session}"
        );
        let form = [
            ("email", ADA),
            ("phone", "+49301234567"),
            ("shipping_name", "Ada Byron"),
            ("shipping_line1", "Weg 1"),
            ("shipping_city", "Berlin"),
            ("shipping_postal_code", "10115"),
            ("shipping_country", "DE"),
            ("shipping_rate", chosen.as_str()),
            ("method", "card"),
            ("card_number", CARD),
            ("exp", "12 / 40"),
            ("cvc", "123"),
        ];
        self.send(self.http.post(&checkout.url).form(&form)).await
    }

    /// Submits the payment page with an address in Berlin, by which the payment is taxed.
    pub async fn pay_from_berlin(&self, checkout: &Checkout) -> Answer {
        let form = [
            ("email", ADA),
            ("method", "card"),
            ("card_number", CARD),
            ("exp", "12 / 40"),
            ("cvc", "123"),
            ("billing_country", "DE"),
            ("billing_line1", "Weg 1"),
            ("billing_city", "Berlin"),
            ("billing_postal_code", "10115"),
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

    /// Submits the payment page for a voucher, which the buyer still has to pay.
    pub async fn take_voucher(&self, checkout: &Checkout) -> Answer {
        let form = [("email", ADA), ("method", "voucher")];
        self.send(self.http.post(&checkout.url).form(&form)).await
    }

    /// Expires an open session through Stripe's API.
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

    /// `DELETE /v1/…`
    pub async fn stripe_delete(&self, path: &str) -> Value {
        let request = self.stripe_request("DELETE", &format!("/v1/{path}"));
        let answer = self.send(request.bearer_auth(STRIPE_KEY)).await;
        answer.expect(200).json()
    }

    /// Clears all of the stand-in's planned faults.
    pub async fn stripe_is_well(&self) {
        let request = self.stripe_request("DELETE", "/_stripe/faults");
        self.send(request).await.expect(200);
    }

    /// A session that does not belong to this shop, such as one of a payment link in the same
    /// account.
    pub async fn foreign_session(&self) -> Checkout {
        self.session_made_elsewhere(&[]).await
    }

    /// A session that this shop did not make, with any metadata.
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

    /// The payment intent that was paid, `pi_…`
    pub async fn payment_intent(&self, checkout: &Checkout) -> String {
        text(&self.session(checkout.session()).await, "payment_intent")
    }

    /// Refunds this amount, or all that is left. Returns the refund's id.
    pub async fn refund(&self, checkout: &Checkout, amount: Option<u32>) -> String {
        let intent = self.payment_intent(checkout).await;
        let amount = amount.map(|amount| amount.to_string());
        let mut form = vec![("payment_intent", intent.as_str())];
        form.extend(amount.as_deref().map(|amount| ("amount", amount)));
        text(&self.stripe_post("refunds", &form).await, "id")
    }

    /// Moves a refund on: `succeed`, `fail`, `require_action`, `cancel`.
    pub async fn refund_goes(&self, refund: &str, step: &str) {
        self.control(&format!("refunds/{refund}/{step}"), &[]).await;
    }

    /// Disputes a payment, as the buyer's bank does. Returns the dispute's id.
    pub async fn dispute(&self, checkout: &Checkout, claim: &[(&str, &str)]) -> String {
        let intent = self.payment_intent(checkout).await;
        let intent = self.at_stripe(&format!("payment_intents/{intent}")).await;
        let charge = text(&intent, "latest_charge");
        let path = format!("charges/{charge}/dispute");
        text(&self.control(&path, claim).await, "dispute")
    }

    /// Moves a dispute on to this status.
    pub async fn dispute_goes(&self, dispute: &str, status: &str) {
        let path = format!("disputes/{dispute}/{status}");
        self.control(&path, &[]).await;
    }

    /// How many sessions Stripe has made. Planned faults strike this call as they would any other.
    pub async fn sessions(&self) -> usize {
        let request = self
            .stripe_request("GET", "/v1/checkout/sessions?limit=100")
            .bearer_auth(STRIPE_KEY);
        let answer = self.send(request).await.expect(200).json();
        answer["data"].as_array().unwrap().len()
    }

    /// Makes calls, whose answers do not matter, until the faults that are still planned
    /// have struck.
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
        panic!("Stripe still fails after many calls");
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

    /// The next calls to Stripe fail.
    pub async fn stripe_fails(&self, fault: &[(&str, &str)]) {
        let session = [("path", "/v1/checkout/sessions")];
        self.control("faults", &[&session, fault].concat()).await;
    }
}
