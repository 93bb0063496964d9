//! What may be asked with a publishable key, which stands in web pages for everybody to read: to make a
//! payment method, and to look at and confirm an intent whose `client_secret` one knows.

use serde_json::Value;

use crate::engine::transaction::Transaction;
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// The fields of an intent that such a key shows.
const SHOWN: &[&str] = &[
    "id",
    "object",
    "amount",
    "amount_details",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "description",
    "last_payment_error",
    "last_setup_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_configuration_details",
    "payment_method_types",
    "processing",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "source",
    "status",
    "usage",
];

/// The kinds of objects that such a key sees within others.
const SEEN_WITHIN: &[&str] = &[
    "bank_account",
    "card",
    "payment_intent",
    "payment_method",
    "setup_intent",
    "source",
];

/// How a request may go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Its secret key lets it do whatever there is.
    Everything,
    /// It makes something, and sees it.
    Making,
    /// It is about an intent that has this secret.
    Intent { id: String, secret: String },
}

impl Admission {
    /// Takes the `client_secret` of a request about an intent, and refuses what no browser may do.
    pub(crate) fn read(
        publishable: bool,
        method: &str,
        path: &[&str],
        params: &mut Params,
    ) -> Result<Self, ApiError> {
        let intent = match (method, path) {
            ("GET", ["payment_intents" | "setup_intents", id])
            | (
                "POST",
                [
                    "payment_intents" | "setup_intents",
                    id,
                    "confirm" | "verify_microdeposits",
                ],
            ) => Some(*id),
            _ => None,
        };
        let secret = match intent {
            Some(id) => params.text("client_secret")?.map(|secret| (id, secret)),
            None => None,
        };
        match (secret, method, path) {
            (Some((id, secret)), ..) => Ok(Self::Intent {
                id: id.to_owned(),
                secret,
            }),
            _ if !publishable => Ok(Self::Everything),
            (_, "POST", ["payment_methods" | "tokens"]) => Ok(Self::Making),
            _ if intent.is_some() => Err(ApiError::missing("client_secret")),
            _ => Err(ApiError::secret_key_required()),
        }
    }

    /// Refuses a secret that is another intent's.
    pub(crate) fn check(&self, transaction: &Transaction<'_>) -> Result<(), ApiError> {
        let Self::Intent { id, secret } = self else {
            return Ok(());
        };
        // An intent that is not there is refused by whoever looks for it.
        let Some(intent) = transaction.shown(id)? else {
            return Ok(());
        };
        match intent.get("client_secret").and_then(Value::as_str) {
            Some(theirs) if theirs == secret => Ok(()),
            _ => Err(ApiError::invalid(
                "The client_secret provided does not match any associated intent on this account. \
                 Ensure the client_secret passed is the one that creating the intent returned.",
            )
            .code("payment_intent_invalid_parameter")
            .param("client_secret")),
        }
    }
}

/// What a publishable key sees of an answer: of intents, the fields that are for buyers, and of what is
/// the shop's own, such as a customer that is expanded, no more than the id.
pub(crate) fn reduced(mut answer: Value) -> Value {
    if let Value::Object(fields) = &mut answer {
        if fields.contains_key("client_secret") {
            fields.retain(|field, _| SHOWN.contains(&field.as_str()));
        }
        for inner in fields.values_mut() {
            *inner = match (kind(inner), inner.get("id")) {
                (Some(kind), Some(id)) if !SEEN_WITHIN.contains(&kind) => id.clone(),
                _ => reduced(inner.take()),
            };
        }
    }
    answer
}

fn kind(value: &Value) -> Option<&str> {
    value.get("object")?.as_str()
}
