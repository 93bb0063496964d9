//! A buyer's customer at Stripe.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use stripe_client_core::{RequestBuilder, StripeMethod};

use super::{
    client::{Client, LONGEST_PAGE, List, OBJECT, StripeError},
    metadata,
    object::Tags,
};
use crate::{config::Stack, purchase::CustomerId};

/// What is read of a customer.
#[derive(Deserialize)]
struct Customer {
    id: CustomerId,
    metadata: Tags,
}

/// What is read of any answer.
#[derive(Deserialize)]
struct Answered {
    id: CustomerId,
    #[serde(default)]
    deleted: bool,
}

/// Makes a buyer's customer, in place of one that was deleted, if there was one. Whoever repeats it
/// within a day, even at the same moment, gets the same customer: its idempotency key is made of the
/// deployment, the buyer and the one it replaces. Its address may change, so it is set afterwards.
pub(crate) async fn create(
    stripe: &Client,
    subject: &str,
    stack: &Stack,
    replaced: Option<&CustomerId>,
) -> Result<CustomerId, StripeError> {
    let tags = [
        (format!("metadata[{}]", metadata::STACK), stack.tag()),
        (format!("metadata[{}]", metadata::BUYER), subject),
    ];
    let form = tags.each_ref().map(|(name, value)| (name.as_str(), *value));
    let replaced = replaced.map_or("", CustomerId::as_str);
    // A line break is in none of these but, perhaps, a subject, which comes last.
    let one_of_a_kind = format!("{}\n{replaced}\n{subject}", stack.tag());
    let key = format!("customer:{}", hex::encode(Sha256::digest(one_of_a_kind)));
    let made: Answered = stripe.post("/customers", &form, &key).await?;
    Ok(made.id)
}

/// Looks for a buyer's customer by our tags; the oldest, should there be several. Stripe's index may
/// be a minute behind. Where there is no search (India), none is found.
///
/// Stripe's search takes upper case for lower (Stripe's documentation, "Search query language"), and
/// an issuer of tokens may not, so what it finds may be another buyer's.
pub(crate) async fn search(
    stripe: &Client,
    subject: &str,
    stack: &Stack,
) -> Result<Option<CustomerId>, StripeError> {
    let quoted = subject.replace('\\', r"\\").replace('"', r#"\""#);
    let query = format!("metadata[\"{}\"]:\"{quoted}\"", metadata::BUYER);
    let query = [("query", query.as_str()), ("limit", LONGEST_PAGE)];
    let found: List<Customer> = match stripe.list("/customers/search", &query).await {
        Err(error) if error.is_final() => return Ok(None),
        found => found?,
    };
    let mut own = found
        .data
        .into_iter()
        .filter(|one| one.metadata.are_of(stack) && one.metadata.are_of_buyer(subject));
    Ok(own.next_back().map(|customer| customer.id))
}

/// Sets a customer's address. `false` if the customer was deleted, or never was.
pub(crate) async fn set_email(
    stripe: &Client,
    customer: &CustomerId,
    email: &str,
) -> Result<bool, StripeError> {
    let path = format!("/customers/{customer}");
    let mut request = RequestBuilder::new(StripeMethod::Post, path);
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("email", email)
        .finish();
    request.body = Some(form);
    // Repeating it changes nothing, so it needs no idempotency key.
    match stripe.send::<Answered>(&request, None, OBJECT).await {
        Err(StripeError::Refused { status, .. }) if status == http::StatusCode::NOT_FOUND => {
            Ok(false)
        }
        answer => Ok(!answer?.deleted),
    }
}
