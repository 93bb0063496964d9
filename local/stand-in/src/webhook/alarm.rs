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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::database::Database;
    use crate::engine::faults::Faults;
    use crate::engine::time::MachineTime;

    fn expires(transaction: &Transaction<'_>, id: &str, moment: Timestamp) {
        let sql = "INSERT INTO objects (id, kind, created, expires_at, shown)
                   VALUES (?1, 'refund', 0, ?2, '{}')";
        transaction.sql.execute(sql, (id, moment)).unwrap();
    }

    #[test]
    fn only_what_is_due_sooner_than_the_next_look_calls_for_another() {
        let site = "http://127.0.0.1:12111".parse().unwrap();
        let database = Database::open(None, &site, MachineTime::default()).unwrap();
        let looked = database.transact(&Faults::default(), |transaction| {
            let alarm = Alarm::default();
            let later = |seconds: i64| transaction.now.saturating_add(seconds);
            assert!(!alarm.is_too_late(transaction)?);
            expires(transaction, "re_1", later(100));
            assert!(alarm.is_too_late(transaction)?);

            alarm.set(transaction, Some(later(100)))?;
            expires(transaction, "re_2", later(200));
            assert!(!alarm.is_too_late(transaction)?);

            expires(transaction, "re_3", later(50));
            assert!(alarm.is_too_late(transaction)?);
            anyhow::Ok(())
        });
        looked.unwrap();
    }

    #[test]
    fn a_clock_that_is_moved_calls_for_another_look() {
        let site = "http://127.0.0.1:12111".parse().unwrap();
        let database = Database::open(None, &site, MachineTime::default()).unwrap();
        let looked = database.transact(&Faults::default(), |transaction| {
            let alarm = Alarm::default();
            let moment = transaction.now.saturating_add(100);
            expires(transaction, "re_1", moment);
            alarm.set(transaction, Some(moment))?;
            assert!(!alarm.is_too_late(transaction)?);
            clock::advance(transaction.sql, 10)?;
            assert!(alarm.is_too_late(transaction)?);
            anyhow::Ok(())
        });
        looked.unwrap();
    }
}
