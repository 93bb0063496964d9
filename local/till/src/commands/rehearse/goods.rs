//! What there is to buy.

use anyhow::{Context as _, bail};
use futures::FutureExt as _;
use shared::product::Product;

use super::stage::Stage;
use super::step::{Outcome, Step};

pub(super) const STEP: Step = Step {
    name: "catalog",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let products = stage.api.products().await?;
    let number = products.len();
    let (recurring, once): (Vec<_>, Vec<_>) = products
        .into_iter()
        .filter(is_for_sale)
        .partition(|product| product.recurring.is_some());
    stage.product = choose(once, stage.wishes.product.as_deref())?;
    stage.recurring = choose(recurring, stage.wishes.recurring.as_deref())?;
    let product = stage.product().context(
        "nothing that is paid for once is for sale: import a product, or name one with --product",
    )?;
    let says = format!(
        "{number} shown to anybody; {} for {} is bought",
        product.id, product.price
    );
    Ok(Outcome::Held(says, Vec::new()))
}

fn is_for_sale(product: &Product) -> bool {
    product.active && product.stock != Some(0)
}

/// The one that was named, else the one whose purchase disturbs the shop the least: that is not
/// shipped, never runs out, and costs little.
fn choose(mut products: Vec<Product>, wanted: Option<&str>) -> anyhow::Result<Option<Product>> {
    let Some(wanted) = wanted else {
        let rank = |it: &Product| (it.shipped, it.stock.is_some(), it.price.amount);
        return Ok(products.into_iter().min_by_key(rank));
    };
    match products.iter().position(|it| it.id.as_str() == wanted) {
        Some(place) => Ok(Some(products.swap_remove(place))),
        None => bail!("{wanted} is not for sale, or not in this way: see `till products list`"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn product(id: &str, amount: i64, more: serde_json::Value) -> Product {
        let mut product = json!({
            "id": id, "name": id, "active": true, "price": { "amount": amount, "currency": "usd" },
        });
        let more = more.as_object().unwrap().clone();
        product.as_object_mut().unwrap().extend(more);
        serde_json::from_value(product).unwrap()
    }

    #[test]
    fn what_is_bought_takes_nothing_scarce_and_no_parcel_if_that_can_be_helped() {
        let all = || {
            vec![
                product("scarce", 100, json!({ "stock": 3 })),
                product("dear", 900, json!({})),
                product("cheap", 500, json!({})),
                product("parcel", 100, json!({ "shipped": true })),
            ]
        };
        assert_eq!(choose(all(), None).unwrap().unwrap().id.as_str(), "cheap");
        let named = choose(all(), Some("parcel")).unwrap().unwrap();
        assert_eq!(named.id.as_str(), "parcel");
        let unknown = choose(all(), Some("mug")).unwrap_err().to_string();
        assert!(unknown.starts_with("mug is not for sale"), "{unknown}");
        assert_eq!(choose(Vec::new(), None).unwrap(), None);
    }

    #[test]
    fn what_is_sold_out_or_switched_off_is_not_bought() {
        assert!(!is_for_sale(&product("gone", 1, json!({ "stock": 0 }))));
        assert!(!is_for_sale(&product("off", 1, json!({ "active": false }))));
        assert!(is_for_sale(&product("last", 1, json!({ "stock": 1 }))));
    }
}
