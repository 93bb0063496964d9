//! The mailbox on this machine, with every mail that was sent.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

/// A mail that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mail {
    /// The message id that SES answered with.
    pub(crate) id: String,
    /// The sender.
    pub(crate) from: String,
    /// Who got it.
    pub(crate) to: Vec<String>,
    /// Who got a copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cc: Vec<String>,
    /// Who got a blind copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bcc: Vec<String>,
    /// Where replies go, if not to the sender.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reply_to: Vec<String>,
    /// The subject line.
    pub(crate) subject: String,
    /// The body as text.
    pub(crate) text: Option<String>,
    /// The body as HTML.
    pub(crate) html: Option<String>,
    /// Message tags by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
    /// RFC 3339.
    pub(crate) sent_at: String,
}

/// The mailbox. Clones share one.
#[derive(Clone)]
pub(crate) struct Mailbox(Arc<Mutex<Connection>>);

impl Mailbox {
    /// Opens the file, or a mailbox in memory.
    pub(crate) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let open = || {
            let connection = match file {
                Some(file) => Connection::open(file)?,
                None => Connection::open_in_memory()?,
            };
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(
                "CREATE TABLE IF NOT EXISTS mail (number INTEGER PRIMARY KEY, mail TEXT NOT NULL)",
            )?;
            Ok::<_, rusqlite::Error>(connection)
        };
        let connection = open().context("cannot open the mailbox")?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Every mail, newest first.
    pub(crate) async fn newest_first(&self) -> anyhow::Result<Vec<Mail>> {
        self.with(|connection| {
            let mut statement = connection.prepare("SELECT mail FROM mail ORDER BY number DESC")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
        })
        .await
    }

    /// The mail with this message id.
    pub(crate) async fn find(&self, id: &str) -> anyhow::Result<Option<Mail>> {
        Ok(self
            .newest_first()
            .await?
            .into_iter()
            .find(|mail| mail.id == id))
    }

    /// Adds a mail.
    pub(crate) async fn keep(&self, mail: &Mail) -> anyhow::Result<()> {
        let mail = serde_json::to_string(mail)?;
        self.with(move |connection| {
            connection.execute("INSERT INTO mail (mail) VALUES (?1)", params![mail])?;
            Ok(())
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let connection = Arc::clone(&self.0);
        let work = move || work(&connection.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await?
    }
}
