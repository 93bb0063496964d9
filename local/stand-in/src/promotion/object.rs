//! Coupons, and the codes by which buyers get them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::description::complete;
use crate::engine::ids::{CouponId, PromotionCodeId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;

/// Something off a total.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Coupon {
    pub(crate) id: CouponId,
    pub(crate) created: Timestamp,
    pub(crate) name: Option<String>,
    pub(crate) off: Off,
    pub(crate) duration: String,
    pub(crate) duration_in_months: Option<i64>,
    pub(crate) limits: Limits,
    pub(crate) metadata: Metadata,
}

/// How much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Off {
    /// In hundredths of a percent.
    Percent(u32),
    Amount {
        amount: Amount,
        currency: Currency,
    },
}

/// How long, and how often, something can be redeemed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Limits {
    pub(crate) until: Option<Timestamp>,
    /// Whether that has come.
    pub(crate) is_over: bool,
    pub(crate) most: Option<i64>,
    pub(crate) redeemed: i64,
}

impl Limits {
    pub(crate) fn allow_one_more(&self) -> bool {
        !self.is_over && self.most.is_none_or(|most| self.redeemed < most)
    }

    fn ends(&self) -> Option<Timestamp> {
        self.until.filter(|_| !self.is_over)
    }
}

impl Object for Coupon {
    const KIND: &'static str = "coupon";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.limits.ends()
    }

    fn answer(&self) -> Value {
        let (percent, amount, currency) = match &self.off {
            Off::Percent(hundredths) => (Some(f64::from(*hundredths) / 100.0), None, None),
            Off::Amount { amount, currency } => (None, Some(amount), Some(currency)),
        };
        json!({
            "id": self.id,
            "object": Self::KIND,
            "amount_off": amount,
            "created": self.created,
            "currency": currency,
            "duration": self.duration,
            "duration_in_months": self.duration_in_months,
            "livemode": false,
            "max_redemptions": self.limits.most,
            "metadata": self.metadata,
            "name": self.name,
            "percent_off": percent,
            "redeem_by": self.limits.until,
            "times_redeemed": self.limits.redeemed,
            "valid": self.limits.allow_one_more(),
        })
    }
}

/// What a buyer types to get a coupon.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PromotionCode {
    pub(crate) id: PromotionCodeId,
    pub(crate) created: Timestamp,
    pub(crate) code: String,
    pub(crate) coupon: CouponId,
    pub(crate) active: bool,
    pub(crate) limits: Limits,
    /// The least an order must come to, and in what currency.
    pub(crate) minimum: Option<(Amount, Currency)>,
    pub(crate) metadata: Metadata,
}

impl Object for PromotionCode {
    const KIND: &'static str = "promotion_code";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.limits.ends()
    }

    fn answer(&self) -> Value {
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "active": self.active,
            "code": self.code,
            "created": self.created,
            "expires_at": self.limits.until,
            "livemode": false,
            "max_redemptions": self.limits.most,
            "metadata": self.metadata,
            "promotion": { "coupon": self.coupon, "type": "coupon" },
            "restrictions": {
                "first_time_transaction": false,
                "minimum_amount": self.minimum.as_ref().map(|(amount, _)| amount),
                "minimum_amount_currency": self.minimum.as_ref().map(|(_, currency)| currency),
            },
            "times_redeemed": self.limits.redeemed,
        });
        complete(Self::KIND, answer)
    }
}
