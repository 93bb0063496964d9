//! One run: what it needs, how long it may take, and what it has found so far.

use std::collections::HashSet;

use shared::{
    attempts::Attempts,
    clock::Clock,
    comparison::{Comparison, News},
    config::{ConfigError, Stack},
    inbox::Inbox,
    ledger::{InvoiceLedger, Ledger},
    purchase::{PurchaseId, Subject},
    readings::Readings,
    standing::Standing,
    store::{
        StoreError, invoices::Invoices, purchases::Purchases, shortages::Shortages, sweep::Sweeps,
        work::WorkList,
    },
    stripe::client::{Client as Stripe, StripeError},
};
use tokio::time::Instant;

use crate::findings::{Drift, Findings};

/// What a run needs.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) inbox: Inbox,
    pub(crate) ledger: Ledger,
    pub(crate) invoice_ledger: InvoiceLedger,
    pub(crate) readings: Readings,
    pub(crate) attempts: Attempts,
    pub(crate) purchases: Purchases,
    pub(crate) invoices: Invoices,
    pub(crate) work: WorkList,
    pub(crate) sweeps: Sweeps,
    pub(crate) shortages: Shortages,
    pub(crate) stripe: Stripe,
    pub(crate) stack: Stack,
    pub(crate) clock: Clock,
}

/// What a run checks, and for how long.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// When to stop and save the place; `None` for no limit.
    pub until: Option<Instant>,
    /// Events younger than this many seconds are left alone.
    pub leave_younger_than: i64,
    /// Checks all events since this time, in Unix seconds, however far earlier runs had come, to
    /// bring back purchases that were lost. Stripe keeps events for 30 days.
    pub since: Option<i64>,
}

/// A run cannot go on; its place is saved.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// It cannot begin.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// DynamoDB failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stripe failed.
    #[error(transparent)]
    Stripe(#[from] StripeError),
}

/// One run, and what it has found so far.
pub(crate) struct Run<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) limits: Limits,
    on_step: &'a (dyn Fn(&Findings) + Sync),
    /// Events that were taken in, because undelivered ones are also listed among all events.
    pub(crate) taken: HashSet<String>,
    pub(crate) findings: Findings,
}

impl<'a> Run<'a> {
    pub(crate) fn of(
        parts: &'a Parts,
        limits: Limits,
        on_step: &'a (dyn Fn(&Findings) + Sync),
    ) -> Self {
        Self {
            parts,
            limits,
            on_step,
            taken: HashSet::new(),
            findings: Findings::default(),
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.parts.clock.now()
    }

    pub(crate) fn out_of_time(&self) -> bool {
        let until = self.limits.until;
        until.is_some_and(|until| Instant::now() >= until)
    }

    pub(crate) fn tell(&self) {
        (self.on_step)(&self.findings);
    }

    pub(crate) fn comparison(&self, id: PurchaseId) -> Comparison<'a> {
        let Parts { ledger, stripe, .. } = self.parts;
        Comparison::of(id, ledger, stripe, self.now())
    }

    /// Notes something that had been missed.
    pub(crate) fn found(
        &mut self,
        source: &str,
        subject: Subject,
        status: Standing,
        action: &'static str,
    ) {
        let findings = &mut self.findings;
        findings.found = findings.found.saturating_add(1);
        findings.drift.push(Drift {
            source: source.to_owned(),
            subject,
            status,
            action,
        });
    }

    pub(crate) fn found_news(&mut self, subject: &Subject, news: Vec<News>) {
        for News { object, status } in news {
            self.found(&object, subject.clone(), status, "record");
        }
    }

    pub(crate) fn left_for_next_time(&mut self, subject: &Subject, error: &impl std::fmt::Display) {
        tracing::error!(%subject, %error, "something could not be checked; the next run tries again");
        self.findings.failed = self.findings.failed.saturating_add(1);
    }
}
