//! How much an object is about, whatever its kind.

use serde_json::Value;

use crate::account::amount::Amount;
use crate::account::currency::Currency;

/// Fields that tell it, the best first.
const AMOUNTS: [&str; 5] = [
    "amount_total",
    "amount",
    "total",
    "unit_amount",
    "amount_off",
];

/// How much an object is about, as people write it; `None` if it is not about money.
pub(crate) fn amount(shown: &Value) -> Option<String> {
    let amount = AMOUNTS
        .iter()
        .find_map(|field| shown.get(field)?.as_i64())
        .or_else(|| a_period_of(shown))?;
    let (amount, code) = (Amount::new(amount), shown.get("currency")?.as_str()?);
    Some(match code.parse::<Currency>() {
        Ok(currency) => currency.display(amount),
        Err(_) => format!("{amount} {code}"),
    })
}

/// What a period of a subscription costs, before discounts and taxes; `None` if a price has tiers.
fn a_period_of(subscription: &Value) -> Option<i64> {
    let items = subscription.pointer("/items/data")?.as_array()?;
    items.iter().try_fold(0_i64, |sum, item| {
        let each = item.pointer("/price/unit_amount")?.as_i64()?;
        sum.checked_add(each.checked_mul(item.get("quantity")?.as_i64()?)?)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_is_about_money_says_how_much() {
        let item = json!({ "price": { "unit_amount": 900 }, "quantity": 2 });
        let tiers = json!({ "price": { "unit_amount": null }, "quantity": 2 });
        for (object, said) in [
            (
                json!({ "amount_total": 1500, "currency": "usd" }),
                Some("$15.00"),
            ),
            (json!({ "amount": -300, "currency": "usd" }), Some("−$3.00")),
            // An invoice, and one with nothing to pay.
            (
                json!({ "total": 1900, "amount_due": 0, "currency": "eur" }),
                Some("€19.00"),
            ),
            (json!({ "total": 0, "currency": "usd" }), Some("$0.00")),
            (
                json!({ "items": { "data": [item, item] }, "currency": "usd" }),
                Some("$36.00"),
            ),
            (
                json!({ "items": { "data": [tiers] }, "currency": "usd" }),
                None,
            ),
            (json!({ "currency": "usd" }), None),
            (json!("no object"), None),
        ] {
            assert_eq!(amount(&object).as_deref(), said, "{object}");
        }
    }
}
