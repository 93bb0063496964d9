//! What a buyer wants: the only thing a checkout accepts from the browser.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{json, plain, product::ProductId, shipping::Country};

/// The most distinct products in a cart. Each may need an action in DynamoDB's transaction and a
/// line item in Stripe's session, and both are limited to 100.
pub const MOST_PRODUCTS: usize = 90;

/// The most pieces of one product.
pub const MOST_PIECES: u32 = 999;

/// Products and how many of each; lines with the same product are merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cart {
    items: BTreeMap<ProductId, u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
}

/// What is wrong with a cart; `field` is the place in the request's body.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {wrong}")]
pub struct CartError {
    /// Such as `items[0].quantity`.
    pub field: String,
    /// What it should be.
    pub wrong: String,
    /// Whether nothing is wrong with how the cart is written, but it is more than one purchase can
    /// have.
    pub is_too_large: bool,
}

impl CartError {
    fn new(field: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            wrong: wrong.into(),
            is_too_large: false,
        }
    }

    fn too_large(field: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self {
            is_too_large: true,
            ..Self::new(field, wrong)
        }
    }
}

impl Cart {
    /// Reads `{"items":[{"product_id":"…","quantity":1}]}`, perhaps with a `"country":"DE"`. Any
    /// other member is refused: whoever sends a price should learn that it is not used.
    pub fn parse(body: &[u8]) -> Result<Self, CartError> {
        let body = json::parse(body).map_err(|error| match error.is_data() {
            true => CartError::new("body", error.to_string()),
            false => CartError::new("body", format!("not JSON ({error})")),
        })?;
        let Value::Object(body) = body else {
            return Err(CartError::new("body", "expected a JSON object"));
        };
        refuse_others(&body, "", &["items", "country"])?;
        let country = body.get("country").map(parse_country).transpose()?;
        let Some(Value::Array(items)) = body.get("items") else {
            return Err(CartError::new("items", "expected a list"));
        };
        let mut cart = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            let (product, quantity) = parse_item(item, &format!("items[{index}]"))?;
            let pieces: &mut u32 = cart.entry(product).or_default();
            *pieces = pieces.saturating_add(quantity);
            if *pieces > MOST_PIECES {
                return Err(CartError::too_large(
                    format!("items[{index}].quantity"),
                    format!("at most {MOST_PIECES} pieces of one product"),
                ));
            }
            if cart.len() > MOST_PRODUCTS {
                return Err(CartError::too_large(
                    "items",
                    format!("at most {MOST_PRODUCTS} different products"),
                ));
            }
        }
        if cart.is_empty() {
            return Err(CartError::new("items", "expected at least one"));
        }
        Ok(Self {
            items: cart,
            country,
        })
    }

    /// Where it is to be delivered, if the buyer has said so.
    pub fn country(&self) -> Option<Country> {
        self.country
    }

    /// The products, ordered by id.
    pub fn products(&self) -> impl Iterator<Item = &ProductId> {
        self.items.keys()
    }

    /// Products and how many pieces of each, ordered by id.
    pub fn items(&self) -> impl Iterator<Item = (&ProductId, u32)> {
        self.items
            .iter()
            .map(|(product, quantity)| (product, *quantity))
    }

    /// The same for two requests that ask for the same things, however they are written.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (product, quantity) in self.items() {
            hash.update(format!("{product} {quantity}\n"));
        }
        if let Some(country) = self.country {
            hash.update(format!("to {country}\n"));
        }
        hex::encode(hash.finalize())
    }
}

fn parse_country(value: &Value) -> Result<Country, CartError> {
    let wrong = || CartError::new("country", "expected a two-letter ISO 3166 code such as DE");
    let code = value.as_str().ok_or_else(wrong)?;
    code.parse().map_err(|_| wrong())
}

fn parse_item(item: &Value, at: &str) -> Result<(ProductId, u32), CartError> {
    let Value::Object(item) = item else {
        return Err(CartError::new(at, "expected an object"));
    };
    refuse_others(item, at, &["product_id", "quantity"])?;
    let product = item.get("product_id").and_then(Value::as_str);
    let product = product
        .ok_or_else(|| CartError::new(format!("{at}.product_id"), "expected text"))?
        .parse()
        .map_err(|error| CartError::new(format!("{at}.product_id"), format!("{error}")))?;
    let quantity = item.get("quantity").and_then(pieces).ok_or_else(|| {
        CartError::new(
            format!("{at}.quantity"),
            format!("expected a whole number from 1 to {MOST_PIECES}"),
        )
    })?;
    Ok((product, quantity))
}

/// A number of pieces of one product. JSON does not tell 2 from 2.0, and some clients write the latter.
fn pieces(quantity: &Value) -> Option<u32> {
    (1..=MOST_PIECES).find(|pieces| quantity.as_f64() == Some(f64::from(*pieces)))
}

fn refuse_others(
    object: &serde_json::Map<String, Value>,
    at: &str,
    known: &[&str],
) -> Result<(), CartError> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(other) => {
            let dot = if at.is_empty() { "" } else { "." };
            let other: String = plain::line(other).chars().take(64).collect();
            Err(CartError::new(
                format!("{at}{dot}{other}"),
                format!("not expected here; only {} is", known.join(" and ")),
            ))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(body: &str) -> String {
        Cart::parse(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn lines_with_the_same_product_are_merged() {
        let cart = |body: &str| Cart::parse(body.as_bytes()).unwrap();
        let twice = cart(
            r#"{"items":[{"product_id":"b","quantity":1},{"product_id":"a","quantity":2},{"product_id":"b","quantity":3}]}"#,
        );
        let once = cart(
            r#"{ "items": [{"quantity":2,"product_id":"a"}, {"quantity":4,"product_id":"b"}] }"#,
        );
        assert_eq!(twice, once);
        assert_eq!(twice.fingerprint(), once.fingerprint());
        let other = cart(r#"{"items":[{"product_id":"a","quantity":2}]}"#);
        assert_ne!(once.fingerprint(), other.fingerprint());
        let sent = cart(r#"{"items":[{"product_id":"a","quantity":2}],"country":"DE"}"#);
        assert_ne!(sent.fingerprint(), other.fingerprint());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        for (body, field) in [
            ("", "body: "),
            ("[]", "body: "),
            ("{}", "items: "),
            (r#"{"items":{}}"#, "items: "),
            (r#"{"items":[]}"#, "items: "),
            (r#"{"items":[1]}"#, "items[0]: "),
            (r#"{"items":[{"quantity":1}]}"#, "items[0].product_id: "),
            (
                r#"{"items":[{"product_id":"a b","quantity":1}]}"#,
                "items[0].product_id: ",
            ),
            (r#"{"items":[{"product_id":"a"}]}"#, "items[0].quantity: "),
            (
                r#"{"items":[{"product_id":"a","quantity":1,"price":1}]}"#,
                "items[0].price: ",
            ),
            (
                r#"{"items":[{"product_id":"a","quantity":1}],"currency":"usd"}"#,
                "currency: ",
            ),
            (
                r#"{"items":[{"product_id":"a","quantity":1}],"country":"Germany"}"#,
                "country: ",
            ),
            (
                r#"{"items":[{"product_id":"a","quantity":1}],"country":null}"#,
                "country: ",
            ),
            ("{\"items\":[],\"\u{1b}[2J\u{202e}\":1}", "body: not JSON"),
            (
                r#"{"items":[],"\u001b[2J\u202e":1}"#,
                "\u{fffd}[2J\u{fffd}: ",
            ),
            (
                r#"{"items":[{"product_id":"a","quantity":1,"quantity":2}]}"#,
                r#"body: "quantity" is there twice"#,
            ),
            (
                r#"{"items":[],"items":[{"product_id":"a","quantity":1}]}"#,
                r#"body: "items" is there twice"#,
            ),
        ] {
            assert!(wrong(body).starts_with(field), "{body}: {}", wrong(body));
        }
    }

    #[test]
    fn a_quantity_is_a_whole_number_from_1_to_999() {
        for quantity in [
            "0",
            "-1",
            "1000",
            "1.5",
            "0.9999999999",
            "1e9",
            "\"2\"",
            "null",
            "99999999999999999999",
        ] {
            let body = format!(r#"{{"items":[{{"product_id":"a","quantity":{quantity}}}]}}"#);
            assert!(
                wrong(&body).starts_with("items[0].quantity: "),
                "{quantity}"
            );
        }
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_fraction_of_nothing() {
        let cart = |quantity: &str| {
            let body = format!(r#"{{"items":[{{"product_id":"a","quantity":{quantity}}}]}}"#);
            Cart::parse(body.as_bytes()).unwrap()
        };
        for (written, plain) in [("2.0", "2"), ("1e2", "100"), ("999.0", "999")] {
            assert_eq!(cart(written), cart(plain));
            assert_eq!(cart(written).fingerprint(), cart(plain).fingerprint());
        }
    }

    #[test]
    fn a_cart_holds_90_products_and_999_of_each() {
        let cart = |products: usize| {
            let items: Vec<_> = (0..products)
                .map(|n| serde_json::json!({"product_id": format!("p{n}"), "quantity": 1}))
                .collect();
            Cart::parse(serde_json::json!({ "items": items }).to_string().as_bytes())
        };
        assert!(cart(90).is_ok());
        let error = cart(91).unwrap_err();
        assert!(error.is_too_large && error.field == "items", "{error}");
        let half = r#"{"product_id":"a","quantity":500}"#;
        let error = Cart::parse(format!(r#"{{"items":[{half},{half}]}}"#).as_bytes()).unwrap_err();
        assert!(
            error.is_too_large && error.field == "items[1].quantity",
            "{error}"
        );
        // One line with too many is not even a quantity.
        let error = Cart::parse(br#"{"items":[{"product_id":"a","quantity":1000}]}"#).unwrap_err();
        assert!(!error.is_too_large, "{error}");
    }
}
