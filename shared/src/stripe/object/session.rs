//! Checkout sessions.

use serde::Deserialize;

use super::{Expandable, Tags, Unreadable, payment_intent::Progress};
use crate::{
    money::{Currency, Money},
    purchase::{Buyer, InvoiceId, PaymentIntentId, SessionId, SessionState, SubscriptionId},
};

/// A Checkout session.
#[derive(Deserialize)]
pub struct Session {
    /// `cs_…`
    pub id: SessionId,
    /// The metadata that we put on it. Stripe always sends it, even if it is empty.
    pub metadata: Option<Tags>,
    status: Option<String>,
    payment_status: String,
    amount_total: Option<i64>,
    currency: Option<Currency>,
    payment_intent: Option<IntentOfSession>,
    subscription: Option<Expandable<SubscriptionId>>,
    invoice: Option<Expandable<InvoiceId>>,
    customer_details: Option<CustomerDetails>,
    customer_email: Option<String>,
}

/// What happened to a session, according to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::stripe) enum SessionEvent {
    /// The buyer completed it, and has paid or is going to.
    Completed,
    /// A delayed payment arrived.
    PaymentSucceeded,
    /// A delayed payment failed.
    PaymentFailed,
    /// Nobody paid it in time.
    Expired,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum IntentOfSession {
    Id(PaymentIntentId),
    Object {
        id: PaymentIntentId,
        #[serde(flatten)]
        progress: Progress,
    },
}

#[derive(Deserialize)]
struct CustomerDetails {
    email: Option<String>,
}

impl Session {
    /// The payment intent that pays it.
    pub fn payment_intent(&self) -> Option<&PaymentIntentId> {
        self.payment_intent.as_ref().map(|intent| match intent {
            IntentOfSession::Id(id) | IntentOfSession::Object { id, .. } => id,
        })
    }

    /// The buyer and the amount, from which a lost purchase is rebuilt.
    pub fn origin(&self) -> Option<(Buyer, Money)> {
        let email = self.customer_details.as_ref();
        let email = email.and_then(|details| details.email.clone());
        let email = email.or_else(|| self.customer_email.clone());
        let buyer = self.metadata.as_ref()?.buyer(email);
        Some((buyer, self.total().ok()?))
    }

    /// How far it has come, according to an event.
    pub(in crate::stripe) fn state_by_event(
        &self,
        event: SessionEvent,
    ) -> Result<SessionState, Unreadable> {
        match (event, self.payment_status.as_str()) {
            (SessionEvent::Expired, _) => Ok(SessionState::Expired),
            (SessionEvent::PaymentFailed, _) => Ok(SessionState::Failed),
            (SessionEvent::PaymentSucceeded, _)
            | (SessionEvent::Completed, "paid" | "no_payment_required") => self.settled(),
            (SessionEvent::Completed, "unpaid") => Ok(SessionState::PENDING),
            (SessionEvent::Completed, other) => {
                Err(Unreadable(format!("payment_status: {other:?} is unknown")))
            }
        }
    }

    /// How far it has come, according to the session itself, fetched with its payment intent
    /// expanded.
    pub fn state(&self) -> Result<SessionState, Unreadable> {
        match (self.status.as_deref(), self.payment_status.as_str()) {
            (Some("open"), _) => Ok(SessionState::Open),
            (Some("expired"), _) => Ok(SessionState::Expired),
            (Some("complete"), "paid" | "no_payment_required") => self.settled(),
            (Some("complete"), "unpaid") => Ok(match &self.payment_intent {
                Some(IntentOfSession::Object { progress, .. }) if progress.has_failed() => {
                    SessionState::Failed
                }
                Some(IntentOfSession::Object { progress, .. }) => SessionState::Pending {
                    waits_for: progress.waits_for(),
                },
                Some(IntentOfSession::Id(_)) | None => SessionState::PENDING,
            }),
            (status, payment) => Err(Unreadable(format!(
                "status {status:?} with payment_status {payment:?} is unknown"
            ))),
        }
    }

    fn settled(&self) -> Result<SessionState, Unreadable> {
        Ok(SessionState::Settled {
            amount: self.total()?,
            payment_intent: self.payment_intent().cloned(),
            subscription: self.subscription.as_ref().map(Expandable::id).cloned(),
            invoice: self.invoice.as_ref().map(Expandable::id).cloned(),
        })
    }

    fn total(&self) -> Result<Money, Unreadable> {
        match (self.amount_total, self.currency) {
            (Some(amount), Some(currency)) => Ok(Money::new(amount, currency)),
            _ => Err(Unreadable("amount_total or currency is missing".to_owned())),
        }
    }
}
