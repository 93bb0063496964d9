//! The shop's HTTP API, as its buyers call it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, Checkout, text};
use crate::app::TestApp;
use crate::cast::{ADA, CARD, MUG};

impl TestApp {
    /// `POST /_local/token`
    pub async fn token(&self, email: &str) -> String {
        self.token_with(&[("email", email)]).await
    }

    pub async fn token_with(&self, form: &[(&str, &str)]) -> String {
        let answer = self
            .send(self.request("POST", "/_local/token").form(form))
            .await;
        let token = answer.expect(200).json();
        token["access_token"].as_str().unwrap().to_owned()
    }

    /// A token of Ada, the buyer in most tests.
    pub async fn ada(&self) -> &str {
        self.ada.get_or_init(|| self.token(ADA)).await
    }

    /// `POST /checkout` with any token, key and body.
    pub async fn post_checkout(
        &self,
        token: Option<&str>,
        idempotency_key: Option<&str>,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self
            .request("POST", "/checkout")
            .header("content-type", "application/json")
            .body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        self.send(request).await
    }

    /// Ada's cart, once.
    pub async fn checkout(&self, cart: &Value) -> Answer {
        self.post_checkout(Some(self.ada().await), None, cart.to_string())
            .await
    }

    /// Ada's cart under a key.
    pub async fn checkout_as(&self, key: &str, cart: &Value) -> Answer {
        self.post_checkout(Some(self.ada().await), Some(key), cart.to_string())
            .await
    }

    /// Ada wants a mug.
    pub async fn open(&self) -> Checkout {
        Checkout::of(&self.checkout(&cart(&[(MUG, 1)])).await)
    }

    /// Ada wants this, once.
    pub async fn open_one(&self, product: &str) -> Checkout {
        Checkout::of(&self.checkout(&cart(&[(product, 1)])).await)
    }

    /// Ada buys a mug and pays with this card.
    pub async fn paid_with(&self, card: &str) -> Checkout {
        let checkout = self.open().await;
        self.pay(&checkout, card).await.expect(303);
        self.until_status(&checkout.purchase, "paid").await;
        checkout
    }

    /// Ada buys a mug.
    pub async fn paid(&self) -> Checkout {
        self.paid_with(CARD).await
    }

    /// Ada has paid for a mug, and the body of the event that says so, which the shop has not
    /// received yet.
    pub async fn paid_unheard(&self) -> (Checkout, String) {
        self.hold_deliveries().await;
        let checkout = self.open().await;
        self.pay(&checkout, CARD).await.expect(303);
        let event = self.events_of(checkout.session()).await.remove(0);
        (checkout, event)
    }

    /// `POST /portal`
    pub async fn portal(&self, token: Option<&str>) -> Answer {
        let request = self.request("POST", "/portal");
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        self.send(request).await
    }

    /// `GET /products` and whatever follows it.
    pub async fn products(&self, rest: &str) -> Answer {
        self.send(self.request("GET", &format!("/products{rest}")))
            .await
    }

    /// `GET /products…` with `If-None-Match`.
    pub async fn products_unless(&self, rest: &str, etag: &str) -> Answer {
        let request = self.request("GET", &format!("/products{rest}"));
        self.send(request.header("if-none-match", etag)).await
    }

    /// `GET /purchases` and whatever follows it.
    pub async fn purchases_of(&self, token: &str, rest: &str) -> Answer {
        self.send(
            self.request("GET", &format!("/purchases{rest}"))
                .bearer_auth(token),
        )
        .await
    }

    /// `POST /purchases/{id}/cancel`
    pub async fn cancel_as(&self, token: &str, id: &str) -> Answer {
        let path = format!("/purchases/{id}/cancel");
        self.send(self.request("POST", &path).bearer_auth(token))
            .await
    }

    /// Ada cancels one of her purchases.
    pub async fn cancel(&self, id: &str) -> Answer {
        self.cancel_as(self.ada().await, id).await
    }

    /// Ada's purchases that wait for their payment, newest first.
    pub async fn open_purchases(&self) -> Vec<Value> {
        let answer = self.purchases_of(self.ada().await, "?status=open").await;
        let page = answer.expect(200).json();
        assert!(page["next"].is_null(), "{page}");
        page["purchases"].as_array().unwrap().clone()
    }

    /// One of Ada's purchases.
    pub async fn purchase(&self, id: &str) -> Value {
        let answer = self
            .purchases_of(self.ada().await, &format!("/{id}"))
            .await
            .expect(200);
        answer.json()
    }

    pub async fn status(&self, id: &str) -> String {
        let purchase = self.purchase(id).await;
        purchase["status"].as_str().unwrap().to_owned()
    }

    /// Waits until one of Ada's purchases has this status.
    pub async fn until_status(&self, id: &str, hoped: &str) {
        let mut last = String::new();
        let reached = async {
            loop {
                last = self.status(id).await;
                if last == hoped {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
        assert!(reached.is_ok(), "purchase {id} is {last}, not {hoped}");
    }

    /// Where the money of one of Ada's purchases is: paid, refunded, disputed, and what is left, all
    /// in one currency.
    pub async fn money(&self, id: &str) -> [i64; 4] {
        let purchase = self.purchase(id).await;
        ["paid", "refunded", "disputed", "net"].map(|name| {
            let sum = &purchase[name];
            assert_eq!(sum["currency"], purchase["paid"]["currency"], "{purchase}");
            sum["amount"].as_i64().unwrap()
        })
    }

    /// What a person should look at in one of Ada's purchases.
    pub async fn attention(&self, id: &str) -> Vec<String> {
        let purchase = self.purchase(id).await;
        let all = purchase["attention"].as_array().cloned();
        let all = all.unwrap_or_default().into_iter();
        all.map(|reason| reason.as_str().unwrap().to_owned())
            .collect()
    }

    /// The ids in Ada's history, newest first.
    pub async fn history(&self) -> Vec<String> {
        let answer = self.purchases_of(self.ada().await, "").await.expect(200);
        let page = answer.json();
        let purchases = page["purchases"].as_array().unwrap().iter();
        purchases.map(|purchase| text(purchase, "id")).collect()
    }
}

/// A cart's body.
pub fn cart(items: &[(&str, u64)]) -> Value {
    let items: Vec<_> = items
        .iter()
        .map(|(product, quantity)| json!({ "product_id": product, "quantity": quantity }))
        .collect();
    json!({ "items": items })
}
