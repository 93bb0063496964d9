//! A customer's balance: what they owe besides, or what they are owed if it is negative.

use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::billing::currency;
use crate::engine::ids;
use crate::engine::transaction::Transaction;
use crate::webhook::record::record_shown;

/// Why a balance changes, in Stripe's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// What a customer was made with.
    Initial,
    /// The shop has set the balance.
    Adjustment,
    AppliedToInvoice,
    UnappliedFromInvoice,
    InvoiceTooSmall,
    CreditNote,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Adjustment => "adjustment",
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
        let ending = of(transaction, self.customer, self.currency)?.plus(self.amount);
        let id = self.enter(transaction, ending)?;
        let mut customer = before.clone();
        show(&mut customer, ending, self.currency);
        if customer != before {
            transaction.put_plain("customer", self.customer, &customer, None)?;
            record_shown(transaction, "customer.updated", customer, Some(&before))?;
        }
        Ok(Some(id))
    }

    /// Books the change of a balance that the shop sets itself. Returns the transaction's id.
    pub(crate) fn enter(
        &self,
        transaction: &Transaction<'_>,
        ending: Amount,
    ) -> anyhow::Result<String> {
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
        Ok(id)
    }
}

/// What a customer owes in a currency, or is owed if that is negative.
pub(crate) fn of(
    transaction: &Transaction<'_>,
    customer: &str,
    currency: Currency,
) -> anyhow::Result<Amount> {
    let shown = transaction.shown_of("customer", customer)?;
    if let Some(shown) = shown.filter(|it| currency::shown(it).is_none_or(|its| its == currency)) {
        let balance = shown.get("balance").and_then(Value::as_i64);
        return Ok(Amount::new(balance.unwrap_or(0)));
    }
    let kind = "customer_balance_transaction";
    let changes = transaction.shown_having(kind, "customer", customer)?;
    let mut newest_first = changes.iter().rev();
    let last = newest_first.find(|it| currency::shown(it) == Some(currency));
    let ending = last.and_then(|it| it.get("ending_balance")?.as_i64());
    Ok(Amount::new(ending.unwrap_or(0)))
}

/// A customer shows this balance if it is in their currency. It becomes theirs if they have none.
pub(crate) fn show(customer: &mut Value, ending: Amount, currency: Currency) {
    if currency::shown(customer).is_some_and(|its| its != currency) {
        return;
    }
    if let Value::Object(fields) = customer {
        fields.insert("balance".to_owned(), json!(ending));
        fields.insert("currency".to_owned(), json!(currency));
    }
}
