//! Purchases with their stories. The JSON is that of `till purchases --json`, with every amount also
//! as text.

use std::cmp::Reverse;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use reconcile::Limits;
use serde_json::json;
use shared::purchase::PurchaseId;
use shared::view::SellerView;

use super::book::{Book, LISTED, Trouble, fresh};
use crate::story::Story;

/// The routes below `/_local`.
pub(super) fn routes(book: Book) -> Router {
    Router::new()
        .route("/_local/purchases.json", get(list))
        .route("/_local/purchases/{id}", get(story))
        .route("/_local/reconcile", post(reconcile))
        .with_state(book)
}

/// The newest purchases, and how many there are.
async fn list(State(Book(book)): State<Book>) -> Result<Response, Trouble> {
    let mut purchases = Vec::new();
    let all = book
        .purchases
        .each(None, |purchase| purchases.push(purchase));
    all.await.map_err(anyhow::Error::from)?;
    purchases.sort_by_key(|purchase| Reverse(purchase.id()));
    let found = purchases.len();
    purchases.truncate(LISTED);
    let newest = book.invoices.complete_all(purchases).await;
    let newest = newest.map_err(anyhow::Error::from)?;
    let newest: Vec<_> = newest.iter().map(SellerView::of).collect();
    fresh(&json!({ "purchases": newest, "found": found }))
}

async fn story(
    State(Book(book)): State<Book>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let unknown = Trouble::NoSuch("there is no purchase with this id");
    let Ok(id) = id.parse::<PurchaseId>() else {
        return Err(unknown);
    };
    let story = Story::read(&book.purchases, (&book.mails, &book.events), id).await?;
    fresh(&story.ok_or(unknown)?.json())
}

/// What the schedule does every hour, but including events of the last minute.
async fn reconcile(State(Book(book)): State<Book>) -> Result<Response, Trouble> {
    let findings = book.reconcile.run(Limits::default(), |_| {}).await;
    fresh(&findings.map_err(anyhow::Error::from)?)
}
