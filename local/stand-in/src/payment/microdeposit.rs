//! Microdeposits: a few cents that show whether somebody can read an account's statement. What is read there
//! is told by test values, of Stripe's page
//! [ACH Direct Debit](https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment#test-integration).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::engine::ids::MandateId;
use crate::engine::time::{DAY, Timestamp};
use crate::payment::bank::{BankDebit, Scheme, Settlement};
use crate::payment::decline::Decline;
use crate::payment::testing::outcome::{self, Failure};

/// How long an account can be verified.
const LASTS: Timestamp = 10 * DAY;

/// How long the deposits are on their way.
const ARRIVES_AFTER: Timestamp = DAY;

/// How often a descriptor code can be mistyped, and how often two amounts.
const MOST_CODES: u8 = 10;
const MOST_AMOUNTS: u8 = 3;

/// Deposits on their way to an account, until somebody tells what they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Microdeposits {
    arrival_date: Timestamp,
    /// Where the account's owner tells what they have read.
    page: String,
    /// When it is over, and how it ends then.
    pub(crate) until: Timestamp,
    pub(crate) ending: Decline,
    tries: u8,
    /// Under which the account will be debited.
    pub(crate) mandate: MandateId,
}

/// What somebody has read on a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Amounts(Vec<i64>),
    Code(String),
}

/// Whether it is what was deposited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Right,
    /// It can be tried again.
    Wrong(Failure),
    /// It is over.
    Over(Failure),
}

/// What comes of what somebody has told.
#[derive(Debug)]
pub(crate) enum Heard<T> {
    /// It can be tried again.
    Wrong(Failure),
    Answered(T),
}

impl<T> Heard<T> {
    pub(crate) fn map<U>(self, of: impl FnOnce(T) -> U) -> Heard<U> {
        match self {
            Self::Wrong(failure) => Heard::Wrong(failure),
            Self::Answered(answer) => Heard::Answered(of(answer)),
        }
    }
}

/// Whether an account's owner has to show that it is theirs, before it is debited as these options say.
pub(crate) fn is_needed(debit: &BankDebit, options: &Map<String, Value>) -> bool {
    let option = options.get(debit.scheme.method());
    let method = option.and_then(|it| it.get("verification_method")?.as_str());
    debit.scheme == Scheme::Ach && (!debit.verified || method == Some("microdeposits"))
}

impl Microdeposits {
    pub(crate) fn send(
        debit: &BankDebit,
        site: &str,
        intent: &str,
        mandate: MandateId,
        now: Timestamp,
    ) -> Self {
        let (until, ending) = match &debit.settlement {
            Settlement::Unverifiable(decline) => (now, decline.clone()),
            _ => (
                now.saturating_add(LASTS),
                outcome::MICRODEPOSITS_TIMED_OUT.into(),
            ),
        };
        Self {
            arrival_date: now.saturating_add(ARRIVES_AFTER),
            page: format!("{site}/microdeposits/{intent}"),
            until,
            ending,
            tries: 0,
            mandate,
        }
    }

    /// Compares what was deposited with what somebody tells.
    pub(crate) fn hear(&mut self, told: &Told) -> Answer {
        let (told, most, mismatch) = match told {
            Told::Amounts(amounts) => {
                let mut amounts = amounts.clone();
                amounts.sort_unstable();
                let code = match amounts.as_slice() {
                    [32, 45] => "SM11AA",
                    [10, 11] => "SM33CC",
                    [40, 41] => "SM44DD",
                    _ => "",
                };
                (code, MOST_AMOUNTS, outcome::AMOUNTS_MISMATCH)
            }
            Told::Code(code) => (code.as_str(), MOST_CODES, outcome::DESCRIPTOR_CODE_MISMATCH),
        };
        self.tries = self.tries.saturating_add(1);
        match told {
            "SM11AA" => Answer::Right,
            "SM33CC" => Answer::Over(outcome::MICRODEPOSIT_ATTEMPTS_EXCEEDED),
            "SM44DD" => Answer::Over(outcome::MICRODEPOSITS_TIMED_OUT),
            _ if self.tries >= most => Answer::Over(outcome::MICRODEPOSIT_ATTEMPTS_EXCEEDED),
            _ => Answer::Wrong(mismatch),
        }
    }

    /// As the `next_action` of an intent shows them.
    pub(crate) fn next_action(&self) -> Value {
        json!({
            "type": "verify_with_microdeposits",
            "verify_with_microdeposits": {
                "arrival_date": self.arrival_date,
                "hosted_verification_url": self.page,
                "microdeposit_type": "descriptor_code",
            },
        })
    }
}
