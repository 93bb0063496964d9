//! Copies of an account's database, to go back to. They are kept in memory, until the process ends.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::engine::database::{Copy, Database};

/// The copies of one account, by the names they were given.
#[derive(Default)]
pub(crate) struct Snapshots(Mutex<BTreeMap<String, Copy>>);

impl Snapshots {
    /// Copies the database as it is now, instead of an earlier copy of that name. Blocks.
    pub(crate) fn take(&self, database: &Database, name: &str) -> anyhow::Result<()> {
        let copy = database.copy()?;
        self.copies().insert(name.to_owned(), copy);
        Ok(())
    }

    /// Brings back what was copied. False if there is no copy of that name. Blocks.
    pub(crate) fn restore(&self, database: &Database, name: &str) -> anyhow::Result<bool> {
        match self.copies().get(name) {
            Some(copy) => database.put_back(copy).map(|()| true),
            None => Ok(false),
        }
    }

    /// Forgets a copy. False if there is none of that name.
    pub(crate) fn forget(&self, name: &str) -> bool {
        self.copies().remove(name).is_some()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.copies().keys().cloned().collect()
    }

    fn copies(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Copy>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
