//! All purchases, subscriptions and invoices, read in one go.

use std::collections::BTreeMap;

use crate::{
    config::ConfigError,
    invoice::Invoice,
    purchase::{InvoiceId, Purchase, Subject},
    store::{
        Item, StoreError, Tables, failed, invoices,
        keys::{PURCHASE, SUBSCRIPTION, subject_of},
        purchases, subscriptions,
        tables::Table,
        text,
    },
    subscription::Subscription,
};

/// The whole purchases table.
#[derive(Clone, Debug)]
pub struct Everything {
    table: Table,
}

/// What was found in it, in no particular order.
#[derive(Debug, Default)]
pub struct Found {
    /// With what became of their money, also if that is recorded at an invoice.
    pub purchases: Vec<Purchase>,
    /// What buyers subscribe to.
    pub subscriptions: Vec<Subscription>,
    /// What was paid for that.
    pub invoices: Vec<Invoice>,
    /// The keys of items that cannot be read.
    pub unreadable: Vec<String>,
    /// Whether this is all there is.
    pub is_whole: bool,
}

impl Everything {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// Reads the table, but not more than so many pages, which have up to 1 MB each: DynamoDB charges
    /// for every item that it looks at.
    pub async fn read(&self, most_pages: u32) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let mut next = None;
        for _ in 0..most_pages {
            let scan = self
                .table
                .client
                .scan()
                .table_name(&self.table.name)
                .filter_expression(
                    "sk = :purchase OR sk = :subscription OR begins_with(sk, :invoices)",
                )
                .expression_attribute_values(":purchase", text(PURCHASE))
                .expression_attribute_values(":subscription", text(SUBSCRIPTION))
                .expression_attribute_values(":invoices", text("in_"))
                .set_exclusive_start_key(next);
            let page = scan.send().await.map_err(failed("Scan"))?;
            for item in page.items.unwrap_or_default() {
                let key = key_of(&item);
                if let Err(error) = found.add(item) {
                    tracing::warn!(%key, %error, "an item cannot be read");
                    found.unreadable.push(key);
                }
            }
            next = page.last_evaluated_key.filter(|key| !key.is_empty());
            if next.is_none() {
                found.is_whole = true;
                break;
            }
        }
        found.complete();
        Ok(found)
    }
}

/// Its partition, and what it is in there.
fn key_of(item: &Item) -> String {
    let part = |name: &str| {
        let value = item.get(name).and_then(|value| value.as_s().ok());
        value.map_or("?", String::as_str)
    };
    format!("{}/{}", part("pk"), part("sk"))
}

impl Found {
    fn add(&mut self, item: Item) -> Result<(), StoreError> {
        match subject_of(&item) {
            Some(Subject::Purchase(id)) => {
                self.purchases.push(purchases::parse(item, id)?.purchase);
            }
            Some(Subject::Subscription(id)) => {
                let parsed = subscriptions::parse(item, &id)?;
                self.subscriptions.push(parsed.subscription);
            }
            Some(Subject::Invoice(of, id)) => {
                self.invoices.push(invoices::parse(item, &of, &id)?.invoice);
            }
            None => {}
        }
        Ok(())
    }

    /// Tells purchases what became of their money at the invoices with which subscriptions began.
    fn complete(&mut self) {
        let invoices = self.invoices.iter();
        let by_id: BTreeMap<&InvoiceId, &Invoice> = invoices.map(|it| (it.id(), it)).collect();
        let purchases = std::mem::take(&mut self.purchases).into_iter();
        let complete = purchases.map(|purchase| {
            let first = purchase.first_invoice();
            match first.and_then(|(_, id)| by_id.get(id)) {
                Some(invoice) => purchase.paid_by(invoice.payment().clone()),
                None => purchase,
            }
        });
        self.purchases = complete.collect();
    }
}
