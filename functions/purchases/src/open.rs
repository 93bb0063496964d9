//! Open purchases at Stripe: what became of one that its buyer looks at, and cancelling one.

use std::time::Duration;

use http::StatusCode;
use shared::{
    attempts::Attempts,
    comparison::{Comparison, ComparisonError},
    config::{ConfigError, Environment, Stack},
    http::Problem,
    ledger::Ledger,
    purchase::{Purchase, SessionId, Status},
    store::{
        Tables,
        looks::Looks,
        purchases::{Purchases, Stored},
    },
    stripe::{
        checkout::{self, OpenedSession},
        client::{Client as Stripe, StripeError},
    },
};

/// Nobody pays within this many seconds of opening a purchase, so Stripe is not asked before.
const SOONEST: i64 = 10;
/// Stripe is asked about a purchase once in this many seconds at most, because the page that a
/// buyer returns to polls every few seconds.
const APART: i64 = 10;
/// How long a buyer waits for Stripe. After that, what is stored is the answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Stripe's side of open purchases.
#[derive(Clone)]
pub(crate) struct OpenPurchases {
    ledger: Ledger,
    attempts: Attempts,
    purchases: Purchases,
    looks: Looks,
    site_url: String,
    stack: Stack,
    stripe: Stripe,
}

impl OpenPurchases {
    pub(crate) fn new(
        tables: &Tables,
        environment: &Environment,
        stripe: Stripe,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            ledger: Ledger::of(tables, environment.mode()?)?,
            attempts: Attempts::of(tables)?,
            purchases: Purchases::of(tables)?,
            looks: Looks::of(tables)?,
            site_url: environment.site_url()?,
            stack: environment.stack()?,
            stripe,
        })
    }

    /// The purchase after asking Stripe, if its event may be late and it is time to ask. Otherwise,
    /// or if anything fails, as it was.
    pub(crate) async fn looked_at(&self, stored: Stored, now: i64) -> Stored {
        let began = stored.purchase.attempt().started_at;
        let may_be_paid = stored.purchase.open_sessions().next().is_some();
        if !may_be_paid || now.saturating_sub(began) < SOONEST {
            return stored;
        }
        let purchase_id = stored.purchase.id();
        match self.looks.claim(purchase_id.into(), now, APART).await {
            Ok(true) => {}
            Ok(false) => return stored,
            Err(error) => {
                tracing::warn!(%purchase_id, %error, "Stripe was not asked about a purchase");
                return stored;
            }
        }
        match tokio::time::timeout(PATIENCE, self.ask(&stored.purchase, now)).await {
            Ok(Ok(Some(asked))) => asked,
            Ok(Ok(None)) => stored,
            Ok(Err(error)) => {
                tracing::warn!(%purchase_id, %error, "Stripe could not be asked about a purchase");
                stored
            }
            Err(_) => {
                tracing::warn!(%purchase_id, "Stripe did not answer in time about a purchase");
                stored
            }
        }
    }

    async fn ask(&self, purchase: &Purchase, now: i64) -> Result<Option<Stored>, ComparisonError> {
        let mut comparison = Comparison::of(purchase.id(), &self.ledger, &self.stripe, now);
        for session in purchase.open_sessions() {
            comparison.session(session).await?;
        }
        for news in comparison.news() {
            let (purchase_id, status) = (purchase.id(), news.status.as_str());
            tracing::info!(%purchase_id, status, "Stripe said something about a purchase that no event had");
        }
        let asked = self.purchases.get(purchase.id()).await;
        Ok(asked?)
    }

    /// Cancels a purchase: its sessions expire, and what it had reserved is returned. Returns it as
    /// it is then.
    pub(crate) async fn cancel(&self, mut stored: Stored, now: i64) -> Result<Stored, Problem> {
        if !stored.purchase.awaits_payment() {
            return cancelled(stored);
        }
        let purchase_id = stored.purchase.id();
        if stored.purchase.open_sessions().next().is_none() {
            stored = self.find_session(stored, now).await?;
        }
        for session in stored.purchase.open_sessions() {
            let ended = self.expire(&stored.purchase, session, now).await;
            ended.inspect_err(|error| {
                tracing::error!(%purchase_id, %error, "a session could not be ended");
            })?;
        }
        let ended = self.purchases.get(purchase_id).await;
        let ended = ended.map_err(|error| Problem::store(&error))?;
        ended.map_or_else(|| Err(Problem::internal()), cancelled)
    }

    /// The purchase with its session, found by repeating its attempt's call. That is the only way
    /// to be sure, because the call's outcome is unknown, or it is still under way. If Stripe
    /// refuses it, there is no session, and never will be.
    async fn find_session(&self, stored: Stored, now: i64) -> Result<Stored, Problem> {
        let opened = checkout::open(
            &self.stripe,
            &stored.purchase,
            &self.site_url,
            self.stack.tag(),
        )
        .await;
        let found = match opened {
            Ok(OpenedSession { id, url }) => self.attempts.attach(stored, &id, &url, now).await,
            Err(error) => {
                let purchase_id = stored.purchase.id();
                tracing::error!(%purchase_id, %error, "the session of a purchase could not be found");
                match error {
                    error if error.is_final() => self.attempts.abandon(stored, now).await,
                    StripeError::Failed(_) => {
                        // Stripe repeats this answer under the same key, so the next try needs
                        // another.
                        let next = self.attempts.next_attempt(stored, now).await;
                        next.map_err(|error| Problem::store(&error))?;
                        return Err(Problem::stripe(&error));
                    }
                    error => return Err(Problem::stripe(&error)),
                }
            }
        };
        found.map_err(|error| Problem::store(&error))
    }

    /// Ends a session and records its state: expired, or whatever it became a moment before.
    async fn expire(
        &self,
        purchase: &Purchase,
        session: &SessionId,
        now: i64,
    ) -> Result<(), ComparisonError> {
        let mut comparison = Comparison::of(purchase.id(), &self.ledger, &self.stripe, now);
        match checkout::expire(&self.stripe, session).await {
            Ok(expired) => comparison.record_session(&expired).await.map(|_| ()),
            Err(error) if error.is_final() => comparison.session(session).await,
            Err(error) => Err(error.into()),
        }
    }
}

/// What became of a purchase that was to be cancelled.
fn cancelled(stored: Stored) -> Result<Stored, Problem> {
    match stored.purchase.status() {
        Status::Expired | Status::Abandoned if !stored.purchase.awaits_payment() => Ok(stored),
        Status::Open | Status::Expired | Status::Abandoned => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "The shop is busy",
            "The purchase is being opened at this moment; please try again.",
        )
        .retry_after(1)),
        status => Err(Problem::new(
            StatusCode::CONFLICT,
            "not-open",
            "The purchase is not open",
            match status {
                Status::Pending => "It cannot be cancelled any more: its payment is on its way.",
                Status::Failed => "There is nothing to cancel: its payment has failed.",
                _ => "It cannot be cancelled any more: it is paid.",
            },
        )),
    }
}
