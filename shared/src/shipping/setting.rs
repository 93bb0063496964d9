//! The shop's shipping as its settings say it:
//! `Standard: 4.90 EUR, free from 50.00, to DE AT; Express: 12.90 EUR`.

use std::collections::BTreeSet;

use super::{Country, MOST_RATES, Rate, Shipping};
use crate::money::{Currency, Money};

/// Settings that cannot be used, each with what is wrong with it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongShipping {
    /// Where the shop delivers to.
    #[error("{0}")]
    Countries(String),
    /// What it costs.
    #[error("{0}")]
    Rates(String),
}

/// The longest name of a rate that Checkout shows (Stripe's page on `shipping_rate_data`).
const LONGEST_NAME: usize = 100;

impl Shipping {
    /// Reads both settings: the countries, separated by commas or spaces, and the rates, separated
    /// by semicolons.
    pub fn parse(countries: &str, rates: &str) -> Result<Self, WrongShipping> {
        let countries = countries_of(countries).map_err(WrongShipping::Countries)?;
        let rates = rates.split(';').map(str::trim);
        let rates = rates.filter(|rate| !rate.is_empty()).map(rate_of);
        let rates: Vec<_> = rates
            .collect::<Result<_, _>>()
            .map_err(WrongShipping::Rates)?;
        let shipping = Self { countries, rates };
        shipping.check().map_err(WrongShipping::Rates)?;
        Ok(shipping)
    }

    /// Checks that whoever buys can be offered something, wherever they live.
    fn check(&self) -> Result<(), String> {
        let Some(first) = self.rates.first() else {
            return Ok(());
        };
        if self.countries.is_empty() {
            return Err(format!(
                "there is a rate {:?}, but the shop delivers nowhere: set ShippingCountries",
                first.name
            ));
        }
        for rate in &self.rates {
            if let Some(other) = rate.to.difference(&self.countries).next() {
                return Err(format!(
                    "{:?} is offered in {other}, where the shop does not deliver: add {other} to \
                     ShippingCountries",
                    rate.name
                ));
            }
        }
        let currencies: BTreeSet<_> = self.rates.iter().map(|rate| rate.price.currency).collect();
        for country in &self.countries {
            for currency in &currencies {
                self.check_offer(*country, *currency)?;
            }
        }
        Ok(())
    }

    fn check_offer(&self, country: Country, currency: Currency) -> Result<(), String> {
        let here = self
            .rates
            .iter()
            .filter(|rate| rate.price.currency == currency && rate.reaches(country));
        let here: Vec<_> = here.collect();
        let code = currency.as_str().to_uppercase();
        if here.is_empty() {
            return Err(format!(
                "there is no rate in {code} for {country}: add one, or take {country} out of \
                 ShippingCountries"
            ));
        }
        if here.len() > MOST_RATES {
            return Err(format!(
                "there are {} rates in {code} for {country}, but Checkout offers at most {MOST_RATES}",
                here.len()
            ));
        }
        for (place, rate) in here.iter().enumerate() {
            let mut before = here.iter().take(place);
            if let Some(other) = before.find(|other| other.price == rate.price) {
                return Err(format!(
                    "{:?} and {:?} both cost {} in {country}, so nobody could tell from a payment \
                     which was chosen: let their prices differ",
                    other.name, rate.name, rate.price
                ));
            }
        }
        Ok(())
    }
}

fn countries_of(text: &str) -> Result<BTreeSet<Country>, String> {
    let codes = text.split(|c: char| c == ',' || c.is_whitespace());
    let codes = codes.filter(|code| !code.is_empty());
    codes
        .map(|code| {
            let country: Country = code.parse().map_err(|error| format!("{error}"))?;
            match country.is_offered() {
                true => Ok(country),
                false => Err(format!(
                    "{country} is not a country that Stripe delivers to"
                )),
            }
        })
        .collect()
}

/// Reads `Standard: 4.90 EUR, free from 50.00, to DE AT`.
fn rate_of(text: &str) -> Result<Rate, String> {
    let wrong = |why: &str| {
        format!("{text:?} {why}: write it like \"Standard: 4.90 EUR, free from 50.00, to DE AT\"")
    };
    let (name, terms) = text
        .split_once(':')
        .ok_or_else(|| wrong("has no name and colon before its price"))?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        return Err(wrong("has no name of 1 to 100 characters"));
    }
    let mut terms = terms.split(',').map(str::trim);
    let price = terms.next().unwrap_or_default();
    let price = price_of(price).map_err(|why| wrong(&format!("has no price ({why})")))?;
    let mut rate = Rate {
        name: name.to_owned(),
        price,
        free_from: None,
        to: BTreeSet::new(),
    };
    for term in terms {
        if let Some(amount) = term.strip_prefix("free from ") {
            let from = free_from(amount.trim(), price.currency).map_err(|why| wrong(&why))?;
            rate.free_from = Some(from);
        } else if let Some(countries) = term.strip_prefix("to ") {
            rate.to = countries_of(countries).map_err(|why| wrong(&why))?;
        } else {
            return Err(wrong(&format!("says {term:?}, which means nothing here")));
        }
    }
    Ok(rate)
}

/// Reads `4.90 EUR`.
fn price_of(text: &str) -> Result<Money, String> {
    let (amount, currency) = text
        .split_once(' ')
        .ok_or("an amount and a currency".to_owned())?;
    let currency: Currency = currency
        .trim()
        .parse()
        .map_err(|error| format!("{error}"))?;
    let price = Money::from_major_units(amount, currency).map_err(|error| error.to_string())?;
    price.check_price().map_err(|error| error.to_string())?;
    Ok(price)
}

/// Reads `50.00` or, with the currency that the price has, `50.00 EUR`.
fn free_from(text: &str, currency: Currency) -> Result<i64, String> {
    let amount = match text.split_once(' ') {
        None => text,
        Some((amount, code)) if code.trim().parse() == Ok(currency) => amount,
        Some(_) => return Err(format!("is free from {text:?}, in another currency")),
    };
    let from = Money::from_major_units(amount, currency);
    Ok(from.map_err(|error| error.to_string())?.amount)
}
