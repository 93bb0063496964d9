//! A customer's balance: what they owe besides, or what they are owed if it is negative.

use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::ids;
use crate::engine::transaction::Transaction;
use crate::webhook::record::record_shown;

/// Why a balance changes, in Stripe's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    AppliedToInvoice,
    UnappliedFromInvoice,
    InvoiceTooSmall,
    CreditNote,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::AppliedToInvoice => "applied_to_invoice",
            Self::UnappliedFromInvoice => "unapplied_from_invoice",
            Self::InvoiceTooSmall => "invoice_too_small",
            Self::CreditNote => "credit_note",
        }
    }
}

/// A change of a customer's balance.
#[derive(Debug)]
pub(crate) struct Change<'c> {
    pub(crate) customer: &'c str,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) reason: Reason,
    pub(crate) invoice: Option<&'c str>,
    pub(crate) credit_note: Option<&'c str>,
}

impl Change<'_> {
    /// Makes the change. Returns the id of the transaction that shows it.
    pub(crate) fn make(&self, transaction: &Transaction<'_>) -> anyhow::Result<Option<String>> {
        let Some(before) = transaction.shown_of("customer", self.customer)? else {
            return Ok(None);
        };
        let mut customer = before.clone();
        let balance = before.get("balance").and_then(Value::as_i64).unwrap_or(0);
        let ending = Amount::new(balance).plus(self.amount);
        if let Value::Object(fields) = &mut customer {
            fields.insert("balance".to_owned(), json!(ending));
            fields.insert("currency".to_owned(), json!(self.currency));
        }
        let id = ids::plain("cbtxn_1");
        let shown = json!({
            "id": id,
            "object": "customer_balance_transaction",
            "amount": self.amount,
            "checkout_session": null,
            "created": transaction.now,
            "credit_note": self.credit_note,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "description": null,
            "ending_balance": ending,
            "invoice": self.invoice,
            "livemode": false,
            "metadata": {},
            "type": self.reason.as_str(),
        });
        transaction.put_plain("customer_balance_transaction", &id, &shown, None)?;
        transaction.put_plain("customer", self.customer, &customer, None)?;
        record_shown(transaction, "customer.updated", customer, Some(&before))?;
        Ok(Some(id))
    }
}
