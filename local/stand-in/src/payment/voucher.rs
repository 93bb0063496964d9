//! Vouchers: a payment that the buyer makes later, in cash or at their bank.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::currency::Currency;
use crate::engine::time::Timestamp;
use crate::payment::testing::voucher::BOLETO_TAX_IDS;

/// What a clerk would scan.
const NUMBER: &str = "01010101010101010101010101010101";

/// The vouchers of four regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Voucher {
    Oxxo,
    Boleto,
    Konbini,
    Multibanco,
}

impl Voucher {
    pub(crate) fn of(currency: Currency) -> Option<Self> {
        match currency.code() {
            "mxn" => Some(Self::Oxxo),
            "brl" => Some(Self::Boleto),
            "jpy" => Some(Self::Konbini),
            "eur" => Some(Self::Multibanco),
            _ => None,
        }
    }

    /// The voucher of this name of Stripe's.
    pub(crate) fn named(method: &str) -> Option<Self> {
        [Self::Oxxo, Self::Boleto, Self::Konbini, Self::Multibanco]
            .into_iter()
            .find(|voucher| voucher.method() == method)
    }

    /// The one currency it can be paid in.
    pub(crate) fn currency(self) -> &'static str {
        match self {
            Self::Oxxo => "mxn",
            Self::Boleto => "brl",
            Self::Konbini => "jpy",
            Self::Multibanco => "eur",
        }
    }

    /// As buyers know it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Oxxo => "OXXO",
            Self::Boleto => "Boleto",
            Self::Konbini => "Konbini",
            Self::Multibanco => "Multibanco",
        }
    }

    /// Stripe's name of the payment method.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Oxxo => "oxxo",
            Self::Boleto => "boleto",
            Self::Konbini => "konbini",
            Self::Multibanco => "multibanco",
        }
    }

    /// As a charge shows it.
    pub(crate) fn details(self) -> Value {
        match self {
            Self::Oxxo => json!({ "number": NUMBER }),
            Self::Boleto => json!({ "tax_id": tax_id() }),
            Self::Konbini => json!({ "store": { "chain": "lawson" } }),
            Self::Multibanco => json!({ "entity": "11249", "reference": "123456789" }),
        }
    }

    /// A payment intent's `next_action` while the buyer has not paid; `page` is where the voucher
    /// is shown.
    pub(crate) fn next_action(self, page: &str, expires_at: Timestamp) -> Value {
        let kind = format!("{}_display_details", self.method());
        let details = match self {
            Self::Oxxo => json!({
                "expires_after": expires_at, "hosted_voucher_url": page, "number": NUMBER,
            }),
            Self::Boleto => json!({
                "expires_at": expires_at, "hosted_voucher_url": page, "number": NUMBER, "pdf": null,
            }),
            Self::Konbini => json!({
                "expires_at": expires_at,
                "hosted_voucher_url": page,
                "stores": {
                    "familymart": null,
                    "lawson": { "confirmation_number": "1234567890", "payment_code": "123456" },
                    "ministop": null,
                    "seicomart": null,
                },
            }),
            Self::Multibanco => json!({
                "entity": "11249",
                "expires_at": expires_at,
                "hosted_voucher_url": page,
                "reference": "123456789",
            }),
        };
        json!({ "type": kind, kind: details })
    }
}

/// The number under which Brazil taxes a buyer who is nobody.
pub(crate) fn tax_id() -> &'static str {
    let [person, _company] = BOLETO_TAX_IDS;
    person
}
