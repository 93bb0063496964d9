//! Test bank accounts of the United States, the United Kingdom and Australia.
//!
//! They are on the page [Testing](https://docs.stripe.com/testing#non-card-payments), tabs "ACH Direct Debit",
//! "BACS Direct Debit" and "AU BECS Direct Debit". For SEPA see [`super::iban`].

use crate::payment::testing::outcome::{self, Failure, Outcome, When};

/// Whose rules an account is debited by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    UsBankAccount,
    BacsDebit,
    AuBecsDebit,
}

impl Scheme {
    /// Stripe's name of the payment method.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::UsBankAccount => "us_bank_account",
            Self::BacsDebit => "bacs_debit",
            Self::AuBecsDebit => "au_becs_debit",
        }
    }

    /// The bank of all its test accounts: a routing number, a sort code, or a BSB.
    pub(crate) fn bank(self) -> &'static str {
        match self {
            Self::UsBankAccount => "110000000",
            Self::BacsDebit => "108800",
            Self::AuBecsDebit => "000000",
        }
    }

    /// How names of its payment methods begin.
    fn prefix(self) -> &'static str {
        match self {
            Self::UsBankAccount => "pm_usBankAccount_",
            Self::BacsDebit => "pm_bacsDebit_",
            Self::AuBecsDebit => "pm_auBecsDebit_",
        }
    }

    fn accounts(self) -> &'static [TestAccount] {
        match self {
            Self::UsBankAccount => US_BANK_ACCOUNT,
            Self::BacsDebit => BACS_DEBIT,
            Self::AuBecsDebit => AU_BECS_DEBIT,
        }
    }
}

const SCHEMES: [Scheme; 3] = [
    Scheme::UsBankAccount,
    Scheme::BacsDebit,
    Scheme::AuBecsDebit,
];

/// A test account, and what becomes of its debits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TestAccount {
    pub(crate) number: &'static str,
    /// What follows `pm_…_` in the name of a payment method. Some accounts have none.
    name: Option<&'static str>,
    pub(crate) outcome: Outcome,
}

/// The account with this number. Dashes and spaces do not count.
pub(crate) fn by_number(scheme: Scheme, bank: &str, number: &str) -> Option<&'static TestAccount> {
    let digits = |typed: &str| -> String { typed.chars().filter(|c| !" -".contains(*c)).collect() };
    let number = digits(number);
    let mut accounts = scheme.accounts().iter();
    accounts.find(|account| digits(bank) == scheme.bank() && account.number == number)
}

/// The account that a name such as `pm_usBankAccount_success` stands for.
pub(crate) fn by_payment_method(name: &str) -> Option<(Scheme, &'static TestAccount)> {
    SCHEMES.into_iter().find_map(|scheme| {
        let name = name.strip_prefix(scheme.prefix())?;
        let mut accounts = scheme.accounts().iter();
        let account = accounts.find(|account| account.name == Some(name))?;
        Some((scheme, account))
    })
}

const fn account(number: &'static str, name: &'static str, outcome: Outcome) -> TestAccount {
    TestAccount {
        number,
        name: Some(name),
        outcome,
    }
}

const fn nameless(number: &'static str, outcome: Outcome) -> TestAccount {
    TestAccount {
        number,
        name: None,
        outcome,
    }
}

const SUCCEEDS: Outcome = Outcome::Succeeds(When::AtOnce);
const SUCCEEDS_LATER: Outcome = Outcome::Succeeds(When::AfterThreeMinutes);

const fn fails(failure: Failure) -> Outcome {
    Outcome::Fails(When::AtOnce, failure)
}

const fn fails_later(failure: Failure) -> Outcome {
    Outcome::Fails(When::AfterThreeMinutes, failure)
}

/// "ACH Direct Debit".
static US_BANK_ACCOUNT: &[TestAccount] = &[
    account("000123456789", "success", SUCCEEDS),
    account(
        "000111111113",
        "accountClosed",
        fails(outcome::ACCOUNT_CLOSED),
    ),
    account(
        "000000004954",
        "riskLevelHighest",
        Outcome::Refused(outcome::BLOCKED),
    ),
    account("000111111116", "noAccount", fails(outcome::NO_ACCOUNT)),
    account(
        "000222222227",
        "insufficientFunds",
        fails(outcome::INSUFFICIENT_FUNDS),
    ),
    account(
        "000333333335",
        "debitNotAuthorized",
        fails(outcome::DEBIT_NOT_AUTHORIZED),
    ),
    account(
        "000444444440",
        "invalidCurrency",
        fails(outcome::INVALID_CURRENCY),
    ),
    account(
        "000666666661",
        "failMicrodeposits",
        Outcome::CannotBeVerified(outcome::MICRODEPOSITS_FAILED),
    ),
    account(
        "000555555559",
        "dispute",
        Outcome::SucceedsDisputed(When::AtOnce),
    ),
    account("000000000009", "processing", Outcome::NeverDecided),
    account(
        "000777777771",
        "weeklyLimitExceeded",
        Outcome::Refused(outcome::EXCEEDS_SOURCE_LIMIT),
    ),
    // A tokenized account number that its bank has deactivated. Stripe's page has no code for it.
    nameless("000888888885", fails(outcome::ACCOUNT_CLOSED)),
];

/// "BACS Direct Debit".
static BACS_DEBIT: &[TestAccount] = &[
    account("00012345", "success", SUCCEEDS),
    account("90012345", "successDelayed", SUCCEEDS_LATER),
    account(
        "33333335",
        "debitNotAuthorized",
        fails(outcome::DEBIT_NOT_AUTHORIZED),
    ),
    account(
        "93333335",
        "debitNotAuthorizedDelayed",
        fails_later(outcome::DEBIT_NOT_AUTHORIZED),
    ),
    account(
        "22222227",
        "insufficientFunds",
        fails(outcome::INSUFFICIENT_FUNDS),
    ),
    account(
        "92222227",
        "insufficientFundsDelayed",
        fails_later(outcome::INSUFFICIENT_FUNDS),
    ),
    account(
        "55555559",
        "dispute",
        Outcome::SucceedsDisputed(When::AfterThreeMinutes),
    ),
    account(
        "00033333",
        "mandateRefused",
        Outcome::Refused(outcome::MANDATE_REFUSED),
    ),
    nameless(
        "00044444",
        Outcome::NotAnAccount(outcome::INVALID_ACCOUNT_NUMBER),
    ),
    account(
        "34343434",
        "exceedsWeeklyLimit",
        Outcome::Refused(outcome::EXCEEDS_SOURCE_LIMIT),
    ),
    account(
        "12121212",
        "exceedsTransactionLimit",
        Outcome::Refused(outcome::EXCEEDS_TRANSACTION_LIMIT),
    ),
];

/// "AU BECS Direct Debit".
static AU_BECS_DEBIT: &[TestAccount] = &[
    account("000123456", "success", SUCCEEDS),
    account("900123456", "successDelayed", SUCCEEDS_LATER),
    account("111111113", "accountClosed", fails(outcome::ACCOUNT_CLOSED)),
    account("111111116", "noAccount", fails(outcome::NO_ACCOUNT)),
    account(
        "222222227",
        "referToCustomer",
        fails(outcome::REFER_TO_CUSTOMER),
    ),
    account(
        "922222227",
        "referToCustomerDelayed",
        fails_later(outcome::REFER_TO_CUSTOMER),
    ),
    account(
        "333333335",
        "debitNotAuthorized",
        fails(outcome::DEBIT_NOT_AUTHORIZED),
    ),
    account(
        "666666660",
        "dispute",
        Outcome::SucceedsDisputed(When::AtOnce),
    ),
    account(
        "343434343",
        "exceedsWeeklyLimit",
        Outcome::Refused(outcome::EXCEEDS_SOURCE_LIMIT),
    ),
    account(
        "121212121",
        "exceedsTransactionLimit",
        Outcome::Refused(outcome::EXCEEDS_TRANSACTION_LIMIT),
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::payment::testing::outcome::Mandate;

    #[test]
    fn every_account_is_found_by_its_number_and_by_its_name() {
        for scheme in SCHEMES {
            let mut seen = BTreeSet::new();
            for account in scheme.accounts() {
                assert!(seen.insert(account.number), "{}", account.number);
                let found = by_number(scheme, scheme.bank(), account.number);
                assert_eq!(found, Some(account));
                if let Some(name) = account.name {
                    let name = format!("{}{name}", scheme.prefix());
                    assert_eq!(by_payment_method(&name), Some((scheme, account)));
                }
            }
        }
    }

    #[test]
    fn an_account_at_another_bank_is_not_a_test_account() {
        let at = |bank| by_number(Scheme::BacsDebit, bank, "00012345");
        assert!(at("10-88-00").is_some());
        assert!(at("108801").is_none());
        assert!(by_number(Scheme::UsBankAccount, "110000000", "00012345").is_none());
        assert!(by_payment_method("pm_usBankAccount_").is_none());
        assert!(by_payment_method("pm_bacsDebit_accountClosed").is_none());
    }

    #[test]
    fn a_debit_that_the_buyer_calls_unauthorized_ends_the_mandate_and_an_empty_account_does_not() {
        let mandate = |name| match by_payment_method(name).unwrap().1.outcome {
            Outcome::Fails(_, failure) => failure.mandate,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            mandate("pm_bacsDebit_debitNotAuthorizedDelayed"),
            Mandate::Ended
        );
        assert_eq!(mandate("pm_bacsDebit_insufficientFunds"), Mandate::Kept);
        assert_eq!(mandate("pm_auBecsDebit_referToCustomer"), Mandate::Kept);
    }
}
