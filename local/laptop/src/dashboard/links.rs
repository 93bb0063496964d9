//! Where the links in the seller's mail lead: to the story of what they are about, as they lead to
//! Stripe's own Dashboard from a deployed shop.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::routing::get;
use serde::Deserialize;
use shared::purchase::{PaymentIntentId, Subject, SubscriptionId};

use super::book::{Book, Parts, Trouble};

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

const UNKNOWN: Trouble = Trouble::NoSuch("there is no dispute with this id");

/// To the purchase whose payment is disputed, or to the subscription whose invoice it paid.
async fn dispute(
    State(Book(book)): State<Book>,
    Path(id): Path<String>,
) -> Result<Redirect, Trouble> {
    let id = url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>();
    let disputed: Option<Disputed> = book.stripe.get(&format!("/disputes/{id}"), &[]).await?;
    let intent = disputed.ok_or(UNKNOWN)?.payment_intent;
    to_owner(&book, &intent, UNKNOWN).await
}

/// To the purchase that it paid, or to the subscription whose invoice it paid.
async fn payment(
    State(Book(book)): State<Book>,
    Path(id): Path<PaymentIntentId>,
) -> Result<Redirect, Trouble> {
    const UNKNOWN: Trouble = Trouble::NoSuch("no purchase was paid by this payment intent");
    to_owner(&book, &id, UNKNOWN).await
}

async fn to_owner(
    book: &Parts,
    intent: &PaymentIntentId,
    unknown: Trouble,
) -> Result<Redirect, Trouble> {
    let owner = book.pointers.owner_of(intent).await;
    Ok(match owner.map_err(anyhow::Error::from)?.ok_or(unknown)? {
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
