//! What reconcile has to check.

use super::{
    Item, StoreError, Tables,
    bookkeeping::Bookkeeping,
    failed,
    keys::{key_of, subject_of},
    number,
    purchases::{Purchases, Stored, WORK},
    tables::Table,
    text,
    transaction::{Step, Writer},
};
use crate::{
    config::ConfigError,
    purchase::{Line, PurchaseId, Subject},
};

/// The index of purchases that are not over yet, by when to ask Stripe about them.
#[derive(Clone, Debug)]
pub struct WorkList {
    table: Table,
    writer: Writer,
    purchases: Purchases,
    books: Bookkeeping,
}

/// Some of what has to be checked.
#[derive(Debug)]
pub struct Work {
    /// What it is.
    pub subjects: Vec<Subject>,
    /// Where to go on, if there is more.
    pub next: Option<WorkCursor>,
}

/// A place in the work index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkCursor {
    work_due: i64,
    subject: Subject,
}

impl WorkList {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            table: tables.purchases()?,
            writer: tables.writer(),
            purchases: Purchases::of(tables)?,
            books: Bookkeeping::of(tables)?,
        })
    }

    /// At most `limit` that it is time to ask Stripe about, those waiting longest first. Read from
    /// an index: what has to be done is decided on the purchase itself.
    pub async fn page(
        &self,
        now: i64,
        limit: i32,
        after: Option<&WorkCursor>,
    ) -> Result<Work, StoreError> {
        let mut call = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name("work")
            .key_condition_expression("work_shard = :work AND work_due <= :now")
            .expression_attribute_values(":work", text(WORK))
            .expression_attribute_values(":now", number(now))
            .limit(limit);
        if let Some(after) = after {
            let (pk, sk) = key_of(&after.subject);
            call = call
                .exclusive_start_key("work_shard", text(WORK))
                .exclusive_start_key("work_due", number(after.work_due))
                .exclusive_start_key("pk", text(pk))
                .exclusive_start_key("sk", text(sk));
        }
        let answer = call.send().await.map_err(failed("Query"))?;
        let place = |item: &Item| {
            Some(WorkCursor {
                work_due: item.get("work_due")?.as_n().ok()?.parse().ok()?,
                subject: subject_of(item)?,
            })
        };
        let items = answer.items.unwrap_or_default();
        let places = items.iter().filter_map(place);
        Ok(Work {
            subjects: places.map(|place| place.subject).collect(),
            next: answer.last_evaluated_key.as_ref().and_then(place),
        })
    }

    /// Notes that a purchase was compared with Stripe, and everything recorded, so that it need not
    /// be checked again until its next check is due, unless there are more `doubts` by now than
    /// when the comparison began. `lines` complete an order that was rebuilt without any.
    pub async fn checked(
        &self,
        id: PurchaseId,
        doubts: u32,
        lines: &[Line],
        now: i64,
    ) -> Result<(), StoreError> {
        let read = || self.purchases.get(id);
        let decide = |stored: Option<Stored>| {
            let Some(mut stored) = stored else {
                return Ok(Step::Done(()));
            };
            let effects = stored.purchase.checked(doubts, lines);
            let parts = self.books.record(&stored, &effects, now)?;
            Ok(Step::Write(parts, ()))
        };
        self.writer.run(None, read, decide).await.map(|_| ())
    }

    /// When the table was created, in Unix seconds: nothing in it was bought earlier.
    pub async fn begins_at(&self) -> Result<i64, StoreError> {
        let call = self.table.client.describe_table();
        let answer = call.table_name(&self.table.name).send().await;
        let answer = answer.map_err(failed("DescribeTable"))?;
        let made = answer.table.and_then(|table| table.creation_date_time);
        made.map(|made| made.secs())
            .ok_or_else(|| StoreError::Failed {
                operation: "DescribeTable",
                why: "no creation time".to_owned(),
            })
    }
}
