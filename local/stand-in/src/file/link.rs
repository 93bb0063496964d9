//! Links by which everybody sees a file, and what happens to them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::ids::{FileId, FileLinkId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::file::object::File;

/// A link to a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FileLink {
    pub(super) id: FileLinkId,
    pub(super) created: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) expired: bool,
    pub(super) file: FileId,
    pub(super) metadata: Metadata,
    /// Where it leads to the file, until it expires.
    pub(super) url: String,
}

impl Object for FileLink {
    const KIND: &'static str = "file_link";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at.filter(|_| !self.expired)
    }

    fn answer(&self) -> Value {
        json!({
            "id": self.id,
            "object": Self::KIND,
            "created": self.created,
            "expired": self.expired,
            "expires_at": self.expires_at,
            "file": self.file,
            "livemode": false,
            "metadata": self.metadata,
            "url": (!self.expired).then_some(&self.url),
        })
    }
}

/// Keeps a link, and shows it with its file.
pub(super) fn put(transaction: &Transaction<'_>, link: &FileLink) -> anyhow::Result<()> {
    transaction.put(link)?;
    let mut file: File = transaction.existing(&link.file)?;
    let shown = link.answer();
    match file.links.iter_mut().find(|known| known["id"] == *link.id) {
        Some(known) => *known = shown,
        None => file.links.insert(0, shown),
    }
    transaction.put(&file)
}

/// Its time is over.
pub(crate) fn expire(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut link: FileLink = transaction.existing(id)?;
    link.expired = true;
    put(transaction, &link)
}
