//! Bank transfers of five regions: where the money goes, and what is told of where it comes from.

use serde_json::{Value, json};

use crate::account::currency::Currency;

/// The type of transfer that pays in a currency, as Stripe calls it.
pub(crate) fn kind_of(currency: Currency) -> &'static str {
    match currency.code() {
        "eur" => "eu_bank_transfer",
        "gbp" => "gb_bank_transfer",
        "jpy" => "jp_bank_transfer",
        "mxn" => "mx_bank_transfer",
        _ => "us_bank_transfer",
    }
}

/// What a transfer in a currency tells of its sender, who is nobody.
pub(crate) fn sender(currency: Currency, reference: Option<&str>) -> Value {
    let kind = kind_of(currency);
    let sender = match kind {
        "eu_bank_transfer" => json!({ "bic": null, "iban_last4": null, "sender_name": null }),
        "gb_bank_transfer" => {
            json!({ "account_number_last4": null, "sender_name": null, "sort_code": null })
        }
        "jp_bank_transfer" => {
            json!({ "sender_bank": null, "sender_branch": null, "sender_name": null })
        }
        _ => json!({ "sender_name": null }),
    };
    json!({ "reference": reference, "type": kind, kind: sender })
}
