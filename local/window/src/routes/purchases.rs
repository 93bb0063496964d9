//! Purchases with their stories. The JSON is that of `till purchases --json`, with every amount also
//! as text.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use reconcile::Limits;
use serde_json::json;
use shared::purchase::PurchaseId;
use shared::view::SellerView;

use super::answer::{Trouble, fresh};
use super::window::Window;
use crate::overview::LISTED;
use crate::story::Story;

pub(super) fn routes(window: Window) -> Router {
    Router::new()
        .route("/purchases.json", get(list))
        .route("/purchases/{id}", get(story))
        .route("/purchases/{id}/confirm", post(confirm))
        .route("/reconcile", post(reconcile))
        .route("/reread", post(reread))
        .with_state(window)
}

/// The newest purchases, and how many there are.
async fn list(State(window): State<Window>) -> Result<Response, Trouble> {
    let overview = window.overview().await?;
    let newest = overview.purchases.iter().take(LISTED).map(SellerView::of);
    fresh(&json!({
        "purchases": newest.collect::<Vec<_>>(),
        "found": overview.purchases.len(),
        "unreadable": overview.unreadable,
        "read": window.read(&overview),
    }))
}

fn unknown() -> Trouble {
    Trouble::NoSuch("there is no purchase with this id".to_owned())
}

async fn story(State(window): State<Window>, Path(id): Path<String>) -> Result<Response, Trouble> {
    let id = id.parse::<PurchaseId>().map_err(|_| unknown())?;
    let seen = window.seen().await;
    let outbox = (&seen.shop.mails()?, &seen.shop.events()?);
    let story = Story::read(&seen.shop.all_purchases()?, outbox, id).await?;
    let story = story.ok_or_else(unknown)?.json();
    fresh(&story.map_err(anyhow::Error::from)?)
}

/// Releases the mail of a purchase that had to be rebuilt.
async fn confirm(
    State(window): State<Window>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = id.parse::<PurchaseId>().map_err(|_| unknown())?;
    let shop = &window.seen().await.shop;
    let released = shop.confirmation()?.confirm(id, shop.now()).await?;
    window.forget();
    fresh(&json!({ "released": released.ok_or_else(unknown)? }))
}

/// What the schedule does every hour, but including events of the last minute.
async fn reconcile(State(window): State<Window>) -> Result<Response, Trouble> {
    let reconcile = window.seen().await.reconcile().await?;
    let findings = reconcile.run(Limits::default(), |_| {}).await;
    window.forget();
    fresh(&findings.map_err(anyhow::Error::from)?)
}

/// What is listed is read again.
async fn reread(State(window): State<Window>) -> Result<Response, Trouble> {
    window.forget();
    fresh(&json!({}))
}
