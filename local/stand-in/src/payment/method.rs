//! Payment methods: what is paid with, once or again and again.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::ids::{CustomerId, PaymentMethodId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;
use crate::payment::bank::BankDebit;
use crate::payment::billing::BillingDetails;
use crate::payment::card::Card;
use crate::payment::voucher::{self, Voucher};

/// A payment method.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentMethod {
    pub(crate) id: PaymentMethodId,
    pub(crate) created: Timestamp,
    pub(crate) means: Means,
    pub(crate) billing: BillingDetails,
    pub(crate) owner: Owner,
    pub(crate) metadata: Metadata,
    pub(crate) allow_redisplay: String,
    /// Its issuer has looked at what was typed.
    pub(crate) checked: bool,
    /// The buyer has agreed to payments in their absence.
    pub(crate) set_up: bool,
}

/// Whose a payment method is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Owner {
    /// It can be used once, or attached.
    Nobody,
    Customer(CustomerId),
    /// It was used once or detached, and cannot be used again.
    Spent,
}

/// With what the money comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Means {
    Card(Card),
    BankDebit(BankDebit),
    Voucher(Voucher),
    /// What a customer has transferred before.
    CustomerBalance,
}

impl Means {
    /// Stripe's name of this type of payment method.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Card(_) => "card",
            Self::BankDebit(debit) => debit.scheme.method(),
            Self::Voucher(voucher) => voucher.method(),
            Self::CustomerBalance => "customer_balance",
        }
    }

    /// The one currency that can be paid in, if there is but one.
    pub(crate) fn currency(&self) -> Option<&'static str> {
        match self {
            Self::BankDebit(debit) => Some(debit.scheme.currency()),
            Self::Voucher(voucher) => Some(voucher.currency()),
            Self::Card(_) | Self::CustomerBalance => None,
        }
    }

    /// Whether it can be used more than once.
    pub(crate) fn can_be_kept(&self) -> bool {
        matches!(self, Self::Card(_) | Self::BankDebit(_))
    }
}

impl PaymentMethod {
    pub(crate) fn new(means: Means, billing: BillingDetails, now: Timestamp) -> Self {
        Self {
            id: PaymentMethodId::random(),
            created: now,
            means,
            billing,
            owner: Owner::Nobody,
            metadata: Metadata::new(),
            allow_redisplay: "unspecified".to_owned(),
            checked: false,
            set_up: false,
        }
    }

    /// Its owner has shown that the account is theirs, which is returned; none if it is not an account.
    pub(crate) fn verify(&mut self) -> Option<BankDebit> {
        let Means::BankDebit(debit) = &mut self.means else {
            return None;
        };
        debit.verified = true;
        Some(debit.clone())
    }

    pub(crate) fn customer(&self) -> Option<&CustomerId> {
        match &self.owner {
            Owner::Customer(customer) => Some(customer),
            Owner::Nobody | Owner::Spent => None,
        }
    }
}

impl Object for PaymentMethod {
    const KIND: &'static str = "payment_method";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let shown = match &self.means {
            Means::Card(card) => card.shown(&self.billing.address, self.checked),
            Means::BankDebit(debit) => debit.shown(),
            Means::Voucher(Voucher::Boleto) => json!({ "tax_id": voucher::tax_id() }),
            Means::Voucher(_) | Means::CustomerBalance => json!({}),
        };
        json!({
            "id": self.id,
            "object": Self::KIND,
            "allow_redisplay": self.allow_redisplay,
            "billing_details": self.billing,
            "created": self.created,
            "customer": self.customer(),
            "customer_account": null,
            "livemode": false,
            "metadata": self.metadata,
            "type": self.means.name(),
            self.means.name(): shown,
        })
    }
}
