//! Why a payment was refused, and how that is told.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::engine::ids::ChargeId;
use crate::engine::resource::doc_url;
use crate::payment::testing;
use crate::payment::testing::outcome::{self, Failure, Mandate};
use crate::wire::errors::ApiError;

/// Why an issuer or a bank said no, in Stripe's codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decline {
    pub(crate) code: String,
    pub(crate) decline_code: Option<String>,
    pub(crate) advice_code: Option<String>,
    /// What the network itself said.
    pub(crate) network_decline_code: Option<String>,
    pub(crate) message: String,
    /// The buyer permits no more debits.
    #[serde(default)]
    pub(crate) ends_mandate: bool,
}

impl From<testing::decline::Decline> for Decline {
    fn from(decline: testing::decline::Decline) -> Self {
        Self {
            advice_code: decline.advice.map(|advice| advice.as_str().to_owned()),
            network_decline_code: decline.network_decline_code.map(str::to_owned),
            ..Self::new(decline.code, decline.decline_code, decline.message)
        }
    }
}

impl From<Failure> for Decline {
    fn from(failure: Failure) -> Self {
        Self {
            ends_mandate: failure.mandate == Mandate::Ended,
            ..Self::new(failure.code, None, failure.message)
        }
    }
}

impl Decline {
    pub(crate) fn new(code: &str, decline_code: Option<&str>, message: &str) -> Self {
        Self {
            code: code.to_owned(),
            decline_code: decline_code.map(str::to_owned),
            advice_code: None,
            network_decline_code: None,
            message: message.to_owned(),
            ends_mandate: false,
        }
    }

    /// What a voucher that nobody paid ends with.
    pub(crate) fn by_time() -> Self {
        outcome::ATTEMPT_EXPIRED.into()
    }

    /// What a bank debit comes back with.
    pub(crate) fn by_bank() -> Self {
        Self::new(
            "payment_method_provider_decline",
            None,
            "The customer's bank account could not be debited.",
        )
    }

    /// The buyer did not prove who they are.
    pub(crate) fn not_authenticated(intent: &str) -> Self {
        Self::new(
            &format!("{intent}_authentication_failure"),
            None,
            "We are unable to authenticate your payment method. Please choose a different payment \
             method and try again.",
        )
    }

    /// The issuer wants to see the buyer, and the buyer is not there.
    pub(crate) fn wants_the_buyer() -> Self {
        testing::decline::AUTHENTICATION_REQUIRED.into()
    }

    /// What the shop reads of it.
    pub(crate) fn seller_message(&self) -> String {
        match self.reason() {
            "generic_decline" => {
                "The bank did not return any further details with this decline.".to_owned()
            }
            reason => format!("The bank returned the decline code `{reason}`."),
        }
    }

    /// What the charge's outcome calls it.
    pub(crate) fn reason(&self) -> &str {
        self.decline_code.as_deref().unwrap_or(&self.code)
    }
}

/// A refusal as an intent keeps it, and as the API answers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PaymentError(Map<String, Value>);

impl PaymentError {
    /// `method` is the payment method as the API shows it.
    pub(crate) fn new(decline: &Decline, charge: Option<&ChargeId>, method: &Value) -> Self {
        let told = [
            ("advice_code", json!(decline.advice_code)),
            ("charge", json!(charge)),
            ("code", json!(decline.code)),
            ("decline_code", json!(decline.decline_code)),
            ("doc_url", json!(doc_url(&decline.code))),
            ("message", json!(decline.message)),
            ("network_decline_code", json!(decline.network_decline_code)),
            ("payment_method", method.clone()),
            ("type", json!(Self::kind(&decline.code))),
        ];
        let told = told.into_iter().filter(|(_, value)| !value.is_null());
        Self(told.map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The reason, in Stripe's codes.
    pub(crate) fn reason(&self) -> Option<&str> {
        let code = self.0.get("decline_code").or_else(|| self.0.get("code"));
        code.and_then(Value::as_str)
    }

    /// Whether this payment method was refused.
    pub(crate) fn is_about(&self, method: &str) -> bool {
        let refused = self.0.get("payment_method").and_then(|it| it.get("id"));
        refused.and_then(Value::as_str) == Some(method)
    }

    /// Stripe's code of it.
    pub(crate) fn code(&self) -> &str {
        let code = self.0.get("code").and_then(Value::as_str);
        code.unwrap_or_default()
    }

    /// What the buyer reads of it.
    pub(crate) fn message(&self) -> &str {
        let message = self.0.get("message").and_then(Value::as_str);
        message.unwrap_or_default()
    }

    /// Only what an issuer has said is the card's fault.
    fn kind(code: &str) -> &'static str {
        match code {
            "payment_intent_authentication_failure"
            | "setup_intent_authentication_failure"
            | "payment_intent_payment_attempt_expired"
            | "payment_method_microdeposit_failed"
            | "payment_method_microdeposit_verification_attempts_exceeded"
            | "payment_method_microdeposit_verification_timeout" => "invalid_request_error",
            _ => "card_error",
        }
    }

    /// The answer to the request that tried: `intent` is what it was about, as it is now.
    pub(crate) fn answer(&self, intent: Option<Value>) -> ApiError {
        let mut told = self.0.clone();
        told.extend(intent.map(|intent| {
            let kind = intent.get("object").and_then(Value::as_str);
            (kind.unwrap_or_default().to_owned(), intent)
        }));
        ApiError::of_card(told)
    }
}

#[cfg(test)]
mod tests {
    use crate::payment::testing::decline::{EXPIRED_CARD, GENERIC, STOLEN_CARD};

    use super::*;

    #[test]
    fn a_seller_reads_the_reason_and_a_buyer_is_not_told_that_a_card_was_reported() {
        let [stolen, generic, expired] = [STOLEN_CARD, GENERIC, EXPIRED_CARD].map(Decline::from);
        assert_eq!(
            stolen.seller_message(),
            "The bank returned the decline code `stolen_card`."
        );
        assert_eq!(stolen.message, generic.message);
        assert_eq!(expired.reason(), "expired_card");
        assert_eq!(
            generic.seller_message(),
            "The bank did not return any further details with this decline."
        );
    }
}
