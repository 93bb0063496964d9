//! One call of the API, from its path to its answer, within a transaction.

use std::sync::Arc;

use http::{Method, StatusCode};

use crate::engine::database::Transaction;
use crate::wire::answer::{Answer, Asked, Route, Settings};
use crate::wire::errors::ApiError;
use crate::wire::idempotency::{self, Idempotent};
use crate::wire::params::Params;
use crate::{account, checkout, dispute, payment, promotion, radar, refund, webhook};

/// What can be asked of each noun.
fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    checkout::api::route(asked)
        .or_else(|| payment::intents_api::route(asked))
        .or_else(|| payment::setup_intents_api::route(asked))
        .or_else(|| payment::methods_api::route(asked))
        .or_else(|| payment::tokens_api::route(asked))
        .or_else(|| payment::charges_api::route(asked))
        .or_else(|| radar::reviews_api::route(asked))
        .or_else(|| radar::warnings_api::route(asked))
        .or_else(|| refund::api::route(asked))
        .or_else(|| dispute::api::route(asked))
        .or_else(|| promotion::coupons_api::route(asked))
        .or_else(|| promotion::codes_api::route(asked))
        .or_else(|| webhook::endpoints_api::route(asked))
        .or_else(|| webhook::events_api::route(asked))
        .or_else(|| account::api::route(asked))
}

/// A request that has been let in, over HTTP or from a seed.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// What follows `/v1/`.
    pub(crate) path: Vec<String>,
    pub(crate) params: Params,
    pub(crate) idempotent: Option<Idempotent>,
    /// The status that a fault switch wants.
    pub(crate) refusal: Option<StatusCode>,
    pub(crate) settings: Arc<Settings>,
}

impl Call {
    /// An error here is one that no idempotency key keeps.
    pub(crate) fn perform(self, transaction: &Transaction<'_>) -> Result<Answer, ApiError> {
        if let Some(idempotent) = &self.idempotent
            && let Some(answer) = idempotency::replay(transaction, idempotent)?
        {
            return Ok(answer);
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let asked = Asked {
            method: self.method.as_str(),
            path: &path,
            settings: &self.settings,
        };
        let route = route(&asked).ok_or_else(|| {
            ApiError::no_such_url(&self.method, &format!("/v1/{}", path.join("/")))
        })?;
        let work = route(self.params)?;
        let result = match self.refusal {
            // Refused at the gate: the endpoint has not begun.
            Some(status) if !status.is_server_error() => return Err(ApiError::fault(status)),
            Some(status) => Err(ApiError::fault(status)),
            None => transaction
                .attempt(|| match work(transaction) {
                    // What was tried stays on record.
                    Err(declined) if declined.is_of_card() => Ok(Err(declined)),
                    done => done.map(Ok),
                })
                .flatten(),
        };
        let answer = Answer::of(result);
        if let Some(idempotent) = &self.idempotent {
            idempotency::keep(transaction, idempotent, &answer)?;
        }
        Ok(answer)
    }
}
