//! All subscriptions, and everything recorded about one.

use std::collections::BTreeMap;

use crate::{
    config::ConfigError,
    purchase::{InvoiceId, Subject, SubscriptionId},
    store::{
        Item, StoreError, Tables,
        claims::{ClaimItem, EVENT},
        failed, from_item, invoices,
        keys::{SUBSCRIPTION, subject_of},
        operator::RecordedEvent,
        subscriptions::{WithInvoices, parse},
        tables::Table,
        text,
    },
    subscription::Subscription,
};

/// The whole purchases table, for its subscriptions.
#[derive(Clone, Debug)]
pub struct AllSubscriptions {
    table: Table,
}

/// A subscription with its invoices, and everything recorded about them, oldest first. Statuses are
/// words, because those of a subscription are others than an invoice's.
#[derive(Debug)]
pub struct SubscriptionWithEvents {
    /// As they are now.
    pub found: WithInvoices,
    /// What was recorded about itself.
    pub events: Vec<RecordedEvent<String>>,
    /// What was recorded about each of its invoices.
    pub of_invoices: BTreeMap<InvoiceId, Vec<RecordedEvent<String>>>,
}

impl AllSubscriptions {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// One subscription with its invoices and events: all items under its id, in one query.
    pub async fn with_events(
        &self,
        id: &SubscriptionId,
    ) -> Result<Option<SubscriptionWithEvents>, StoreError> {
        let mut items = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression("pk = :id")
            .expression_attribute_values(":id", text(id.as_str()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let (mut subscription, mut found, mut claims) = (None, Vec::new(), Vec::new());
        while let Some(item) = items.next().await {
            let item = item.map_err(failed("Query"))?;
            if let Some(event) = event_of(&item) {
                claims.push((event.clone(), from_item::<ClaimItem>(item, &event)?));
                continue;
            }
            match subject_of(&item) {
                Some(Subject::Subscription(id)) => {
                    subscription = Some(parse(item, &id)?.subscription);
                }
                Some(Subject::Invoice(of, id)) => {
                    found.push(invoices::parse(item, &of, &id)?.invoice);
                }
                Some(Subject::Purchase(_)) | None => {}
            }
        }
        Ok(subscription.map(|subscription| {
            let found = WithInvoices {
                subscription,
                invoices: found,
            };
            SubscriptionWithEvents::of(found, claims)
        }))
    }

    /// Passes every subscription to `take`, in no particular order. Reads the whole table, because
    /// there is no other way to see all of them.
    pub async fn each(&self, mut take: impl FnMut(Subscription)) -> Result<(), StoreError> {
        let mut items = self
            .table
            .client
            .scan()
            .table_name(&self.table.name)
            .filter_expression("sk = :subscription")
            .expression_attribute_values(":subscription", text(SUBSCRIPTION))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed("Scan"))?;
            if let Some(Subject::Subscription(id)) = subject_of(&item) {
                take(parse(item, &id)?.subscription);
            }
        }
        Ok(())
    }
}

/// The event whose claim this is.
fn event_of(item: &Item) -> Option<String> {
    let sk = item.get("sk")?.as_s().ok()?;
    sk.strip_prefix(EVENT).map(str::to_owned)
}

impl SubscriptionWithEvents {
    fn of(found: WithInvoices, mut claims: Vec<(String, ClaimItem)>) -> Self {
        // As for purchases; but each invoice counts versions of its own.
        claims.sort_by_key(|(_, claim)| (claim.version, !claim.changed, claim.recorded_at));
        let (mut events, mut of_invoices) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for (id, mut claim) in claims {
            let status = std::mem::take(&mut claim.status);
            match claim.invoice.take() {
                Some(invoice) => of_invoices
                    .entry(invoice)
                    .or_default()
                    .push(RecordedEvent::of(id, claim, status)),
                None => events.push(RecordedEvent::of(id, claim, status)),
            }
        }
        Self {
            found,
            events,
            of_invoices,
        }
    }
}
