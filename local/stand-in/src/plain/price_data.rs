//! Prices and products that a request brings along, and the prices that it names.

use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::description::filled;
use crate::engine::calendar::Interval;
use crate::engine::ids;
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::subscription::price::{interval, recurring_shown};
use crate::wire::errors::ApiError;
use crate::wire::params::{ObjectName, Params, Required as _, check_step};

/// `price_data`: a price that comes with the request.
#[derive(Debug)]
pub(crate) struct PriceData {
    pub(crate) name: ObjectName,
    pub(crate) currency: Currency,
    product: Product,
    recurring: Option<Interval>,
    tax_behavior: Option<String>,
    /// In minor units, with decimal places.
    unit_amount: String,
}

#[derive(Debug)]
enum Product {
    Stored(String),
    New(NewProduct),
}

/// A product that comes with its price.
#[derive(Debug, Clone)]
pub(crate) struct NewProduct {
    name: String,
    description: Option<String>,
    images: Vec<String>,
    metadata: Metadata,
    tax_code: Option<String>,
    unit_label: Option<String>,
}

/// The price with this id, which a parameter names. Refuses one that is archived.
pub(crate) fn stored(
    transaction: &Transaction<'_>,
    id: &str,
    param: &str,
) -> Result<Map<String, Value>, ApiError> {
    let Some(Value::Object(price)) = transaction.shown_of("price", id)? else {
        return Err(ApiError::no_such_param("price", id, param));
    };
    match price.get("active") {
        Some(Value::Bool(true)) => Ok(price),
        _ => Err(ApiError::invalid(format!(
            "The price specified is inactive. This field only accepts active prices: {id}."
        ))
        .param(param)),
    }
}

impl PriceData {
    /// Reads it. The description has refused what this request's does not have.
    pub(crate) fn read(mut data: Params) -> Result<Self, ApiError> {
        let currency = data.currency("currency").required(&data, "currency")?;
        let recurring = match data.optional_object("recurring")? {
            Some(recurring) => Some(interval(recurring)?),
            None => None,
        };
        let price = Self {
            name: data.own_name(),
            currency,
            product: Product::read(&mut data)?,
            recurring,
            tax_behavior: data.text("tax_behavior")?,
            unit_amount: unit_amount(&mut data, currency)?,
        };
        data.finish()?;
        Ok(price)
    }

    /// Keeps the price, and the product that came with it. Neither can be bought from elsewhere.
    pub(crate) fn make(
        &self,
        transaction: &Transaction<'_>,
    ) -> Result<Map<String, Value>, ApiError> {
        let product = match &self.product {
            Product::New(new) => new.make(transaction)?,
            Product::Stored(id) => match transaction.shown_of("product", id)? {
                Some(product) if product.get("deleted").is_none() => id.clone(),
                _ => {
                    let param = self.name.field("product");
                    return Err(ApiError::no_such_param("product", id, &param));
                }
            },
        };
        let price = NewPrice {
            currency: self.currency,
            product: &product,
            recurring: self.recurring,
            tax_behavior: self.tax_behavior.as_deref(),
            unit_amount: &self.unit_amount,
        };
        Ok(price.make(transaction)?)
    }
}

fn unit_amount(data: &mut Params, currency: Currency) -> Result<String, ApiError> {
    let whole = data.amount("unit_amount", currency)?;
    let exact = data.decimal("unit_amount_decimal")?;
    match (whole, exact) {
        (Some(_), Some(_)) => Err(ApiError::invalid(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
        )
        .param(data.name("unit_amount"))),
        (Some(whole), None) => Ok(whole.to_string()),
        (None, Some(exact)) => {
            if let Ok(whole) = exact.parse() {
                check_step(
                    Amount::new(whole),
                    currency,
                    &data.name("unit_amount_decimal"),
                )?;
            }
            Ok(exact)
        }
        (None, None) => Err(ApiError::missing(&data.name("unit_amount"))),
    }
}

impl Product {
    fn read(data: &mut Params) -> Result<Self, ApiError> {
        match (data.text("product")?, data.optional_object("product_data")?) {
            (Some(id), None) => Ok(Self::Stored(id)),
            (None, Some(new)) => Ok(Self::New(NewProduct::read(new)?)),
            (Some(_), Some(_)) => Err(ApiError::invalid(
                "You may only specify one of these parameters: product, product_data.",
            )
            .param(data.name("product"))),
            (None, None) => Err(ApiError::missing(&data.name("product_data"))),
        }
    }
}

/// A price for one use.
#[derive(Debug)]
pub(crate) struct NewPrice<'p> {
    pub(crate) currency: Currency,
    pub(crate) product: &'p str,
    pub(crate) recurring: Option<Interval>,
    pub(crate) tax_behavior: Option<&'p str>,
    pub(crate) unit_amount: &'p str,
}

impl NewPrice<'_> {
    /// Keeps it. It cannot be bought from elsewhere.
    pub(crate) fn make(&self, transaction: &Transaction<'_>) -> anyhow::Result<Map<String, Value>> {
        let id = ids::price();
        let (kind, recurring) = match self.recurring {
            Some(interval) => ("recurring", recurring_shown(interval)),
            None => ("one_time", Value::Null),
        };
        let price = filled(
            "price",
            [
                ("id", json!(id)),
                ("active", json!(false)),
                ("billing_scheme", json!("per_unit")),
                ("created", json!(transaction.now)),
                ("currency", json!(self.currency)),
                ("product", json!(self.product)),
                (
                    "tax_behavior",
                    json!(self.tax_behavior.unwrap_or("unspecified")),
                ),
                ("recurring", recurring),
                ("type", json!(kind)),
                ("unit_amount", json!(self.unit_amount.parse::<i64>().ok())),
                ("unit_amount_decimal", json!(self.unit_amount)),
            ],
        );
        transaction.put_plain("price", &id, &Value::Object(price.clone()), None)?;
        Ok(price)
    }
}

impl NewProduct {
    /// A product of which nothing but a name is known.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: None,
            images: Vec::new(),
            metadata: Metadata::new(),
            tax_code: None,
            unit_label: None,
        }
    }

    pub(crate) fn read(mut product: Params) -> Result<Self, ApiError> {
        let images = product.texts("images")?;
        if images.len() > 8 {
            return Err(ApiError::invalid("A product may have at most 8 images.")
                .param(product.name("images")));
        }
        let new = Self {
            name: product.short_text("name", 250).required(&product, "name")?,
            description: product.short_text("description", 40_000)?,
            images,
            metadata: product.metadata("metadata")?,
            tax_code: product.text("tax_code")?,
            unit_label: product.text("unit_label")?,
        };
        product.finish()?;
        Ok(new)
    }

    /// Keeps it. It cannot be bought from elsewhere.
    pub(crate) fn make(&self, transaction: &Transaction<'_>) -> anyhow::Result<String> {
        let id = ids::product();
        let product = filled(
            "product",
            [
                ("id", json!(id)),
                ("active", json!(false)),
                ("created", json!(transaction.now)),
                ("description", json!(self.description)),
                ("images", json!(self.images)),
                ("metadata", json!(self.metadata)),
                ("name", json!(self.name)),
                ("tax_code", json!(self.tax_code)),
                ("type", json!("service")),
                ("unit_label", json!(self.unit_label)),
                ("updated", json!(transaction.now)),
            ],
        );
        transaction.put_plain("product", &id, &Value::Object(product), None)?;
        Ok(id)
    }
}
