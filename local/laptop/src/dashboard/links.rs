//! Where the links in the seller's mail lead: to the story of what they are about, as they lead to
//! Stripe's own Dashboard from a deployed shop.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::routing::get;
use serde::Deserialize;
use shared::purchase::{PaymentIntentId, Subject, SubscriptionId};

use window::routes::Trouble;
use window::shop::Shop;

use super::book::Book;

/// The routes below `/_local`.
pub(super) fn routes(book: Book) -> Router {
    Router::new()
        .route("/_local/test/disputes/{id}", get(dispute))
        .route("/_local/test/subscriptions/{id}", get(subscription))
        .route("/_local/test/payments/{id}", get(payment))
        .with_state(book)
}

#[derive(Deserialize)]
struct Disputed {
    payment_intent: PaymentIntentId,
}

fn unknown() -> Trouble {
    Trouble::NoSuch("there is no dispute with this id".to_owned())
}

/// To the purchase whose payment is disputed, or to the subscription whose invoice it paid.
async fn dispute(State(book): State<Book>, Path(id): Path<String>) -> Result<Redirect, Trouble> {
    let id = url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>();
    let seen = book.window.seen().await;
    let stripe = seen.shop.stripe().await?;
    let disputed: Option<Disputed> = stripe.get(&format!("/disputes/{id}"), &[]).await?;
    let intent = disputed.ok_or_else(unknown)?.payment_intent;
    to_owner(&seen.shop, &intent, unknown).await
}

/// To the purchase that it paid, or to the subscription whose invoice it paid.
async fn payment(
    State(book): State<Book>,
    Path(id): Path<PaymentIntentId>,
) -> Result<Redirect, Trouble> {
    let seen = book.window.seen().await;
    to_owner(&seen.shop, &id, || {
        Trouble::NoSuch("no purchase was paid by this payment intent".to_owned())
    })
    .await
}

async fn to_owner(
    shop: &Shop,
    intent: &PaymentIntentId,
    unknown: impl FnOnce() -> Trouble,
) -> Result<Redirect, Trouble> {
    let owner = shop.pointers()?.owner_of(intent).await?;
    Ok(match owner.ok_or_else(unknown)? {
        Subject::Purchase(id) => Redirect::to(&format!("/_local?purchase={id}#purchases")),
        Subject::Subscription(id) | Subject::Invoice(id, _) => to_subscription(&id),
    })
}

async fn subscription(Path(id): Path<SubscriptionId>) -> Redirect {
    to_subscription(&id)
}

fn to_subscription(id: &SubscriptionId) -> Redirect {
    Redirect::to(&format!("/_local?subscription={id}#subscriptions"))
}
