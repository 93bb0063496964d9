//! The customer of an invoice, as far as the invoice shows them: as they are while it is a draft, and
//! from then on as they were.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::transaction::Transaction;
use crate::invoice::balance;

/// What an invoice shows of a field of its customer.
const SHOWN: &[(&str, &str)] = &[
    ("customer_address", "address"),
    ("customer_email", "email"),
    ("customer_name", "name"),
    ("customer_phone", "phone"),
    ("customer_shipping", "shipping"),
    ("customer_tax_exempt", "tax_exempt"),
];

/// Whose an invoice is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Billed {
    /// By the names of the invoice's fields.
    pub(crate) shown: Map<String, Value>,
    /// What they owe in the invoice's currency, or are owed if that is negative.
    pub(crate) balance: Amount,
    pub(crate) test_clock: Option<String>,
    /// Where automatic tax is due.
    pub(crate) country: Option<String>,
}

impl Billed {
    /// The customer as they are now, to be billed in this currency.
    pub(crate) fn now(
        transaction: &Transaction<'_>,
        customer: &str,
        currency: Currency,
    ) -> anyhow::Result<Self> {
        let stored = transaction.shown_of("customer", customer)?;
        let Some(Value::Object(stored)) = stored else {
            return Ok(Self::default());
        };
        let field = |name: &str| stored.get(name).cloned().unwrap_or_default();
        let mut shown: Map<String, Value> = SHOWN
            .iter()
            .map(|(name, from)| ((*name).to_owned(), field(from)))
            .collect();
        let ids = transaction.plain_having("tax_id", "customer", customer)?;
        let ids = ids
            .iter()
            .map(|id| json!({ "type": id.get("type"), "value": id.get("value") }));
        shown.insert("customer_tax_ids".to_owned(), ids.collect());
        let country = |at: &str| {
            let address = stored.get(at)?;
            let address = address.get("address").unwrap_or(address);
            address.get("country").and_then(Value::as_str)
        };
        Ok(Self {
            country: country("shipping")
                .or_else(|| country("address"))
                .map(str::to_owned),
            shown,
            balance: balance::of(transaction, customer, currency)?,
            test_clock: field("test_clock").as_str().map(str::to_owned),
        })
    }

    /// Whether they pay no tax.
    pub(crate) fn is_tax_exempt(&self) -> bool {
        let exempt = self.shown.get("customer_tax_exempt");
        exempt.is_some_and(|exempt| exempt == "exempt" || exempt == "reverse")
    }

    pub(crate) fn email(&self) -> Option<&str> {
        self.shown.get("customer_email").and_then(Value::as_str)
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.shown.get("customer_name").and_then(Value::as_str)
    }
}
