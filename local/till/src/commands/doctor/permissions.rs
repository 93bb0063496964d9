//! What a restricted key may do at Stripe.

use serde_json::Value;

use super::report::Finding;
use crate::account::stripe::{Account, Refusal};

const PERMISSIONS: &str = "key permissions";

/// What webhook reads with its own key: whose a refund or a dispute is, and how subscriptions stand.
/// Their products are only expanded, but that takes the same permission (Stripe's documentation,
/// "Permissions reference").
pub(super) const OF_WEBHOOK: [(&str, &str); 5] = [
    ("/payment_intents", "PaymentIntents"),
    ("/charges", "Charges and Refunds"),
    ("/invoice_payments", "Invoices"),
    ("/subscriptions", "Subscriptions"),
    ("/products", "Products"),
];

/// What the functions and the operator's commands read with the key.
const OF_THE_SHOP: [(&str, &str); 11] = [
    ("/checkout/sessions", "Checkout Sessions"),
    ("/payment_intents", "PaymentIntents"),
    ("/charges", "Charges and Refunds"),
    ("/refunds", "Charges and Refunds"),
    ("/disputes", "Disputes"),
    ("/events", "Events"),
    ("/customers", "Customers"),
    ("/invoices", "Invoices"),
    ("/invoice_payments", "Invoices"),
    ("/subscriptions", "Subscriptions"),
    ("/products", "Products"),
];

/// What the functions write with it: a path, and what it is called. Each call is refused, but only
/// after the permission has been looked at: a session without anything in it, a customer that there
/// is not, a portal of nobody.
const WRITTEN_BY_THE_SHOP: [(&str, &str); 3] = [
    ("/checkout/sessions", "Checkout Sessions"),
    ("/customers/cus_none", "Customers"),
    ("/billing_portal/sessions", "Customer portal"),
];

/// Of a restricted key: whether it may do what the functions and the operator's commands do.
pub(super) async fn of_the_shop(account: &Account) -> Finding {
    let mut asked = reads(account, &OF_THE_SHOP).await;
    for (path, resource) in WRITTEN_BY_THE_SHOP {
        let written = match account.post::<Value>(path, &[]).await {
            Err(Refusal::Refused { .. }) => Ok(()),
            other => other.map(drop),
        };
        asked.push((resource, "write", written));
    }
    let missing = match missing(asked) {
        Ok(missing) => missing,
        Err(other) => return Finding::not_checked(PERMISSIONS, other.to_string()),
    };
    if missing.is_empty() {
        return Finding::ok(PERMISSIONS, "the restricted key may do what the shop does");
    }
    Finding::fail(
        PERMISSIONS,
        format!("the restricted key lacks {}", missing.join(", ")),
        "add them to the key: https://dashboard.stripe.com/apikeys",
    )
}

/// What was asked, with which access, and what came of it.
pub(super) type Asked = (&'static str, &'static str, Result<(), Refusal>);

pub(super) async fn reads(account: &Account, all: &[(&'static str, &'static str)]) -> Vec<Asked> {
    let reads = all.iter().map(|(path, resource)| async move {
        let asked = account.get::<Value>(path, &[("limit", "1")]).await;
        (*resource, "read", asked.map(drop))
    });
    futures::future::join_all(reads).await
}

/// What the key may not do, in Stripe's words. Fails if Stripe refused something for another
/// reason.
pub(super) fn missing(asked: Vec<Asked>) -> Result<Vec<String>, Refusal> {
    let mut missing = Vec::new();
    for (resource, access, asked) in asked {
        match asked {
            Ok(()) => {}
            Err(Refusal::Forbidden(name)) => {
                let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
                missing.push(format!("{resource}: {access}{name}"));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router};
    use http::{Method, StatusCode, Uri};
    use serde_json::json;

    use super::super::report::Verdict;
    use super::*;
    use crate::account::web::Web;

    /// Stripe, as it answers a key that may do everything but what is named.
    async fn stripe(forbidden: &'static [(&'static str, &'static str)]) -> Account {
        let answer = move |method: Method, uri: Uri| async move {
            let path = uri.path().to_owned();
            let lacking = forbidden
                .iter()
                .find(|(call, _)| *call == format!("{method} {path}"));
            match lacking {
                Some((_, permission)) => {
                    let message = format!(
                        "The provided key 'rk_test_*1' does not have the required permissions for \
                         this endpoint on account 'acct_1'. Having the '{permission}' permission \
                         would allow this request to continue."
                    );
                    (
                        StatusCode::FORBIDDEN,
                        Json(json!({ "error": { "message": message } })),
                    )
                }
                None if method == Method::POST => {
                    let error =
                        json!({ "error": { "message": "Missing required param: line_items." } });
                    (StatusCode::BAD_REQUEST, Json(error))
                }
                None => (StatusCode::OK, Json(json!({ "data": [] }))),
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        Account::new(
            &Web::new(None).unwrap(),
            &format!("http://{address}"),
            "rk_test_1".parse().unwrap(),
        )
    }

    #[tokio::test]
    async fn what_a_restricted_key_lacks_is_named_with_its_permission() {
        let account = stripe(&[
            ("GET /v1/disputes", "rak_dispute_read"),
            ("POST /v1/checkout/sessions", "rak_checkout_session_write"),
            ("POST /v1/customers/cus_none", "rak_customer_write"),
        ]);
        let finding = of_the_shop(&account.await).await;
        assert_eq!(finding.verdict, Verdict::Fail);
        assert_eq!(
            finding.says,
            "the restricted key lacks Disputes: read (rak_dispute_read), \
             Checkout Sessions: write (rak_checkout_session_write), \
             Customers: write (rak_customer_write)"
        );
        let finding = of_the_shop(&stripe(&[]).await).await;
        assert_eq!(finding.verdict, Verdict::Ok, "{}", finding.says);
    }

    #[tokio::test]
    async fn webhooks_own_key_needs_to_read_what_its_answers_contain_and_nothing_else() {
        let account = stripe(&[("POST /v1/checkout/sessions", "rak_checkout_session_write")]).await;
        let asked = reads(&account, &OF_WEBHOOK).await;
        assert!(missing(asked).unwrap().is_empty());
        let account = stripe(&[
            ("GET /v1/charges", "rak_charge_read"),
            ("GET /v1/products", "rak_product_read"),
        ]);
        let asked = reads(&account.await, &OF_WEBHOOK).await;
        assert_eq!(
            missing(asked).unwrap(),
            [
                "Charges and Refunds: read (rak_charge_read)",
                "Products: read (rak_product_read)"
            ]
        );
    }
}
