//! The lines of a quote.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::checkout::line::object;
use crate::checkout::tax::Tax;
use crate::engine::ids;
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::invoice::cost::{decimal, times};
use crate::invoice::discount::{Place, Wanted};
use crate::invoice::line::{Content, Line, Period, Pricing, Source};
use crate::invoice::terms::{rates, stored_rates};
use crate::invoice::totals::LineSums;
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// A line of a quote: a price, once or again and again, and how many.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct QuoteLine {
    /// The whole price as the API shows it.
    pub(crate) price: Map<String, Value>,
    /// The line that it would be on an invoice.
    pub(crate) line: Line,
}

impl QuoteLine {
    /// How often it is billed: interval and how many of them.
    pub(crate) fn interval(&self) -> Option<(String, i64)> {
        let recurring = self.price.get("recurring").filter(|it| it.is_object())?;
        let interval = recurring.get("interval").and_then(Value::as_str)?;
        let count = recurring.get("interval_count").and_then(Value::as_i64);
        Some((interval.to_owned(), count.unwrap_or(1)))
    }

    pub(crate) fn shown(&self, currency: Currency, sums: &LineSums) -> Value {
        let content = &self.line.content;
        let discount: Amount = sums.discounts.iter().map(|(_, amount)| *amount).sum();
        let tax: Amount = sums.taxes.iter().map(|tax| tax.amount).sum();
        json!({
            "id": self.line.id,
            "object": "item",
            "adjustable_quantity": null,
            "amount_discount": discount,
            "amount_subtotal": content.amount,
            "amount_tax": tax,
            "amount_total": sums.total,
            "currency": currency,
            "description": content.description,
            "metadata": content.metadata,
            "price": self.price,
            "quantity": content.quantity,
            "taxes": sums.taxes.iter().map(Tax::shown).collect::<Vec<_>>(),
        })
    }
}

/// A line as asked for.
#[derive(Debug)]
pub(crate) struct NewLine {
    at: String,
    /// The line that it changes; nothing for a new one.
    id: Option<String>,
    sold: Option<Sold>,
    quantity: Option<i64>,
    rates: Option<Vec<String>>,
    discounts: Option<Wanted>,
}

#[derive(Debug)]
enum Sold {
    Price(String),
    Data(PriceData),
}

#[derive(Debug)]
struct PriceData {
    currency: Currency,
    product: String,
    unit: String,
    tax_behavior: Option<String>,
    recurring: Option<(String, i64)>,
}

impl NewLine {
    /// Reads `line_items`, which may not be there.
    pub(crate) fn read_all(params: &mut Params) -> Result<Option<Vec<Self>>, ApiError> {
        let lines = params.objects("line_items")?.into_iter().map(Self::read);
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        Ok((!lines.is_empty()).then_some(lines))
    }

    fn read(mut line: Params) -> Result<Self, ApiError> {
        let price = line.text("price")?.map(Sold::Price);
        let data = line.optional_object("price_data")?;
        let data = data.map(PriceData::read).transpose()?.map(Sold::Data);
        if price.is_some() && data.is_some() {
            return Err(ApiError::invalid(
                "You may only specify one of these parameters: price, price_data.",
            )
            .param(line.name("price")));
        }
        let read = Self {
            at: line.name(""),
            id: line.text("id")?,
            sold: price.or(data),
            quantity: line.integer_within("quantity", 0, 999_999)?,
            rates: rates(&mut line, "tax_rates")?,
            discounts: Wanted::read(&mut line)?,
        };
        line.finish()?;
        Ok(read)
    }

    fn param(&self, field: &str) -> String {
        let line = self.at.strip_suffix("[]").unwrap_or_default();
        format!("{line}[{field}]")
    }

    /// The line, among those that the quote has had before.
    pub(crate) fn make(
        self,
        transaction: &Transaction<'_>,
        before: &[QuoteLine],
        place: Place<'_>,
    ) -> Result<(QuoteLine, Currency), ApiError> {
        let known = match &self.id {
            None => None,
            Some(id) => Some(
                before
                    .iter()
                    .find(|it| it.line.id == *id)
                    .ok_or_else(|| ApiError::no_such_param("line item", id, &self.param("id")))?,
            ),
        };
        let price = match (&self.sold, known) {
            (Some(Sold::Price(id)), _) => stored(transaction, id, &self.param("price"))?,
            (Some(Sold::Data(data)), _) => data.make(transaction, &self.param("price_data"))?,
            (None, Some(known)) => known.price.clone(),
            (None, None) => return Err(ApiError::missing(&self.param("price"))),
        };
        let text = |field: &str| price.get(field).and_then(Value::as_str).unwrap_or_default();
        let currency = text("currency").parse();
        let currency: Currency =
            currency.map_err(|_| anyhow::anyhow!("the price {} has no currency", text("id")))?;
        let quantity = self.quantity;
        let quantity = quantity
            .or(known.map(|it| it.line.content.quantity))
            .unwrap_or(1);
        let amount = times(text("unit_amount_decimal"), quantity).ok_or_else(|| {
            ApiError::invalid(
                "The stand-in quotes only prices with a unit_amount or unit_amount_decimal, not tiers \
                 or amounts that the buyer chooses.",
            )
            .param(self.param("price"))
        })?;
        let product = transaction.shown_of("product", text("product"))?;
        let name = product.as_ref().and_then(|it| it.get("name")?.as_str());
        let had = known.map(|it| &it.line.content);
        let content = Content {
            amount,
            description: name.map(str::to_owned),
            quantity,
            pricing: Pricing::of(&price),
            period: Period::at(transaction.now),
            discountable: true,
            rates: match &self.rates {
                Some(ids) => stored_rates(transaction, ids, &self.param("tax_rates"))?,
                None => had.map(|it| it.rates.clone()).unwrap_or_default(),
            },
            discounts: match self.discounts {
                Some(wanted) => wanted.make(transaction, place)?,
                None => had.map(|it| it.discounts.clone()).unwrap_or_default(),
            },
            metadata: Metadata::new(),
        };
        let source = Source::Item {
            item: ids::plain("ii_1"),
            subscription: None,
            proration: None,
        };
        let id = self.id.unwrap_or_else(ids::line_item);
        let line = Line {
            id,
            ..Line::new(content, source)
        };
        Ok((QuoteLine { price, line }, currency))
    }
}

fn stored(
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
    fn read(mut data: Params) -> Result<Self, ApiError> {
        let currency = data.currency("currency").required(&data, "currency")?;
        let product = data.text("product").required(&data, "product")?;
        let whole = data.integer_within("unit_amount", 0, i64::MAX)?;
        let unit = whole.map(|it| it.to_string());
        let unit = unit.or(decimal(&mut data, "unit_amount_decimal")?);
        let recurring = match data.optional_object("recurring")? {
            Some(mut recurring) => {
                let units = ["day", "week", "month", "year"];
                let interval = recurring
                    .choice("interval", &units)
                    .required(&recurring, "interval")?;
                let count = recurring.integer_within("interval_count", 1, 1_095)?;
                recurring.finish()?;
                Some((interval, count.unwrap_or(1)))
            }
            None => None,
        };
        let read = Self {
            currency,
            product,
            unit: Ok(unit).required(&data, "unit_amount")?,
            tax_behavior: data.text("tax_behavior")?,
            recurring,
        };
        data.finish()?;
        Ok(read)
    }

    /// Keeps the price. It cannot be bought from elsewhere.
    fn make(
        &self,
        transaction: &Transaction<'_>,
        param: &str,
    ) -> Result<Map<String, Value>, ApiError> {
        match transaction.shown_of("product", &self.product)? {
            Some(product) if product.get("deleted").is_none() => {}
            _ => return Err(ApiError::no_such_param("product", &self.product, param)),
        }
        let id = ids::price();
        let recurring = self.recurring.as_ref().map(|(interval, count)| {
            json!({
                "interval": interval,
                "interval_count": count,
                "meter": null,
                "trial_period_days": null,
                "usage_type": "licensed",
            })
        });
        let kind = match recurring {
            Some(_) => "recurring",
            None => "one_time",
        };
        let price = object(
            "price",
            [
                ("id", json!(id)),
                ("active", json!(true)),
                ("billing_scheme", json!("per_unit")),
                ("created", json!(transaction.now)),
                ("currency", json!(self.currency)),
                ("product", json!(self.product)),
                ("recurring", json!(recurring)),
                (
                    "tax_behavior",
                    json!(self.tax_behavior.as_deref().unwrap_or("unspecified")),
                ),
                ("type", json!(kind)),
                ("unit_amount", json!(self.unit.parse::<i64>().ok())),
                ("unit_amount_decimal", json!(self.unit)),
            ],
        );
        transaction.put_plain("price", &id, &Value::Object(price.clone()), None)?;
        Ok(price)
    }
}
