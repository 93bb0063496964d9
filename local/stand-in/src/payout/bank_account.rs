//! The bank accounts that an account is paid out to. Only Stripe's test accounts are taken, and each says
//! by its number how payouts to it end:
//! <https://docs.stripe.com/connect/testing#account-numbers>.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::currency::Currency;
use crate::description::complete;
use crate::engine::ids::{self, AccountId, BankAccountId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;

/// The banks that have the test accounts.
const ROUTING_NUMBERS: &[&str] = &["110000000", "111000000", "111000025"];

/// A bank account that payouts go to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BankAccount {
    pub(crate) id: BankAccountId,
    pub(crate) created: Timestamp,
    /// Whose it is.
    pub(crate) account: String,
    pub(crate) holder: Holder,
    pub(crate) routing_number: String,
    pub(crate) number: String,
    pub(crate) is_default: bool,
    /// A payout to it has failed.
    pub(crate) is_errored: bool,
    pub(crate) metadata: Metadata,
}

/// Who has a bank account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) name: Option<String>,
    /// `individual` or `company`.
    pub(crate) kind: Option<String>,
}

/// Why a bank does not take the money, in Stripe's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// How payouts to a test account end.
struct Fate {
    number: &'static str,
    /// What follows `btok_us_verified` in the name of a token.
    token: &'static str,
    /// None if they arrive.
    failure: Option<(&'static str, &'static str)>,
}

static FATES: [Fate; 6] = [
    Fate {
        number: "000123456789",
        token: "",
        failure: None,
    },
    Fate {
        number: "000111111116",
        token: "_noAccount",
        failure: Some((
            "no_account",
            "The bank account details on file are probably incorrect. No bank account could be located \
             with those details.",
        )),
    },
    Fate {
        number: "000111111113",
        token: "_accountClosed",
        failure: Some(("account_closed", "The bank account has been closed.")),
    },
    Fate {
        number: "000222222227",
        token: "_insufficientFunds",
        failure: Some((
            "insufficient_funds",
            "Your Stripe account has insufficient funds to cover the payout.",
        )),
    },
    Fate {
        number: "000333333335",
        token: "_debitNotAuthorized",
        failure: Some((
            "debit_not_authorized",
            "Debit transactions are not approved on your bank account. Stripe requires bank accounts to be \
             set up for both credit and debit payouts.",
        )),
    },
    Fate {
        number: "000444444440",
        token: "_invalidCurrency",
        failure: Some((
            "invalid_currency",
            "The bank was unable to process this payout because of its currency. This is probably because \
             the bank account cannot accept payments in that currency.",
        )),
    },
];

/// Whether there are test accounts at a bank with this routing number.
pub(crate) fn is_test_bank(routing_number: &str) -> bool {
    ROUTING_NUMBERS.contains(&routing_number)
}

/// Whether this is the number of a test account.
pub(crate) fn is_test_number(number: &str) -> bool {
    FATES.iter().any(|fate| fate.number == number)
}

/// The number that a token such as `btok_us_verified_noAccount` stands for.
pub(crate) fn by_token(token: &str) -> Option<&'static str> {
    if token == "btok_us" {
        return by_token("btok_us_verified");
    }
    let rest = token.strip_prefix("btok_us_verified")?;
    let fate = FATES.iter().find(|fate| fate.token == rest)?;
    Some(fate.number)
}

impl BankAccount {
    /// The test account that Stripe gives every account to begin with.
    pub(crate) fn given(account: &AccountId, now: Timestamp) -> Self {
        Self {
            id: BankAccountId::random(),
            created: now,
            account: account.to_string(),
            holder: Holder::default(),
            routing_number: "110000000".to_owned(),
            number: "000123456789".to_owned(),
            is_default: true,
            is_errored: false,
            metadata: Metadata::new(),
        }
    }

    /// Why payouts to it fail, if they do.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let fate = FATES.iter().find(|fate| fate.number == self.number)?;
        let (code, message) = fate.failure?;
        Some(Failure {
            code: code.to_owned(),
            message: message.to_owned(),
        })
    }

    fn last4(&self) -> &str {
        let from = self.number.len().saturating_sub(4);
        self.number.get(from..).unwrap_or_default()
    }
}

impl Object for BankAccount {
    const KIND: &'static str = "bank_account";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let requirements = json!({
            "currently_due": [], "errors": [], "past_due": [], "pending_verification": [],
        });
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "account": self.account,
            "account_holder_name": self.holder.name,
            "account_holder_type": self.holder.kind,
            "available_payout_methods": ["standard"],
            "bank_name": "STRIPE TEST BANK",
            "country": "US",
            "currency": Currency::SETTLEMENT,
            "default_for_currency": self.is_default,
            "fingerprint": ids::fingerprint(&self.number),
            "future_requirements": requirements,
            "last4": self.last4(),
            "metadata": self.metadata,
            "requirements": requirements,
            "routing_number": self.routing_number,
            "status": if self.is_errored { "errored" } else { "new" },
        });
        complete(Self::KIND, answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_account_has_a_number_and_a_token_of_its_own() {
        for fate in &FATES {
            let token = format!("btok_us_verified{}", fate.token);
            assert_eq!(by_token(&token), Some(fate.number));
            assert!(is_test_number(fate.number));
        }
        assert_eq!(by_token("btok_us"), Some("000123456789"));
        assert_eq!(by_token("btok_us_verified_"), None);
        assert!(!is_test_number("123456789"));
    }
}
