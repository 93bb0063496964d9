//! Subscriptions with their stories, and the way into their buyers' portals. The JSON is that of
//! `till subscriptions --json`, with every amount also as text.

use std::cmp::Reverse;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use shared::purchase::{CustomerId, SubscriptionId};
use shared::stripe::portal;
use shared::view::SellerSubscription;

use super::book::{Book, LISTED, Trouble, fresh};
use crate::story::SubscriptionStory;

/// The routes below `/_local`.
pub(super) fn routes(book: Book) -> Router {
    Router::new()
        .route("/_local/subscriptions.json", get(list))
        .route("/_local/subscriptions/{id}", get(story))
        .route("/_local/subscriptions/{id}/portal", post(open_portal))
        .with_state(book)
}

const UNKNOWN: Trouble = Trouble::NoSuch("there is no subscription with this id");

/// The newest subscriptions, and how many there are.
async fn list(State(Book(book)): State<Book>) -> Result<Response, Trouble> {
    let mut subscriptions = Vec::new();
    let all = book.subscriptions.each(|one| subscriptions.push(one));
    all.await.map_err(anyhow::Error::from)?;
    // Each began with a purchase, whose id says when.
    subscriptions.sort_by_key(|one| Reverse((one.purchase(), one.id().clone())));
    let found = subscriptions.len();
    let newest = subscriptions.iter().take(LISTED);
    let newest: Vec<_> = newest.map(SellerSubscription::of).collect();
    fresh(&json!({ "subscriptions": newest, "found": found }))
}

async fn story(
    State(Book(book)): State<Book>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = SubscriptionId::try_from(id).map_err(|_| UNKNOWN)?;
    let story = SubscriptionStory::read(&book.subscriptions, &book.mails, &id).await?;
    fresh(&story.ok_or(UNKNOWN)?.json(book.clock.now()))
}

#[derive(Deserialize)]
struct Subscribed {
    customer: CustomerId,
}

/// The portal of whoever subscribes, as they open it from the site; it leads back to the dashboard.
async fn open_portal(
    State(Book(book)): State<Book>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = SubscriptionId::try_from(id).map_err(|_| UNKNOWN)?;
    let subscribed: Option<Subscribed> = book
        .stripe
        .get(&format!("/subscriptions/{id}"), &[])
        .await?;
    let customer = subscribed.ok_or(UNKNOWN)?.customer;
    let back = format!("{}/_local?subscription={id}#subscriptions", book.shop);
    let url = portal::open(&book.stripe, &customer, &back).await?;
    let url = url.ok_or(Trouble::NoSuch("this customer is no longer at Stripe"))?;
    Ok(Json(json!({ "url": url })).into_response())
}
