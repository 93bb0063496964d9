//! Cards and accounts as somebody types them.

use crate::engine::time::Timestamp;
use crate::payment::bank::{BankDebit, Ending, Scheme, Settlement};
use crate::payment::card::Card;
use crate::payment::testing;
use crate::payment::testing::decline::Decline;
use crate::payment::testing::outcome::{self, Outcome, When};
use crate::payout;
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// A card that nobody has looked at.
#[derive(Debug)]
pub(crate) struct TypedCard {
    pub(crate) number: String,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) cvc: Option<String>,
}

impl TypedCard {
    /// Reads `number`, `exp_month`, `exp_year` and `cvc`.
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let number = params.text("number").required(params, "number")?;
        let mut networks = params.object("networks")?;
        networks.text("preferred")?;
        networks.finish()?;
        Ok(Self {
            number,
            exp_month: params.integer("exp_month").required(params, "exp_month")?,
            exp_year: params.integer("exp_year").required(params, "exp_year")?,
            cvc: params.text("cvc")?,
        })
    }

    /// The test card that it is, or what is wrong with it.
    pub(crate) fn check(&self, now: Timestamp) -> Result<Card, Decline> {
        let typed = testing::typed::TypedCard {
            number: &self.number,
            exp_month: self.exp_month,
            exp_year: self.exp_year,
            cvc: self.cvc.as_deref(),
        };
        let (test, expiry) = typed.read(now)?;
        Ok(Card {
            test,
            exp_month: expiry.month,
            exp_year: expiry.year,
            cvc: self.cvc.is_some(),
        })
    }
}

/// The account of an IBAN.
pub(crate) fn iban(typed: &str) -> Result<BankDebit, ApiError> {
    let iban: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let iban = iban.to_uppercase();
    let known = testing::iban::by_iban(&iban);
    let sound = (15..=34).contains(&iban.len()) && testing::iban::has_valid_check_digits(&iban);
    let (Some(country), Some(rest), true) = (iban.get(..2), iban.get(4..), sound) else {
        return Err(ApiError::invalid("The IBAN you provided is invalid.")
            .code("invalid_bank_account_iban")
            .param("sepa_debit[iban]"));
    };
    // No debit of an account that is not there to test with succeeds.
    let outcome = known.map_or(
        Outcome::Fails(When::AtOnce, outcome::ATTEMPT_FAILED),
        |known| known.outcome,
    );
    let bank = if country == "DE" { 8 } else { 5 };
    Ok(BankDebit {
        scheme: Scheme::Sepa,
        bank: rest.chars().take(bank).collect(),
        country: country.to_owned(),
        settlement: settlement(outcome, "sepa_debit[iban]")?,
        verified: true,
        is_companys: false,
        number: iban,
    })
}

/// An account by its number and its bank's.
pub(crate) fn account(scheme: Scheme, bank: &str, number: &str) -> Result<BankDebit, ApiError> {
    let rules = match scheme {
        Scheme::Ach => testing::bank::Scheme::UsBankAccount,
        Scheme::Bacs => testing::bank::Scheme::BacsDebit,
        Scheme::Sepa => return iban(number),
    };
    let param = format!("{}[account_number]", rules.method());
    let known = testing::bank::by_number(rules, bank, number).ok_or_else(|| {
        ApiError::invalid(format!(
            "You must use a test bank account: those of {} are at the bank {}. See \
             https://docs.stripe.com/testing#non-card-payments.",
            rules.method(),
            rules.bank()
        ))
        .code("account_number_invalid")
        .param(&param)
    })?;
    of_test_account(scheme, rules, known, &param)
}

fn of_test_account(
    scheme: Scheme,
    rules: testing::bank::Scheme,
    account: &testing::bank::TestAccount,
    param: &str,
) -> Result<BankDebit, ApiError> {
    let country = if scheme == Scheme::Ach { "US" } else { "GB" };
    Ok(BankDebit {
        scheme,
        bank: rules.bank().to_owned(),
        country: country.to_owned(),
        settlement: settlement(account.outcome, param)?,
        verified: scheme != Scheme::Ach,
        is_companys: false,
        number: account.number.to_owned(),
    })
}

/// The account that a name such as `pm_usBankAccount_success` or `pm_sepaDebit_success_at` stands for.
pub(crate) fn account_named(name: &str) -> Result<Option<BankDebit>, ApiError> {
    if let Some(known) = testing::iban::by_payment_method(name) {
        return iban(known.iban).map(Some);
    }
    let Some((rules, account)) = testing::bank::by_payment_method(name) else {
        return Ok(None);
    };
    let scheme = match rules {
        testing::bank::Scheme::UsBankAccount => Scheme::Ach,
        testing::bank::Scheme::BacsDebit => Scheme::Bacs,
        testing::bank::Scheme::AuBecsDebit => return Ok(None),
    };
    let debit = of_test_account(scheme, rules, account, "payment_method")?;
    // What has a name was verified before, as far as it can be.
    Ok(Some(BankDebit {
        verified: !matches!(debit.settlement, Settlement::Unverifiable(_)),
        ..debit
    }))
}

/// The account that a token such as `btok_us_verified` stands for.
pub(crate) fn account_of_token(token: &str) -> Result<Option<BankDebit>, ApiError> {
    let Some(number) = payout::bank_account::by_token(token) else {
        return Ok(None);
    };
    let rules = testing::bank::Scheme::UsBankAccount;
    let debit = account(Scheme::Ach, rules.bank(), number)?;
    Ok(Some(BankDebit {
        verified: token != "btok_us",
        ..debit
    }))
}

/// How a payment with a test account ends.
fn settlement(outcome: Outcome, param: &str) -> Result<Settlement, ApiError> {
    Ok(match outcome {
        Outcome::Succeeds(when) => Settlement::After(when.seconds(), Ending::Succeeds),
        Outcome::SucceedsDisputed(when) => {
            Settlement::After(when.seconds(), Ending::SucceedsDisputed)
        }
        Outcome::Fails(when, failure) => {
            Settlement::After(when.seconds(), Ending::Fails(failure.into()))
        }
        Outcome::Refused(failure) => Settlement::Refused(failure.into()),
        Outcome::CannotBeVerified(failure) => Settlement::Unverifiable(failure.into()),
        Outcome::NeverDecided | Outcome::ExpiresWhenDue => Settlement::ByHand,
        Outcome::NotAnAccount(failure) => {
            return Err(ApiError::invalid(failure.message)
                .code(failure.code)
                .param(param));
        }
    })
}
