//! The lines of a credit note, and what they come to.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::account::decimal::times;
use crate::checkout::tax::{Rate, Tax, taxes_on};
use crate::engine::ids;
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::invoice::object::Invoice;
use crate::invoice::terms::{rates, stored_rates};
use crate::invoice::totals::{Totals, discounts_shown, pretax_credits_shown, tax_shown};
use crate::wire::errors::ApiError;
use crate::wire::params::{ObjectName, Params, Required as _};

/// A line of a credit note.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NoteLine {
    id: String,
    /// Without discounts and taxes on top.
    amount: Amount,
    description: Option<String>,
    quantity: Option<i64>,
    unit_amount: Option<String>,
    /// What of the discounts of the invoice's line is taken back, too.
    discounts: Vec<(String, Amount)>,
    rates: Vec<Rate>,
    /// The invoice's line; nothing for one of the note's own.
    pub(crate) of: Option<String>,
    metadata: Metadata,
}

/// What a line, or all of them, come to.
#[derive(Debug, Default)]
pub(crate) struct NoteSums {
    pub(crate) subtotal: Amount,
    pub(crate) included: Amount,
    pub(crate) discounts: Vec<(String, Amount)>,
    pub(crate) taxes: Vec<Tax>,
    pub(crate) total: Amount,
}

impl NoteSums {
    pub(crate) fn discount(&self) -> Amount {
        self.discounts.iter().map(|(_, amount)| *amount).sum()
    }

    pub(crate) fn tax(&self) -> Amount {
        self.taxes.iter().map(|tax| tax.amount).sum()
    }

    /// Of several lines.
    pub(crate) fn of(lines: &[NoteLine]) -> Self {
        lines.iter().fold(Self::default(), |mut sums, line| {
            let its = line.sums();
            sums.subtotal = sums.subtotal.plus(its.subtotal);
            sums.included = sums.included.plus(its.included);
            sums.total = sums.total.plus(its.total);
            for (discount, amount) in its.discounts {
                match sums.discounts.iter_mut().find(|(id, _)| *id == discount) {
                    Some((_, known)) => *known = known.plus(amount),
                    None => sums.discounts.push((discount, amount)),
                }
            }
            for tax in its.taxes {
                match sums
                    .taxes
                    .iter_mut()
                    .find(|it| it.rate.id() == tax.rate.id())
                {
                    Some(known) => {
                        known.amount = known.amount.plus(tax.amount);
                        known.taxable = known.taxable.plus(tax.taxable);
                    }
                    None => sums.taxes.push(tax),
                }
            }
            sums
        })
    }
}

impl NoteLine {
    /// What is credited of an invoice as a whole.
    pub(crate) fn of_invoice(amount: Amount) -> Self {
        Self {
            id: ids::plain("cnli_1"),
            amount,
            description: Some("Credit".to_owned()),
            quantity: Some(1),
            unit_amount: Some(amount.to_string()),
            discounts: Vec::new(),
            rates: Vec::new(),
            of: None,
            metadata: Metadata::new(),
        }
    }

    fn sums(&self) -> NoteSums {
        let discount: Amount = self.discounts.iter().map(|(_, amount)| *amount).sum();
        let left = self.amount.minus(discount);
        let taxes = taxes_on(&self.rates, left);
        let on_top: Amount = taxes.iter().map(Tax::on_top).sum();
        NoteSums {
            subtotal: self.amount,
            included: taxes.iter().map(Tax::included).sum(),
            discounts: self.discounts.clone(),
            taxes,
            total: left.plus(on_top),
        }
    }

    /// What it takes back of its invoice's line.
    pub(crate) fn amount(&self) -> Amount {
        self.amount
    }

    /// What it is, and how many, as people read it.
    pub(crate) fn named(&self) -> (String, String) {
        let name = self
            .description
            .clone()
            .unwrap_or_else(|| "Item".to_owned());
        (
            name,
            self.quantity.map_or_else(String::new, |it| it.to_string()),
        )
    }

    pub(crate) fn shown(&self) -> Value {
        let sums = self.sums();
        let rates: Vec<_> = self.rates.iter().map(|rate| &rate.shown).collect();
        let unit = self.unit_amount.as_deref();
        let mut shown = json!({
            "id": self.id,
            "object": "credit_note_line_item",
            "amount": self.amount,
            "description": self.description,
            "discount_amount": sums.discount(),
            "discount_amounts": discounts_shown(&sums.discounts),
            "livemode": false,
            "metadata": self.metadata,
            "pretax_credit_amounts": pretax_credits_shown(&sums.discounts),
            "quantity": self.quantity,
            "tax_rates": rates,
            "taxes": sums.taxes.iter().map(tax_shown).collect::<Vec<_>>(),
            "type": match self.of {
                Some(_) => "invoice_line_item",
                None => "custom_line_item",
            },
            "unit_amount": unit.and_then(|it| it.parse::<i64>().ok()),
            "unit_amount_decimal": unit,
        });
        if let (Some(line), Value::Object(shown)) = (&self.of, &mut shown) {
            shown.insert("invoice_line_item".to_owned(), json!(line));
        }
        shown
    }
}

/// A line as asked for.
#[derive(Debug)]
pub(crate) struct NewLine {
    at: ObjectName,
    credited: Credited,
    description: Option<String>,
    /// None leaves those of the invoice's line.
    rates: Option<Vec<String>>,
    metadata: Metadata,
}

#[derive(Debug)]
enum Credited {
    Line { id: String, part: Part },
    Custom { unit: String, quantity: i64 },
}

/// How much of a line.
#[derive(Debug)]
enum Part {
    Pieces(i64),
    Amount(Amount),
}

impl NewLine {
    pub(crate) fn read(mut line: Params) -> Result<Self, ApiError> {
        let kind = line
            .choice("type", &["custom_line_item", "invoice_line_item"])
            .required(&line, "type")?;
        let quantity = line.integer_within("quantity", 1, 999_999)?;
        let whole = line.integer("unit_amount")?.map(|it| it.to_string());
        let unit = whole.or(line.text("unit_amount_decimal")?);
        let amount = line.integer_within("amount", 1, i64::MAX)?.map(Amount::new);
        let credited = match kind.as_str() {
            "invoice_line_item" => Credited::Line {
                id: line
                    .text("invoice_line_item")
                    .required(&line, "invoice_line_item")?,
                part: match (quantity, amount) {
                    (_, Some(amount)) => Part::Amount(amount),
                    (Some(pieces), None) => Part::Pieces(pieces),
                    (None, None) => return Err(ApiError::missing(&line.name("quantity"))),
                },
            },
            _ => Credited::Custom {
                unit: Ok(unit).required(&line, "unit_amount")?,
                quantity: quantity.unwrap_or(1),
            },
        };
        let read = Self {
            at: line.own_name(),
            credited,
            description: line.text("description")?,
            rates: rates(&mut line, "tax_rates")?,
            metadata: line.metadata("metadata")?,
        };
        line.finish()?;
        Ok(read)
    }

    pub(crate) fn make(
        self,
        transaction: &Transaction<'_>,
        invoice: &Invoice,
    ) -> Result<NoteLine, ApiError> {
        let rates = match &self.rates {
            Some(ids) => Some(stored_rates(transaction, ids, &self.at.field("tax_rates"))?),
            None => None,
        };
        let mut line = match &self.credited {
            Credited::Line { id, part } => self.of_line(invoice, id, part)?,
            Credited::Custom { unit, quantity } => {
                self.custom(unit, *quantity, invoice.currency)?
            }
        };
        line.rates = rates.unwrap_or(line.rates);
        line.description = self.description.or(line.description);
        line.metadata = self.metadata;
        Ok(line)
    }

    fn custom(&self, unit: &str, quantity: i64, currency: Currency) -> Result<NoteLine, ApiError> {
        let amount = times(unit, quantity).filter(|it| *it <= currency.maximum());
        let amount = amount
            .ok_or_else(|| ApiError::amount_too_large(&self.at.field("unit_amount"), currency))?;
        Ok(NoteLine {
            quantity: Some(quantity),
            unit_amount: Some(unit.to_owned()),
            description: None,
            ..NoteLine::of_invoice(amount)
        })
    }

    fn of_line(&self, invoice: &Invoice, id: &str, part: &Part) -> Result<NoteLine, ApiError> {
        let at = invoice.lines.iter().position(|line| line.id == id);
        let line = at.and_then(|at| invoice.lines.get(at)).ok_or_else(|| {
            ApiError::no_such_param("invoice line item", id, &self.at.field("invoice_line_item"))
        })?;
        let whole = &line.content;
        let (amount, quantity) = match part {
            Part::Amount(amount) => (*amount, None),
            Part::Pieces(pieces) => (
                whole.amount.share(*pieces, whole.quantity.max(1)),
                Some(*pieces),
            ),
        };
        let too_many = matches!(part, Part::Pieces(pieces) if *pieces > whole.quantity);
        if amount > whole.amount || too_many {
            let field = match part {
                Part::Pieces(_) => "quantity",
                Part::Amount(_) => "amount",
            };
            return Err(ApiError::invalid(format!(
                "The {field} to credit is greater than what the invoice line item {id} has left."
            ))
            .param(self.at.field(field)));
        }
        let totals: Totals = invoice.totals();
        let sums = at.and_then(|at| totals.lines.get(at));
        let share =
            |taken: Amount| taken.share(amount.minor_units(), whole.amount.minor_units().max(1));
        let discounts = sums.map_or(&[][..], |sums| &sums.discounts);
        let rates = sums.map_or(&[][..], |sums| &sums.taxes);
        Ok(NoteLine {
            description: whole.description.clone(),
            quantity,
            unit_amount: None,
            discounts: discounts
                .iter()
                .map(|(id, taken)| (id.clone(), share(*taken)))
                .collect(),
            rates: rates.iter().map(|tax| tax.rate.clone()).collect(),
            of: Some(id.to_owned()),
            ..NoteLine::of_invoice(amount)
        })
    }
}
