//! What a seller or a bank can do to a payment.

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::money::{Currency, Money};
use shared::purchase::{InvoiceId, PaymentIntentId};
use shared::stripe::client::{Client as Stripe, List};
use stand_in::NewDispute;
use uuid::Uuid;

use super::book::{Book, Trouble};

/// The routes below `/_local`.
pub(super) fn routes(book: Book) -> Router {
    Router::new()
        .route("/_local/payments/{id}/refund", post(refund))
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
        let unpaid = Trouble::NoSuch("no payment has paid this invoice");
        intents.find_map(|intent| intent).ok_or(unpaid)
    }
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
    Path(payment): Path<Payment>,
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
    let intent = payment.intent(&book.stripe).await?;
    let mut form = vec![("payment_intent", intent.as_str())];
    form.extend(minor.as_deref().map(|minor| ("amount", minor)));
    let key = format!("dashboard:{}", Uuid::now_v7());
    let made: Value = book.stripe.post("/refunds", &form, &key).await?;
    let id = made.get("id").cloned();
    Ok(Json(json!({ "refund": id })).into_response())
}

#[derive(Deserialize)]
struct Charged {
    latest_charge: Option<String>,
}

/// Disputes as the buyer would, at their bank.
async fn dispute(
    State(Book(book)): State<Book>,
    Path(payment): Path<Payment>,
    Form(claim): Form<NewDispute>,
) -> Result<Response, Trouble> {
    let nobody = Trouble::NoSuch("only a payment at the Stripe stand-in can be disputed from here");
    let stand_in = book.stand_in.as_ref().ok_or(nobody)?;
    let path = format!("/payment_intents/{}", payment.intent(&book.stripe).await?);
    let charged: Option<Charged> = book.stripe.get(&path, &[]).await?;
    let charge = charged.and_then(|charged| charged.latest_charge);
    let charge = charge.ok_or(Trouble::NoSuch("this payment has no charge"))?;
    let dispute = stand_in.default_account().dispute(&charge, claim).await?;
    Ok(Json(json!({ "dispute": dispute })).into_response())
}
