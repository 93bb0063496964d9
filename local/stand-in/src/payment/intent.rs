//! Payment intents.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::description::complete;
use crate::engine::ids::{
    ChargeId, CustomerId, InvoiceId, PaymentIntentId, PaymentMethodId, ReviewId,
};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;
use crate::payment::action::{Action, Challenge};
use crate::payment::bank::{Ending, Settlement};
use crate::payment::billing::Shipping;
use crate::payment::decline::PaymentError;
use crate::payment::voucher::Voucher;

/// One intent to be paid an amount, through however many tries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentIntent {
    pub(crate) id: PaymentIntentId,
    pub(crate) client_secret: String,
    pub(crate) created: Timestamp,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) state: IntentState,
    pub(crate) terms: Terms,
    pub(crate) payment_method: Option<PaymentMethodId>,
    pub(crate) latest_charge: Option<ChargeId>,
    pub(crate) last_payment_error: Option<PaymentError>,
    pub(crate) review: Option<ReviewId>,
    pub(crate) origin: Origin,
}

/// What an intent was made by, and for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    Api,
    /// It is confirmed on Checkout's page alone.
    Checkout,
    Invoice(InvoiceId),
}

/// What an intent was asked to be, besides its amount.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) methods: Methods,
    pub(crate) capture_method: CaptureMethod,
    pub(crate) confirmation_method: ConfirmationMethod,
    pub(crate) setup_future_usage: Option<Usage>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) shipping: Option<Shipping>,
    /// The buyer's browser has said where to ship, and not the shop's server.
    pub(crate) shipping_from_browser: bool,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) transfer_group: Option<String>,
    pub(crate) payment_method_options: Map<String, Value>,
}

/// Which types of payment methods an intent takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Methods {
    /// Chosen by Stripe from the account's settings.
    Automatic { redirects: bool },
    /// As listed by the caller.
    Listed(Vec<String>),
}

impl Default for Methods {
    fn default() -> Self {
        Self::Automatic { redirects: true }
    }
}

/// When the money is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CaptureMethod {
    Automatic,
    #[default]
    AutomaticAsync,
    Manual,
}

/// Who may confirm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConfirmationMethod {
    #[default]
    Automatic,
    Manual,
}

/// How a payment method is to be used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Usage {
    OffSession,
    OnSession,
}

/// How an intent stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentState {
    RequiresPaymentMethod,
    /// The buyer may have shown already who they are.
    RequiresConfirmation {
        authenticated: bool,
    },
    RequiresAction(Action),
    /// The bank thinks; perhaps it is known when it answers, and what.
    Processing(Option<(Timestamp, Ending)>),
    /// The money is set aside until this moment; some of it may have been taken.
    RequiresCapture {
        until: Timestamp,
        #[serde(default)]
        received: Amount,
    },
    Succeeded {
        received: Amount,
    },
    Canceled {
        at: Timestamp,
        reason: Option<String>,
    },
}

impl IntentState {
    /// Stripe's word for it.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation { .. } => "requires_confirmation",
            Self::RequiresAction(_) => "requires_action",
            Self::Processing(_) => "processing",
            Self::RequiresCapture { .. } => "requires_capture",
            Self::Succeeded { .. } => "succeeded",
            Self::Canceled { .. } => "canceled",
        }
    }
}

/// The intent is in a state in which this cannot happen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongState;

impl PaymentIntent {
    /// The names of the types of payment methods that it takes.
    pub(crate) fn payment_method_types(&self) -> Vec<String> {
        match &self.terms.methods {
            Methods::Listed(types) => types.clone(),
            Methods::Automatic { .. } => vec!["card".to_owned()],
        }
    }

    /// Whether it is Checkout's.
    pub(crate) fn is_from_checkout(&self) -> bool {
        self.origin == Origin::Checkout
    }

    /// Whether it is its customer who pays, with what they keep from then on.
    pub(crate) fn keeps_for_customer(&self) -> bool {
        self.terms.customer.is_some() && self.terms.setup_future_usage.is_some()
    }

    /// The invoice that it pays.
    pub(crate) fn invoice(&self) -> Option<&InvoiceId> {
        match &self.origin {
            Origin::Invoice(invoice) => Some(invoice),
            Origin::Api | Origin::Checkout => None,
        }
    }

    /// Whether a bank thinks, or the buyer takes their time: it will be settled.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(
            self.state,
            IntentState::Processing(_)
                | IntentState::RequiresAction(Action::Voucher(_) | Action::BankTransfer(_))
        )
    }

    /// What its customer has transferred so far.
    pub(crate) fn funded(&self) -> Amount {
        match &self.state {
            IntentState::RequiresAction(Action::BankTransfer(waits)) => waits.funded,
            _ => Amount::ZERO,
        }
    }

    /// The voucher that its buyer holds and has not paid.
    pub(crate) fn voucher(&self) -> Option<Voucher> {
        match &self.state {
            IntentState::RequiresAction(Action::Voucher(pending)) => Some(pending.voucher),
            _ => None,
        }
    }

    /// The proof that is asked of its buyer.
    pub(crate) fn challenge(&self) -> Option<&Challenge> {
        match &self.state {
            IntentState::RequiresAction(Action::Authenticate(challenge)) => Some(challenge),
            _ => None,
        }
    }

    fn next_action(&self) -> Value {
        match &self.state {
            IntentState::RequiresAction(action) => action.shown(self.amount, self.currency),
            _ => Value::Null,
        }
    }
}

impl Object for PaymentIntent {
    const KIND: &'static str = "payment_intent";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        match &self.state {
            IntentState::Processing(known) => known.as_ref().map(|(at, _)| *at),
            IntentState::RequiresCapture { until, .. } => Some(*until),
            IntentState::RequiresAction(Action::VerifyAccount(deposits)) => Some(deposits.until),
            IntentState::RequiresAction(Action::Voucher(pending)) => {
                Some(match &pending.settlement {
                    Settlement::After(at, _) => *at,
                    _ => pending.expires_at,
                })
            }
            _ => None,
        }
    }

    fn answer(&self) -> Value {
        let terms = &self.terms;
        let (canceled_at, cancellation_reason) = match &self.state {
            IntentState::Canceled { at, reason } => (Some(at), reason.as_ref()),
            _ => (None, None),
        };
        let mut answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "amount": self.amount,
            "amount_capturable": match self.state {
                IntentState::RequiresCapture { received, .. } => self.amount.minus(received),
                _ => Amount::ZERO,
            },
            "amount_details": { "tip": {} },
            "amount_received": match self.state {
                IntentState::RequiresCapture { received, .. }
                | IntentState::Succeeded { received } => received,
                _ => Amount::ZERO,
            },
            "automatic_payment_methods": match terms.methods {
                Methods::Listed(_) => None,
                Methods::Automatic { redirects } => Some(json!({
                    "allow_redirects": if redirects { "always" } else { "never" },
                    "enabled": true,
                })),
            },
            "canceled_at": canceled_at,
            "cancellation_reason": cancellation_reason,
            "capture_method": terms.capture_method,
            "client_secret": self.client_secret,
            "confirmation_method": terms.confirmation_method,
            "created": self.created,
            "currency": self.currency,
            "customer": terms.customer,
            "description": terms.description,
            "last_payment_error": self.last_payment_error,
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": terms.metadata,
            "next_action": self.next_action(),
            "payment_method": self.payment_method,
            "payment_method_options": terms.payment_method_options,
            "payment_method_types": self.payment_method_types(),
            "receipt_email": terms.receipt_email,
            "review": self.review,
            "setup_future_usage": terms.setup_future_usage,
            "shipping": terms.shipping,
            "statement_descriptor": terms.statement_descriptor,
            "statement_descriptor_suffix": terms.statement_descriptor_suffix,
            "status": self.state.as_str(),
            "transfer_data": null,
            "transfer_group": terms.transfer_group,
        });
        if let (Some(invoice), Value::Object(fields)) = (self.invoice(), &mut answer) {
            let details = json!({ "customer_reference": null, "order_reference": invoice });
            fields.insert("payment_details".to_owned(), details);
        }
        complete(Self::KIND, answer)
    }
}
