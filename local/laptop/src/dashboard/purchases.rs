//! Purchases with their stories, and what a seller, a bank or a bad day can do to them. The JSON is
//! that of `till purchases --json`, with every amount also as text.

use std::cmp::Reverse;

use axum::Json;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use reconcile::Limits;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::money::{Currency, Money};
use shared::purchase::{PaymentIntentId, PurchaseId};
use shared::view::SellerView;
use stand_in::NewDispute;
use uuid::Uuid;

use super::book::{Book, LISTED, Trouble, fresh};
use crate::story::Story;

/// The routes below `/_local`.
pub(super) fn routes(book: Book) -> Router {
    Router::new()
        .route("/_local/purchases.json", get(list))
        .route("/_local/purchases/{id}", get(story))
        .route("/_local/payments/{intent}/refund", post(refund))
        .route("/_local/payments/{intent}/dispute", post(dispute))
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
    let story = Story::read(&book.purchases, &book.mails, id).await?;
    fresh(&story.ok_or(unknown)?.json())
}

#[derive(Deserialize)]
struct Wish {
    /// As people write it, such as `5.00`; everything that is left, if omitted.
    #[serde(default)]
    amount: String,
    currency: Currency,
}

/// Refunds as the seller would, through Stripe's API, so that faults of its calls apply.
async fn refund(
    State(Book(book)): State<Book>,
    Path(intent): Path<PaymentIntentId>,
    Form(Wish { amount, currency }): Form<Wish>,
) -> Result<Response, Trouble> {
    let minor = match amount.trim() {
        "" => None,
        amount => Some(
            Money::from_major_units(amount, currency)?
                .amount
                .to_string(),
        ),
    };
    let mut form = vec![("payment_intent", intent.as_str())];
    form.extend(minor.as_deref().map(|minor| ("amount", minor)));
    let key = format!("dashboard:{}", Uuid::now_v7());
    let made: Value = book.stripe.post("/refunds", &form, &key).await?;
    let id = made.get("id").cloned();
    Ok(Json(json!({ "refund": id })).into_response())
}

#[derive(Deserialize)]
struct Paid {
    latest_charge: Option<String>,
}

/// Disputes as the buyer would, at their bank.
async fn dispute(
    State(Book(book)): State<Book>,
    Path(intent): Path<PaymentIntentId>,
    Form(claim): Form<NewDispute>,
) -> Result<Response, Trouble> {
    let nobody = Trouble::NoSuch("only a payment at the Stripe stand-in can be disputed from here");
    let stand_in = book.stand_in.as_ref().ok_or(nobody)?;
    let path = format!("/payment_intents/{intent}");
    let paid: Option<Paid> = book.stripe.get(&path, &[]).await?;
    let charge = paid.and_then(|paid| paid.latest_charge);
    let charge = charge.ok_or(Trouble::NoSuch("this payment has no charge"))?;
    let dispute = stand_in.default_account().dispute(&charge, claim).await?;
    Ok(Json(json!({ "dispute": dispute })).into_response())
}

/// What the schedule does every hour, but including events of the last minute.
async fn reconcile(State(Book(book)): State<Book>) -> Result<Response, Trouble> {
    let findings = book.reconcile.run(Limits::default(), |_| {}).await;
    fresh(&findings.map_err(anyhow::Error::from)?)
}
