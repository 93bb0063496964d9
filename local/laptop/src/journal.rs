//! What happened on this machine, one entry after the other, in a file of its own.

use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use rusqlite::{Connection, params};
use serde::{Serialize, de::DeserializeOwned};

/// Entries of one kind. Clones share them.
pub(crate) struct Journal<T> {
    connection: Arc<Mutex<Connection>>,
    /// The name of the table, and of its column.
    kind: &'static str,
    entries: PhantomData<fn() -> T>,
}

impl<T> Clone for Journal<T> {
    fn clone(&self) -> Self {
        Self {
            connection: Arc::clone(&self.connection),
            ..*self
        }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Journal<T> {
    /// Opens the file, or a journal in memory.
    pub(crate) fn open(kind: &'static str, file: Option<&Path>) -> anyhow::Result<Self> {
        let open = || {
            let connection = match file {
                Some(file) => Connection::open(file)?,
                None => Connection::open_in_memory()?,
            };
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS {kind} (number INTEGER PRIMARY KEY, {kind} TEXT NOT NULL)"
            ))?;
            Ok::<_, rusqlite::Error>(connection)
        };
        let connection = open().with_context(|| format!("cannot open the {kind} journal"))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            kind,
            entries: PhantomData,
        })
    }

    /// Every entry, newest first.
    pub(crate) async fn newest_first(&self) -> anyhow::Result<Vec<T>> {
        let kind = self.kind;
        self.with(move |connection| {
            let mut statement =
                connection.prepare(&format!("SELECT {kind} FROM {kind} ORDER BY number DESC"))?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
        })
        .await
    }

    /// Adds an entry.
    pub(crate) async fn keep(&self, entry: &T) -> anyhow::Result<()> {
        let kind = self.kind;
        let entry = serde_json::to_string(entry)?;
        self.with(move |connection| {
            let insert = format!("INSERT INTO {kind} ({kind}) VALUES (?1)");
            connection.execute(&insert, params![entry])?;
            Ok(())
        })
        .await
    }

    async fn with<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> anyhow::Result<R> + Send + 'static,
    ) -> anyhow::Result<R> {
        let connection = Arc::clone(&self.connection);
        let work = move || work(&connection.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await?
    }
}
