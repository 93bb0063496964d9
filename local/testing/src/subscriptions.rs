//! What buyers subscribe to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::answer::{Answer, text as member};
use crate::app::TestApp;
use crate::cast::{ADA, COFFEE};

const DAY: i64 = 24 * 3600;

impl TestApp {
    /// `GET` of anything that is a buyer's own, with any token.
    pub async fn get_as(&self, token: Option<&str>, path: &str) -> Answer {
        let request = self.request("GET", path);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        self.send(request).await
    }

    /// Whose token it is, as the shop knows them.
    pub fn subject(&self, token: &str) -> String {
        let claims = token.split('.').nth(1).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
        member(&serde_json::from_slice(&claims).unwrap(), "sub")
    }

    /// Ada has this subscription, as it was read when it was last paid, and its one invoice.
    pub async fn subscribed(&self, id: &str, status: &str, paid_until: i64) {
        let number = |it: i64| json!({ "N": it.to_string() });
        let text = |it: &str| json!({ "S": it });
        let map = |it: Value| json!({ "M": it });
        let money = |amount| map(json!({ "amount": number(amount), "currency": text("usd") }));
        let start = paid_until - 30 * DAY;
        let period = map(json!({ "start": number(start), "end": number(paid_until) }));
        let recurring = map(json!({ "interval": text("month"), "interval_count": number(1) }));
        let item = map(json!({
            "id": text("si_1"), "product_id": text(COFFEE), "name": text("Coffee box"),
            "quantity": number(1), "unit_amount": number(1900), "recurring": recurring,
        }));
        let reading = map(json!({
            "status": text(status), "currency": text("usd"), "items": { "L": [item] },
            "period": period, "started_at": number(start),
        }));
        let subject = self.subject(self.ada().await);
        let buyer = map(json!({ "subject": text(&subject), "email": text(ADA) }));
        let purchase = text("01997a3c-4f4d-7000-8000-000000000001");
        self.put_item(
            "PurchasesTable",
            &json!({
                "pk": text(id), "sk": text("subscription"), "version": number(1),
                "purchase_id": purchase, "buyer": buyer, "reading": reading,
                "history": text(&subject),
            }),
        )
        .await;
        let bill = map(json!({
            "attempts": number(1), "paid": money(1900), "due": money(1900), "total": money(1900),
            "number": text("A1-0001"), "page": text("https://invoice.example/1"), "period": period,
            "reason": text("first"), "created_at": number(start),
        }));
        self.put_item(
            "PurchasesTable",
            &json!({
                "pk": text(id), "sk": text("in_1"), "version": number(1), "purchase_id": purchase,
                "buyer": buyer, "seen": { "L": [text("paid")] }, "bill": bill,
                "mails": { "L": [] }, "superseded": { "L": [] }, "history": text(&subject),
            }),
        )
        .await;
    }
}
