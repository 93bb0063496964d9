//! Purchases on their way to a session, and the end of those that will never get one.

use crate::{
    config::ConfigError,
    purchase::{Change, Effects, Purchase, SessionId, SessionState},
    store::{
        StoreError, Tables,
        bookkeeping::Bookkeeping,
        purchases::{Purchases, Stored},
        transaction::{Step, Writer},
    },
};

/// Records what becomes of the attempts to open a purchase's session.
#[derive(Clone, Debug)]
pub struct Attempts {
    writer: Writer,
    purchases: Purchases,
    books: Bookkeeping,
}

impl Attempts {
    /// Fails if the environment does not name all of the tables it writes to.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: tables.writer(),
            purchases: Purchases::of(tables)?,
            books: Bookkeeping::of(tables)?,
        })
    }

    /// Begins another attempt in place of the one in `stored`, which leads nowhere, unless another
    /// request has done so already or got a session.
    pub async fn next_attempt(&self, stored: Stored, now: i64) -> Result<Stored, StoreError> {
        let given_up = stored.purchase.attempt().number;
        self.update(stored, now, |purchase| purchase.next_attempt(given_up, now))
            .await
    }

    /// Stores the session that Stripe opened. The purchase it returns has a URL: this session's, or
    /// that of one stored earlier.
    pub async fn attach(
        &self,
        stored: Stored,
        session: &SessionId,
        url: &str,
        now: i64,
    ) -> Result<Stored, StoreError> {
        self.update(stored, now, |purchase| {
            purchase.attach(session.clone(), url)
        })
        .await
    }

    /// Ends a purchase whose current attempt can never be paid, because Stripe refused it for good
    /// or its time ran out without a session, unless another request got one. What it had reserved
    /// goes back into stock.
    pub async fn abandon(&self, stored: Stored, now: i64) -> Result<Stored, StoreError> {
        let ended = stored.purchase.attempt().number;
        self.update(stored, now, |purchase| purchase.abandon(ended))
            .await
    }

    /// Records that a session ended unpaid, as Stripe said when asked. What the purchase had
    /// reserved goes back into stock, unless another of its sessions may still be paid.
    pub async fn expired(
        &self,
        stored: Stored,
        session: &SessionId,
        now: i64,
    ) -> Result<Stored, StoreError> {
        self.update(stored, now, |purchase| {
            purchase.record(Change::Session(session.clone(), SessionState::Expired))
        })
        .await
    }

    /// Changes a purchase; if someone else writes it first, changes what they wrote. `change`
    /// returns `None` if there was nothing to change.
    async fn update(
        &self,
        stored: Stored,
        now: i64,
        change: impl Fn(&mut Purchase) -> Option<Effects>,
    ) -> Result<Stored, StoreError> {
        let id = stored.purchase.id();
        let read = || async {
            let stored = self.purchases.get(id).await?;
            stored.ok_or_else(|| StoreError::Unreadable {
                key: id.to_string(),
                why: "it is gone".to_owned(),
            })
        };
        let decide = |mut stored: Stored| {
            let Some(effects) = change(&mut stored.purchase) else {
                return Ok(Step::Done(stored));
            };
            let parts = self.books.record(&stored, &effects, now)?;
            stored.version = stored.version.saturating_add(1);
            Ok(Step::Write(parts, stored))
        };
        let updated = self.writer.run(Some(stored), read, decide).await?;
        Ok(updated.answer)
    }
}
