//! Products for a shop that has none yet.

use anyhow::Context as _;
use serde_json::Value;

/// The sample products in the shape the HTTP API shows products in, with pictures from the site at
/// `site` (`http://127.0.0.1:3000`). `sample-mug` is what scripts buy; one is not for sale.
pub fn products(site: &str) -> anyhow::Result<Vec<Value>> {
    let mut products: Vec<Value> = serde_json::from_str(include_str!("samples.json"))
        .context("the sample products cannot be read")?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_mug_for_fifteen_dollars_and_something_not_for_sale() {
        let products = products("http://127.0.0.1:3000").unwrap();
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
        assert!(products.iter().any(|product| product["active"] == false));
    }
}
