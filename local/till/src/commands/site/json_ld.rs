//! A product as search engines read it: <https://schema.org/Product>.

use serde_json::{Value, json};
use shared::product::{Interval, Product};

/// The element for a page's head. It is data, which the page's content security policy lets pass:
/// browsers do not run scripts of this type.
pub(super) fn script(product: &Product, url: &str) -> anyhow::Result<String> {
    let json = serde_json::to_string(&value(product, url))?;
    // Nothing in it can end the element or begin a comment.
    let json = json
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    Ok(format!(
        "<script type=\"application/ld+json\">{json}</script>"
    ))
}

fn value(product: &Product, url: &str) -> Value {
    let availability = match product.stock {
        _ if !product.active => "https://schema.org/Discontinued",
        Some(0) => "https://schema.org/OutOfStock",
        Some(1..=5) => "https://schema.org/LimitedAvailability",
        _ => "https://schema.org/InStock",
    };
    let currency = product.price.currency.as_str().to_uppercase();
    let price = product.price.major_units();
    let mut offer = json!({
        "@type": "Offer",
        "url": url,
        "price": price,
        "priceCurrency": currency,
        "availability": availability,
    });
    if let Some(recurring) = product.recurring {
        // Codes of UN/CEFACT.
        let unit = match recurring.interval {
            Interval::Day => "DAY",
            Interval::Week => "WEE",
            Interval::Month => "MON",
            Interval::Year => "ANN",
        };
        put(
            &mut offer,
            "priceSpecification",
            json!({
                "@type": "UnitPriceSpecification",
                "price": price,
                "priceCurrency": currency,
                "billingDuration": recurring.interval_count,
                "unitCode": unit,
            }),
        );
    }
    let mut value = json!({
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.name,
        "sku": product.id,
        "url": url,
        "offers": offer,
    });
    if !product.description.is_empty() {
        put(&mut value, "description", json!(product.description));
    }
    if !product.images.is_empty() {
        put(&mut value, "image", json!(product.images));
    }
    if let Some(category) = &product.category {
        put(&mut value, "category", json!(category));
    }
    if let Some(group) = &product.group {
        let group = json!({ "@type": "ProductGroup", "productGroupID": group });
        put(&mut value, "isVariantOf", group);
        let options = product
            .options
            .iter()
            .map(|(name, value)| json!({ "@type": "PropertyValue", "name": name, "value": value }));
        put(&mut value, "additionalProperty", options.collect());
    }
    value
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(script: &str) -> Value {
        let json = script.strip_prefix("<script type=\"application/ld+json\">");
        let json = json.unwrap().strip_suffix("</script>").unwrap();
        assert!(!json.contains(['<', '>', '&']), "{json}");
        serde_json::from_str(json).unwrap()
    }

    fn product(json: &str) -> Product {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_search_engine_reads_the_name_the_price_and_whether_it_can_be_bought() {
        let mug = product(
            r#"{"id":"mug","name":"</script><script>alert(1)</script>","price":
            {"amount":1500,"currency":"usd"},"images":["https://a.example/1?a=1&b=2"],
            "active":true,"stock":0}"#,
        );
        let said = read(&script(&mug, "https://shop.example/p/mug.html").unwrap());
        assert_eq!(said["name"], mug.name);
        assert_eq!(said["image"][0], mug.images[0]);
        assert_eq!(said["offers"]["price"], "15.00");
        assert_eq!(said["offers"]["priceCurrency"], "USD");
        assert_eq!(
            said["offers"]["availability"],
            "https://schema.org/OutOfStock"
        );
    }

    #[test]
    fn what_recurs_says_how_often_and_a_variant_what_it_is_one_of() {
        let beans = product(
            r#"{"id":"beans","name":"Beans","price":{"amount":1800,"currency":"jpy"},"active":true,
            "recurring":{"interval":"month","interval_count":3},
            "group":"beans","options":{"grind":"coarse"}}"#,
        );
        let said = read(&script(&beans, "https://shop.example/p/beans.html").unwrap());
        assert_eq!(said["offers"]["price"], "1800");
        let renewal = &said["offers"]["priceSpecification"];
        assert_eq!(
            (&renewal["billingDuration"], &renewal["unitCode"]),
            (&json!(3), &json!("MON"))
        );
        assert_eq!(said["isVariantOf"]["productGroupID"], "beans");
        assert_eq!(said["additionalProperty"][0]["value"], "coarse");
    }
}
