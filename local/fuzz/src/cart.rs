//! The body of `POST /checkout`.

use serde_json::json;
use shared::cart::{Cart, MOST_PIECES, MOST_PRODUCTS};
use shared::plain;

/// What is refused is named in plain text. What is taken is within the limits, and the same cart however it is
/// written.
pub(crate) fn run(body: &[u8]) {
    let cart = match Cart::parse(body) {
        Ok(cart) => cart,
        Err(error) => return assert!(error.to_string().chars().all(plain::is_plain), "{error:?}"),
    };
    assert!((1..=MOST_PRODUCTS).contains(&cart.products().count()));
    assert!(
        cart.items()
            .all(|(_, pieces)| (1..=MOST_PIECES).contains(&pieces))
    );
    let items: Vec<_> = cart
        .items()
        .map(|(product, pieces)| json!({ "product_id": product.to_string(), "quantity": pieces }))
        .collect();
    let again = match cart.country() {
        Some(country) => json!({ "items": items, "country": country }),
        None => json!({ "items": items }),
    };
    let again = again.to_string();
    let again = Cart::parse(again.as_bytes()).expect("a cart that was read can be written");
    assert_eq!(again.fingerprint(), cart.fingerprint());
    assert_eq!(again, cart);
}
