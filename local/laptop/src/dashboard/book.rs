//! What the dashboard reads of the shop, and by what it acts.

use std::sync::Arc;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use reconcile::Reconcile;
use serde::{Deserialize as _, Serialize};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::Environment;
use shared::money::{Money, MoneyError};
use shared::purchase::Movement;
use shared::store::Tables;
use shared::store::invoices::Invoices;
use shared::store::operator::{AllPurchases, AllSubscriptions, Events, Mails};
use shared::store::pointers::Pointers;
use shared::stripe::client::{Client as Stripe, StripeError};
use stand_in::{ControlError, StandIn};

use super::failure::failure;
use crate::aws::PAST_FAULTS;
use crate::environment::{Addresses, Variables};

/// How many of the newest are listed.
pub(super) const LISTED: usize = 100;

/// The shop's books, and what can be done to what is in them.
#[derive(Clone)]
pub(crate) struct Book(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub(super) purchases: AllPurchases,
    pub(super) invoices: Invoices,
    pub(super) subscriptions: AllSubscriptions,
    pub(super) mails: Mails,
    pub(super) events: Events,
    pub(super) pointers: Pointers,
    pub(super) stripe: Stripe,
    pub(super) reconcile: Reconcile,
    pub(super) stand_in: Option<StandIn>,
    pub(super) clock: Clock,
    /// The address of the shop, and of the dashboard: `http://127.0.0.1:3000`.
    pub(super) shop: String,
}

impl Book {
    /// Opened with the reconcile function's environment and the shop's clock. It reads past the faults of the AWS port,
    /// because looking must not use up those meant for the shop.
    pub(crate) async fn open(
        environment: Variables,
        clock: Clock,
        addresses: &Addresses,
        stand_in: Option<StandIn>,
    ) -> anyhow::Result<Self> {
        let mut past_faults = environment.clone();
        let endpoint = format!("{}{PAST_FAULTS}", addresses.aws);
        past_faults.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), endpoint);
        let tables = Tables::of(&Environment::from(past_faults))?;
        let environment = Environment::from(environment).with_clock(clock.clone());
        Ok(Self(Arc::new(Parts {
            purchases: AllPurchases::of(&tables)?,
            invoices: Invoices::of(&tables)?,
            subscriptions: AllSubscriptions::of(&tables)?,
            mails: Mails::of(&tables)?,
            events: Events::of(&tables)?,
            pointers: Pointers::of(&tables)?,
            stripe: Stripe::new(&environment)?,
            reconcile: Reconcile::new(&environment).await?,
            stand_in,
            clock,
            shop: addresses.shop.clone(),
        })))
    }
}

/// Why something cannot be shown or done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
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

/// JSON that no cache keeps.
pub(super) fn fresh(shown: &impl Serialize) -> Result<Response, Trouble> {
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
