//! The world that an account lives in: its time, its faults, what it begins with and goes back to.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::span::Span;
use super::{ControlError, Controlled};
use crate::account::object::Account;
use crate::account::shown;
use crate::cli::feed;
use crate::engine::clock;
use crate::engine::faults::PlannedFault;
use crate::engine::resource::Object as _;
use crate::engine::time::{DAY, Timestamp};
use crate::seed::Seed;
use crate::subscription::follow::AfterRetries;
use crate::subscription::object::Subscription;
use crate::webhook::event::Event;

/// Far enough for everything that takes time.
const MOST_SECONDS: i64 = 366 * DAY;

/// The stand-in's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Clock {
    /// Seconds since 1970.
    pub now: i64,
    /// Of these, how many the machine's own clock has not seen.
    pub ahead: i64,
}

/// The stand-in's time after it was moved, and what happened on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Moved {
    #[serde(flatten)]
    clock: Clock,
    /// Oldest first.
    happened: Vec<Happened>,
}

/// An event, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Happened {
    /// When, in seconds since 1970 by the clock in whose time it happened.
    at: Timestamp,
    #[serde(rename = "type")]
    event_type: String,
    /// The id of what it is about.
    object: String,
    /// How much that is about, such as `$19.00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    /// The subscription that it is, or that is billed with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<String>,
    /// Its status, if that is what changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    became: Option<String>,
}

/// What an account's settings say of its subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Billing {
    after_retries: AfterRetries,
}

impl Account {
    /// The stand-in's time.
    pub async fn clock(&self) -> Controlled<Clock> {
        self.command(|transaction| {
            Ok(Clock {
                now: transaction.now,
                ahead: clock::ahead(transaction.sql)?,
            })
        })
        .await
    }

    /// What becomes of a subscription when every retry of a payment has failed.
    pub(super) async fn billing(&self) -> Controlled<Billing> {
        self.command(|transaction| {
            Ok(Billing {
                after_retries: AfterRetries::of(transaction)?,
            })
        })
        .await
    }

    /// Says what is to become of it.
    pub(super) async fn set_billing(&self, billing: Billing) -> Controlled<Billing> {
        self.command(move |transaction| Ok(billing.after_retries.keep(transaction)?))
            .await?;
        Ok(billing)
    }

    /// Moves time forward: sessions expire, tries fall due, subscriptions renew, keys are forgotten.
    pub(crate) async fn advance_clock(&self, span: Span) -> Controlled<Moved> {
        let set_out = self.command(move |transaction| {
            let seconds = span.after(transaction.now).saturating_sub(transaction.now);
            if !(0..=MOST_SECONDS).contains(&seconds) {
                let reason = format!("advance must be between 0 and {MOST_SECONDS} seconds");
                return Err(ControlError::Refused(reason));
            }
            clock::advance(transaction.sql, seconds)?;
            Ok(feed::newest(transaction)?)
        });
        let set_out = set_out.await?;
        // Reading the time lets happen what it has made due.
        let clock = self.clock().await?;
        let happened = self.command(move |transaction| {
            let events = feed::all_behind(transaction, set_out)?;
            Ok(events.into_iter().map(Happened::of).collect())
        });
        let happened = happened.await?;
        Ok(Moved { clock, happened })
    }

    /// By how many seconds the stand-in's time is ahead of the machine's, as it was last read.
    pub fn ahead(&self) -> i64 {
        self.0.ahead.load(Ordering::Relaxed)
    }

    /// Plans a fault. Returns it as it was understood.
    pub(crate) fn plan_fault(&self, fault: PlannedFault) -> Controlled<PlannedFault> {
        let planned = self.0.faults.plan(fault).map_err(ControlError::Refused)?;
        self.0.news.send_replace(());
        Ok(planned)
    }

    /// The faults still to come.
    pub(crate) fn faults(&self) -> Vec<PlannedFault> {
        self.0.faults.all()
    }

    /// Takes all faults away.
    pub(crate) fn clear_faults(&self) {
        self.0.faults.clear();
        self.0.news.send_replace(());
    }

    /// Makes the calls of a seed.
    pub(super) async fn sow(&self, seed: Seed) -> Controlled<()> {
        let settings = Arc::clone(&self.0.settings);
        self.command(move |transaction| Ok(seed.sow(transaction, &settings)?))
            .await
    }

    /// Keeps a copy of everything.
    pub(crate) async fn take_snapshot(&self, name: &str) -> Controlled<()> {
        if name.is_empty() {
            let reason = "a snapshot needs a name that is not empty";
            return Err(ControlError::Refused(reason.to_owned()));
        }
        let (account, name) = (self.clone(), name.to_owned());
        blocking(move || account.0.snapshots.take(&account.0.database, &name)).await?;
        self.0.news.send_replace(());
        Ok(())
    }

    /// Brings back what was copied.
    pub(crate) async fn restore_snapshot(&self, name: &str) -> Controlled<()> {
        let (account, wanted) = (self.clone(), name.to_owned());
        let restore = move || account.0.snapshots.restore(&account.0.database, &wanted);
        let restored = blocking(restore).await?;
        self.0.changed.notify_one();
        let newest = self.command(|transaction| Ok(feed::newest(transaction)?));
        self.0.settings.listeners.go_back_to(newest.await?);
        self.0.news.send_replace(());
        match restored {
            true => Ok(()),
            false => Err(no_snapshot(name.to_owned())),
        }
    }

    /// Forgets a copy.
    pub(crate) fn forget_snapshot(&self, name: &str) -> Controlled<()> {
        let forgotten = self.0.snapshots.forget(name);
        self.0.news.send_replace(());
        match forgotten {
            true => Ok(()),
            false => Err(no_snapshot(name.to_owned())),
        }
    }
}

impl Happened {
    fn of(event: Event) -> Self {
        let object = &event.data.object;
        let text = |pointer: &str| Some(object.pointer(pointer)?.as_str()?.to_owned());
        let id = text("/id").unwrap_or_default();
        let changed = event.data.previous_attributes.as_ref();
        let is_subscription = object
            .get("object")
            .is_some_and(|it| it == Subscription::KIND);
        Self {
            at: event.created,
            amount: shown::amount(object),
            subscription: match is_subscription {
                true => Some(id.clone()),
                false => text("/parent/subscription_details/subscription"),
            },
            became: changed
                .and_then(|changed| changed.get("status"))
                .and_then(|_| text("/status")),
            object: id,
            event_type: event.event_type,
        }
    }
}

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> Controlled<T> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(anyhow::Error::new)??)
}

fn no_snapshot(name: String) -> ControlError {
    ControlError::NoSuch {
        kind: "snapshot",
        id: name,
    }
}
