//! A card that is paid with.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::ids;
use crate::engine::resource::Metadata;
use crate::engine::time::Timestamp;
use crate::payment::billing::{Address, BillingDetails};
use crate::payment::known::{self, Known};
use crate::payment::verdict::{Enrollment, Given, ThreeDSecure};

/// A test card as somebody has typed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    /// What kind of card it is follows from its number.
    pub(crate) number: TestNumber,
    pub(crate) exp_month: u8,
    pub(crate) exp_year: i32,
    /// Its security code was typed, too.
    pub(crate) cvc: bool,
}

/// The number of a test card: there are no others here, so that nobody's real one is ever kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct TestNumber(String);

/// A number that is no test card's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the number of a test card")]
pub(crate) struct NoTestCard;

impl TryFrom<String> for TestNumber {
    type Error = NoTestCard;

    fn try_from(number: String) -> Result<Self, NoTestCard> {
        match known::by_number(&number) {
            Some(_) => Ok(Self(number)),
            None => Err(NoTestCard),
        }
    }
}

impl From<TestNumber> for String {
    fn from(TestNumber(number): TestNumber) -> Self {
        number
    }
}

impl Card {
    pub(crate) fn known(&self) -> Known {
        known::by_number(&self.number.0).unwrap_or_default()
    }

    pub(crate) fn last4(&self) -> &str {
        let from = self.number.0.len().saturating_sub(4);
        self.number.0.get(from..).unwrap_or_default()
    }

    pub(crate) fn brand(&self) -> &'static str {
        self.known().brand
    }

    /// The same for the same number.
    pub(crate) fn fingerprint(&self) -> String {
        ids::fingerprint(&self.number.0)
    }

    /// What the issuer can check.
    pub(crate) fn given(&self, address: &Address) -> Given {
        Given {
            cvc: self.cvc,
            postal_code: address.postal_code.is_some(),
            line1: address.line1.is_some(),
        }
    }

    /// `checks` as the API shows them.
    pub(crate) fn checks(&self, address: &Address, checked: bool) -> Value {
        let [line1, postal_code, cvc] = self.known().nature.checks.of(self.given(address));
        let told = |check: Option<_>| match check {
            Some(check) if checked => json!(check),
            Some(_) => json!("unchecked"),
            None => Value::Null,
        };
        json!({
            "address_line1_check": told(line1),
            "address_postal_code_check": told(postal_code),
            "cvc_check": told(cvc),
        })
    }

    /// As a payment method shows it.
    pub(crate) fn shown(&self, address: &Address, checked: bool) -> Value {
        let known = self.known();
        json!({
            "brand": known.brand,
            "checks": self.checks(address, checked),
            "country": known.country,
            "display_brand": known.display_brand,
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": self.fingerprint(),
            "funding": known.funding,
            "generated_from": null,
            "last4": self.last4(),
            "networks": { "available": known.networks, "preferred": null },
            "regulated_status": "unregulated",
            "three_d_secure_usage": {
                "supported": known.nature.enrollment != Enrollment::NotSupported,
            },
            "wallet": null,
        })
    }

    /// As a charge shows it.
    pub(crate) fn details(&self, charged: &Charged<'_>) -> Value {
        let known = self.known();
        let mut details = json!({
            "amount_authorized": charged.authorized,
            "authorization_code": null,
            "brand": known.brand,
            "checks": self.checks(charged.address, true),
            "country": known.country,
            "electronic_commerce_indicator": null,
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "extended_authorization": { "status": "disabled" },
            "fingerprint": self.fingerprint(),
            "funding": known.funding,
            "incremental_authorization": { "status": "unavailable" },
            "installments": null,
            "last4": self.last4(),
            "mandate": null,
            "multicapture": { "status": "unavailable" },
            "network": known.network,
            "network_token": { "used": false },
            "network_transaction_id": null,
            "overcapture": {
                "maximum_amount_capturable": charged.authorized.unwrap_or_default(),
                "status": "unavailable",
            },
            "regulated_status": "unregulated",
            "three_d_secure": charged.three_d_secure,
            "transaction_link_id": null,
            "wallet": null,
        });
        if let (Value::Object(details), Some(moment)) = (&mut details, charged.capture_before) {
            details.insert("capture_before".to_owned(), json!(moment));
        }
        details
    }

    /// As a try to set it up shows it.
    pub(crate) fn attempted(&self, address: &Address) -> Value {
        let known = self.known();
        json!({
            "brand": known.brand,
            "checks": self.checks(address, true),
            "country": known.country,
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": self.fingerprint(),
            "funding": known.funding,
            "last4": self.last4(),
            "network": known.network,
            "three_d_secure": null,
            "wallet": null,
        })
    }

    /// As the sources of old integrations show it. Brands had other names then.
    pub(crate) fn as_source(
        &self,
        id: &str,
        customer: Option<&str>,
        billing: &BillingDetails,
        metadata: &Metadata,
    ) -> Value {
        let known = self.known();
        let address = &billing.address;
        let checks = self.checks(address, true);
        json!({
            "id": id,
            "object": "card",
            "address_city": address.city,
            "address_country": address.country,
            "address_line1": address.line1,
            "address_line1_check": checks["address_line1_check"],
            "address_line2": address.line2,
            "address_state": address.state,
            "address_zip": address.postal_code,
            "address_zip_check": checks["address_postal_code_check"],
            "allow_redisplay": "unspecified",
            "brand": known.legacy_brand(),
            "country": known.country,
            "customer": customer,
            "cvc_check": checks["cvc_check"],
            "dynamic_last4": null,
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": self.fingerprint(),
            "funding": known.funding,
            "last4": self.last4(),
            "metadata": metadata,
            "name": billing.name,
            "regulated_status": "unregulated",
            "tokenization_method": null,
            "wallet": null,
        })
    }
}

/// What a charge knows of a payment with a card.
#[derive(Debug)]
pub(crate) struct Charged<'c> {
    /// What the issuer has agreed to.
    pub(crate) authorized: Option<i64>,
    /// Until when it is set aside, if it is.
    pub(crate) capture_before: Option<Timestamp>,
    pub(crate) address: &'c Address,
    pub(crate) three_d_secure: Option<&'c ThreeDSecure>,
}

/// How a card's refunds go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refunds {
    /// They succeed at once.
    #[default]
    Succeed,
    /// They are pending for a while, and succeed then.
    SucceedLater,
    /// They succeed at first, and fail after a while.
    FailLater,
}
