//! `/v1/promotion_codes`.

use crate::engine::ids::{self, PromotionCodeId};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::promotion;
use crate::promotion::object::{Coupon, Limits, PromotionCode};
use crate::webhook::record::{record, record_change};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::{Paging, created, in_the_future};
use crate::wire::params::{Params, Required as _};

const URL: &str = "/v1/promotion_codes";

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["promotion_codes"]) => Box::new(create),
        ("GET", ["promotion_codes"]) => Box::new(list),
        ("POST", ["promotion_codes", id]) => Box::new(move |params| update(id, params)),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let (coupon, coupon_param) = coupon(&mut params)?;
    let code = code(&mut params)?;
    let active = params.boolean("active")?.unwrap_or(true);
    let limits = Limits {
        until: params.integer("expires_at")?,
        most: params.integer_within("max_redemptions", 1, i64::MAX)?,
        ..Limits::default()
    };
    let mut restrictions = params.object("restrictions")?;
    let minimum = match restrictions.currency("minimum_amount_currency")? {
        Some(currency) => restrictions
            .amount("minimum_amount", currency)?
            .map(|amount| (amount, currency)),
        None => None,
    };
    restrictions.finish()?;
    let metadata = params.metadata("metadata")?;
    params.finish()?;

    Ok(Box::new(move |transaction| {
        let coupon = transaction
            .get::<Coupon>(&coupon)?
            .ok_or_else(|| ApiError::no_such(Coupon::KIND, &coupon).param(coupon_param))?;
        in_the_future("expires_at", limits.until, transaction.now)?;
        let code = code.unwrap_or_else(ids::code);
        if active {
            refuse_twins(transaction, &code)?;
        }
        let promotion_code = PromotionCode {
            id: PromotionCodeId::random(),
            created: transaction.now,
            code,
            coupon: coupon.id,
            active,
            limits,
            minimum,
            metadata,
        };
        transaction.put(&promotion_code)?;
        record(transaction, "promotion_code.created", &promotion_code)?;
        Ok(promotion_code.answer())
    }))
}

/// The coupon, and which parameter names it: before `clover`, that was one for itself.
fn coupon(params: &mut Params) -> Result<(String, &'static str), ApiError> {
    if let Some(coupon) = params.text("coupon")? {
        return Ok((coupon, "coupon"));
    }
    let mut promotion = params
        .optional_object("promotion")
        .required(params, "promotion")?;
    promotion
        .choice("type", &["coupon"])
        .required(&promotion, "type")?;
    let coupon = promotion.text("coupon").required(&promotion, "coupon")?;
    promotion.finish()?;
    Ok((coupon, "promotion[coupon]"))
}

fn code(params: &mut Params) -> Result<Option<String>, ApiError> {
    match params.short_text("code", 500)? {
        Some(code)
            if !code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
        {
            Err(
                ApiError::invalid("Promotion codes consist of letters, digits and dashes.")
                    .param("code"),
            )
        }
        code => Ok(code),
    }
}

fn refuse_twins(transaction: &Transaction<'_>, code: &str) -> Result<(), ApiError> {
    match promotion::life::find_active(transaction, code)? {
        Some(_) => Err(ApiError::invalid(format!(
            "An active promotion code with `code: {code}` already exists."
        ))
        .param("code")),
        None => Ok(()),
    }
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let mut filter = created(&mut params)?.having("promotion.coupon", params.text("coupon")?);
    if let Some(code) = params.text("code")? {
        filter = filter.and("lower(shown ->> '$.code') = lower(?)", [code.into()]);
    }
    if let Some(active) = params.boolean("active")? {
        filter = filter.and("shown ->> '$.active' = ?", [active.into()]);
    }
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let page = paging.stored(transaction, PromotionCode::KIND, URL, &filter)?;
        Ok(page)
    }))
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let active = params.boolean("active")?;
    let metadata = params.metadata_update("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut code = find(transaction, id)?;
        let before = code.answer();
        if active == Some(true) && !code.active {
            if !code.limits.allow_one_more() {
                return Err(ApiError::invalid(
                    "This promotion code has expired or is used up: it cannot be made active \
                     again.",
                )
                .param("active"));
            }
            refuse_twins(transaction, &code.code)?;
        }
        code.active = active.unwrap_or(code.active);
        metadata.apply(&mut code.metadata)?;
        transaction.put(&code)?;
        record_change(transaction, "promotion_code.updated", &before, &code)?;
        Ok(code.answer())
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<PromotionCode, ApiError> {
    let code = transaction.get::<PromotionCode>(id)?;
    code.ok_or_else(|| ApiError::no_such("promotion code", id).param("promotion_code"))
}
