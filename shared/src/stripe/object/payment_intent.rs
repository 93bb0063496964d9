//! Payment intents.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::Tags;
use crate::{
    money::{Currency, Money},
    purchase::{Buyer, WaitsFor},
};

/// A payment intent.
#[derive(Deserialize)]
pub struct PaymentIntent {
    /// The metadata that we put on it.
    #[serde(default)]
    pub metadata: Tags,
    amount: i64,
    currency: Currency,
    receipt_email: Option<String>,
    customer: Option<IgnoredAny>,
    customer_account: Option<IgnoredAny>,
    #[serde(flatten)]
    progress: Progress,
}

impl PaymentIntent {
    /// What its delayed payment waits for.
    pub fn waits_for(&self) -> WaitsFor {
        self.progress.waits_for()
    }

    /// Whether it may be an invoice that it pays. Every invoice has a customer.
    pub fn may_pay_invoice(&self) -> bool {
        self.customer.is_some() || self.customer_account.is_some()
    }

    /// The buyer and the amount, from which a lost purchase is rebuilt.
    pub fn origin(&self) -> (Buyer, Money) {
        (
            self.metadata.buyer(self.receipt_email.clone()),
            Money::new(self.amount, self.currency),
        )
    }
}

/// How far a payment intent has come.
#[derive(Deserialize)]
pub(super) struct Progress {
    status: String,
    /// What the buyer has to do, by its kind.
    next_action: Option<Value>,
}

impl Progress {
    /// Whether the payment with which its session was completed has failed.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.status.as_str(), "requires_payment_method" | "canceled")
    }

    /// Whether the buyer has to act.
    pub(super) fn requires_action(&self) -> bool {
        self.status == "requires_action"
    }

    /// What a payment that has not been made yet waits for.
    pub(super) fn waits_for(&self) -> WaitsFor {
        match self.status.as_str() {
            "requires_action" => WaitsFor::Buyer {
                voucher_url: self.voucher_url(),
            },
            _ => WaitsFor::Bank,
        }
    }

    /// The URL of the voucher's page. Each kind of voucher (`oxxo_display_details`,
    /// `boleto_display_details` …) has it under the same name, and so do transfers and accounts
    /// that have to be verified.
    fn voucher_url(&self) -> Option<String> {
        let action = self.next_action.as_ref()?;
        let details = action.get(action.get("type")?.as_str()?)?;
        let pages = [
            "hosted_voucher_url",
            "hosted_instructions_url",
            "hosted_verification_url",
        ];
        let url = pages.iter().find_map(|page| details.get(page)?.as_str())?;
        // It becomes a link.
        let is_web = url.starts_with("https://") || url.starts_with("http://");
        is_web.then(|| url.to_owned())
    }
}
