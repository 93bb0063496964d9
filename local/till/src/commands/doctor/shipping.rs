//! Whether what is shipped can be bought: the products and the settings are made in different
//! places.

use futures::FutureExt as _;
use shared::product::Product;
use shared::shipping::{Shipping, ShippingError};

use super::check::{Ask, Check};
use super::patient::Patient;
use super::report::Finding;
use crate::commands::console::count;
use crate::commands::products::all;

const SHIPPING: &str = "shipping";

pub(super) const CHECK: Check = Check {
    title: SHIPPING,
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

async fn check(patient: &Patient) -> Vec<Finding> {
    let settings = match &patient.shipping {
        Ok(settings) => settings,
        Err(wrong) => {
            let says = format!("checkout cannot start: {wrong}");
            return vec![Finding::fail(SHIPPING, says, remedy(patient))];
        }
    };
    match all(&patient.shelf).await {
        Ok(mut products) => {
            products.retain(|product| product.active && product.shipped);
            judge(settings, &products, remedy(patient))
        }
        Err(error) => vec![Finding::not_checked(SHIPPING, error.to_string())],
    }
}

fn remedy(patient: &Patient) -> String {
    match &patient.deployed {
        Some(_) => {
            "deploy with ShippingCountries and ShippingRates as docs/OPERATIONS.md explains them"
        }
        None => "set SHIPPING_COUNTRIES and SHIPPING_RATES in .env, or leave both out",
    }
    .to_owned()
}

/// Nothing if nothing is shipped.
fn judge(settings: &Shipping, shipped: &[Product], remedy: String) -> Vec<Finding> {
    if shipped.is_empty() {
        return Vec::new();
    }
    let refused = shipped.iter().find_map(|product| {
        let why = why_not(settings, product)?;
        Some(format!("{} cannot be bought: {why}", product.id))
    });
    vec![match refused {
        Some(says) => Finding::fail(SHIPPING, says, remedy),
        None => Finding::ok(
            SHIPPING,
            format!("{} can be shipped", count(shipped.len(), "product")),
        ),
    }]
}

/// Why nobody can buy a product, wherever they live.
fn why_not(settings: &Shipping, product: &Product) -> Option<ShippingError> {
    let offer = match product.recurring {
        Some(_) => settings.offer_in_price(None),
        None => settings.offer(product.price, None),
    };
    // Who buys is asked for their country.
    let refused = offer.err();
    refused.filter(|why| !matches!(why, ShippingError::WhichCountry(_)))
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

    fn teapot() -> Product {
        let text = r#"{"id":"teapot","name":"Teapot","price":{"amount":3800,"currency":"usd"},
            "shipped":true,"active":true}"#;
        serde_json::from_str(text).unwrap()
    }

    fn says(countries: &str, rates: &str) -> (Verdict, String) {
        let settings = Shipping::parse(countries, rates).unwrap();
        let mut found = judge(&settings, &[teapot()], "the remedy".to_owned());
        let found = found.pop().unwrap();
        (found.verdict, found.says)
    }

    #[test]
    fn a_product_that_cannot_be_shipped_is_named_with_the_reason() {
        let (verdict, words) = says("", "");
        assert_eq!(verdict, Verdict::Fail);
        assert!(words.starts_with("teapot cannot be bought: the shop delivers nowhere"));
        let (verdict, words) = says("DE", "Post: 5.00 EUR");
        assert_eq!(verdict, Verdict::Fail);
        assert!(words.contains("no shipping rate in USD"), "{words}");
        let by_country = says("DE,AT", "Post: 5.00 USD, to DE; Abroad: 9.00 USD, to AT");
        assert_eq!(
            by_country,
            (Verdict::Ok, "1 product can be shipped".to_owned())
        );
        assert!(judge(&Shipping::default(), &[], String::new()).is_empty());
    }
}
