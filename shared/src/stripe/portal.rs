//! Stripe's billing portal, where buyers manage what they subscribe to.

use serde::Deserialize;
use stripe_client_core::{RequestBuilder, StripeMethod};

use super::client::{Client, OBJECT, StripeError};
use crate::purchase::CustomerId;

#[derive(Deserialize)]
struct OpenedPortal {
    url: String,
}

/// A page of a customer's own, which lives for minutes and leads back to `return_url`. Its settings
/// are the account's. `None` if Stripe does not know the customer.
pub async fn open(
    stripe: &Client,
    customer: &CustomerId,
    return_url: &str,
) -> Result<Option<String>, StripeError> {
    let mut request = RequestBuilder::new(StripeMethod::Post, "/billing_portal/sessions");
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("customer", customer.as_str())
        .append_pair("return_url", return_url)
        .finish();
    request.body = Some(form);
    // Without an idempotency key: another session does no harm, and the same one would be over.
    match stripe.send::<OpenedPortal>(&request, None, OBJECT).await {
        Err(StripeError::Refused { code, .. }) if code == "resource_missing" => Ok(None),
        answer => Ok(Some(answer?.url)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::scripted::{answer, stripe};

    #[tokio::test]
    async fn the_portal_is_opened_for_one_customer_and_leads_back_to_the_site() {
        let url = "https://billing.stripe.com/p/session/test_1";
        let opened = answer("200 OK", &format!(r#"{{"id":"bps_1","url":"{url}"}}"#));
        let (stripe, server) = stripe([opened]).await;
        let customer = "cus_1".to_owned().into();
        let back = "https://shop.example/subscriptions.html";
        let portal = open(&stripe, &customer, back).await.unwrap();
        assert_eq!(portal.as_deref(), Some(url));
        let asked = server.join().unwrap().remove(0);
        assert!(
            asked.starts_with("POST /v1/billing_portal/sessions "),
            "{asked}"
        );
        let form = "customer=cus_1&return_url=https%3A%2F%2Fshop.example%2Fsubscriptions.html";
        assert!(asked.ends_with(form), "{asked}");
    }

    #[tokio::test]
    async fn a_deleted_customer_has_no_portal_and_missing_settings_are_a_refusal() {
        let gone = r#"{"error":{"code":"resource_missing","message":"No such customer: 'cus_1'"}}"#;
        let unset = r#"{"error":{"message":"No configuration provided and your live mode default configuration has not been created."}}"#;
        let answers = [gone, unset].map(|body| answer("400 Bad Request", body));
        let (stripe, server) = stripe(answers).await;
        let customer = "cus_1".to_owned().into();
        let back = "https://shop.example";
        assert_eq!(open(&stripe, &customer, back).await.unwrap(), None);
        let refused = open(&stripe, &customer, back).await.unwrap_err();
        assert!(refused.is_final(), "{refused}");
        server.join().unwrap();
    }
}
