//! Fetches from Stripe, on a schedule, what webhooks missed: events that were not delivered, and
//! what became of purchases for which Stripe never made an event. All of it goes through the same
//! inbox and ledger as a delivery, so nothing is done twice. And since it looks at the shop every
//! hour anyway, it tells the seller what is running out.
//!
//! A run may be interrupted at any moment; the next one carries on from the page it had reached.

mod events;
mod findings;
mod match_sessions;
mod run;
mod stock;
mod subscriptions;
mod work;

use std::time::Duration;

use serde_json::Value;
use shared::{
    attempts::Attempts,
    config::{ConfigError, Environment},
    inbox::Inbox,
    ledger::{InvoiceLedger, Ledger},
    readings::Readings,
    store::{
        Tables, invoices::Invoices, purchases::Purchases, shortages::Shortages, sweep::Sweeps,
        work::WorkList,
    },
    stripe::client::Client as Stripe,
    telemetry::Metric,
};
use tokio::{sync::OnceCell, time::Instant};

use crate::run::{Parts, Run};
pub use crate::{
    findings::{Drift, Findings},
    run::{Limits, ReconcileError},
};

/// A scheduled run stops by itself after this long and saves its place: less than the function's
/// time limit in `template.yaml`.
const LONGEST: Duration = Duration::from_secs(270);
/// Events younger than this, in seconds, are left to their delivery, which is still under way.
const UNDER_WAY: i64 = 60;

/// The function as deployed. Its schedule begins before `till setup` has stored a Stripe key, and
/// until then a run does nothing. That is not a failure; `till doctor` says what is missing.
pub struct Scheduled {
    environment: Environment,
    reconcile: OnceCell<Reconcile>,
}

impl Scheduled {
    /// Keeps the environment, which is read once there is a key.
    pub fn new(environment: Environment) -> Self {
        let reconcile = OnceCell::new();
        Self {
            environment,
            reconcile,
        }
    }

    /// A scheduled run.
    pub async fn handle(&self, event: Value) -> Result<Value, ReconcileError> {
        let open = || Reconcile::new(&self.environment);
        match self.reconcile.get_or_try_init(open).await {
            Ok(reconcile) => reconcile.handle(event).await,
            Err(error @ ConfigError::NoSecret { .. }) => {
                tracing::info!(%error, "the shop is not set up yet, so Stripe is not asked");
                Ok(Value::Null)
            }
            Err(error) => {
                tracing::error!(%error, "cannot start");
                Err(error.into())
            }
        }
    }
}

/// The function, once there is a Stripe key.
#[derive(Clone)]
pub struct Reconcile(Parts);

impl Reconcile {
    /// Reads tables and Stripe's key, and fails if one is missing.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        Self::of(&Tables::of(environment)?, environment).await
    }

    /// A dry run: writes nothing, and finds what a real run would record.
    pub async fn dry_run(environment: &Environment) -> Result<Self, ConfigError> {
        Self::of(&Tables::of(environment)?.dry_run(), environment).await
    }

    async fn of(tables: &Tables, environment: &Environment) -> Result<Self, ConfigError> {
        let stripe = Stripe::new(environment)?;
        stripe.ready().await?;
        let (mode, stack) = (environment.mode()?, environment.stack()?);
        Ok(Self(Parts {
            inbox: Inbox::asking(stripe.clone(), tables, environment)?,
            ledger: Ledger::of(tables, mode)?,
            invoice_ledger: InvoiceLedger::of(tables, mode)?,
            readings: Readings::of(stripe.clone(), tables, (mode, stack.clone()))?,
            attempts: Attempts::of(tables)?,
            purchases: Purchases::of(tables)?,
            invoices: Invoices::of(tables)?,
            work: WorkList::of(tables)?,
            sweeps: Sweeps::of(tables)?,
            shortages: Shortages::of(tables, mode)?,
            stripe,
            stack,
            clock: environment.clock(),
        }))
    }

    /// A scheduled run.
    pub async fn handle(&self, _event: Value) -> Result<Value, ReconcileError> {
        let limits = Limits {
            until: Instant::now().checked_add(LONGEST),
            leave_younger_than: UNDER_WAY,
            since: None,
        };
        let findings = self.run(limits, |_| {}).await.inspect_err(|error| {
            tracing::error!(%error, "the reconciliation stopped early");
        })?;
        let metric = Metric::Reconciled.as_str();
        tracing::info!(
            metric,
            events = findings.events,
            purchases = findings.purchases,
            reconcile_found = findings.found,
            reconcile_repaired = findings.found,
            reconcile_parked = findings.parked,
            reconcile_failed = findings.failed,
            complete = findings.complete,
            "reconciled"
        );
        Ok(Value::Null)
    }

    /// One run; `on_step` is told about its progress.
    pub async fn run(
        &self,
        limits: Limits,
        on_step: impl Fn(&Findings) + Sync,
    ) -> Result<Findings, ReconcileError> {
        // Boxed, because the compiler limits how deeply futures are nested.
        Box::pin(through(Run::of(&self.0, limits, &on_step))).await
    }
}

/// Everything that a run checks.
async fn through(mut run: Run<'_>) -> Result<Findings, ReconcileError> {
    // If one of these cannot go on, the others still may. The undelivered events are last, because
    // they are read from the beginning each time.
    let all_events = events::all(&mut run).await;
    let purchases = work::through(&mut run).await;
    let undelivered = events::undelivered(&mut run).await;
    // What has just come back is not short any more.
    let stock = stock::tell(&run).await;
    all_events.and(purchases).and(undelivered).and(stock)?;
    run.findings.complete = !run.out_of_time() && run.findings.failed == 0;
    Ok(run.findings)
}
