//! What a bank can do to a payment.

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use shared::purchase::{InvoiceId, PaymentIntentId};
use shared::stripe::client::{Client as Stripe, List};
use stand_in::NewDispute;
use window::routes::Trouble;

use super::book::Book;

/// The routes below `/_local`.
pub(super) fn routes(book: Book) -> Router {
    Router::new()
        .route("/_local/payments/{id}/dispute", post(dispute))
        .with_state(book)
}

/// A payment, by its own id or by that of the invoice it paid: Stripe's events about invoices do not
/// name their payments.
#[derive(Deserialize)]
#[serde(from = "String")]
enum Payment {
    Intent(PaymentIntentId),
    OfInvoice(InvoiceId),
}

impl From<String> for Payment {
    fn from(id: String) -> Self {
        match InvoiceId::try_from(id.clone()) {
            Ok(invoice) => Self::OfInvoice(invoice),
            Err(_) => Self::Intent(id.into()),
        }
    }
}

#[derive(Deserialize)]
struct PaidInvoice {
    payment: PaidBy,
}

#[derive(Deserialize)]
struct PaidBy {
    payment_intent: Option<PaymentIntentId>,
}

impl Payment {
    async fn intent(self, stripe: &Stripe) -> Result<PaymentIntentId, Trouble> {
        let invoice = match self {
            Self::Intent(intent) => return Ok(intent),
            Self::OfInvoice(invoice) => invoice,
        };
        let query = [("invoice", invoice.as_str()), ("status", "paid")];
        let paid: List<PaidInvoice> = stripe.list("/invoice_payments", &query).await?;
        let mut intents = paid.data.into_iter().map(|it| it.payment.payment_intent);
        let unpaid = Trouble::NoSuch("no payment has paid this invoice".to_owned());
        intents.find_map(|intent| intent).ok_or(unpaid)
    }
}

#[derive(Deserialize)]
struct Charged {
    latest_charge: Option<String>,
}

/// Disputes as the buyer would, at their bank.
async fn dispute(
    State(book): State<Book>,
    Path(payment): Path<Payment>,
    Form(claim): Form<NewDispute>,
) -> Result<Response, Trouble> {
    let no_such = |what: &str| Trouble::NoSuch(what.to_owned());
    let nobody = "only a payment at the Stripe stand-in can be disputed from here";
    let stand_in = book.stand_in.as_ref().ok_or_else(|| no_such(nobody))?;
    let stripe = book.window.seen().await.shop.stripe().await?;
    let path = format!("/payment_intents/{}", payment.intent(&stripe).await?);
    let charged: Option<Charged> = stripe.get(&path, &[]).await?;
    let charge = charged.and_then(|charged| charged.latest_charge);
    let charge = charge.ok_or_else(|| no_such("this payment has no charge"))?;
    Ok(
        match stand_in.default_account().dispute(&charge, claim).await {
            Ok(dispute) => Json(json!({ "dispute": dispute })).into_response(),
            Err(error) => error.into_response(),
        },
    )
}
