//! The parameters that say what a line or an item is about.

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::account::decimal::times;
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::invoice::cost::Cost;
use crate::invoice::discount::{Place, Wanted};
use crate::invoice::line::{Content, Period};
use crate::invoice::terms::{rates, stored_rates};
use crate::wire::errors::ApiError;
use crate::wire::params::{MetadataUpdate, ObjectName, Params, Required as _, check_amount};

/// The most of anything.
const MOST_PIECES: i64 = 999_999;

/// What a line or an item is to be about; a new one states what nobody has stated.
#[derive(Debug)]
pub(crate) struct NewContent {
    /// What the request calls the line; nothing for an item.
    at: ObjectName,
    currency: Option<Currency>,
    cost: Option<Cost>,
    quantity: Option<i64>,
    description: Option<String>,
    period: Option<Period>,
    discountable: Option<bool>,
    discounts: Option<Wanted>,
    rates: Option<Vec<String>>,
    includes_tax: Option<bool>,
    metadata: MetadataUpdate,
}

impl NewContent {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let period = match params.optional_object("period")? {
            Some(mut period) => {
                let start = period.integer("start").required(&period, "start")?;
                let end = period.integer("end").required(&period, "end")?;
                period.finish()?;
                Some(Period { start, end })
            }
            None => None,
        };
        params.text("tax_code")?;
        let behavior = params.choice("tax_behavior", &["exclusive", "inclusive", "unspecified"])?;
        Ok(Self {
            at: params.own_name(),
            currency: params.currency("currency")?,
            cost: Cost::read(params)?,
            quantity: quantity(params)?,
            description: params.maybe_empty_text("description", 5_000)?,
            period,
            discountable: params.boolean("discountable")?,
            discounts: Wanted::read(params)?,
            rates: rates(params, "tax_rates")?,
            includes_tax: behavior.map(|it| it == "inclusive"),
            metadata: params.metadata_update("metadata")?,
        })
    }

    /// The content of something new, and its currency: its own, or `otherwise`.
    pub(crate) fn make(
        self,
        transaction: &Transaction<'_>,
        otherwise: Option<Currency>,
        place: Place<'_>,
    ) -> Result<(Content, Currency), ApiError> {
        let quantity = self.quantity.unwrap_or(1);
        let cost = self.cost.as_ref();
        let cost = cost.ok_or_else(|| ApiError::missing(&self.at.field("amount")))?;
        let named = self.currency.or(otherwise);
        let (pricing, currency) =
            cost.price(transaction, named, &self.at, self.description.as_deref())?;
        let amount = cost.amount(&pricing, quantity, currency, &self.at)?;
        if self.currency.is_some_and(|it| it != currency) {
            return Err(ApiError::invalid(format!(
                "The price specified is in {currency}, which is not the currency asked for."
            ))
            .param(self.at.field("currency")));
        }
        let mut content = Content {
            amount,
            description: None,
            quantity,
            pricing,
            period: Period::at(transaction.now),
            discountable: amount >= Amount::ZERO,
            discounts: Vec::new(),
            rates: Vec::new(),
            metadata: Metadata::new(),
        };
        let name = transaction.shown_of("product", &content.pricing.product)?;
        let name = name.as_ref().and_then(|it| it.get("name")?.as_str());
        content.description = name.map(str::to_owned);
        self.say(transaction, &mut content, place)?;
        Ok((content, currency))
    }

    /// Changes what is said of something that is there.
    pub(crate) fn apply(
        self,
        transaction: &Transaction<'_>,
        content: &mut Content,
        currency: Currency,
        place: Place<'_>,
    ) -> Result<(), ApiError> {
        let quantity = self.quantity.unwrap_or(content.quantity);
        if let Some(cost) = &self.cost {
            let (pricing, of) = cost.price(
                transaction,
                Some(currency),
                &self.at,
                self.description.as_deref(),
            )?;
            if of != currency {
                return Err(ApiError::invalid(format!(
                    "The price specified is in {of}, but it has to be in {currency}."
                ))
                .param(self.at.field("pricing")));
            }
            content.amount = cost.amount(&pricing, quantity, currency, &self.at)?;
            content.pricing = pricing;
        } else if quantity != content.quantity {
            let unit = content.pricing.unit_amount_decimal.as_deref();
            let amount = times(unit.unwrap_or_default(), quantity);
            content.amount =
                amount.ok_or_else(|| ApiError::amount_too_large("quantity", currency))?;
            check_amount(content.amount, currency, "quantity")?;
        }
        content.quantity = quantity;
        self.say(transaction, content, place)
    }

    fn say(
        self,
        transaction: &Transaction<'_>,
        content: &mut Content,
        place: Place<'_>,
    ) -> Result<(), ApiError> {
        if let Some(description) = self.description {
            content.description = Some(description).filter(|it| !it.is_empty());
        }
        content.period = self.period.unwrap_or(content.period);
        content.discountable = self.discountable.unwrap_or(content.discountable);
        if let Some(wanted) = self.discounts {
            content.discounts = wanted.make(transaction, place)?;
        }
        if let Some(ids) = self.rates {
            content.rates = stored_rates(transaction, &ids, &self.at.field("tax_rates"))?;
        }
        if let Some(includes_tax) = self.includes_tax {
            content.pricing.includes_tax = includes_tax;
        }
        self.metadata.apply(&mut content.metadata)
    }
}

/// How many; decimal places are refused by name, as long as they say anything.
fn quantity(params: &mut Params) -> Result<Option<i64>, ApiError> {
    let whole = params.integer_within("quantity", 0, MOST_PIECES)?;
    let Some(decimal) = params.text("quantity_decimal")? else {
        return Ok(whole);
    };
    let digits = decimal
        .split_once('.')
        .map_or(decimal.as_str(), |(digits, rest)| {
            match rest.bytes().all(|byte| byte == b'0') {
                true => digits,
                false => "",
            }
        });
    match digits.parse() {
        Ok(number @ 0..=MOST_PIECES) => Ok(Some(number)),
        _ => Err(ApiError::invalid(
            "The stand-in bills whole quantities only: quantity_decimal cannot have decimal places.",
        )
        .param(params.name("quantity_decimal"))),
    }
}
