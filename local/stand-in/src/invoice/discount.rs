//! Discounts: coupons at work, on an invoice, a line or an item.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::ids::{self, CouponId};
use crate::engine::transaction::Transaction;
use crate::promotion::life::count;
use crate::promotion::object::{Coupon, Off, PromotionCode};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// 100 %, in hundredths of a percent.
const EVERYTHING: i64 = 10_000;

/// The most that Stripe takes on one invoice, line or item.
const MOST: usize = 20;

/// A coupon at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Discount {
    /// The whole discount as the API shows it.
    pub(crate) shown: Map<String, Value>,
    pub(crate) off: Off,
}

impl Discount {
    /// The discount that a customer has, or another that the API shows, as long as its coupon is there.
    pub(crate) fn stored(
        transaction: &Transaction<'_>,
        shown: &Value,
    ) -> anyhow::Result<Option<Self>> {
        let coupon = shown.pointer("/source/coupon").and_then(Value::as_str);
        let coupon = match coupon {
            Some(id) => transaction.get::<Coupon>(id)?,
            None => None,
        };
        let (Some(coupon), Value::Object(shown)) = (coupon, shown) else {
            return Ok(None);
        };
        let discount = Self {
            shown: shown.clone(),
            off: coupon.off,
        };
        discount.keep(transaction)?;
        Ok(Some(discount))
    }

    pub(crate) fn id(&self) -> &str {
        let id = self.shown.get("id").and_then(Value::as_str);
        id.unwrap_or_default()
    }

    pub(crate) fn coupon(&self) -> &str {
        let coupon = self.shown.get("source").and_then(|it| it.get("coupon"));
        coupon.and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it is over by now.
    pub(crate) fn is_over(&self, now: i64) -> bool {
        let end = self.shown.get("end").and_then(Value::as_i64);
        end.is_some_and(|end| end <= now)
    }

    /// What it takes off an amount.
    pub(crate) fn on(&self, amount: Amount, currency: Currency) -> Amount {
        let amount = amount.max(Amount::ZERO);
        match &self.off {
            Off::Percent(hundredths) => {
                let share = amount.share((*hundredths).into(), EVERYTHING);
                share.minus(share.beyond(currency.step()))
            }
            Off::Amount { currency: of, .. } if *of != currency => Amount::ZERO,
            Off::Amount { amount: off, .. } => amount.min(*off),
        }
    }

    /// Keeps it where it can be found when an answer is to show it whole.
    pub(crate) fn keep(&self, transaction: &Transaction<'_>) -> anyhow::Result<()> {
        let shown = Value::Object(self.shown.clone());
        transaction.put_plain("discount", self.id(), &shown, None)
    }
}

/// What a discount belongs to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place<'p> {
    pub(crate) customer: &'p str,
    pub(crate) invoice: Option<&'p str>,
    pub(crate) invoice_item: Option<&'p str>,
    pub(crate) subscription: Option<&'p str>,
}

/// The discounts that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted(Vec<One>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct One {
    /// What the request calls it.
    param: String,
    by: By,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    Coupon(String),
    Code(String),
    /// One that there is already.
    Discount(String),
}

impl Wanted {
    /// Reads `discounts`; an empty text wants none.
    pub(crate) fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        if params.is_empty_text("discounts") {
            params.maybe_empty_text("discounts", 0)?;
            return Ok(Some(Self(Vec::new())));
        }
        let given = params.objects("discounts")?;
        if given.is_empty() {
            return Ok(None);
        }
        if given.len() > MOST {
            return Err(ApiError::invalid(format!(
                "Array discounts exceeded maximum {MOST} allowed elements."
            ))
            .param(params.name("discounts")));
        }
        let wanted = given.into_iter().map(One::read);
        wanted.collect::<Result<_, _>>().map(|all| Some(Self(all)))
    }

    /// The discounts, made for this place. Each counts as a redemption of its coupon.
    pub(crate) fn make(
        self,
        transaction: &Transaction<'_>,
        place: Place<'_>,
    ) -> Result<Vec<Discount>, ApiError> {
        let made = self.0.into_iter().map(|it| it.make(transaction, place));
        made.collect()
    }
}

impl One {
    fn read(mut params: Params) -> Result<Self, ApiError> {
        let by = [
            ("coupon", params.text("coupon")?.map(By::Coupon)),
            (
                "promotion_code",
                params.text("promotion_code")?.map(By::Code),
            ),
            ("discount", params.text("discount")?.map(By::Discount)),
        ];
        let mut given = by
            .into_iter()
            .filter_map(|(field, by)| by.map(|by| (params.name(field), by)));
        let first = given.next();
        if given.next().is_some() {
            return Err(ApiError::invalid(
                "You may only specify one of these parameters: coupon, discount, promotion_code.",
            )
            .param(params.name("coupon")));
        }
        drop(given);
        let (param, by) = first.ok_or_else(|| ApiError::missing(&params.name("coupon")))?;
        params.finish()?;
        Ok(Self { param, by })
    }

    fn make(self, transaction: &Transaction<'_>, place: Place<'_>) -> Result<Discount, ApiError> {
        let (coupon, code) = match self.by {
            By::Coupon(coupon) => (CouponId::named(coupon), None),
            By::Code(id) => {
                let code = transaction.get::<PromotionCode>(&id)?;
                let code = code
                    .filter(|code| code.active)
                    .ok_or_else(|| ApiError::no_such_param("promotion code", &id, &self.param))?;
                (code.coupon, Some(code.id))
            }
            By::Discount(id) => {
                let shown = transaction.shown_of("discount", &id)?.unwrap_or_default();
                let known = Discount::stored(transaction, &shown)?;
                return known.ok_or_else(|| ApiError::no_such_param("discount", &id, &self.param));
            }
        };
        let given = transaction
            .get::<Coupon>(&coupon)?
            .ok_or_else(|| ApiError::no_such_param("coupon", &coupon, &self.param))?;
        if !given.limits.allow_one_more() {
            let expired = ApiError::invalid(format!("Coupon expired: {coupon}"));
            return Err(expired.code("coupon_expired").param(self.param));
        }
        count(transaction, &coupon, code.as_ref())?;
        let shown = json!({
            "id": ids::plain("di_1"),
            "object": "discount",
            "checkout_session": null,
            "customer": place.customer,
            "customer_account": null,
            "end": null,
            "invoice": place.invoice,
            "invoice_item": place.invoice_item,
            "promotion_code": code,
            "source": { "coupon": coupon, "type": "coupon" },
            "start": transaction.now,
            "subscription": place.subscription,
            "subscription_item": null,
        });
        let made = Discount::stored(transaction, &shown)?;
        made.ok_or_else(|| ApiError::no_such_param("coupon", &coupon, &self.param))
    }
}
