//! Recurring prices: what so many of something cost for one interval.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::account::decimal;
use crate::engine::calendar::{Interval, Unit};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// A price that recurs. It is kept as it was when it was subscribed to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Price {
    /// As the API shows it, without its tiers.
    pub(crate) shown: Map<String, Value>,
    pub(crate) currency: Currency,
    pub(crate) interval: Interval,
    tiers: Vec<Tier>,
}

/// What the units up to an end cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tier {
    up_to: Option<i64>,
    unit: Option<String>,
    flat: Option<String>,
}

/// Why a price cannot be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    OneTime,
    /// By usage, which the stand-in does not meter.
    Metered,
    /// The buyer chooses the amount.
    Custom,
}

/// A part of what an interval costs: what becomes one line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) quantity: i64,
    pub(crate) amount: Amount,
    /// What one of it costs.
    pub(crate) unit: Option<String>,
    /// The tier that it is of, counted from 1.
    pub(crate) tier: Option<usize>,
    /// It is the same for any quantity.
    pub(crate) is_flat: bool,
}

impl Price {
    /// A stored price, all of it.
    pub(crate) fn of(whole: &Map<String, Value>) -> Result<Self, Unfit> {
        let recurring = whole.get("recurring").and_then(Value::as_object);
        let recurring = recurring.ok_or(Unfit::OneTime)?;
        let text = |field: &str| recurring.get(field).and_then(Value::as_str);
        if text("usage_type") == Some("metered") {
            return Err(Unfit::Metered);
        }
        if whole
            .get("custom_unit_amount")
            .is_some_and(Value::is_object)
        {
            return Err(Unfit::Custom);
        }
        let unit = text("interval").and_then(Unit::named);
        let count = recurring.get("interval_count").and_then(Value::as_i64);
        let currency = whole.get("currency").and_then(Value::as_str);
        let currency = currency.and_then(|it| it.parse().ok());
        let mut shown = whole.clone();
        let tiers = shown.remove("tiers");
        shown.remove("currency_options");
        Ok(Self {
            shown,
            currency: currency.ok_or(Unfit::OneTime)?,
            interval: Interval {
                unit: unit.ok_or(Unfit::OneTime)?,
                count: count.unwrap_or(1).max(1),
            },
            tiers: tiers
                .as_ref()
                .and_then(Value::as_array)
                .map(|tiers| tiers.iter().map(Tier::of).collect())
                .unwrap_or_default(),
        })
    }

    pub(crate) fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.shown.get(field).and_then(Value::as_str)
    }

    /// What so many cost for one interval.
    pub(crate) fn amount(&self, quantity: i64) -> Amount {
        self.parts(quantity).into_iter().map(|it| it.amount).sum()
    }

    /// The same part by part: one for each tier, and one for each flat fee.
    pub(crate) fn parts(&self, quantity: i64) -> Vec<Part> {
        if self.tiers.is_empty() {
            let unit = self.text("unit_amount_decimal").unwrap_or("0");
            return vec![Part {
                quantity,
                amount: times(unit, self.transformed(quantity)),
                unit: Some(unit.to_owned()),
                tier: None,
                is_flat: false,
            }];
        }
        match self.text("tiers_mode") {
            Some("volume") => self.by_volume(quantity),
            _ => self.graduated(quantity),
        }
    }

    /// The tier that the quantity ends in is that of every unit.
    fn by_volume(&self, quantity: i64) -> Vec<Part> {
        let is_in = |tier: &Tier| tier.up_to.is_none_or(|up_to| quantity <= up_to);
        let mut tiers = self.tiers.iter().enumerate();
        let found = tiers.find(|(_, tier)| is_in(tier));
        found.map_or_else(Vec::new, |(at, tier)| tier.parts(at, quantity))
    }

    /// Each tier is for the units within it.
    fn graduated(&self, quantity: i64) -> Vec<Part> {
        let mut below = 0;
        let mut parts = Vec::new();
        for (at, tier) in self.tiers.iter().enumerate() {
            let end = tier.up_to.unwrap_or(i64::MAX).min(quantity);
            let within = end.saturating_sub(below);
            if within <= 0 && at > 0 {
                break;
            }
            parts.extend(tier.parts(at, within.max(0)));
            below = end;
        }
        parts
    }

    /// The quantity that is billed: packages, if the price is by the package.
    fn transformed(&self, quantity: i64) -> i64 {
        let Some(by) = self
            .shown
            .get("transform_quantity")
            .filter(|it| it.is_object())
        else {
            return quantity;
        };
        let divide_by = by
            .get("divide_by")
            .and_then(Value::as_i64)
            .unwrap_or(1)
            .max(1);
        let whole = quantity.div_euclid(divide_by);
        let rest = quantity.rem_euclid(divide_by);
        match by.get("round").and_then(Value::as_str) == Some("up") && rest > 0 {
            true => whole.saturating_add(1),
            false => whole,
        }
    }

    /// As in `month`, or `3 months`.
    pub(crate) fn every(&self) -> String {
        let unit = self.interval.unit.as_str();
        match self.interval.count {
            1 => unit.to_owned(),
            count => format!("every {count} {unit}s"),
        }
    }

    /// The same price as there were plans before there were prices.
    pub(crate) fn plan(&self) -> Value {
        plan_of(&self.shown)
    }
}

/// Refuses the same price twice: on a subscription there is one item of it, with a quantity.
pub(crate) fn check_distinct<'p>(
    prices: impl IntoIterator<Item = &'p str>,
) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    let twice = prices.into_iter().find(|price| !seen.insert(*price));
    match twice {
        None => Ok(()),
        Some(price) => Err(ApiError::invalid(format!(
            "Cannot add multiple subscription items with the same plan: {price}"
        ))),
    }
}

/// Reads an interval that is no longer than Stripe has them.
pub(crate) fn interval(mut params: Params) -> Result<Interval, ApiError> {
    let unit = params.text("interval").required(&params, "interval")?;
    let unit = Unit::named(&unit).unwrap_or(Unit::Month);
    let count = params.integer_within("interval_count", 1, unit.most())?;
    params.finish()?;
    Ok(Interval {
        unit,
        count: count.unwrap_or(1),
    })
}

/// How a price that recurs shows that.
pub(crate) fn recurring_shown(interval: Interval) -> Value {
    json!({
        "interval": interval.unit.as_str(),
        "interval_count": interval.count,
        "meter": null,
        "trial_period_days": null,
        "usage_type": "licensed",
    })
}

/// A recurring price as a plan.
pub(crate) fn plan_of(price: &Map<String, Value>) -> Value {
    let field = |name: &str| price.get(name).cloned().unwrap_or_default();
    let recurring = field("recurring");
    let of = |name: &str| recurring.get(name).cloned().unwrap_or_default();
    let transform = field("transform_quantity");
    let mut plan = json!({
        "id": field("id"),
        "object": "plan",
        "active": field("active"),
        "amount": field("unit_amount"),
        "amount_decimal": field("unit_amount_decimal"),
        "billing_scheme": field("billing_scheme"),
        "created": field("created"),
        "currency": field("currency"),
        "interval": of("interval"),
        "interval_count": of("interval_count"),
        "livemode": false,
        "metadata": field("metadata"),
        "meter": of("meter"),
        "nickname": field("nickname"),
        "product": field("product"),
        "tiers_mode": field("tiers_mode"),
        "transform_usage": transform,
        "trial_period_days": of("trial_period_days"),
        "usage_type": of("usage_type"),
    });
    if let (Some(tiers), Value::Object(fields)) = (price.get("tiers"), &mut plan) {
        fields.insert("tiers".to_owned(), tiers.clone());
    }
    plan
}

impl Tier {
    fn of(shown: &Value) -> Self {
        let decimal = |field: &str| shown.get(field).and_then(Value::as_str).map(str::to_owned);
        Self {
            up_to: shown.get("up_to").and_then(Value::as_i64),
            unit: decimal("unit_amount_decimal"),
            flat: decimal("flat_amount_decimal"),
        }
    }

    fn parts(&self, at: usize, quantity: i64) -> Vec<Part> {
        let tier = Some(at.saturating_add(1));
        let units = self.unit.as_ref().map(|unit| Part {
            quantity,
            amount: times(unit, quantity),
            unit: Some(unit.clone()),
            tier,
            is_flat: false,
        });
        let flat = self.flat.as_ref().map(|flat| Part {
            quantity: 1,
            amount: times(flat, 1),
            unit: Some(flat.clone()),
            tier,
            is_flat: true,
        });
        units.into_iter().chain(flat).collect()
    }
}

/// So many of what costs so much; what cannot be counted is more than can be billed.
fn times(unit: &str, quantity: i64) -> Amount {
    decimal::times(unit, quantity).unwrap_or(Amount::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(fields: Value) -> Price {
        let mut whole = json!({
            "id": "price_1", "currency": "usd", "product": "prod_1",
            "recurring": { "interval": "month", "interval_count": 1, "usage_type": "licensed" },
        });
        for (field, value) in fields.as_object().unwrap() {
            whole[field] = value.clone();
        }
        Price::of(whole.as_object().unwrap()).unwrap()
    }

    /// Tiers, each with where it ends, what a unit costs and its flat fee.
    fn tiered(mode: &str, tiers: &[(Option<i64>, &str, Option<&str>)]) -> Price {
        let tiers: Vec<_> = tiers
            .iter()
            .map(|(up_to, unit, flat)| {
                json!({ "up_to": up_to, "unit_amount_decimal": unit, "flat_amount_decimal": flat })
            })
            .collect();
        price(json!({ "tiers_mode": mode, "tiers": tiers }))
    }

    /// The example of Stripe's page "Tiered pricing": 5 at 7.00, 5 at 6.50, the rest at 6.00.
    const SEATS: &[(Option<i64>, &str, Option<&str>)] = &[
        (Some(5), "700", None),
        (Some(10), "650", None),
        (None, "600", None),
    ];

    #[test]
    fn a_price_is_for_each_unit() {
        let cents = |unit: &str, quantity| {
            price(json!({ "unit_amount_decimal": unit }))
                .amount(quantity)
                .minor_units()
        };
        assert_eq!(cents("1500", 3), 4_500);
        assert_eq!(cents("0.5", 3), 2);
        assert_eq!(cents("0.25", 1), 0);
        assert_eq!(cents("0.000000000001", 500_000_000_000), 1);
        assert_eq!(cents("12.5", 0), 0);
    }

    #[test]
    fn a_package_is_billed_whole() {
        let of = |round: &str, quantity| {
            let transform = json!({ "divide_by": 10, "round": round });
            let price =
                price(json!({ "unit_amount_decimal": "500", "transform_quantity": transform }));
            price.amount(quantity).minor_units()
        };
        for (quantity, up, down) in [
            (1, 500, 0),
            (10, 500, 500),
            (11, 1_000, 500),
            (20, 1_000, 1_000),
        ] {
            assert_eq!(
                (of("up", quantity), of("down", quantity)),
                (up, down),
                "{quantity}"
            );
        }
    }

    #[test]
    fn volume_takes_one_tier_for_all_units() {
        let price = tiered("volume", SEATS);
        for (quantity, cents) in [(1, 700), (5, 3_500), (6, 3_900), (10, 6_500), (20, 12_000)] {
            assert_eq!(price.amount(quantity), Amount::new(cents), "{quantity}");
        }
    }

    #[test]
    fn graduated_fills_one_tier_after_the_other() {
        let price = tiered("graduated", SEATS);
        for (quantity, cents) in [(1, 700), (5, 3_500), (6, 4_150), (10, 6_750), (20, 12_750)] {
            assert_eq!(price.amount(quantity), Amount::new(cents), "{quantity}");
        }
        let tiers: Vec<_> = price
            .parts(6)
            .iter()
            .map(|it| (it.tier, it.quantity))
            .collect();
        assert_eq!(tiers, [(Some(1), 5), (Some(2), 1)]);
    }

    #[test]
    fn a_tier_that_is_entered_costs_its_flat_fee() {
        let tiers = &[(Some(5), "500", Some("1000")), (None, "400", Some("2000"))];
        assert_eq!(tiered("graduated", tiers).amount(5), Amount::new(3_500));
        assert_eq!(tiered("graduated", tiers).amount(6), Amount::new(5_900));
        assert_eq!(tiered("volume", tiers).amount(6), Amount::new(4_400));
    }
}
