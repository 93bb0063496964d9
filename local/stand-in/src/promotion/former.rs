//! Coupons where versions before `clover` show them: whole, in a field of a promotion code or discount.

use serde_json::Value;

use crate::description::Description;
use crate::engine::transaction::Transaction;

/// Adds the field `coupon` to each object within `value` that has it in this version.
pub(crate) fn show_coupons(
    transaction: &Transaction<'_>,
    description: &'static Description,
    value: &mut Value,
) -> anyhow::Result<()> {
    match value {
        Value::Array(elements) => elements
            .iter_mut()
            .try_for_each(|element| show_coupons(transaction, description, element)),
        Value::Object(object) => {
            for within in object.values_mut() {
                show_coupons(transaction, description, within)?;
            }
            let kind = object.get("object").and_then(Value::as_str);
            let place = match kind {
                Some("promotion_code") => "promotion",
                Some("discount") => "source",
                _ => return Ok(()),
            };
            let had = kind.and_then(|kind| description.object(kind)?.get("coupon"));
            let Some(coupon) = object.get(place).and_then(|place| place.get("coupon")) else {
                return Ok(());
            };
            if had.is_some() {
                let coupon = match coupon {
                    Value::String(id) => transaction.shown_of("coupon", id)?.unwrap_or_default(),
                    whole => whole.clone(),
                };
                object.insert("coupon".to_owned(), coupon);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
