//! When whoever delivers looks at the queue by itself.

use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::OptionalExtension as _;

use crate::engine::clock;
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;

/// The moment at which whoever delivers looks again, by the machine's clock. Most changes make nothing
/// due before then, so they need not wake anybody.
#[derive(Debug)]
pub(crate) struct Alarm(AtomicI64);

impl Default for Alarm {
    fn default() -> Self {
        Self(AtomicI64::new(Timestamp::MAX))
    }
}

impl Alarm {
    /// Sets it to a moment by the stand-in's clock, or to none.
    pub(crate) fn set(
        &self,
        transaction: &Transaction<'_>,
        moment: Option<Timestamp>,
    ) -> anyhow::Result<()> {
        let ahead = clock::ahead(transaction.sql)?;
        let moment = moment.map_or(Timestamp::MAX, |moment| moment.saturating_sub(ahead));
        self.0.store(moment, Ordering::Relaxed);
        Ok(())
    }

    /// Whether something is due before it.
    pub(crate) fn is_too_late(&self, transaction: &Transaction<'_>) -> anyhow::Result<bool> {
        let delivery = transaction
            .sql
            .prepare_cached("SELECT due FROM webhooks WHERE due IS NOT NULL ORDER BY due LIMIT 1")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let first = [delivery, transaction.next_expiry()?]
            .into_iter()
            .flatten()
            .min();
        let ahead = clock::ahead(transaction.sql)?;
        let set_to = self.0.load(Ordering::Relaxed);
        Ok(first.is_some_and(|first| first.saturating_sub(ahead) < set_to))
    }
}
