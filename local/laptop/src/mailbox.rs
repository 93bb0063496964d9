//! The mailbox on this machine, with every mail that was sent.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::journal::Journal;

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
pub(crate) struct Mailbox(Journal<Mail>);

impl Mailbox {
    /// Opens the file, or a mailbox in memory.
    pub(crate) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        Journal::open("mail", file).map(Self)
    }

    /// Every mail, newest first.
    pub(crate) async fn newest_first(&self) -> anyhow::Result<Vec<Mail>> {
        self.0.newest_first().await
    }

    /// The mail with this message id.
    pub(crate) async fn find(&self, id: &str) -> anyhow::Result<Option<Mail>> {
        let mails = self.newest_first().await?;
        Ok(mails.into_iter().find(|mail| mail.id == id))
    }

    /// Adds a mail.
    pub(crate) async fn keep(&self, mail: &Mail) -> anyhow::Result<()> {
        self.0.keep(mail).await
    }
}
