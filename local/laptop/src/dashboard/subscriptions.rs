//! The way into the portals of buyers who subscribe.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use shared::purchase::{CustomerId, SubscriptionId};
use shared::stripe::portal;
use window::routes::Trouble;

use super::book::Book;

/// The routes below `/_local`.
pub(super) fn routes(book: Book) -> Router {
    Router::new()
        .route("/_local/subscriptions/{id}/portal", post(open_portal))
        .with_state(book)
}

#[derive(Deserialize)]
struct Subscribed {
    customer: CustomerId,
}

/// The portal of whoever subscribes, as they open it from the site; it leads back to the dashboard.
async fn open_portal(
    State(book): State<Book>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let unknown = || Trouble::NoSuch("there is no subscription with this id".to_owned());
    let id = SubscriptionId::try_from(id).map_err(|_| unknown())?;
    let stripe = book.window.seen().await.shop.stripe().await?;
    let subscribed: Option<Subscribed> = stripe.get(&format!("/subscriptions/{id}"), &[]).await?;
    let customer = subscribed.ok_or_else(unknown)?.customer;
    let back = format!("{}/_local?subscription={id}#subscriptions", book.shop);
    let url = portal::open(&stripe, &customer, &back).await?;
    let gone = || Trouble::NoSuch("this customer is no longer at Stripe".to_owned());
    Ok(Json(json!({ "url": url.ok_or_else(gone)? })).into_response())
}
