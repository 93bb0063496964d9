//! The discount that a shop gives with a new session, and what becomes of it.

use serde_json::{Value, json};

use crate::checkout::object::{Discount as Given, Session};
use crate::engine::ids::{self, SubscriptionId};
use crate::engine::transaction::Transaction;
use crate::promotion::life::{NoDiscount, take_off};
use crate::promotion::object::{Coupon, PromotionCode};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// A discount that the shop gives.
#[derive(Debug)]
pub(super) enum NamedDiscount {
    Coupon(String),
    PromotionCode(String),
}

impl NamedDiscount {
    pub(super) fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        let mut given = params.objects("discounts")?;
        if given.len() > 1 {
            return Err(
                ApiError::invalid("Array discounts exceeded maximum 1 allowed elements.")
                    .param("discounts"),
            );
        }
        let Some(mut discount) = given.pop() else {
            return Ok(None);
        };
        let (coupon, code) = (discount.text("coupon")?, discount.text("promotion_code")?);
        let name = discount.name("coupon");
        discount.finish()?;
        match (coupon, code) {
            (Some(coupon), None) => Ok(Some(Self::Coupon(coupon))),
            (None, Some(code)) => Ok(Some(Self::PromotionCode(code))),
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(ApiError::invalid(
                "You may only specify one of these parameters: coupon, promotion_code.",
            )
            .param(name)),
        }
    }

    pub(super) fn give(
        self,
        transaction: &Transaction<'_>,
        session: &mut Session,
    ) -> Result<(), ApiError> {
        let no_such = |kind, id: &str, field| {
            ApiError::no_such_param(kind, id, &format!("discounts[0][{field}]"))
        };
        let (field, given) = match self {
            Self::Coupon(id) => {
                let coupon = transaction.get::<Coupon>(&id)?;
                let coupon = coupon.ok_or_else(|| no_such("coupon", &id, "coupon"))?;
                ("coupon", take_off(session, None, &coupon))
            }
            Self::PromotionCode(id) => {
                let code = transaction.get::<PromotionCode>(&id)?;
                let code = code.ok_or_else(|| no_such("promotion code", &id, "promotion_code"))?;
                let given = match transaction.get::<Coupon>(&code.coupon)? {
                    Some(coupon) => take_off(session, Some(&code), &coupon),
                    None => Err(NoDiscount::Invalid),
                };
                ("promotion_code", given)
            }
        };
        given.map_err(|why| {
            let reason = match why {
                NoDiscount::Invalid => "it is expired, used up, or not active",
                NoDiscount::OtherCurrency => "it is for another currency",
                NoDiscount::BelowMinimum(_) => "the order is below its minimum amount",
                NoDiscount::TooLittleLeft => "less would be left than can be charged",
            };
            ApiError::invalid(format!(
                "This {} cannot be redeemed: {reason}.",
                field.replace('_', " ")
            ))
            .param(format!("discounts[0][{field}]"))
        })
    }
}

/// The session's discount as an object of its own, as it is at first.
pub(super) fn shown(
    transaction: &Transaction<'_>,
    session: &Session,
    given: &Given,
    subscription: Option<&SubscriptionId>,
) -> Value {
    json!({
        "id": ids::plain("di_1"),
        "object": "discount",
        "checkout_session": session.id,
        "customer": session.customer,
        "customer_account": null,
        "end": null,
        "invoice": null,
        "invoice_item": null,
        "promotion_code": given.promotion_code,
        "source": { "coupon": given.coupon, "type": "coupon" },
        "start": transaction.now,
        "subscription": subscription,
        "subscription_item": null,
    })
}
