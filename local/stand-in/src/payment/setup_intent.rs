//! Setup intents.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::description::complete;
use crate::engine::ids::{CustomerId, MandateId, PaymentMethodId, SetupAttemptId, SetupIntentId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;
use crate::payment::action::Challenge;
use crate::payment::decline::PaymentError;
use crate::payment::intent::{Methods, Usage};
use crate::payment::microdeposit::Microdeposits;

/// One intent to keep a payment method for later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SetupIntent {
    pub(crate) id: SetupIntentId,
    pub(crate) client_secret: String,
    pub(crate) created: Timestamp,
    pub(crate) state: SetupState,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) methods: Methods,
    pub(crate) usage: Usage,
    pub(crate) payment_method: Option<PaymentMethodId>,
    pub(crate) payment_method_options: Map<String, Value>,
    pub(crate) latest_attempt: Option<SetupAttemptId>,
    pub(crate) last_setup_error: Option<PaymentError>,
    /// Under which a bank account can be debited from now on.
    #[serde(default)]
    pub(crate) mandate: Option<MandateId>,
    /// What is Checkout's is confirmed on Checkout's page.
    #[serde(default)]
    pub(crate) from_checkout: bool,
}

/// How a setup intent stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SetupState {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction(Challenge),
    /// The buyer has to show that a bank account is theirs.
    VerifiesAccount(Box<Microdeposits>),
    Succeeded,
    Canceled {
        reason: Option<String>,
    },
}

impl SetupState {
    /// Stripe's word for it.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction(_) | Self::VerifiesAccount(_) => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Canceled { .. } => "canceled",
        }
    }
}

impl Object for SetupIntent {
    const KIND: &'static str = "setup_intent";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        match &self.state {
            SetupState::VerifiesAccount(deposits) => Some(deposits.until),
            _ => None,
        }
    }

    fn answer(&self) -> Value {
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "automatic_payment_methods": match self.methods {
                Methods::Listed(_) => None,
                Methods::Automatic { redirects } => Some(json!({
                    "allow_redirects": if redirects { "always" } else { "never" },
                    "enabled": true,
                })),
            },
            "cancellation_reason": match &self.state {
                SetupState::Canceled { reason } => reason.as_ref(),
                _ => None,
            },
            "client_secret": self.client_secret,
            "created": self.created,
            "customer": self.customer,
            "customer_account": null,
            "description": self.description,
            "flow_directions": null,
            "last_setup_error": self.last_setup_error,
            "latest_attempt": self.latest_attempt,
            "livemode": false,
            "managed_payments": null,
            "mandate": self.mandate,
            "metadata": self.metadata,
            "next_action": match &self.state {
                SetupState::RequiresAction(challenge) => Some(challenge.next_action()),
                SetupState::VerifiesAccount(deposits) => Some(deposits.next_action()),
                _ => None,
            },
            "payment_method": self.payment_method,
            "payment_method_options": self.payment_method_options,
            "payment_method_types": match &self.methods {
                Methods::Listed(types) => types.clone(),
                Methods::Automatic { .. } => vec!["card".to_owned()],
            },
            "status": self.state.as_str(),
            "usage": self.usage,
        });
        complete(Self::KIND, answer)
    }
}

/// One try to set up, as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SetupAttempt {
    pub(crate) id: SetupAttemptId,
    pub(crate) created: Timestamp,
    pub(crate) setup_intent: SetupIntentId,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) payment_method: PaymentMethodId,
    pub(crate) details: Value,
    pub(crate) status: String,
    pub(crate) usage: Usage,
    pub(crate) error: Option<PaymentError>,
}

impl Object for SetupAttempt {
    const KIND: &'static str = "setup_attempt";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "created": self.created,
            "customer": self.customer,
            "customer_account": null,
            "flow_directions": null,
            "livemode": false,
            "payment_method": self.payment_method,
            "payment_method_details": self.details,
            "setup_error": self.error,
            "setup_intent": self.setup_intent,
            "status": self.status,
            "usage": self.usage,
        });
        complete(Self::KIND, answer)
    }
}
