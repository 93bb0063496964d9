//! Purchases with their stories, and what a seller, a bank or a bad day can do to them. The JSON is
//! that of `till purchases --json`, with every amount also as text.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::environment::Variables;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use reconcile::{Limits, Reconcile};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::Environment;
use shared::money::{Currency, Money, MoneyError};
use shared::purchase::{Movement, PaymentIntentId, PurchaseId};
use shared::store::Tables;
use shared::store::operator::{AllPurchases, Mails};
use shared::stripe::client::{Client as Stripe, StripeError};
use shared::view::SellerView;
use stand_in::{ControlError, NewDispute, StandIn};
use uuid::Uuid;

use super::failure::failure;
use crate::aws::PAST_FAULTS;
use crate::story::Story;

/// How many of the newest are listed.
const LISTED: usize = 100;

/// The shop's purchases, and what can be done to them.
#[derive(Clone)]
pub(crate) struct Book(Arc<Parts>);

struct Parts {
    purchases: AllPurchases,
    mails: Mails,
    stripe: Stripe,
    reconcile: Reconcile,
    stand_in: Option<StandIn>,
}

impl Book {
    /// Opened with the reconcile function's environment and the shop's clock. It reads past the faults of the AWS port
    /// `aws`, because looking must not use up those meant for the shop.
    pub(crate) async fn open(
        environment: Variables,
        clock: Clock,
        aws: &str,
        stand_in: Option<StandIn>,
    ) -> anyhow::Result<Self> {
        let mut past_faults = environment.clone();
        let endpoint = format!("{aws}{PAST_FAULTS}");
        past_faults.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), endpoint);
        let tables = Tables::of(&Environment::from(past_faults))?;
        let environment = Environment::from(environment).with_clock(clock);
        Ok(Self(Arc::new(Parts {
            purchases: AllPurchases::of(&tables)?,
            mails: Mails::of(&tables)?,
            stripe: Stripe::new(&environment).await?,
            reconcile: Reconcile::new(&environment).await?,
            stand_in,
        })))
    }

    /// The routes below `/_local`.
    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/_local/purchases.json", get(list))
            .route("/_local/purchases/{id}", get(story))
            .route("/_local/payments/{intent}/refund", post(refund))
            .route("/_local/payments/{intent}/dispute", post(dispute))
            .route("/_local/reconcile", post(reconcile))
            .with_state(self)
    }
}

/// Why something cannot be shown or done.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    NoSuch(&'static str),
    #[error(transparent)]
    Amount(#[from] MoneyError),
    #[error("Stripe refused: {message} ({code})")]
    Refused { message: String, code: String },
    #[error(transparent)]
    Stripe(StripeError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<StripeError> for Trouble {
    fn from(error: StripeError) -> Self {
        match error {
            StripeError::Refused { message, code, .. } => Self::Refused { message, code },
            error => Self::Stripe(error),
        }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Control(error) => return error.into_response(),
            Self::Failed(error) => return failure(&error),
            Self::NoSuch(_) => StatusCode::NOT_FOUND,
            Self::Amount(_) | Self::Refused { .. } => StatusCode::BAD_REQUEST,
            Self::Stripe(_) => StatusCode::BAD_GATEWAY,
        };
        let body = json!({ "error": { "message": self.to_string() } });
        (status, Json(body)).into_response()
    }
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
    let newest: Vec<_> = purchases.iter().take(LISTED).map(SellerView::of).collect();
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

/// JSON that no cache keeps.
fn fresh(shown: &impl Serialize) -> Result<Response, Trouble> {
    let mut shown = serde_json::to_value(shown).map_err(anyhow::Error::from)?;
    spell_out_money(&mut shown);
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(shown)).into_response())
}

/// Adds `"text": "15.00 USD"` to every amount, so that the page need not know how many decimals
/// each currency has at Stripe.
fn spell_out_money(value: &mut Value) {
    let money = Money::deserialize(&*value);
    let movement = Movement::deserialize(&*value);
    if let Some(object) = value.as_object_mut() {
        if let Ok(money) = money {
            object.insert("text".to_owned(), money.to_string().into());
        }
        if let Ok(Movement { amount, fee }) = movement {
            let fee = Money::new(fee, amount.currency);
            object.insert("fee_text".to_owned(), fee.to_string().into());
        }
    }
    match value {
        Value::Array(values) => values.iter_mut().for_each(spell_out_money),
        Value::Object(members) => members.values_mut().for_each(spell_out_money),
        _ => {}
    }
}
