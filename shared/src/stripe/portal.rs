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
