//! `/v1/country_specs`: where shops can be, and in which currency they are paid. What the accounts of
//! Connect would have to prove there, and where they would send money, is not told: there is no Connect
//! here.

use serde_json::{Value, json};

use crate::account::currency::SUPPORTED;
use crate::wire::answer::{Asked, Route};
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;

/// The countries of stripe.com/global, with their currencies.
const COUNTRIES: [(&str, &str); 45] = [
    ("AE", "aed"),
    ("AT", "eur"),
    ("AU", "aud"),
    ("BE", "eur"),
    ("BG", "eur"),
    ("BR", "brl"),
    ("CA", "cad"),
    ("CH", "chf"),
    ("CY", "eur"),
    ("CZ", "czk"),
    ("DE", "eur"),
    ("DK", "dkk"),
    ("EE", "eur"),
    ("ES", "eur"),
    ("FI", "eur"),
    ("FR", "eur"),
    ("GB", "gbp"),
    ("GI", "gbp"),
    ("GR", "eur"),
    ("HK", "hkd"),
    ("HR", "eur"),
    ("HU", "huf"),
    ("IE", "eur"),
    ("IN", "inr"),
    ("IT", "eur"),
    ("JP", "jpy"),
    ("LI", "chf"),
    ("LT", "eur"),
    ("LU", "eur"),
    ("LV", "eur"),
    ("MT", "eur"),
    ("MX", "mxn"),
    ("MY", "myr"),
    ("NL", "eur"),
    ("NO", "nok"),
    ("NZ", "nzd"),
    ("PL", "pln"),
    ("PT", "eur"),
    ("RO", "ron"),
    ("SE", "sek"),
    ("SG", "sgd"),
    ("SI", "eur"),
    ("SK", "eur"),
    ("TH", "thb"),
    ("US", "usd"),
];

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["country_specs"]) => Box::new(|mut params| {
            let paging = Paging::read(&mut params)?;
            params.finish()?;
            Ok(Box::new(move |_| {
                paging.listed("/v1/country_specs", COUNTRIES.iter().map(spec))
            }))
        }),
        ("GET", ["country_specs", id]) => Box::new(move |params| {
            params.finish()?;
            Ok(Box::new(move |_| {
                let country = COUNTRIES.iter().find(|(country, _)| country == id);
                let spec = country.map(spec);
                spec.ok_or_else(|| ApiError::no_such("country spec", id).param("country"))
            }))
        }),
        _ => return None,
    })
}

fn spec((country, currency): &(&str, &str)) -> Value {
    let nothing = || json!({ "additional": [], "minimum": [] });
    json!({
        "id": country,
        "object": "country_spec",
        "default_currency": currency,
        "supported_bank_account_currencies": { *currency: [country] },
        "supported_payment_currencies": SUPPORTED,
        "supported_payment_methods": ["card", "stripe"],
        "supported_transfer_countries": [country],
        "verification_fields": { "company": nothing(), "individual": nothing() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_is_paid_in_a_currency_that_stripe_charges_in() {
        for (country, currency) in COUNTRIES {
            assert!(SUPPORTED.contains(&currency), "{country} {currency}");
        }
    }
}
