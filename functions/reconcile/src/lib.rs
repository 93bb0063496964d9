//! What webhooks missed, fetched from Stripe on a schedule: events that were not delivered, events
//! that nobody sent, and what became of purchases whose events Stripe never made. All of it goes
//! through the same inbox and ledger as a delivery, so nothing is done twice.
//!
//! A run may be cut off at any moment; the next one carries on from the page it had come to.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use serde::{Deserialize as _, Serialize};
use serde_json::Value;
use shared::{
    comparison::{Comparison, News, Trouble},
    config::{ConfigError, Environment},
    inbox::{Inbox, InboxError, Receipt},
    ledger::{Ledger, Orders},
    purchase::{Line, Purchase, PurchaseId, SessionId, SessionState, Status},
    store::{
        self, StoreError,
        purchases::Stored,
        sweep::{Cursor, Sweep, Sweeps},
    },
    stripe::{
        client::{LONGEST_PAGE, List, StripeError},
        event::{self, Unreadable},
        object::{AboutCharge, LineItem, Session, Tags},
    },
    telemetry::Metric,
};
use tokio::sync::OnceCell;

/// Stripe tries to deliver an event for three days.
const DELIVERIES_LAST: i64 = 4 * DAY;
/// A sweep begins this much before the last one's end: events may be listed late.
const OVERLAP: i64 = 3600;
const DAY: i64 = 24 * 3600;

/// Purchases of the work index that are looked at together.
const BATCH: i32 = 100;

/// A scheduled run stops by itself after this long, with its place noted: less than the function's
/// time limit in `template.yaml`.
const LONGEST: Duration = Duration::from_secs(270);
/// Events younger than this are left to their delivery, which is under way.
const UNDER_WAY: i64 = 60;

/// The function as it is deployed: its schedule begins before `till setup` has stored a Stripe
/// key, and until then a run asks nobody. That is no failure; `till doctor` says what is missing.
pub struct Scheduled {
    environment: Environment,
    reconcile: OnceCell<Reconcile>,
}

impl Scheduled {
    /// For what the environment says when there is a key.
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

/// One that can ask Stripe.
#[derive(Clone)]
pub struct Reconcile {
    inbox: Inbox,
    orders: Orders,
    sweeps: Sweeps,
}

/// How a run is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// When to stop, with the place noted.
    pub until: Option<Instant>,
    /// Events younger than this many seconds are left alone.
    pub leave_younger_than: i64,
    /// From when on all events are looked at, in Unix seconds, wherever earlier runs had come to:
    /// to bring back purchases that were lost. Stripe keeps events for 30 days.
    pub since: Option<i64>,
}

/// What a run found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// Events looked at.
    pub events: u64,
    /// Purchases compared with Stripe.
    pub purchases: u64,
    /// Things that had been missed.
    pub found: u64,
    /// Those among them that are recorded now.
    pub repaired: u64,
    /// Events among them that had to be parked.
    pub parked: u64,
    /// What could not be looked at, and will be the next time.
    pub failed: u64,
    /// Whether everything was looked at.
    pub complete: bool,
    /// What had been missed, one by one.
    pub drift: Vec<Drift>,
}

/// Something that had been missed.
#[derive(Clone, Debug, Serialize)]
pub struct Drift {
    /// The event or object that tells it.
    pub source: String,
    /// The purchase, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase: Option<PurchaseId>,
    /// How the purchase stands with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What was, or would be, done.
    pub action: &'static str,
}

/// A run cannot go on; its place is noted.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// It cannot even begin.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// DynamoDB failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stripe failed.
    #[error(transparent)]
    Stripe(#[from] StripeError),
}

impl Reconcile {
    /// As the environment says.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let dynamodb = store::client(environment)?;
        let products = environment.required("PRODUCTS_TABLE")?;
        let purchases = environment.required("PURCHASES_TABLE")?;
        Ok(Self {
            inbox: Inbox::new(environment).await?,
            orders: Orders::new(dynamodb.clone(), products, purchases),
            sweeps: Sweeps::new(dynamodb, purchases),
        })
    }

    /// One that writes nothing, and finds what a run would repair.
    pub fn dry_run(self) -> Self {
        Self {
            inbox: self.inbox.dry_run(),
            ..self
        }
    }

    /// A scheduled run.
    pub async fn handle(&self, _event: Value) -> Result<Value, ReconcileError> {
        let limits = Limits {
            until: Instant::now().checked_add(LONGEST),
            leave_younger_than: UNDER_WAY,
            since: None,
        };
        let findings = self.run(limits, |_| {}).await.inspect_err(|error| {
            tracing::error!(%error, "the reconciliation is broken off");
        })?;
        let metric = Metric::Reconciled.as_str();
        tracing::info!(
            metric,
            events = findings.events,
            purchases = findings.purchases,
            reconcile_found = findings.found,
            reconcile_repaired = findings.repaired,
            reconcile_parked = findings.parked,
            reconcile_failed = findings.failed,
            complete = findings.complete,
            "reconciled"
        );
        Ok(Value::Null)
    }

    /// One run; `on_step` hears how far it has come.
    pub async fn run(
        &self,
        limits: Limits,
        on_step: impl Fn(&Findings) + Sync,
    ) -> Result<Findings, ReconcileError> {
        let run = Run {
            inbox: &self.inbox,
            orders: &self.orders,
            limits,
            on_step: &on_step,
            taken: HashSet::new(),
            findings: Findings::default(),
        };
        // On the heap: so deep a future is more than the compiler lays out at once.
        Box::pin(run.through(&self.sweeps)).await
    }
}

/// One run.
struct Run<'a> {
    inbox: &'a Inbox,
    orders: &'a Orders,
    limits: Limits,
    on_step: &'a (dyn Fn(&Findings) + Sync),
    /// Events that are taken in: an undelivered one is listed among all, too.
    taken: HashSet<String>,
    findings: Findings,
}

impl<'a> Run<'a> {
    async fn through(mut self, sweeps: &Sweeps) -> Result<Findings, ReconcileError> {
        // What keeps one from going on need not keep the others. The undelivered events are last,
        // because they are read from the beginning each time.
        let all_events = self.all_events(sweeps).await;
        let purchases = self.purchases().await;
        let undelivered = self.undelivered_events().await;
        all_events.and(purchases).and(undelivered)?;
        self.findings.complete = !self.out_of_time() && self.findings.failed == 0;
        Ok(self.findings)
    }

    fn ledger(&self) -> &Ledger {
        self.inbox.ledger()
    }

    fn out_of_time(&self) -> bool {
        self.limits
            .until
            .is_some_and(|until| Instant::now() >= until)
    }

    /// Events whose delivery failed or is still being tried.
    async fn undelivered_events(&mut self) -> Result<(), ReconcileError> {
        let since = store::now().saturating_sub(DELIVERIES_LAST);
        let mut after = None;
        while !self.out_of_time() {
            let page = self.events_page(since, after.as_deref(), true).await?;
            self.take_in(&page.data).await;
            after = page.next();
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// All events since the last run's high-water mark, whatever became of their delivery. The
    /// first run looks back as far as the table is old: what came before is not its own, and a
    /// table that was lost comes back only at a person's word.
    async fn all_events(&mut self, sweeps: &Sweeps) -> Result<(), ReconcileError> {
        let mut cursor = sweeps.load().await?;
        if self.ledger().is_dry_run() || self.limits.since.is_some() {
            // Where a real run had come to says nothing of what there is to find.
            cursor.sweep = None;
        }
        let mut resumed = cursor.sweep.is_some();
        while !self.out_of_time() {
            let from = match &cursor.sweep {
                Some(sweep) => sweep.from,
                None => self.beginning(cursor.high_water).await?,
            };
            let after = cursor.sweep.as_ref().map(|sweep| sweep.after.clone());
            let page = self.events_page(from, after.as_deref(), false).await;
            let page = match page {
                // The event it had come to is forgotten: from the beginning, then.
                Err(StripeError::Refused { .. }) if cursor.sweep.is_some() => {
                    cursor.sweep = None;
                    continue;
                }
                page => page?,
            };
            let all_taken = self.take_in(&page.data).await;
            if self.out_of_time() {
                return Ok(());
            }
            let newest = page.data.iter().filter_map(created).max();
            let begun = cursor.sweep.take();
            let failed = !all_taken || begun.as_ref().is_some_and(|sweep| sweep.failed);
            let newest = begun.map(|sweep| sweep.newest).or(newest);
            match (page.next(), newest) {
                (Some(after), Some(newest)) => {
                    cursor.sweep = Some(Sweep {
                        from,
                        newest,
                        after,
                        failed,
                    });
                    self.note(sweeps, &cursor).await?;
                }
                (_, newest) => {
                    // What could not be taken in is listed again by the next run.
                    if !failed {
                        cursor.high_water = newest.max(cursor.high_water);
                    }
                    self.note(sweeps, &cursor).await?;
                    // A sweep that was begun by an earlier run has not seen what came since.
                    if !std::mem::take(&mut resumed) || failed {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// From when on a sweep looks at events. Whoever says since when can only have it look further
    /// back: what it passed over would not be looked at again.
    async fn beginning(&self, high_water: Option<i64>) -> Result<i64, StoreError> {
        let own = match high_water {
            Some(high_water) => high_water.saturating_sub(OVERLAP),
            None => self.ledger().purchases().made_at().await?,
        };
        Ok(self.limits.since.map_or(own, |since| since.min(own)))
    }

    async fn note(&self, sweeps: &Sweeps, cursor: &Cursor) -> Result<(), ReconcileError> {
        if !self.ledger().is_dry_run() {
            sweeps.save(cursor).await?;
        }
        Ok(())
    }

    async fn events_page(
        &self,
        since: i64,
        after: Option<&str>,
        undelivered: bool,
    ) -> Result<List<Value>, StripeError> {
        let since = since.to_string();
        let mut query = vec![("limit", LONGEST_PAGE), ("created[gte]", &since)];
        query.extend(event::handled().map(|kind| ("types[]", kind)));
        query.extend(after.map(|after| ("starting_after", after)));
        query.extend(undelivered.then_some(("delivery_success", "false")));
        self.inbox.stripe().list("/events", &query).await
    }

    /// Takes a page of events in, the oldest first, as they happened; says whether all were.
    async fn take_in(&mut self, events: &[Value]) -> bool {
        let failed_before = self.findings.failed;
        for event in events.iter().rev() {
            if self.out_of_time() {
                return false;
            }
            let age = store::now().saturating_sub(created(event).unwrap_or_default());
            if (0..self.limits.leave_younger_than).contains(&age) {
                continue;
            }
            let id = event.get("id").and_then(Value::as_str).unwrap_or_default();
            if self.taken.contains(id) {
                continue;
            }
            self.findings.events = self.findings.events.saturating_add(1);
            match self.inbox.take(event.to_string().as_bytes()).await {
                Ok(receipt) => {
                    self.taken.insert(id.to_owned());
                    self.note_receipt(id, &receipt);
                }
                // It was logged where it happened.
                Err(InboxError::Store(_) | InboxError::Stripe(_)) => {
                    self.findings.failed = self.findings.failed.saturating_add(1);
                }
            }
            (self.on_step)(&self.findings);
        }
        self.findings.failed == failed_before
    }

    fn note_receipt(&mut self, event: &str, receipt: &Receipt) {
        match receipt {
            Receipt::Recorded {
                purchase, status, ..
            } => self.found(event, Some(*purchase), Some(*status), "record"),
            Receipt::Parked => {
                self.findings.parked = self.findings.parked.saturating_add(1);
            }
            Receipt::ParkedBefore
            | Receipt::NothingNew
            | Receipt::SeenBefore
            | Receipt::NoSuchPurchase
            | Receipt::Foreign
            | Receipt::Unhandled => {}
        }
    }

    fn found(
        &mut self,
        source: &str,
        purchase: Option<PurchaseId>,
        status: Option<Status>,
        action: &'static str,
    ) {
        self.findings.found = self.findings.found.saturating_add(1);
        if !self.ledger().is_dry_run() {
            self.findings.repaired = self.findings.repaired.saturating_add(1);
        }
        self.findings.drift.push(Drift {
            source: source.to_owned(),
            purchase,
            status,
            action,
        });
    }

    /// Purchases that something is still to come of, compared with what Stripe says of them.
    async fn purchases(&mut self) -> Result<(), ReconcileError> {
        let now = store::now();
        let mut after = None;
        while !self.out_of_time() {
            let purchases = self.ledger().purchases();
            let work = purchases.work(now, BATCH, after.as_ref()).await?;
            let mut without_session = BTreeMap::new();
            for id in work.purchases {
                if self.out_of_time() {
                    break;
                }
                match self.purchase(id).await {
                    Ok(None) => {}
                    Ok(Some(stored)) => _ = without_session.insert(id, stored),
                    Err(trouble) => self.left_for_next_time(id, &trouble),
                }
            }
            self.match_sessions(without_session).await;
            (self.on_step)(&self.findings);
            after = work.next;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn left_for_next_time(&mut self, id: PurchaseId, trouble: &Trouble) {
        tracing::error!(purchase_id = %id, error = %trouble, "a purchase is left for the next run");
        self.findings.failed = self.findings.failed.saturating_add(1);
    }

    /// Compares one purchase. Answers it if no session of it is known.
    async fn purchase(&mut self, id: PurchaseId) -> Result<Option<Stored>, Trouble> {
        let Some(stored) = self.ledger().purchases().get(id).await? else {
            return Ok(None);
        };
        self.findings.purchases = self.findings.purchases.saturating_add(1);
        let purchase = &stored.purchase;
        let is_looked_for = purchase.status() == Status::Open || purchase.doubts > 0;
        if purchase.facts.sessions.is_empty() && is_looked_for {
            return Ok(Some(stored));
        }
        let mut comparison = self.comparison(id);
        let compared = compare(&mut comparison, purchase).await;
        self.found_news(id, comparison.news());
        compared?;
        let lines = match purchase.facts.sessions.keys().next() {
            Some(session) if purchase.order.lines.is_empty() => self.lines(session).await?,
            _ => Vec::new(),
        };
        let doubts = purchase.doubts;
        self.ledger().checked(id, doubts, &lines).await?;
        Ok(None)
    }

    fn comparison(&self, id: PurchaseId) -> Comparison<'a> {
        Comparison::of(id, self.inbox.ledger(), self.inbox.stripe())
    }

    fn found_news(&mut self, id: PurchaseId, news: Vec<News>) {
        for News { object, status } in news {
            self.found(&object, Some(id), Some(status), "record");
        }
    }

    /// What a session sells: the lines of an order that was lost here. Till sells at most 90.
    async fn lines(&self, session: &SessionId) -> Result<Vec<Line>, Trouble> {
        let path = format!("/checkout/sessions/{session}/line_items");
        let query = [("limit", LONGEST_PAGE), ("expand[]", "data.price.product")];
        let page: List<LineItem> = self.inbox.stripe().list(&path, &query).await?;
        Ok(page.data.into_iter().map(Line::from).collect())
    }

    /// Looks for the sessions of purchases that have none: their call to Stripe has no known
    /// outcome. Purchases of about the same time are looked for together.
    async fn match_sessions(&mut self, purchases: BTreeMap<PurchaseId, Stored>) {
        // Stripe's clock need not be ours.
        const CLOCKS_DIFFER: i64 = 300;
        let mut together: Vec<(i64, i64, Vec<Stored>)> = Vec::new();
        // Ids sort by time.
        for (id, stored) in purchases {
            let begun = id.created_at().unix_timestamp();
            let over = stored.purchase.attempt.expires_at.max(begun);
            let begin = begun.saturating_sub(CLOCKS_DIFFER);
            let end = over.saturating_add(CLOCKS_DIFFER);
            match together.last_mut() {
                Some((_, last_end, group)) if begin <= *last_end => {
                    *last_end = end.max(*last_end);
                    group.push(stored);
                }
                _ => together.push((begin, end, vec![stored])),
            }
        }
        for (begin, end, group) in together {
            match self.sessions_between(begin, end, &group).await {
                Ok(Some(sessions)) => {
                    for stored in group {
                        let id = stored.purchase.id;
                        let sessions = sessions.get(&id).map_or(&[][..], Vec::as_slice);
                        if let Err(trouble) = self.matched(stored, sessions).await {
                            self.left_for_next_time(id, &trouble);
                        }
                    }
                }
                Ok(None) => return,
                Err(trouble) => {
                    for stored in group {
                        self.left_for_next_time(stored.purchase.id, &trouble);
                    }
                }
            }
        }
    }

    /// The sessions of some purchases among those that Stripe made in a time; `None` if this run
    /// has no time to look through them.
    async fn sessions_between(
        &self,
        begin: i64,
        end: i64,
        group: &[Stored],
    ) -> Result<Option<BTreeMap<PurchaseId, Vec<Value>>>, Trouble> {
        let (begin, end) = (begin.to_string(), end.to_string());
        let mut found: BTreeMap<PurchaseId, Vec<Value>> = BTreeMap::new();
        let mut after: Option<String> = None;
        while !self.out_of_time() {
            let mut query = vec![
                ("limit", LONGEST_PAGE),
                ("created[gte]", begin.as_str()),
                ("created[lte]", end.as_str()),
                ("expand[]", "data.payment_intent"),
            ];
            query.extend(after.as_deref().map(|after| ("starting_after", after)));
            let page: List<Value> = self
                .inbox
                .stripe()
                .list("/checkout/sessions", &query)
                .await?;
            after = page.next();
            for object in page.data {
                // Only our own have to read: others may be of any shape.
                let tags = object.get("metadata").map(Tags::deserialize);
                let Some(Ok(tags)) = tags else { continue };
                let Ok(Some(id)) = tags.purchase(self.inbox.stack()) else {
                    continue;
                };
                if group.iter().any(|stored| stored.purchase.id == id) {
                    found.entry(id).or_default().push(object);
                }
            }
            if after.is_none() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Records the sessions that were found for a purchase. One that has none, and whose time is
    /// over, is abandoned.
    async fn matched(&mut self, stored: Stored, sessions: &[Value]) -> Result<(), Trouble> {
        let id = stored.purchase.id;
        for session in sessions {
            let session = Session::deserialize(session).map_err(Unreadable::from)?;
            let mut comparison = self.comparison(id);
            let compared = comparison.found_session(&session).await;
            self.found_news(id, comparison.news());
            compared?;
        }
        if !sessions.is_empty() {
            return Ok(());
        }
        let Purchase {
            attempt, doubts, ..
        } = &stored.purchase;
        let (is_over, doubts) = (store::now() >= attempt.is_over_at(), *doubts);
        match stored.purchase.status() {
            Status::Open if is_over => {}
            // It may still get a session. Doubts stay, so that the next run looks again.
            Status::Open if doubts > 0 => return Ok(()),
            // Another look at its end will do. What is not open was rebuilt from a refund or dispute
            // whose session Stripe does not know.
            _ => return Ok(self.ledger().checked(id, doubts, &[]).await?),
        }
        if !self.ledger().is_dry_run() {
            let left = self.orders.abandon(stored).await?;
            if left.purchase.status() != Status::Abandoned {
                // A session came after all.
                return Ok(());
            }
        }
        let (object, status) = (id.to_string(), Status::Abandoned);
        self.found(&object, Some(id), Some(status), "abandon");
        Ok(())
    }
}

fn created(object: &Value) -> Option<i64> {
    object.get("created").and_then(Value::as_i64)
}

/// What is still to come of a purchase, and all of one that something does not fit in.
async fn compare(comparison: &mut Comparison<'_>, purchase: &Purchase) -> Result<(), Trouble> {
    for (session, state) in &purchase.facts.sessions {
        let unfinished = matches!(state, SessionState::Open | SessionState::Pending { .. });
        if unfinished || purchase.doubts > 0 {
            comparison.session_and_what_went_back(session).await?;
        }
    }
    for (refund, known) in &purchase.facts.refunds {
        if known.state.is_unfinished() {
            let path = format!("/refunds/{refund}");
            comparison.about_charge(&path, AboutCharge::refund).await?;
        }
    }
    for (dispute, known) in &purchase.facts.disputes {
        if known.is_unfinished() {
            let path = format!("/disputes/{dispute}");
            comparison.about_charge(&path, AboutCharge::dispute).await?;
        }
    }
    Ok(())
}
