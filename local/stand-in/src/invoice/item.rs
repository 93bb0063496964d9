//! Invoice items: what a customer is to be billed for, with the next invoice or on a certain one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::currency::Currency;
use crate::engine::ids::{CustomerId, InvoiceId};
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice::discount::Discount;
use crate::invoice::line::{Content, Line, Proration, Source, SubscriptionItem};

/// Something that a customer is to be billed for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InvoiceItem {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) customer: CustomerId,
    pub(crate) currency: Currency,
    pub(crate) content: Content,
    /// Nothing while it waits for the next.
    pub(crate) invoice: Option<InvoiceId>,
    /// It waits for an invoice of this one.
    pub(crate) subscription: Option<SubscriptionItem>,
    pub(crate) proration: Option<Proration>,
    pub(crate) test_clock: Option<String>,
}

/// Which of a customer's pending items go on an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sweep {
    None,
    /// Those that belong to no subscription.
    Loose,
    /// Those of one subscription, and those that belong to none.
    Of(String),
}

impl Sweep {
    fn takes(&self, item: &InvoiceItem) -> bool {
        match (self, &item.subscription) {
            (Self::None, _) | (Self::Loose, Some(_)) => false,
            (Self::Loose | Self::Of(_), None) => true,
            (Self::Of(wanted), Some(its)) => *wanted == its.subscription,
        }
    }
}

impl InvoiceItem {
    /// The line that it is on an invoice.
    pub(crate) fn line(&self) -> Line {
        let source = Source::Item {
            item: self.id.clone(),
            subscription: self.subscription.clone(),
            proration: self.proration.clone(),
        };
        Line::new(self.content.clone(), source)
    }
}

/// What a customer's next invoice in this currency sweeps up, the newest first.
pub(crate) fn pending(
    transaction: &Transaction<'_>,
    customer: &str,
    currency: Currency,
    sweep: &Sweep,
) -> anyhow::Result<Vec<InvoiceItem>> {
    if *sweep == Sweep::None {
        return Ok(Vec::new());
    }
    let mut items: Vec<InvoiceItem> = transaction.having("customer", customer)?;
    items.retain(|it| it.invoice.is_none() && it.currency == currency && sweep.takes(it));
    items.reverse();
    Ok(items)
}

impl Object for InvoiceItem {
    const KIND: &'static str = "invoiceitem";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let content = &self.content;
        let discounts: Vec<_> = content.discounts.iter().map(Discount::id).collect();
        let rates: Vec<_> = content.rates.iter().map(|rate| &rate.shown).collect();
        let parent = self.subscription.as_ref().map(|it| {
            let details = match &it.item {
                Some(item) => {
                    json!({ "subscription": it.subscription, "subscription_item": item })
                }
                None => json!({ "subscription": it.subscription }),
            };
            json!({ "subscription_details": details, "type": "subscription_details" })
        });
        json!({
            "id": self.id,
            "object": Self::KIND,
            "amount": content.amount,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "date": self.created,
            "description": content.description,
            "discountable": content.discountable,
            "discounts": discounts,
            "invoice": self.invoice,
            "livemode": false,
            "metadata": content.metadata,
            "parent": parent,
            "period": content.period,
            "pricing": content.pricing.shown(),
            "proration": self.proration.is_some(),
            "quantity": content.quantity,
            "quantity_decimal": content.quantity.to_string(),
            "tax_rates": rates,
            "test_clock": self.test_clock,
        })
    }
}
