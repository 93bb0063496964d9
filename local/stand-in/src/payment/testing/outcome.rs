//! How a payment ends that takes its time: a bank debit or a voucher.
//!
//! Failure codes are those of the pages [Error codes](https://docs.stripe.com/error-codes) and
//! [ACH Direct Debit](https://docs.stripe.com/payments/ach-direct-debit), with its siblings for SEPA, Bacs
//! and BECS. Where those pages have a code and no sentence for it, the sentence is the stand-in's own.

/// What becomes of a payment with a test account or a test address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeds(When),
    /// And is disputed as soon as it has.
    SucceedsDisputed(When),
    Fails(When, Failure),
    /// It is refused before the bank hears of it.
    Refused(Failure),
    /// It stays `processing` until somebody cancels it.
    NeverDecided,
    /// Nobody pays, and the voucher expires when it said it would.
    ExpiresWhenDue,
    /// The account cannot be verified, so that no payment comes about.
    CannotBeVerified(Failure),
    /// The account cannot even be entered.
    NotAnAccount(Failure),
}

/// When a payment is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    AtOnce,
    AfterThreeMinutes,
}

impl When {
    pub(crate) fn seconds(self) -> i64 {
        match self {
            Self::AtOnce => 0,
            Self::AfterThreeMinutes => 180,
        }
    }
}

/// Why a payment failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    pub(crate) mandate: Mandate,
}

/// What a failure means for the buyer's permission to debit the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mandate {
    /// It stays `active`, and the payment method can be used again.
    Kept,
    /// It becomes `inactive`, and the payment method cannot be used again.
    Ended,
}

const fn failure(code: &'static str, message: &'static str) -> Failure {
    Failure {
        code,
        message,
        mandate: Mandate::Kept,
    }
}

impl Failure {
    const fn ending_the_mandate(self) -> Self {
        Self {
            mandate: Mandate::Ended,
            ..self
        }
    }
}

pub(crate) const ACCOUNT_CLOSED: Failure = failure(
    "account_closed",
    "The customer's bank account has been closed.",
)
.ending_the_mandate();
pub(crate) const NO_ACCOUNT: Failure = failure(
    "no_account",
    "The customer's bank account could not be located.",
)
.ending_the_mandate();
pub(crate) const INSUFFICIENT_FUNDS: Failure = failure(
    "insufficient_funds",
    "The customer's account has insufficient funds to cover this payment.",
);
pub(crate) const DEBIT_NOT_AUTHORIZED: Failure = failure(
    "debit_not_authorized",
    "The customer has notified their bank that this payment was unauthorized.",
)
.ending_the_mandate();
pub(crate) const INVALID_CURRENCY: Failure = failure(
    "invalid_currency",
    "The bank was unable to process this transaction because of its currency. This is probably because \
     the bank account cannot accept payments in that currency.",
);
pub(crate) const REFER_TO_CUSTOMER: Failure = failure(
    "refer_to_customer",
    "The customer's bank did not give a reason for this failure. Contact the customer.",
);
/// What a bank's no without a reason looks like.
pub(crate) const ATTEMPT_FAILED: Failure = failure(
    "payment_intent_payment_attempt_failed",
    "The payment failed.",
);
/// What a voucher ends with that nobody has paid.
pub(crate) const ATTEMPT_EXPIRED: Failure = failure(
    "payment_intent_payment_attempt_expired",
    "The latest attempt to pay for this payment has expired.",
);
pub(crate) const EXCEEDS_SOURCE_LIMIT: Failure = failure(
    "charge_exceeds_source_limit",
    "This charge would cause you to exceed your rolling-window processing limit for this source type. \
     Please retry the charge later, or contact us to request a higher processing limit.",
);
pub(crate) const EXCEEDS_WEEKLY_LIMIT: Failure = failure(
    "charge_exceeds_weekly_limit",
    "This charge would cause you to exceed your weekly processing limit for this source type. Please \
     retry the charge later, or contact us to request a higher processing limit.",
);
pub(crate) const EXCEEDS_TRANSACTION_LIMIT: Failure = failure(
    "charge_exceeds_transaction_limit",
    "This charge exceeds your limit for a single transaction with this source type. Please retry with \
     a smaller amount, or contact us to request a higher processing limit.",
);
/// Radar takes the account's owner for a fraudster.
pub(crate) const BLOCKED: Failure = failure(
    "payment_method_provider_decline",
    "The payment was blocked because of a high risk of fraud.",
);
pub(crate) const MICRODEPOSITS_FAILED: Failure = failure(
    "payment_method_microdeposit_failed",
    "Microdeposit transfers failed. Please check the account, institution and transit numbers provided.",
);
pub(crate) const MICRODEPOSIT_ATTEMPTS_EXCEEDED: Failure = failure(
    "payment_method_microdeposit_verification_attempts_exceeded",
    "You have exceeded the number of allowed verification attempts.",
);
pub(crate) const MICRODEPOSITS_TIMED_OUT: Failure = failure(
    "payment_method_microdeposit_verification_timeout",
    "Microdeposit verification timeout. Customer has not verified their bank account within the required \
     10 day period.",
);
pub(crate) const AMOUNTS_MISMATCH: Failure = failure(
    "payment_method_microdeposit_verification_amounts_mismatch",
    "The amounts provided do not match the amounts that were sent to the bank account.",
);
pub(crate) const DESCRIPTOR_CODE_MISMATCH: Failure = failure(
    "payment_method_microdeposit_verification_descriptor_code_mismatch",
    "The verification code provided does not match the one sent to the bank account.",
);
pub(crate) const MANDATE_REFUSED: Failure = failure(
    "payment_intent_mandate_invalid",
    "The customer's bank refused the mandate.",
)
.ending_the_mandate();
pub(crate) const INVALID_ACCOUNT_NUMBER: Failure = failure(
    "account_number_invalid",
    "The bank account number provided is invalid.",
);
/// The clerk's machine knows a payer's number already, so that the buyer has to choose another.
pub(crate) const REJECTED_CONFIRMATION_NUMBER: Failure = failure(
    "payment_intent_konbini_rejected_confirmation_number",
    "The confirmation number was rejected. Please use another one.",
);
pub(crate) const INVALID_CONFIRMATION_NUMBER: Failure = failure(
    "payment_method_invalid_parameter",
    "A confirmation number has 10 or 11 digits, which are not all zero.",
);
