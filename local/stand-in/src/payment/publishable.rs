//! What may be asked with a publishable key, which stands in web pages for everybody to read: to make a
//! payment method or a token, to upload a file, and to look at and confirm an intent whose
//! `client_secret` one knows.

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

/// A call that such a key may make.
struct Call {
    method: &'static str,
    /// What follows `/v1/`; an empty part is an id.
    path: &'static [&'static str],
    /// The kind of intent that it is about, and whose secret it needs.
    intent: Option<&'static str>,
    /// Parameters that only a secret key may set: to others they are unknown.
    secret_only: &'static [&'static str],
}

static CALLS: [Call; 9] = [
    Call::new("GET", &["payment_intents", ""], Some("payment_intent"), &[]),
    Call::new(
        "POST",
        &["payment_intents", "", "confirm"],
        Some("payment_intent"),
        &[
            "allowed_payment_method_types",
            "amount_to_confirm",
            "capture_method",
            "error_on_requires_action",
            "excluded_payment_method_types",
            "mandate",
            "off_session",
            "payment_method_types",
            "radar_options",
        ],
    ),
    Call::new("GET", &["setup_intents", ""], Some("setup_intent"), &[]),
    Call::new(
        "POST",
        &["setup_intents", "", "confirm"],
        Some("setup_intent"),
        &["allowed_payment_method_types"],
    ),
    Call::new(
        "POST",
        &["payment_intents", "", "verify_microdeposits"],
        Some("payment_intent"),
        &[],
    ),
    Call::new(
        "POST",
        &["setup_intents", "", "verify_microdeposits"],
        Some("setup_intent"),
        &[],
    ),
    Call::new(
        "POST",
        &["payment_methods"],
        None,
        &["customer", "payment_method"],
    ),
    Call::new("POST", &["tokens"], None, &["customer"]),
    Call::new("POST", &["files"], None, &["file_link_data"]),
];

impl Call {
    const fn new(
        method: &'static str,
        path: &'static [&'static str],
        intent: Option<&'static str>,
        secret_only: &'static [&'static str],
    ) -> Self {
        Self {
            method,
            path,
            intent,
            secret_only,
        }
    }

    fn find(method: &str, path: &[&str]) -> Option<&'static Self> {
        let is_meant = |call: &&Self| {
            let mut parts = call.path.iter().zip(path);
            call.method == method
                && call.path.len() == path.len()
                && parts.all(|(part, given)| part.is_empty() || part == given)
        };
        CALLS.iter().find(is_meant)
    }

    /// Refuses what only a secret key may set.
    fn check(&self, params: &Params) -> Result<(), ApiError> {
        let mut unknown = params.left();
        unknown.retain(|param| self.secret_only.contains(&param.as_str()));
        match unknown.is_empty() {
            true => Ok(()),
            false => Err(ApiError::unknown(&unknown)),
        }
    }
}

/// How a request may go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Its secret key lets it do whatever there is.
    Everything,
    /// It makes something, and sees it.
    Making,
    /// It is about an intent that has this secret.
    Intent {
        kind: &'static str,
        id: String,
        secret: String,
        /// A browser confirms it.
        confirms: bool,
    },
}

impl Admission {
    /// Takes the `client_secret` of a request about an intent, and refuses what no browser may do.
    pub(crate) fn read(
        publishable: bool,
        method: &str,
        path: &[&str],
        params: &mut Params,
    ) -> Result<Self, ApiError> {
        let call = match Call::find(method, path) {
            // A server may show the secret, too, where it only looks.
            Some(call) if publishable || call.method == "GET" => call,
            _ if publishable => return Err(ApiError::secret_key_required()),
            _ => return Ok(Self::Everything),
        };
        if publishable {
            call.check(params)?;
        }
        let Some(kind) = call.intent else {
            return Ok(Self::Making);
        };
        match params.text("client_secret")? {
            Some(secret) => Ok(Self::Intent {
                kind,
                id: path.get(1).copied().unwrap_or_default().to_owned(),
                secret,
                confirms: call.path.last() == Some(&"confirm"),
            }),
            None if publishable => Err(ApiError::missing("client_secret")),
            None => Ok(Self::Everything),
        }
    }

    /// Refuses a secret that is another intent's, and to confirm what only the shop's server may.
    pub(crate) fn check(&self, transaction: &Transaction<'_>) -> Result<(), ApiError> {
        let Self::Intent {
            kind,
            id,
            secret,
            confirms,
        } = self
        else {
            return Ok(());
        };
        // An intent that is not there is refused by whoever looks for it.
        let Some(intent) = transaction.shown_of(kind, id)? else {
            return Ok(());
        };
        let is_manual = intent
            .get("confirmation_method")
            .is_some_and(|it| it == "manual");
        match intent.get("client_secret").and_then(Value::as_str) {
            Some(theirs) if theirs == secret && *confirms && is_manual => Err(ApiError::invalid(
                "This PaymentIntent cannot be confirmed using a publishable key because its \
                 `confirmation_method` is set to `manual`. Please use a secret key instead, or create a \
                 PaymentIntent with `confirmation_method` set to `automatic`.",
            )
            .code("payment_intent_invalid_parameter")),
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
