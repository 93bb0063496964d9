//! What a session sells: lines of a price and a quantity.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::checkout::tax::Rate;
use crate::engine::ids;
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::plain::price_data::{self, PriceData};
use crate::subscription::price::{Price, Unfit};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// Stripe's limit for a session in payment mode.
const MOST_LINE_ITEMS: usize = 100;

/// The most of anything.
const MOST_PIECES: i64 = 999_999;

/// A line of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LineItem {
    pub(crate) id: String,
    /// The price as it was when the session was made.
    pub(crate) price: Map<String, Value>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) image: Option<String>,
    pub(crate) unit_amount: Amount,
    pub(crate) quantity: i64,
    /// The fewest and the most that the buyer may choose.
    pub(crate) adjustable: Option<(i64, i64)>,
    pub(crate) rates: Vec<Rate>,
    pub(crate) metadata: Metadata,
    /// The price, if it recurs.
    pub(crate) recurring: Option<Price>,
    /// Nothing of it is due while a trial lasts.
    pub(crate) is_on_trial: bool,
}

impl LineItem {
    /// What of it is due now.
    pub(crate) fn amount(&self) -> Amount {
        match self.is_on_trial {
            true => Amount::ZERO,
            false => self.full_amount(),
        }
    }

    /// What it comes to once no trial lasts.
    pub(crate) fn full_amount(&self) -> Amount {
        self.unit_amount.times(self.quantity).unwrap_or(Amount::MAX)
    }

    /// Whether the price says that tax is in it.
    pub(crate) fn includes_tax(&self) -> bool {
        self.price.get("tax_behavior").and_then(Value::as_str) == Some("inclusive")
    }
}

/// The line items as asked for.
#[derive(Debug)]
pub(crate) struct Order(Vec<Line>);

#[derive(Debug)]
struct Line {
    /// What the request calls it.
    param: String,
    sold: Sold,
    quantity: i64,
    adjustable: Option<(i64, i64)>,
    rates: Vec<String>,
    metadata: Metadata,
}

#[derive(Debug)]
enum Sold {
    Price(String),
    Data(Box<PriceData>),
    /// A price as a payment link has it.
    Listed(Map<String, Value>),
}

impl Order {
    /// Reads `line_items`, which may not be there.
    pub(crate) fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        let items = params.objects("line_items")?;
        if items.len() > MOST_LINE_ITEMS {
            return Err(ApiError::invalid(format!(
                "Array line_items exceeded maximum {MOST_LINE_ITEMS} allowed elements."
            ))
            .param("line_items"));
        }
        let lines = items
            .into_iter()
            .map(Line::read)
            .collect::<Result<Vec<_>, _>>()?;
        Ok((!lines.is_empty()).then_some(Self(lines)))
    }

    /// What a payment link sells, by its items as it shows them.
    pub(super) fn of_link(items: &[Value]) -> Self {
        let lines = items.iter().enumerate();
        Self(
            lines
                .map(|(position, item)| Line::listed(position, item))
                .collect(),
        )
    }

    /// The lines, and their currency. Makes the prices and products that came with them.
    pub(crate) fn sell(
        self,
        transaction: &Transaction<'_>,
    ) -> Result<(Vec<LineItem>, Currency), ApiError> {
        let mut common = None;
        let mut items = Vec::new();
        for line in self.0 {
            let (item, currency) = line.sell(transaction)?;
            if *common.get_or_insert(currency) != currency {
                return Err(
                    ApiError::invalid("All line items must be in the same currency.")
                        .param("line_items"),
                );
            }
            items.push(item);
        }
        let currency = common.ok_or_else(|| ApiError::missing("line_items"))?;
        check_total(&items, currency)?;
        Ok((items, currency))
    }
}

/// Refuses lines that come to more or less than can be charged.
fn check_total(items: &[LineItem], currency: Currency) -> Result<(), ApiError> {
    let total: Amount = items.iter().map(LineItem::amount).sum();
    if total > currency.maximum() {
        return Err(ApiError::amount_too_large("line_items", currency));
    }
    match total > Amount::ZERO && total < currency.minimum() {
        true => Err(ApiError::amount_too_small("line_items", currency)),
        false => Ok(()),
    }
}

impl Line {
    fn read(mut item: Params) -> Result<Self, ApiError> {
        let mut adjusts = item.object("adjustable_quantity")?;
        let enabled = adjusts.boolean("enabled")?.unwrap_or(false);
        let fewest = adjusts.integer_within("minimum", 0, MOST_PIECES)?;
        let most = adjusts.integer_within("maximum", 1, MOST_PIECES)?;
        adjusts.finish()?;
        let sold = match (item.text("price")?, item.optional_object("price_data")?) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "You may only specify one of these parameters: price, price_data.",
                )
                .param(item.name("price")));
            }
            (Some(price), None) => Sold::Price(price),
            (None, Some(data)) => Sold::Data(Box::new(PriceData::read(data)?)),
            (None, None) => return Err(ApiError::missing(&item.name("price_data"))),
        };
        let line = Self {
            param: item.name("price"),
            sold,
            quantity: item
                .integer_within("quantity", 1, MOST_PIECES)
                .required(&item, "quantity")?,
            adjustable: enabled.then_some((fewest.unwrap_or(0), most.unwrap_or(99))),
            rates: item.texts("tax_rates")?,
            metadata: item.metadata("metadata")?,
        };
        item.finish()?;
        Ok(line)
    }

    fn listed(position: usize, item: &Value) -> Self {
        let price = item.get("price").and_then(Value::as_object);
        let adjusts = item.get("adjustable_quantity");
        let bound = |name| adjusts?.get(name)?.as_i64();
        let enabled = adjusts.and_then(|it| it.get("enabled")?.as_bool());
        Self {
            param: format!("line_items[{position}][price]"),
            sold: Sold::Listed(price.cloned().unwrap_or_default()),
            quantity: item.get("quantity").and_then(Value::as_i64).unwrap_or(1),
            adjustable: (enabled == Some(true)).then(|| {
                (
                    bound("minimum").unwrap_or(0),
                    bound("maximum").unwrap_or(99),
                )
            }),
            rates: Vec::new(),
            metadata: Metadata::new(),
        }
    }

    fn sell(self, transaction: &Transaction<'_>) -> Result<(LineItem, Currency), ApiError> {
        let price = match self.sold {
            Sold::Price(id) => price_data::stored(transaction, &id, &self.param)?,
            Sold::Data(data) => data.make(transaction)?,
            Sold::Listed(price) => price,
        };
        let currency = text(&price, "currency").unwrap_or_default();
        let currency = currency
            .parse()
            .map_err(|_| anyhow::anyhow!("a price is in {currency:?}"))?;
        let product = text(&price, "product").context("a price of nothing")?;
        let product = transaction
            .shown_of("product", product)?
            .with_context(|| format!("the product {product} is missing"))?;
        let of_product = |field| {
            product
                .get(field)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let rates = self.rates.iter().map(|id| {
            let rate = transaction.shown_of("tax_rate", id)?;
            match rate {
                Some(Value::Object(rate)) => Ok(Rate::stored(rate)),
                _ => Err(ApiError::no_such_param("tax rate", id, "line_items")),
            }
        });
        let is_recurring = price.get("recurring").is_some_and(Value::is_object);
        let recurring = match Price::of(&price) {
            Ok(recurring) => Some(recurring),
            Err(Unfit::OneTime) if !is_recurring => None,
            Err(_) => {
                return Err(ApiError::invalid(
                    "The stand-in does not bill by usage: prices with usage_type=metered cannot \
                     be subscribed to.",
                )
                .code("parameter_unsupported")
                .param(&self.param));
            }
        };
        let item = LineItem {
            id: ids::line_item(),
            unit_amount: price
                .get("unit_amount")
                .and_then(Value::as_i64)
                .map(Amount::new)
                .ok_or_else(|| {
                    ApiError::invalid(
                        "The stand-in's page sells prices with a unit_amount only: no tiers, no \
                         fractions of a cent, and no amount that the buyer chooses.",
                    )
                    .param(&self.param)
                })?,
            price,
            name: of_product("name").unwrap_or_default(),
            description: of_product("description"),
            image: product
                .pointer("/images/0")
                .and_then(Value::as_str)
                .map(str::to_owned),
            quantity: self.quantity,
            adjustable: self.adjustable,
            rates: rates.collect::<Result<_, _>>()?,
            metadata: self.metadata,
            recurring,
            is_on_trial: false,
        };
        Ok((item, currency))
    }
}

fn text<'o>(object: &'o Map<String, Value>, field: &str) -> Option<&'o str> {
    object.get(field).and_then(Value::as_str)
}
