//! `/v1/coupons`.

use serde_json::json;

use crate::account::amount::Amount;
use crate::engine::ids::CouponId;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::promotion::object::{Coupon, Limits, Off};
use crate::webhook::record::{record, record_change};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["coupons"]) => Box::new(create),
        ("POST", ["coupons", id]) => Box::new(move |params| update(id, params)),
        ("DELETE", ["coupons", id]) => Box::new(move |params| delete(id, params)),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let id = params.short_text("id", 200)?;
    let off = off(&mut params)?;
    let duration = params
        .choice("duration", &["forever", "once", "repeating"])?
        .unwrap_or_else(|| "once".to_owned());
    let duration_in_months = match duration.as_str() {
        "repeating" => Some(
            params
                .integer_within("duration_in_months", 1, 1_200)
                .required(&params, "duration_in_months")?,
        ),
        _ => None,
    };
    let limits = Limits {
        until: params.integer("redeem_by")?,
        most: params.integer_within("max_redemptions", 1, i64::MAX)?,
        ..Limits::default()
    };
    let name = params.short_text("name", 40)?;
    let metadata = params.metadata("metadata")?;
    params.finish()?;

    Ok(Box::new(move |transaction| {
        let id = id.map_or_else(CouponId::random, CouponId::named);
        if transaction.shown_of(Coupon::KIND, &id)?.is_some() {
            return Err(ApiError::exists(Coupon::KIND, &id));
        }
        crate::wire::lists::in_the_future("redeem_by", limits.until, transaction.now)?;
        let coupon = Coupon {
            id,
            created: transaction.now,
            name,
            off,
            duration,
            duration_in_months,
            limits,
            metadata,
        };
        transaction.put(&coupon)?;
        record(transaction, "coupon.created", &coupon)?;
        Ok(coupon.answer())
    }))
}

fn off(params: &mut Params) -> Result<Off, ApiError> {
    let percent = params.percent("percent_off")?;
    let currency = params.currency("currency")?;
    let amount = match currency {
        Some(currency) => params.amount("amount_off", currency)?,
        None => params
            .integer_within("amount_off", 1, i64::MAX)?
            .map(Amount::new),
    };
    match (percent, amount, currency) {
        (Some(_), Some(_), _) => Err(ApiError::invalid(
            "Only one of percent_off and amount_off can be given at a time.",
        )
        .param("percent_off")),
        (Some(percent), None, _) => Ok(Off::Percent(percent)),
        (None, Some(_), None) => Err(ApiError::missing("currency")),
        (None, Some(Amount::ZERO), _) => Err(ApiError::out_of_range(
            "amount_off",
            "This value must be greater than or equal to 1.",
        )),
        (None, Some(amount), Some(currency)) => Ok(Off::Amount { amount, currency }),
        (None, None, _) => Err(ApiError::missing_one_of("percent_off or amount_off")),
    }
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let name = params.short_text("name", 40)?;
    let metadata = params.metadata_update("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut coupon = find(transaction, id)?;
        let before = coupon.answer();
        coupon.name = name.or(coupon.name);
        metadata.apply(&mut coupon.metadata)?;
        transaction.put(&coupon)?;
        record_change(transaction, "coupon.updated", &before, &coupon)?;
        Ok(coupon.answer())
    }))
}

/// Customers who have its discount keep it.
fn delete(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let coupon = find(transaction, id)?;
        transaction.delete(Coupon::KIND, id)?;
        record(transaction, "coupon.deleted", &coupon)?;
        Ok(json!({ "id": id, "object": Coupon::KIND, "deleted": true }))
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Coupon, ApiError> {
    let coupon = transaction.get::<Coupon>(id)?;
    coupon.ok_or_else(|| ApiError::no_such(Coupon::KIND, id).param("coupon"))
}
