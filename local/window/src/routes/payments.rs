//! Refunds, as `till refund` makes them.

use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use shared::mode::Mode;
use shared::money::{Currency, Money};
use shared::stripe::client::Client as Stripe;

use super::answer::{Trouble, fresh};
use super::window::Window;
use crate::name::Name;
use crate::refund::{Asked, Key, Paid, Payment};
use crate::shop::Shop;

pub(super) fn routes(window: Window) -> Router {
    Router::new()
        .route("/payments/{id}/refund", get(preview).post(refund))
        .with_state(window)
}

/// What somebody wants to send back.
#[derive(Deserialize)]
struct Wish {
    /// As people write it, such as `5.00`; everything that is left, if omitted.
    #[serde(default)]
    amount: String,
    currency: Currency,
    /// What Stripe is told.
    #[serde(default)]
    reason: String,
    /// What the preview said: under it, money goes back once. A preview has none yet.
    #[serde(default)]
    key: String,
    /// How many times Stripe has failed to make it.
    #[serde(default)]
    failed_before: u32,
    /// In live mode the amount once more, as the preview spells it.
    #[serde(default)]
    confirmed: String,
}

/// What would be refunded, and of what.
struct Planned {
    bought: Paid,
    payment: Payment,
    amount: Money,
    /// Stays the same until Stripe knows another refund of the payment.
    key: String,
}

impl Planned {
    /// `id` is that of the payment, or of the purchase or invoice that it paid.
    async fn of(shop: &Shop, stripe: &Stripe, id: &str, wish: &Wish) -> Result<Self, Trouble> {
        let wanted = match wish.amount.trim() {
            "" => None,
            amount => Some(Money::from_major_units(amount, wish.currency)?.amount),
        };
        let name: Name = id.parse().map_err(Trouble::NoSuch)?;
        let bought = Paid::find(shop, &name.find(shop).await?).await?;
        let intent = match &name {
            Name::PaymentIntent(intent) => Some(intent.as_str()),
            Name::Purchase(_) | Name::Object(..) => None,
        };
        let payment = Payment::of(&bought, intent, stripe).await?;
        if payment.paid.currency != wish.currency {
            let (paid, wanted) = (payment.paid.currency, wish.currency);
            return Err(Trouble::Refused(format!(
                "{id} was paid in {paid}, so it cannot be refunded in {wanted}"
            )));
        }
        let amount = payment.amount(wanted)?;
        let key = payment.key_for(amount, wish.failed_before);
        Ok(Self {
            bought,
            payment,
            amount,
            key,
        })
    }
}

/// What would happen.
async fn preview(
    State(window): State<Window>,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Response, Trouble> {
    let shop = &window.seen().await.shop;
    let stripe = shop.stripe().await?;
    let Planned {
        bought,
        payment,
        amount,
        key,
    } = Planned::of(shop, &stripe, &id, &wish).await?;
    let rest = payment.left.amount.saturating_sub(amount.amount);
    fresh(&json!({
        "of": bought.title(),
        "buyer": bought.buyer(),
        "paid": payment.paid,
        "refunded": payment.refunded,
        "amount": amount,
        "leaves": Money::new(rest, amount.currency),
        "live": shop.mode == Mode::Live,
        "key": key,
    }))
}

/// Through Stripe's API, so that faults of its calls apply.
async fn refund(
    State(window): State<Window>,
    Path(id): Path<String>,
    Form(wish): Form<Wish>,
) -> Result<Response, Trouble> {
    let shop = &window.seen().await.shop;
    let stripe = shop.stripe().await?;
    let planned = Planned::of(shop, &stripe, &id, &wish).await?;
    if wish.key != planned.key {
        let why = "a refund is previewed first; since this preview, the payment was refunded, or the amount \
                   has changed: look again";
        return Err(Trouble::Refused(why.to_owned()));
    }
    confirmed(shop.mode, planned.amount, &wish.confirmed)?;
    let asked = Asked {
        amount: planned.amount,
        reason: Some(wish.reason.as_str()).filter(|reason| !reason.is_empty()),
        key: Key::OfPayment {
            failed_before: wish.failed_before,
        },
    };
    let made = asked.make(&stripe, shop, &planned.bought, &planned.payment);
    let made = made.await?;
    // What it changes arrives by Stripe's events, which is soon.
    window.forget();
    fresh(&json!({
        "refund": made.id,
        "status": made.status,
        "amount": Money::new(made.amount, made.currency),
    }))
}

/// In live mode, somebody has to have typed the amount once more.
fn confirmed(mode: Mode, amount: Money, typed: &str) -> Result<(), Trouble> {
    if mode == Mode::Live && typed.trim() != amount.to_string() {
        return Err(Trouble::Refused(format!(
            "real money would go back: confirm it by typing {amount}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_money_goes_back_only_after_its_amount_was_typed() {
        let amount = Money::new(500, "usd".parse().unwrap());
        for typed in ["", "5", "5.00", "5.00 EUR", "50.00 USD"] {
            let refused = confirmed(Mode::Live, amount, typed).unwrap_err();
            let why = "real money would go back: confirm it by typing 5.00 USD";
            assert_eq!(refused.to_string(), why, "{typed}");
            assert!(confirmed(Mode::Test, amount, typed).is_ok(), "{typed}");
        }
        assert!(confirmed(Mode::Live, amount, " 5.00 USD ").is_ok());
    }
}
