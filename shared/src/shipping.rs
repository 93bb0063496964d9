//! Where the shop delivers to, and what that costs.
//!
//! Checkout shows each buyer all of a session's rates, whatever address they enter. So the rates that
//! hold for one country only are offered for that country only, and the buyer has to say which one it
//! is before the session is opened.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};

mod country;
mod setting;
#[cfg(test)]
mod tests;

pub use country::{Country, NotACountry};
pub use setting::WrongShipping;

/// The most rates that Checkout offers in a session (Stripe's page on `shipping_options`).
const MOST_RATES: usize = 5;

/// Where the shop delivers to, and its rates. By default it delivers nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shipping {
    countries: BTreeSet<Country>,
    rates: Vec<Rate>,
}

/// One way to ship, and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rate {
    name: String,
    price: Money,
    /// From what the goods have to cost for it to be free, in minor units of the price's currency.
    free_from: Option<i64>,
    /// Where it is offered; empty for everywhere.
    to: BTreeSet<Country>,
}

/// What a buyer can choose from, frozen with their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Where the address may be.
    pub countries: Vec<Country>,
    /// The ways to ship, of which the first is chosen at first. No two cost the same, so the amount
    /// that was paid tells which one was chosen. Empty if nothing is charged for shipping.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<OfferedRate>,
}

/// A way to ship, at the price for this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedRate {
    /// What buyers know it as.
    pub name: String,
    /// What it costs, in minor units of the order's currency.
    pub amount: i64,
}

/// Why an order cannot be delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShippingError {
    /// The shop does not say where it delivers to.
    #[error("the shop delivers nowhere: set ShippingCountries")]
    Nowhere,
    /// It does not deliver to this country.
    #[error("the shop does not deliver to {0}")]
    NotThere(Country),
    /// What shipping costs depends on the country, and the buyer has not said which.
    #[error("shipping costs depend on the country: say which")]
    WhichCountry(Vec<Country>),
    /// It has rates, but none in the order's currency.
    #[error("there is no shipping rate in {code}: add one to ShippingRates", code = .0.as_str().to_uppercase())]
    OtherCurrency(Currency),
}

impl Shipping {
    /// What is offered to a buyer of `goods` at this price, who may have said where they live.
    pub fn offer(&self, goods: Money, country: Option<Country>) -> Result<Offer, ShippingError> {
        let countries = self.reachable(country)?;
        let same_currency = |rate: &&Rate| rate.price.currency == goods.currency;
        let rates: Vec<_> = self.rates.iter().filter(same_currency).collect();
        if rates.is_empty() && !self.rates.is_empty() {
            return Err(ShippingError::OtherCurrency(goods.currency));
        }
        let place = match countries.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        let Some(place) = place else {
            return match rates.iter().all(|rate| rate.to.is_empty()) {
                true => Ok(Offer::of(countries, rates, goods.amount)),
                false => Err(ShippingError::WhichCountry(countries)),
            };
        };
        let here = rates.into_iter().filter(|rate| rate.reaches(place));
        Ok(Offer::of(countries, here.collect(), goods.amount))
    }

    /// What is offered where shipping cannot be charged, but is in the price.
    pub fn offer_in_price(&self, country: Option<Country>) -> Result<Offer, ShippingError> {
        let countries = self.reachable(country)?;
        Ok(Offer::of(countries, Vec::new(), 0))
    }

    /// Whether it has any rates: then shipping may cost something.
    pub fn has_rates(&self) -> bool {
        !self.rates.is_empty()
    }

    /// Where an order may go: to the country named or, without one, to any.
    fn reachable(&self, country: Option<Country>) -> Result<Vec<Country>, ShippingError> {
        if self.countries.is_empty() {
            return Err(ShippingError::Nowhere);
        }
        match country {
            Some(country) if self.countries.contains(&country) => Ok(vec![country]),
            Some(country) => Err(ShippingError::NotThere(country)),
            None => Ok(self.countries.iter().copied().collect()),
        }
    }
}

impl Rate {
    fn reaches(&self, country: Country) -> bool {
        self.to.is_empty() || self.to.contains(&country)
    }

    /// Its price for goods of this price.
    fn amount(&self, goods: i64) -> i64 {
        match self.free_from {
            Some(from) if goods >= from => 0,
            _ => self.price.amount,
        }
    }
}

impl Offer {
    /// These rates for goods of this price, at most one of each amount. Only rates that have become
    /// free can cost the same, and then the best of them is offered: the one that costs most when it
    /// is not free.
    fn of(countries: Vec<Country>, rates: Vec<&Rate>, goods: i64) -> Self {
        let mut offered: Vec<(&Rate, i64)> = Vec::new();
        for rate in rates {
            let amount = rate.amount(goods);
            match offered.iter_mut().find(|(_, other)| *other == amount) {
                Some((known, _)) if known.price.amount < rate.price.amount => *known = rate,
                Some(_) => {}
                None => offered.push((rate, amount)),
            }
        }
        let rates = offered.into_iter().map(|(rate, amount)| OfferedRate {
            name: rate.name.clone(),
            amount,
        });
        Self {
            countries,
            rates: rates.collect(),
        }
    }

    /// The name of the rate that costs this much, in minor units.
    pub fn name_of(&self, amount: i64) -> Option<&str> {
        let rate = self.rates.iter().find(|rate| rate.amount == amount);
        rate.map(|rate| rate.name.as_str())
    }
}
