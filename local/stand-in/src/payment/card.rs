//! A card that is paid with.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::account::amount::Amount;
use crate::engine::ids::{self, CustomerId};
use crate::engine::resource::Metadata;
use crate::engine::time::Timestamp;
use crate::payment::billing::{Address, BillingDetails};
use crate::payment::flexible::Flexible;
use crate::payment::testing::card::{Expiry, Issuer, Refunds, TestCard};
use crate::payment::testing::checks::{Check, CheckResults, Given};
use crate::payment::verdict::ThreeDSecure;

/// A test card as somebody has typed it. There are no others here, so that nobody's real number is
/// ever kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    #[serde(with = "by_number")]
    pub(crate) test: &'static TestCard,
    pub(crate) exp_month: u8,
    pub(crate) exp_year: i32,
    /// Its security code was typed, too.
    pub(crate) cvc: bool,
}

/// A test card is kept as its number.
mod by_number {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::payment::testing::card::TestCard;
    use crate::payment::testing::cards;

    pub(super) fn serialize<S: Serializer>(
        card: &&'static TestCard,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(card.number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        number: D,
    ) -> Result<&'static TestCard, D::Error> {
        let number = String::deserialize(number)?;
        cards::by_number(&number).ok_or_else(|| D::Error::custom("not the number of a test card"))
    }
}

impl Card {
    /// One that a name such as `pm_card_visa` stands for: complete, and good until next year.
    pub(crate) fn named(test: &'static TestCard, now: Timestamp) -> Self {
        let today = OffsetDateTime::from_unix_timestamp(now);
        let expiry = Expiry::of_named(today.map_or(2_000, OffsetDateTime::year));
        Self {
            test,
            exp_month: expiry.month,
            exp_year: expiry.year,
            cvc: true,
        }
    }

    /// How its refunds go.
    pub(crate) fn refunds(&self) -> Refunds {
        match self.test.issuer {
            Issuer::Approves(afterwards) => afterwards.refunds(),
            _ => Refunds::Succeed,
        }
    }

    /// The same for the same number.
    pub(crate) fn fingerprint(&self) -> String {
        ids::fingerprint(self.test.number)
    }

    /// What the issuer can check.
    pub(crate) fn given(&self, address: &Address) -> Given {
        Given {
            cvc: self.cvc,
            postal_code: address.postal_code.is_some(),
            line1: address.line1.is_some(),
        }
    }

    /// What the issuer has found out, once it has looked.
    fn results(&self, address: &Address, checked: bool) -> CheckResults {
        let given = self.given(address);
        match checked {
            true => self.test.checks.results(given),
            false => CheckResults::before_asking(given),
        }
    }

    /// `checks` as the API shows them.
    fn checks(&self, address: &Address, checked: bool) -> Value {
        let results = self.results(address, checked);
        json!({
            "address_line1_check": results.line1.map(Check::as_str),
            "address_postal_code_check": results.postal_code.map(Check::as_str),
            "cvc_check": results.cvc.map(Check::as_str),
        })
    }

    /// As a payment method shows it.
    pub(crate) fn shown(&self, address: &Address, checked: bool) -> Value {
        let test = self.test;
        json!({
            "brand": test.brand.as_str(),
            "checks": self.checks(address, checked),
            "country": test.country,
            "display_brand": test.display_brand(None),
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": self.fingerprint(),
            "funding": test.funding.as_str(),
            "generated_from": null,
            "last4": test.last4(),
            "networks": { "available": test.networks(), "preferred": null },
            "regulated_status": "unregulated",
            "three_d_secure_usage": {
                "supported": test.enrollment.is_supported(),
            },
            "wallet": null,
        })
    }

    /// As a charge shows it.
    pub(crate) fn details(&self, charged: &Charged<'_>) -> Value {
        let test = self.test;
        let mut details = json!({
            "amount_authorized": charged.authorized,
            "authorization_code": null,
            "brand": test.brand.as_str(),
            "checks": self.checks(charged.address, true),
            "country": test.country,
            "electronic_commerce_indicator": null,
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": self.fingerprint(),
            "funding": test.funding.as_str(),
            "installments": null,
            "last4": test.last4(),
            "mandate": null,
            "network": test.brand.as_str(),
            "network_token": { "used": false },
            "network_transaction_id": null,
            "regulated_status": "unregulated",
            "three_d_secure": charged.three_d_secure,
            "transaction_link_id": null,
            "wallet": null,
        });
        if let Value::Object(details) = &mut details {
            let authorized = charged.authorized.unwrap_or_default();
            details.extend(charged.flexible.shown(authorized));
            let moment = charged.capture_before;
            details.extend(moment.map(|it| ("capture_before".to_owned(), json!(it))));
        }
        details
    }

    /// As a try to set it up shows it.
    pub(crate) fn attempted(
        &self,
        address: &Address,
        three_d_secure: Option<&ThreeDSecure>,
    ) -> Value {
        let test = self.test;
        json!({
            "brand": test.brand.as_str(),
            "checks": self.checks(address, true),
            "country": test.country,
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": self.fingerprint(),
            "funding": test.funding.as_str(),
            "last4": test.last4(),
            "network": test.brand.as_str(),
            "three_d_secure": three_d_secure,
            "wallet": null,
        })
    }

    /// As the sources of old integrations show it. Brands had other names then.
    pub(crate) fn as_source(
        &self,
        id: &str,
        customer: Option<&CustomerId>,
        billing: &BillingDetails,
        metadata: &Metadata,
    ) -> Value {
        let test = self.test;
        let address = &billing.address;
        let results = self.results(address, true);
        json!({
            "id": id,
            "object": "card",
            "address_city": address.city,
            "address_country": address.country,
            "address_line1": address.line1,
            "address_line1_check": results.line1.map(Check::as_str),
            "address_line2": address.line2,
            "address_state": address.state,
            "address_zip": address.postal_code,
            "address_zip_check": results.postal_code.map(Check::as_str),
            "allow_redisplay": "unspecified",
            "brand": test.brand.legacy(),
            "country": test.country,
            "customer": customer,
            "cvc_check": results.cvc.map(Check::as_str),
            "dynamic_last4": null,
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": self.fingerprint(),
            "funding": test.funding.as_str(),
            "last4": test.last4(),
            "metadata": metadata,
            "name": billing.name,
            "regulated_status": "unregulated",
            "tokenization_method": null,
        })
    }
}

/// What a charge knows of a payment with a card.
#[derive(Debug)]
pub(crate) struct Charged<'c> {
    /// What the issuer has agreed to.
    pub(crate) authorized: Option<Amount>,
    /// Until when it is set aside, if it is.
    pub(crate) capture_before: Option<Timestamp>,
    pub(crate) address: &'c Address,
    pub(crate) three_d_secure: Option<&'c ThreeDSecure>,
    pub(crate) flexible: &'c Flexible,
}
