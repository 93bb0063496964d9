//! The lines of a quote.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::account::decimal::times;
use crate::checkout::tax::Tax;
use crate::engine::ids;
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::invoice::discount::{Place, Wanted};
use crate::invoice::line::{Content, Line, Period, Pricing, Source};
use crate::invoice::terms::{rates, stored_rates};
use crate::invoice::totals::LineSums;
use crate::plain::price_data::{self, PriceData};
use crate::wire::errors::ApiError;
use crate::wire::params::{ObjectName, Params};

/// A line of a quote: a price, once or again and again, and how many.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct QuoteLine {
    /// The whole price as the API shows it.
    pub(crate) price: Map<String, Value>,
    /// The line that it would be on an invoice.
    pub(crate) line: Line,
}

impl QuoteLine {
    pub(crate) fn price_id(&self) -> &str {
        let id = self.price.get("id").and_then(Value::as_str);
        id.unwrap_or_default()
    }

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
    at: ObjectName,
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
    Data(Box<PriceData>),
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
        let data = data
            .map(PriceData::read)
            .transpose()?
            .map(Box::new)
            .map(Sold::Data);
        if price.is_some() && data.is_some() {
            return Err(ApiError::invalid(
                "You may only specify one of these parameters: price, price_data.",
            )
            .param(line.name("price")));
        }
        let read = Self {
            at: line.own_name(),
            id: line.text("id")?,
            sold: price.or(data),
            quantity: line.integer_within("quantity", 0, 999_999)?,
            rates: rates(&mut line, "tax_rates")?,
            discounts: Wanted::read(&mut line)?,
        };
        line.finish()?;
        Ok(read)
    }

    /// The line, among those that the quote has had before.
    pub(crate) fn make(
        self,
        transaction: &Transaction<'_>,
        before: &[QuoteLine],
        place: Place<'_>,
    ) -> Result<(QuoteLine, Currency), ApiError> {
        let known =
            match &self.id {
                None => None,
                Some(id) => Some(before.iter().find(|it| it.line.id == *id).ok_or_else(|| {
                    ApiError::no_such_param("line item", id, &self.at.field("id"))
                })?),
            };
        let price = match (&self.sold, known) {
            (Some(Sold::Price(id)), _) => {
                price_data::stored(transaction, id, &self.at.field("price"))?
            }
            (Some(Sold::Data(data)), _) => listed(transaction, data.make(transaction)?)?,
            (None, Some(known)) => known.price.clone(),
            (None, None) => return Err(ApiError::missing(&self.at.field("price"))),
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
            .param(self.at.field("price"))
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
                Some(ids) => stored_rates(transaction, ids, &self.at.field("tax_rates"))?,
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

/// A price that came with a quote stays active: who accepts the quote subscribes to it.
fn listed(
    transaction: &Transaction<'_>,
    mut price: Map<String, Value>,
) -> anyhow::Result<Map<String, Value>> {
    price.insert("active".to_owned(), json!(true));
    let id = price.get("id").and_then(Value::as_str).unwrap_or_default();
    transaction.put_plain("price", id, &Value::Object(price.clone()), None)?;
    Ok(price)
}
