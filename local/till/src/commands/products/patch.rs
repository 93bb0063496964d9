//! What is to become of a product: the fields a file or a command speaks of. What it does not
//! speak of stays as it is.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use shared::money::Money;
use shared::product::{
    Options, Product, ProductFile, ProductId, Recurring, Site, TaxBehavior, TaxCode,
};
use shared::store::operator::StockChange;

use super::field::{self, Downloadable, Price, Renewal};

/// What to write of a product.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Patch {
    pub(super) id: ProductId,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) images: Option<Vec<String>>,
    pub(super) price: Option<Price>,
    /// `Some(None)`: it is paid for once.
    #[serde(default, deserialize_with = "said_as::<_, Renewal, _>")]
    pub(super) recurring: Option<Option<Recurring>>,
    pub(super) shipped: Option<bool>,
    /// `Some(None)`: it is in no group.
    #[serde(default, deserialize_with = "said")]
    pub(super) group: Option<Option<String>>,
    pub(super) options: Option<Options>,
    /// `Some(None)`: it is in no category.
    #[serde(default, deserialize_with = "said")]
    pub(super) category: Option<Option<String>>,
    /// `Some(None)`: its buyers download nothing.
    #[serde(default, deserialize_with = "said_as::<_, Downloadable, _>")]
    pub(super) file: Option<Option<ProductFile>>,
    /// What the HTTP API says of the file, which is less: it may be there, and changes nothing.
    pub(super) download: Option<Value>,
    /// `Some(None)`: as the account at Stripe says of all its products.
    #[serde(default, deserialize_with = "said")]
    pub(super) tax_code: Option<Option<TaxCode>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) tax_behavior: Option<Option<TaxBehavior>>,
    pub(super) active: Option<bool>,
    /// `Some(None)`: it never runs out.
    #[serde(default, deserialize_with = "said")]
    pub(super) stock: Option<Option<u32>>,
    /// `Some(None)`: the seller is told when none is left.
    #[serde(default, deserialize_with = "said")]
    pub(super) low_stock: Option<Option<u32>>,
}

/// `null` is something said, a missing member is not.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<Option<T>>, D::Error> {
    Deserialize::deserialize(value).map(Some)
}

/// As [`said`], of what a file writes in its own way.
fn said_as<'de, D: Deserializer<'de>, Written: Deserialize<'de>, T: From<Written>>(
    value: D,
) -> Result<Option<Option<T>>, D::Error> {
    let written: Option<Option<Written>> = said(value)?;
    Ok(written.map(|written| written.map(T::from)))
}

impl Patch {
    /// One that speaks of nothing yet.
    pub(super) fn of(id: ProductId) -> Self {
        Self {
            id,
            name: None,
            description: None,
            images: None,
            price: None,
            recurring: None,
            shipped: None,
            group: None,
            options: None,
            category: None,
            file: None,
            download: None,
            tax_code: None,
            tax_behavior: None,
            active: None,
            stock: None,
            low_stock: None,
        }
    }

    /// The product as it is to be: changed, or new. Why not, if it cannot be sold on `site` like that.
    pub(super) fn apply(&self, before: Option<&Product>, site: Site) -> Result<Product, String> {
        let old_price = before.map(|before| before.price);
        let price = match (self.price, old_price) {
            (Some(price), _) => {
                let currency = price.currency.or(old_price.map(|old| old.currency));
                let currency = currency.ok_or("currency: a new product needs one")?;
                Money::new(price.amount, currency)
            }
            (None, Some(old)) => old,
            (None, None) => return Err("price: a new product needs one".to_owned()),
        };
        let old = |field: fn(&Product) -> &String| before.map(|before| field(before).clone());
        let name = self.name.clone().or_else(|| old(|product| &product.name));
        let description = self.description.clone();
        let images = self.images.clone();
        let after = Product {
            id: self.id.clone(),
            name: name.ok_or("name: a new product needs one")?,
            description: description
                .or_else(|| old(|product| &product.description))
                .unwrap_or_default(),
            images: images
                .or_else(|| before.map(|before| before.images.clone()))
                .unwrap_or_default(),
            price,
            recurring: self
                .recurring
                .unwrap_or(before.and_then(|before| before.recurring)),
            shipped: self
                .shipped
                .or(before.map(|before| before.shipped))
                .unwrap_or(false),
            group: self
                .group
                .clone()
                .unwrap_or_else(|| before.and_then(|before| before.group.clone())),
            options: self
                .options
                .clone()
                .or_else(|| before.map(|before| before.options.clone()))
                .unwrap_or_default(),
            category: self
                .category
                .clone()
                .unwrap_or_else(|| before.and_then(|before| before.category.clone())),
            file: match &self.file {
                Some(said) => said.clone(),
                None => before.and_then(|before| before.file.clone()),
            },
            tax_code: match &self.tax_code {
                Some(said) => said.clone(),
                None => before.and_then(|before| before.tax_code.clone()),
            },
            tax_behavior: self
                .tax_behavior
                .unwrap_or(before.and_then(|before| before.tax_behavior)),
            active: self
                .active
                .or(before.map(|before| before.active))
                .unwrap_or(true),
            stock: self.stock.unwrap_or(before.and_then(|before| before.stock)),
            low_stock: self
                .low_stock
                .unwrap_or(before.and_then(|before| before.low_stock)),
        };
        let checked = after.check().and_then(|()| match &self.images {
            Some(_) => after.check_images(site),
            None => Ok(()),
        });
        checked.map_err(|error| error.to_string())?;
        Ok(after)
    }
}

/// `price=1600`: one field and what it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Name(String),
    Description(String),
    Images(Vec<String>),
    Price(Price),
    /// Without a trial; `None`: it is paid for once.
    Recurring(Option<Recurring>),
    TrialDays(u32),
    Shipped(bool),
    Group(Option<String>),
    Options(Options),
    Category(Option<String>),
    /// `None`: as the account at Stripe says of all its products.
    TaxCode(Option<TaxCode>),
    TaxBehavior(Option<TaxBehavior>),
    Active(bool),
    Stock(StockChange),
    /// `None`: the seller is told when none is left.
    LowStock(Option<u32>),
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((field, value)) = text.split_once('=') else {
            return Err(format!("{text:?} is not FIELD=VALUE, such as price=1600"));
        };
        let value = value.trim();
        Ok(match field.trim() {
            "name" => Self::Name(value.to_owned()),
            "description" => Self::Description(value.to_owned()),
            "images" => Self::Images(field::addresses(value)),
            "price" => Self::Price(field::price(value)?),
            "recurring" => Self::Recurring(field::recurring(value)?),
            "trial_days" => Self::TrialDays(field::number(value)?),
            "shipped" => Self::Shipped(field::yes_or_no(value)?),
            "group" => Self::Group(field::name(value)),
            "options" => Self::Options(field::options(value)?),
            "category" => Self::Category(field::name(value)),
            "tax_code" => Self::TaxCode(field::tax_code(value)?),
            "tax_behavior" => Self::TaxBehavior(field::tax_behavior(value)?),
            "active" => Self::Active(field::yes_or_no(value)?),
            "stock" => Self::Stock(field::stock_change(value)?),
            "low_stock" => Self::LowStock(field::low_stock(value)?),
            other => {
                return Err(format!(
                    "{other:?} is not a field: use name, description, images, price, recurring, \
                     trial_days, shipped, group, options, category, tax_code, tax_behavior, active, \
                     stock or low_stock"
                ));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use shared::product::Interval;

    use super::*;

    fn months(interval_count: u32) -> Option<Recurring> {
        Some(Recurring {
            interval: Interval::Month,
            interval_count,
            trial_days: 0,
        })
    }

    #[test]
    fn settings_say_what_a_field_is_to_be() {
        let usd = "usd".parse().ok();
        for (text, setting) in [
            ("name=A = B", Setting::Name("A = B".into())),
            ("description=", Setting::Description(String::new())),
            (
                "images=https://a.example/1 https://a.example/2",
                Setting::Images(vec![
                    "https://a.example/1".into(),
                    "https://a.example/2".into(),
                ]),
            ),
            (
                "price=1600",
                Setting::Price(Price {
                    amount: 1600,
                    currency: None,
                }),
            ),
            (
                "price=1600 USD",
                Setting::Price(Price {
                    amount: 1600,
                    currency: usd,
                }),
            ),
            (
                "price=1600usd",
                Setting::Price(Price {
                    amount: 1600,
                    currency: usd,
                }),
            ),
            ("recurring=month", Setting::Recurring(months(1))),
            ("recurring=3 months", Setting::Recurring(months(3))),
            ("recurring=none", Setting::Recurring(None)),
            ("trial_days=14", Setting::TrialDays(14)),
            ("shipped=yes", Setting::Shipped(true)),
            ("group=shirt", Setting::Group(Some("shirt".into()))),
            ("group=none", Setting::Group(None)),
            (
                "options=size=M; color = brick red",
                Setting::Options(Options::from([
                    ("size".into(), "M".into()),
                    ("color".into(), "brick red".into()),
                ])),
            ),
            ("options=", Setting::Options(Options::new())),
            ("category=Tea", Setting::Category(Some("Tea".into()))),
            (
                "tax_code=txcd_99999999",
                Setting::TaxCode("txcd_99999999".parse().ok()),
            ),
            ("tax_code=none", Setting::TaxCode(None)),
            (
                "tax_behavior=exclusive",
                Setting::TaxBehavior(Some(TaxBehavior::Exclusive)),
            ),
            ("tax_behavior=", Setting::TaxBehavior(None)),
            ("active=no", Setting::Active(false)),
            ("stock=20", Setting::Stock(StockChange::Set(Some(20)))),
            ("stock=none", Setting::Stock(StockChange::Set(None))),
            ("stock=+5", Setting::Stock(StockChange::Add(5))),
            ("stock=-5", Setting::Stock(StockChange::Take(5))),
            ("low_stock=3", Setting::LowStock(Some(3))),
            ("low_stock=none", Setting::LowStock(None)),
        ] {
            assert_eq!(text.parse(), Ok(setting), "{text}");
        }
        for wrong in [
            "price",
            "prize=1",
            "price=15.00",
            "price=usd",
            "price=1500 dollars",
            "recurring=monthly",
            "recurring=3",
            "recurring=-1 month",
            "trial_days=two weeks",
            "options=M",
            "options=size=M; size=L",
            "tax_code=books",
            "tax_behavior=unspecified",
            "active=maybe",
            "stock=",
            "stock=-",
            "stock=+-5",
            "stock=--5",
            "stock=1.5",
            "stock=4294967296",
            "low_stock=few",
            "low_stock=+3",
        ] {
            assert!(wrong.parse::<Setting>().is_err(), "{wrong}");
        }
    }
}
