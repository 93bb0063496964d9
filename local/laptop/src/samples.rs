//! Products for a shop that has none yet.

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::Value;
use shared::config::Environment;
use shared::product::{Product, Site};
use shared::store::Tables;
use shared::store::operator::Assortment;

use crate::progress::Progress;

/// Which sample products there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Samples {
    /// All in US dollars, as most shops are
    Usd,
    /// More in euros, yen and Kuwaiti dinars, to see what currencies do
    Currencies,
}

/// The sample products, in the JSON of the HTTP API, with pictures from `site`
/// (`http://127.0.0.1:3000`). Scripts buy `sample-mug`; one is not for sale, one is limited, one is
/// shipped, two are variants of one, and two are paid for again and again.
pub fn products(samples: Samples, site: &str) -> anyhow::Result<Vec<Value>> {
    let read = |file| serde_json::from_str(file).context("the sample products cannot be read");
    let mut products: Vec<Value> = read(include_str!("samples.json"))?;
    if samples == Samples::Currencies {
        let more: Vec<Value> = read(include_str!("samples-currencies.json"))?;
        products.extend(more);
    }
    let images = products
        .iter_mut()
        .filter_map(|product| product.get_mut("images")?.as_array_mut())
        .flatten();
    for image in images {
        if let Value::String(path) = image {
            *path = format!("{site}{path}");
        }
    }
    Ok(products)
}

/// Adds those sample products that are missing to the table that `catalog` reads.
pub(crate) async fn add(
    samples: Samples,
    catalog: &Environment,
    site: &str,
    progress: &Progress,
) -> anyhow::Result<()> {
    if catalog.optional("PRODUCTS_TABLE").is_none() {
        return Ok(());
    }
    let table = Assortment::of(&Tables::of(catalog)?)?;
    let products = products(samples, site)?;
    let steps = products.len();
    for (done, product) in products.into_iter().enumerate() {
        let product: Product = serde_json::from_value(product)?;
        progress(done, steps, product.id.as_str());
        product
            .check()
            .and_then(|()| product.check_images(Site::Local))
            .with_context(|| format!("the sample product {}", product.id))?;
        table.add(&product).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_is_a_mug_for_fifteen_dollars_and_something_scarce_not_for_sale_or_recurring() {
        let products = products(Samples::Usd, "http://127.0.0.1:3000").unwrap();
        let mug = products
            .iter()
            .find(|product| product["id"] == "sample-mug")
            .unwrap();
        assert_eq!(
            mug["price"],
            serde_json::json!({ "amount": 1500, "currency": "usd" })
        );
        assert_eq!(
            mug["images"][0],
            "http://127.0.0.1:3000/images/sample-mug.svg"
        );
        assert!(mug.get("stock").is_none());
        assert!(products.iter().any(|product| product["stock"] == 3));
        assert!(products.iter().any(|product| product["active"] == false));
        assert!(products.iter().any(|product| product["shipped"] == true));
        let recurring = products
            .iter()
            .filter(|product| product["recurring"].is_object());
        assert!(
            recurring
                .clone()
                .any(|it| it["recurring"]["trial_days"] == 14)
        );
        assert!(
            recurring
                .clone()
                .any(|it| it["recurring"].get("trial_days").is_none())
        );
    }

    #[test]
    fn all_are_in_dollars_unless_other_currencies_are_asked_for() {
        let currencies = |samples| {
            let products = products(samples, "http://127.0.0.1:3000").unwrap();
            let currencies = products
                .iter()
                .map(|product| product["price"]["currency"].as_str().unwrap().to_owned());
            currencies
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(currencies(Samples::Usd), ["usd"]);
        assert_eq!(
            currencies(Samples::Currencies),
            ["eur", "jpy", "kwd", "usd"]
        );
    }
}
