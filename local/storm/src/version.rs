//! A version of the shop's code, and what it has around it. Nothing here is a type of the code's own, so
//! that two versions can be at work in one world.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value;
use time::OffsetDateTime;

/// A function, by its logical id in the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Opens purchases.
    Checkout,
    /// Shows buyers what is theirs.
    Purchases,
    /// Takes Stripe's events.
    Webhook,
    /// Sends mails and events.
    Mailer,
    /// Asks Stripe what was missed.
    Reconcile,
}

/// Starts an instance of a function.
pub type Version = fn(Function, Surroundings) -> BoxFuture<'static, Code>;

/// A started instance: takes an event, and answers it or says why it failed. The answer to an HTTP
/// request is its `status` and its JSON as `body`.
pub type Code =
    Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync + 'static>;

/// All that an instance has around it.
pub struct Surroundings {
    /// Its environment.
    pub variables: BTreeMap<String, String>,
    /// What time it is.
    pub moment: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    /// The id of a purchase that is made then.
    pub purchase_id: Arc<dyn Fn(OffsetDateTime) -> String + Send + Sync>,
    /// Who answers its calls.
    pub network: Arc<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Answered> + Send + Sync>,
}

/// What becomes of a call.
pub type Answered = Result<Response<Bytes>, Failure>;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The call did not get there.
    Unreachable,
    /// It may have got there.
    Broken,
}

impl Function {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Checkout => "CheckoutFunction",
            Self::Purchases => "PurchasesFunction",
            Self::Webhook => "WebhookFunction",
            Self::Mailer => "MailerFunction",
            Self::Reconcile => "ReconcileFunction",
        }
    }
}
