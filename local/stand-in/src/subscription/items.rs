//! What a request says of a subscription's items, and of what else its next invoice is to bill.

use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::account::decimal::times;
use crate::checkout::tax::Rate;
use crate::engine::ids;
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::invoice::discount::{Place, Wanted};
use crate::invoice::line::{Content, Period, Pricing};
use crate::invoice::terms::{rates, stored_rates};
use crate::plain::price_data::{self, PriceData};
use crate::subscription::object::{Item, Subscription};
use crate::subscription::price::{Price, Unfit, check_distinct};
use crate::wire::errors::ApiError;
use crate::wire::params::{MetadataUpdate, Params};

/// Stripe's limit.
const MOST: usize = 20;

/// The most of anything.
const MOST_PIECES: i64 = 999_999_999;

/// What a request says of one item.
#[derive(Debug)]
pub(crate) struct ItemChange {
    /// What the request calls it; empty for the request itself.
    param: Option<String>,
    /// The item that is meant; nothing for a new one.
    pub(crate) id: Option<String>,
    pub(crate) deleted: bool,
    sold: Option<Sold>,
    quantity: Option<i64>,
    discounts: Option<Wanted>,
    rates: Option<Vec<String>>,
    metadata: MetadataUpdate,
}

/// What is sold: a price that there is, or one that comes with the request.
#[derive(Debug)]
enum Sold {
    Price { param: String, id: String },
    Data(Box<PriceData>),
}

impl ItemChange {
    /// Reads `items`.
    pub(crate) fn read_all(params: &mut Params) -> Result<Vec<Self>, ApiError> {
        let given = params.objects("items")?;
        if given.len() > MOST {
            return Err(ApiError::invalid(format!(
                "Array items exceeded maximum {MOST} allowed elements."
            ))
            .param("items"));
        }
        given
            .into_iter()
            .map(|mut item| {
                let param = item.name("price");
                let id = item.text("id")?;
                let deleted = item.boolean("deleted")?.unwrap_or(false);
                item.boolean("clear_usage")?;
                let change = Self {
                    param: Some(param),
                    id,
                    deleted,
                    ..Self::read(&mut item)?
                };
                item.finish()?;
                Ok(change)
            })
            .collect()
    }

    /// Reads what is said of an item that the request is about.
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            param: None,
            id: None,
            deleted: false,
            sold: Sold::read(params)?,
            quantity: params.integer_within("quantity", 0, MOST_PIECES)?,
            discounts: Wanted::read(params)?,
            rates: rates(params, "tax_rates")?,
            metadata: params.metadata_update("metadata")?,
        })
    }

    /// The same of an item that there is.
    pub(crate) fn of(self, id: &str) -> Self {
        Self {
            id: Some(id.to_owned()),
            ..self
        }
    }

    /// Whether it changes what is paid for.
    pub(crate) fn is_billed(&self) -> bool {
        let is_new = self.id.is_none();
        let says_more = self.sold.is_some() || self.quantity.is_some() || self.discounts.is_some();
        is_new || self.deleted || says_more || self.rates.is_some()
    }

    /// The item is to go.
    pub(crate) fn gone(self) -> Self {
        Self {
            deleted: true,
            ..self
        }
    }

    /// The new item that is asked for.
    pub(crate) fn begin(
        self,
        transaction: &Transaction<'_>,
        place: Place<'_>,
    ) -> Result<Item, ApiError> {
        let param = self.param.clone().unwrap_or_else(|| "price".to_owned());
        let sold = self.sold.ok_or_else(|| ApiError::missing(&param))?;
        let (price, name) = sold.recurring(transaction)?;
        let mut metadata = Metadata::new();
        self.metadata.apply(&mut metadata)?;
        Ok(Item {
            id: ids::plain("si_"),
            created: transaction.now,
            price,
            name,
            quantity: self.quantity.unwrap_or(1),
            discounts: match self.discounts {
                Some(wanted) => wanted.make(transaction, place)?,
                None => Vec::new(),
            },
            rates: tax_rates(transaction, self.rates)?,
            metadata,
        })
    }

    /// Changes an item that there is.
    pub(crate) fn apply(
        self,
        transaction: &Transaction<'_>,
        place: Place<'_>,
        item: &mut Item,
    ) -> Result<(), ApiError> {
        if let Some(sold) = self.sold {
            (item.price, item.name) = sold.recurring(transaction)?;
        }
        item.quantity = self.quantity.unwrap_or(item.quantity);
        if let Some(wanted) = self.discounts {
            item.discounts = wanted.make(transaction, place)?;
        }
        if let Some(ids) = self.rates {
            item.rates = tax_rates(transaction, Some(ids))?;
        }
        self.metadata.apply(&mut item.metadata)
    }
}

fn tax_rates(
    transaction: &Transaction<'_>,
    ids: Option<Vec<String>>,
) -> Result<Vec<Rate>, ApiError> {
    stored_rates(transaction, &ids.unwrap_or_default(), "tax_rates")
}

impl Sold {
    fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        let (price, plan) = (params.name("price"), params.name("plan"));
        let stored = params.text("price")?.map(|id| (price.clone(), id));
        let stored = stored.or(params.text("plan")?.map(|id| (plan, id)));
        let data = params.optional_object("price_data")?;
        Ok(match (stored, data) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "You may only specify one of these parameters: price, price_data.",
                )
                .param(price));
            }
            (Some((param, id)), None) => Some(Self::Price { param, id }),
            (None, Some(data)) => Some(Self::Data(Box::new(PriceData::read(data)?))),
            (None, None) => None,
        })
    }

    /// The price, all of it, and what it is for.
    fn find(
        self,
        transaction: &Transaction<'_>,
    ) -> Result<(Map<String, Value>, String, String), ApiError> {
        let (param, price) = match self {
            Self::Price { param, id } => {
                let price = price_data::stored(transaction, &id, &param)?;
                // Its tiers are shown only on request.
                (param, transaction.whole("price", &id)?.unwrap_or(price))
            }
            Self::Data(data) => (data.name.field("product"), data.make(transaction)?),
        };
        let product = price.get("product").and_then(Value::as_str);
        let product = transaction.shown_of("product", product.unwrap_or_default())?;
        let name = product.as_ref().and_then(|it| it.get("name")?.as_str());
        let name = name.unwrap_or_default().to_owned();
        Ok((price, name, param))
    }

    fn recurring(self, transaction: &Transaction<'_>) -> Result<(Price, String), ApiError> {
        let (price, name, param) = self.find(transaction)?;
        let price = Price::of(&price).map_err(|unfit| unfit_error(unfit).param(param))?;
        Ok((price, name))
    }
}

fn unfit_error(unfit: Unfit) -> ApiError {
    match unfit {
        Unfit::OneTime => ApiError::invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with \
             `type=recurring`.",
        ),
        Unfit::Metered => ApiError::invalid(
            "The stand-in does not bill by usage: prices with usage_type=metered cannot be \
             subscribed to.",
        )
        .code("parameter_unsupported"),
        Unfit::Custom => {
            ApiError::invalid("A price with custom_unit_amount cannot be used in a subscription.")
        }
    }
}

/// Refuses items that cannot be billed together.
pub(crate) fn check_items(subscription: &Subscription) -> Result<(), ApiError> {
    let Some(first) = subscription.items.first() else {
        return Err(ApiError::invalid(
            "A subscription must have at least one active plan. To cancel the subscription, please use \
             the cancel API endpoint on /v1/subscriptions",
        )
        .param("items"));
    };
    let mismatch = |field: &str| {
        Err(ApiError::invalid(format!(
            "Currency and interval fields must match across all plans on this subscription. Found \
             mismatch in {field} field."
        ))
        .param("items"))
    };
    let (own, is_flexible) = (first.price.interval, subscription.terms.is_flexible());
    for item in &subscription.items {
        let interval = item.price.interval;
        if item.price.currency != subscription.currency {
            return mismatch("currency");
        }
        if interval != own && is_flexible {
            return Err(mixed_intervals());
        }
        if interval.unit != own.unit {
            return mismatch("interval");
        }
        if interval.count != own.count {
            return mismatch("interval_count");
        }
    }
    let prices = subscription.items.iter().map(|item| item.price.id());
    check_distinct(prices).map_err(|error| error.param("items"))
}

/// What is an error of the request only in the classic billing mode:
/// <https://docs.stripe.com/billing/subscriptions/mixed-interval>.
fn mixed_intervals() -> ApiError {
    ApiError::invalid(
        "The stand-in bills all items of a subscription at one interval. Stripe itself takes mixed \
         intervals if billing_mode[type] is flexible: make a subscription for each interval here.",
    )
    .code("parameter_unsupported")
    .param("items")
}

/// Something that is billed once, with the next invoice.
#[derive(Debug)]
pub(crate) struct Extra {
    sold: Sold,
    quantity: i64,
    discounts: Option<Wanted>,
    rates: Option<Vec<String>>,
    metadata: Metadata,
    discountable: bool,
}

impl Extra {
    /// Reads `add_invoice_items`.
    pub(crate) fn read_all(params: &mut Params) -> Result<Vec<Self>, ApiError> {
        let given = params.objects("add_invoice_items")?.into_iter();
        given
            .map(|mut item| {
                let extra = Self {
                    sold: Sold::read(&mut item)?
                        .ok_or_else(|| ApiError::missing(&item.name("price")))?,
                    quantity: item
                        .integer_within("quantity", 1, MOST_PIECES)?
                        .unwrap_or(1),
                    discounts: Wanted::read(&mut item)?,
                    rates: rates(&mut item, "tax_rates")?,
                    metadata: item.metadata("metadata")?,
                    discountable: item.boolean("discountable")?.unwrap_or(true),
                };
                item.finish()?;
                Ok(extra)
            })
            .collect()
    }

    /// What is billed.
    pub(crate) fn content(
        self,
        transaction: &Transaction<'_>,
        place: Place<'_>,
        currency: Currency,
    ) -> Result<Content, ApiError> {
        let (price, name, param) = self.sold.find(transaction)?;
        if price.get("recurring").is_some_and(Value::is_object) {
            return Err(ApiError::invalid(
                "The price specified is set to `type=recurring` but this field only accepts prices \
                 with `type=one_time`.",
            )
            .param(param));
        }
        if price.get("currency") != Some(&json!(currency)) {
            return Err(ApiError::invalid(format!(
                "The price specified is not in {currency}, the currency of the subscription."
            ))
            .param(param));
        }
        let unit = price.get("unit_amount_decimal").and_then(Value::as_str);
        Ok(Content {
            amount: times(unit.unwrap_or("0"), self.quantity).unwrap_or(Amount::MAX),
            description: Some(name),
            quantity: self.quantity,
            pricing: Pricing::of(&price),
            period: Period::at(transaction.now),
            discountable: self.discountable,
            discounts: match self.discounts {
                Some(wanted) => wanted.make(transaction, place)?,
                None => Vec::new(),
            },
            rates: tax_rates(transaction, self.rates)?,
            metadata: self.metadata,
        })
    }
}
