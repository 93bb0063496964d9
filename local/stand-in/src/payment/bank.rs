//! Bank accounts that are debited: a payment that takes days to be sure of.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::currency::Currency;
use crate::engine::ids::{self, CustomerId, MandateId};
use crate::engine::resource::Metadata;
use crate::engine::time::Timestamp;
use crate::payment::billing::BillingDetails;
use crate::payment::decline::Decline;

/// The bank debits of three regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scheme {
    Ach,
    Sepa,
    Bacs,
}

impl Scheme {
    /// The scheme that debits in this currency.
    pub(crate) fn of(currency: Currency) -> Option<Self> {
        match currency.code() {
            "usd" => Some(Self::Ach),
            "eur" => Some(Self::Sepa),
            "gbp" => Some(Self::Bacs),
            _ => None,
        }
    }

    /// Stripe's name of the payment method.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Ach => "us_bank_account",
            Self::Sepa => "sepa_debit",
            Self::Bacs => "bacs_debit",
        }
    }

    /// As buyers know it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ach => "US bank account",
            Self::Sepa => "SEPA Direct Debit",
            Self::Bacs => "Bacs Direct Debit",
        }
    }

    /// The one currency it debits in.
    pub(crate) fn currency(self) -> &'static str {
        match self {
            Self::Ach => "usd",
            Self::Sepa => "eur",
            Self::Bacs => "gbp",
        }
    }
}

/// An account, and what becomes of its debits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BankDebit {
    pub(crate) scheme: Scheme,
    /// Which bank: a routing number, the bank's part of an IBAN, or a sort code.
    pub(crate) bank: String,
    pub(crate) country: String,
    pub(crate) number: String,
    pub(crate) settlement: Settlement,
    /// Its owner has shown that it is theirs, if the scheme asks for that.
    #[serde(default = "BankDebit::is_verified_of_old")]
    pub(crate) verified: bool,
    /// Its owner is a company, and not a person.
    #[serde(default)]
    pub(crate) is_companys: bool,
}

/// How a payment that takes its time ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Settlement {
    /// As somebody decides who asks the control API.
    ByHand,
    /// So many seconds from now.
    After(Timestamp, Ending),
    /// The bank never hears of it.
    Refused(Decline),
    /// No deposit arrives there, so that its owner cannot show that it is theirs.
    Unverifiable(Decline),
}

/// What a bank says in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    Succeeds,
    /// And the account's owner contests it.
    SucceedsDisputed,
    Fails(Decline),
}

impl BankDebit {
    /// An account that nobody has typed: whoever tests decides how its debit ends.
    pub(crate) fn by_hand(scheme: Scheme) -> Self {
        let (bank, country, number) = match scheme {
            Scheme::Ach => ("110000000", "US", "000123456789"),
            Scheme::Sepa => ("37040044", "DE", "DE89370400440532013000"),
            Scheme::Bacs => ("108800", "GB", "00012345"),
        };
        Self {
            scheme,
            bank: bank.to_owned(),
            country: country.to_owned(),
            number: number.to_owned(),
            settlement: Settlement::ByHand,
            verified: true,
            is_companys: false,
        }
    }

    /// Before there were microdeposits, every account counted as verified.
    fn is_verified_of_old() -> bool {
        true
    }

    /// Stripe's word for whose it is.
    fn holder_type(&self) -> &'static str {
        match self.is_companys {
            true => "company",
            false => "individual",
        }
    }

    fn last4(&self) -> &str {
        let from = self.number.len().saturating_sub(4);
        self.number.get(from..).unwrap_or_default()
    }

    /// As a payment method shows it.
    pub(crate) fn shown(&self) -> Value {
        let fingerprint = ids::fingerprint(&self.number);
        match self.scheme {
            Scheme::Ach => json!({
                "account_holder_type": self.holder_type(),
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "financial_connections_account": null,
                "fingerprint": fingerprint,
                "last4": self.last4(),
                "networks": { "preferred": "ach", "supported": ["ach"] },
                "routing_number": self.bank,
                "status_details": {},
            }),
            Scheme::Sepa => json!({
                "bank_code": self.bank,
                "branch_code": null,
                "country": self.country,
                "fingerprint": fingerprint,
                "generated_from": { "charge": null, "setup_attempt": null },
                "last4": self.last4(),
            }),
            Scheme::Bacs => json!({
                "fingerprint": fingerprint,
                "last4": self.last4(),
                "sort_code": self.bank,
            }),
        }
    }

    /// As old integrations know it.
    pub(crate) fn as_source(
        &self,
        id: &str,
        customer: Option<&CustomerId>,
        billing: &BillingDetails,
        metadata: &Metadata,
    ) -> Value {
        json!({
            "id": id,
            "object": "bank_account",
            "account_holder_name": billing.name,
            "account_holder_type": self.holder_type(),
            "account_type": null,
            "bank_name": "STRIPE TEST BANK",
            "country": self.country,
            "currency": self.scheme.currency(),
            "customer": customer,
            "fingerprint": ids::fingerprint(&self.number),
            "last4": self.last4(),
            "metadata": metadata,
            "routing_number": self.bank,
            "status": if self.verified { "verified" } else { "new" },
        })
    }

    /// As a charge shows it.
    pub(crate) fn details(&self, mandate: Option<&MandateId>) -> Value {
        let fingerprint = ids::fingerprint(&self.number);
        match self.scheme {
            Scheme::Ach => json!({
                "account_holder_type": self.holder_type(),
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "fingerprint": fingerprint,
                "last4": self.last4(),
                "mandate": mandate,
                "payment_reference": null,
                "routing_number": self.bank,
            }),
            Scheme::Sepa => json!({
                "bank_code": self.bank,
                "branch_code": null,
                "country": self.country,
                "fingerprint": fingerprint,
                "last4": self.last4(),
                "mandate": mandate,
            }),
            Scheme::Bacs => json!({
                "fingerprint": fingerprint,
                "last4": self.last4(),
                "mandate": mandate,
                "sort_code": self.bank,
            }),
        }
    }
}
