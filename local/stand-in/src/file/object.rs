//! Files, and where their content is kept.

use anyhow::Context as _;
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::ids::FileId;
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::file::format::Format;
use crate::wire::lists::Paging;

/// A file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct File {
    pub(super) id: FileId,
    pub(super) created: Timestamp,
    /// From then on its content is not there any more.
    pub(super) expires_at: Option<Timestamp>,
    pub(super) filename: String,
    pub(crate) purpose: String,
    pub(super) format: Format,
    /// In bytes.
    pub(crate) size: usize,
    /// Where its content can be had, if it can.
    pub(super) url: Option<String>,
    /// Links to it as the API shows them, newest first.
    pub(super) links: Vec<Value>,
}

impl File {
    pub(super) fn is_there(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Keeps what is in it.
    pub(super) fn keep_content(
        &self,
        transaction: &Transaction<'_>,
        bytes: &[u8],
    ) -> anyhow::Result<()> {
        let sql = "INSERT INTO contents (file, bytes) VALUES (?1, ?2)";
        let kept = transaction.sql.execute(sql, params![self.id, bytes]);
        kept.with_context(|| format!("cannot keep what is in {}", self.id))?;
        Ok(())
    }

    /// What is in it, as long as it is there.
    pub(super) fn content(&self, transaction: &Transaction<'_>) -> anyhow::Result<Option<Vec<u8>>> {
        if self.url.is_none() || !self.is_there(transaction.now) {
            return Ok(None);
        }
        let sql = "SELECT bytes FROM contents WHERE file = ?1";
        let found = transaction.sql.query_row(sql, [&self.id], |row| row.get(0));
        found
            .optional()
            .with_context(|| format!("cannot read what is in {}", self.id))
    }
}

impl Object for File {
    const KIND: &'static str = "file";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let url = format!("/v1/file_links?file={}", self.id);
        json!({
            "id": self.id,
            "object": Self::KIND,
            "created": self.created,
            "expires_at": self.expires_at,
            "filename": self.filename,
            "links": Paging::first().page(&url, self.links.iter().cloned()),
            "purpose": self.purpose,
            "size": self.size,
            "title": null,
            "type": self.format.name(),
            "url": self.url,
        })
    }
}
