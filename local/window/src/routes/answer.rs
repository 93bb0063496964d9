//! How it is answered, and why something cannot be shown or done.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize as _, Serialize};
use serde_json::{Value, json};
use shared::money::{Money, MoneyError};
use shared::purchase::Movement;
use shared::store::StoreError;
use shared::stripe::client::StripeError;

use crate::refund::AmountError;
use crate::shop::{self, NotFound};

/// Why something cannot be shown or done.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It is not there.
    #[error("{0}")]
    NoSuch(String),
    /// It was asked for in a way that makes no sense.
    #[error("{0}")]
    Refused(String),
    /// Stripe does not answer as it should.
    #[error("{0:#}")]
    Stripe(anyhow::Error),
    /// Something failed.
    #[error("{0:#}")]
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        if let Some(NotFound(what)) = error.downcast_ref() {
            return Self::NoSuch(what.clone());
        }
        if error.is::<AmountError>() || error.is::<shop::Refused>() {
            return Self::Refused(error.to_string());
        }
        match error.chain().find_map(|cause| cause.downcast_ref()) {
            Some(StripeError::Refused { message, code, .. }) => {
                Self::Refused(format!("Stripe refused: {message} ({code})"))
            }
            Some(_) => Self::Stripe(error),
            None => Self::Failed(error),
        }
    }
}

impl Trouble {
    /// Whether Stripe has answered that it failed, which it repeats for a day under the same idempotency key.
    fn is_stripes_failure(&self) -> bool {
        let Self::Stripe(error) = self else {
            return false;
        };
        let mut causes = error.chain();
        causes.any(|cause| matches!(cause.downcast_ref(), Some(StripeError::Failed(_))))
    }
}

impl From<StripeError> for Trouble {
    fn from(error: StripeError) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<AmountError> for Trouble {
    fn from(error: AmountError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<MoneyError> for Trouble {
    fn from(error: MoneyError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSuch(_) => StatusCode::NOT_FOUND,
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::Stripe(_) => StatusCode::BAD_GATEWAY,
            Self::Failed(error) => {
                tracing::error!("the dashboard failed: {error:#}");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        let mut problem = json!({ "message": self.to_string() });
        if self.is_stripes_failure()
            && let Some(members) = problem.as_object_mut()
        {
            members.insert("code".to_owned(), "stripe_failed".into());
        }
        let body = json!({ "error": problem });
        (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

/// JSON that no cache keeps, with every amount as text, too.
pub fn fresh(shown: &impl Serialize) -> Result<Response, Trouble> {
    let mut shown = serde_json::to_value(shown).map_err(anyhow::Error::from)?;
    spell_out_money(&mut shown);
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(shown)).into_response())
}

/// JSON that no cache keeps, as it is.
pub(super) fn unchanged(shown: &Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(shown)).into_response()
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
