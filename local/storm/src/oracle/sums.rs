//! What a total is made of, what of it is tax, and where it goes.

use serde_json::Value;

use super::at_stripe::Purchase;
use crate::world::World;

/// What the total is made of, and where it goes. Where nothing was taken off or added, there is only the total.
pub(super) fn compare(world: &World, id: &str, shown: &Value, session: &Value) {
    let there = |name: &str| session[name].as_i64().unwrap_or_default();
    let details = |name: &str| session["total_details"][name].as_i64().unwrap_or_default();
    let there = [
        there("amount_subtotal"),
        details("amount_discount"),
        details("amount_shipping"),
        details("amount_tax"),
        there("amount_total"),
    ];
    let here = match shown["sums"].is_object() {
        true => ["subtotal", "discount", "shipping", "tax", "total"].map(|name| sum(shown, name)),
        false => {
            let total = shown["total"]["amount"].as_i64().unwrap_or_default();
            [total, 0, 0, 0, total]
        }
    };
    // A trial's goods cost nothing today.
    if here != there && session["mode"] == "payment" {
        world.is_wrong(format!(
            "{id} is made of {here:?} here and {there:?} at Stripe"
        ));
    }
    let [subtotal, discount, shipping, tax, total] = here;
    let on_top = tax - sum(shown, "tax_included");
    if subtotal - discount + shipping + on_top != total {
        world.is_wrong(format!("{id} does not add up: {}", shown["sums"]));
    }
    let address = &session["collected_information"]["shipping_details"]["address"];
    if shown["delivery"]["address"]["postal_code"] != address["postal_code"] {
        world.is_wrong(format!(
            "{id} goes to {} here, to {address} at Stripe",
            shown["delivery"]
        ));
    }
}

/// What of the refunds is tax: its part of what was paid, so that of all of it, it is all of the tax.
pub(super) fn compare_tax(world: &World, id: &str, shown: &Value, paid: &Purchase) {
    let refunds = shown["refunds"].as_array().into_iter().flatten();
    let here: i64 = refunds
        .filter_map(|refund| refund["tax"]["amount"].as_i64())
        .sum();
    let (refunded, total) = (paid.returns.leaving(), paid.paid());
    let there = match total {
        0 => 0,
        total => (2 * sum(shown, "tax") * refunded + total) / (2 * total),
    };
    if here != there
        && paid
            .session_paid()
            .is_some_and(|it| it["mode"] == "payment")
    {
        world.is_wrong(format!(
            "{here} of what went back of {id} is tax, not {there}"
        ));
    }
}

/// The invoice that Stripe wrote of it.
pub(super) fn compare_invoice(world: &World, id: &str, shown: &Value, paid: &Purchase) {
    let (here, there) = (&shown["invoice"]["number"], paid.invoice_number());
    if here != there.unwrap_or(&Value::Null) {
        world.is_wrong(format!(
            "{id} has the invoice {here} here and {there:?} at Stripe"
        ));
    }
}

fn sum(shown: &Value, name: &str) -> i64 {
    shown["sums"][name]["amount"].as_i64().unwrap_or_default()
}
