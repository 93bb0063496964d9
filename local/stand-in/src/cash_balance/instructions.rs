//! Where a customer transfers money to. The accounts are the customer's own, and the same every time.

use serde_json::{Value, json};

use crate::account::currency::Currency;
use crate::engine::ids;
use crate::payment::bank_transfer::kind_of;

/// What a customer is told who transfers in this currency; in euros, to a bank of this country.
pub(crate) fn instructions(customer: &str, currency: Currency, country: Option<&str>) -> Value {
    let kind = kind_of(currency);
    let country = match kind {
        "eu_bank_transfer" => country.unwrap_or("DE"),
        "gb_bank_transfer" => "GB",
        "jp_bank_transfer" => "JP",
        "mx_bank_transfer" => "MX",
        _ => "US",
    };
    json!({
        "object": "funding_instructions",
        "bank_transfer": {
            "country": country,
            "financial_addresses": [address(kind, customer, country)],
            "type": kind,
        },
        "currency": currency,
        "funding_type": "bank_transfer",
        "livemode": false,
    })
}

fn address(kind: &str, customer: &str, country: &str) -> Value {
    let (scheme, networks, mut account) = match kind {
        "eu_bank_transfer" => (
            "iban",
            json!(["sepa"]),
            json!({ "bic": "TESTBIC0", "country": country, "iban": iban(customer, country) }),
        ),
        "gb_bank_transfer" => (
            "sort_code",
            json!(["bacs", "fps"]),
            json!({ "account_number": digits(customer, 8), "sort_code": "108800" }),
        ),
        "jp_bank_transfer" => (
            "zengin",
            json!(["zengin"]),
            json!({
                "account_number": digits(customer, 7),
                "account_type": "futsu",
                "bank_code": "0001",
                "bank_name": "STRIPE TEST BANK",
                "branch_code": "001",
                "branch_name": "STRIPE TEST BRANCH",
            }),
        ),
        "mx_bank_transfer" => (
            "spei",
            json!(["spei"]),
            json!({
                "bank_code": "002",
                "bank_name": "STRIPE TEST BANK",
                "clabe": format!("0020{}", digits(customer, 14)),
            }),
        ),
        _ => (
            "aba",
            json!(["ach", "domestic_wire_us"]),
            json!({
                "account_number": digits(customer, 12),
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "routing_number": "110000000",
            }),
        ),
    };
    let nowhere = json!({
        "city": null, "country": country, "line1": null, "line2": null, "postal_code": null,
        "state": null,
    });
    if let Some(account) = account.as_object_mut() {
        account.insert("account_holder_address".to_owned(), nowhere.clone());
        account.insert("account_holder_name".to_owned(), json!("STAND-IN"));
        account.insert("bank_address".to_owned(), nowhere);
    }
    json!({ "supported_networks": networks, "type": scheme, scheme: account })
}

/// An account number of so many digits.
fn digits(customer: &str, count: usize) -> String {
    let known = ids::fingerprint(customer);
    let digits = known.chars().map(|it| match it.to_digit(16) {
        Some(value) => char::from_digit(value.checked_rem(10).unwrap_or_default(), 10),
        None => None,
    });
    digits.map(|it| it.unwrap_or('0')).take(count).collect()
}

/// An IBAN whose check digits are right.
fn iban(customer: &str, country: &str) -> String {
    let account = format!("37040044{}", digits(customer, 10));
    let number = |text: &str| {
        text.chars().fold(0_u32, |rest, it| {
            let value = it.to_digit(36).unwrap_or_default();
            let shift = if value > 9 { 100 } else { 10 };
            rest.saturating_mul(shift)
                .saturating_add(value)
                .checked_rem(97)
                .unwrap_or_default()
        })
    };
    let rest = number(&format!("{account}{country}00"));
    format!("{country}{:02}{account}", 98_u32.saturating_sub(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::testing::iban::has_valid_check_digits;

    #[test]
    fn a_customer_has_an_account_of_their_own_in_each_currency() {
        for (code, scheme) in [
            ("usd", "aba"),
            ("eur", "iban"),
            ("gbp", "sort_code"),
            ("jpy", "zengin"),
            ("mxn", "spei"),
        ] {
            let told = |customer| instructions(customer, code.parse().unwrap(), None);
            let address = told("cus_1")["bank_transfer"]["financial_addresses"][0].clone();
            assert_eq!(address["type"], scheme);
            assert!(address[scheme].is_object(), "{code}");
            assert_eq!(told("cus_1"), told("cus_1"));
            assert_ne!(told("cus_1"), told("cus_2"));
        }
    }

    #[test]
    fn an_iban_has_valid_check_digits() {
        for customer in ["cus_1", "cus_2", "cus_3"] {
            let iban = iban(customer, "DE");
            assert!(has_valid_check_digits(&iban), "{iban}");
        }
    }
}
