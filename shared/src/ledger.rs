//! The doors through which purchases change: [`Orders`] while one is being opened, [`Ledger`] for
//! what Stripe says of it afterwards. Both read, decide with the pure rules of
//! [`crate::purchase`], and write on condition that nobody wrote meanwhile.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::{Client, types::TransactWriteItem};

use crate::{
    mode::Mode,
    money::Money,
    product::ProductId,
    purchase::{
        Attempt, Attention, Buyer, Change, Effects, Limits, Line, Mail, PaymentIntentId, Purchase,
        PurchaseId, SessionId, SessionState, Status, TooMuch,
    },
    store::{
        self, StoreError, TRIES, Transaction, back_off,
        outbox::Outbox,
        products::Products,
        purchases::{Claim, IdempotentRequest, Purchases, Source, Stored, StoredHolds},
        transact,
    },
    telemetry::Metric,
};

/// Purchases that are being opened.
#[derive(Clone, Debug)]
pub struct Orders {
    client: Client,
    products: Products,
    purchases: Purchases,
}

/// Why a checkout is not carried on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The caller's fault: the key was used for something else.
    #[error("the idempotency key was used for another cart")]
    KeyReused,
    /// Nobody's: others bought what was left.
    #[error("there is not enough left of {0}")]
    SoldOut(ProductId),
    /// The buyer's own: their other requests kept changing what they hold.
    #[error("the same buyer's other requests were faster, {TRIES} times")]
    Rush,
    /// The buyer holds as much as one buyer may.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// Ours.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of an idempotency key.
pub enum Earlier {
    /// Nothing: it is free. If it once stood for a purchase that came to nothing, that one is
    /// named, so that the key can be given to another.
    Free(Option<PurchaseId>),
    /// It stands for this purchase.
    Known(Box<Stored>),
}

impl Orders {
    /// In the given tables.
    pub fn new(client: Client, products: &str, purchases: &str) -> Self {
        Self {
            products: Products::new(client.clone(), products),
            purchases: Purchases::new(client.clone(), purchases),
            client,
        }
    }

    /// What was asked for earlier under the request's key.
    pub async fn earlier(&self, request: &IdempotentRequest) -> Result<Earlier, OpenError> {
        let Some(known) = self.purchases.request(request, store::now()).await? else {
            return Ok(Earlier::Free(None));
        };
        if known.fingerprint != request.fingerprint {
            return Err(OpenError::KeyReused);
        }
        match self.purchases.get(known.purchase_id).await? {
            Some(stored) if !stored.purchase.is_over() => Ok(Earlier::Known(Box::new(stored))),
            _ => Ok(Earlier::Free(Some(known.purchase_id))),
        }
    }

    /// What a buyer holds at this moment.
    pub async fn held_by(&self, subject: &str) -> Result<StoredHolds, StoreError> {
        self.purchases.holds(subject).await
    }

    /// A buyer's purchases that wait for their payment, the newest first.
    pub async fn open_of(&self, subject: &str) -> Result<Vec<Purchase>, StoreError> {
        self.purchases.open_of(subject, store::now()).await
    }

    /// Stores a new purchase, together with the stock it reserves, with what its buyer holds then,
    /// which must be within the limits, and with the request's key if it has one. If another
    /// request with the key was faster, that one's purchase. `held` is what the buyer held before.
    pub async fn open(
        &self,
        purchase: Purchase,
        mut request: Option<(&IdempotentRequest, Option<PurchaseId>)>,
        mut held: StoredHolds,
        limits: Limits,
    ) -> Result<Stored, OpenError> {
        let mut stored = Stored {
            purchase,
            version: 0,
        };
        let buyer = stored.purchase.order.buyer.subject.clone();
        let buyer = buyer.unwrap_or_default();
        let now = store::now();
        let first = held.version;
        for attempt in 1..=TRIES {
            let order = &stored.purchase.order;
            let mut holds = held.holds.clone();
            let hold = stored.purchase.hold();
            let allowed = hold.map_or(Ok(()), |hold| {
                holds.add(stored.purchase.id, hold, limits, now)
            });
            let mut sold_out = None;
            if allowed.is_ok() {
                let mut items = Vec::new();
                for (product, quantity) in order.reserved() {
                    items.push(self.products.reserve(product, quantity)?);
                }
                items.push(self.purchases.put_purchase(&stored, now)?);
                items.push(self.purchases.put_holds(&buyer, &held, holds, now)?);
                if let Some((request, replaced)) = request {
                    let id = stored.purchase.id;
                    let key = self.purchases.put_request(request, id, replaced, now)?;
                    items.push(key);
                }
                match transact(&self.client, items).await? {
                    Transaction::Written => {
                        stored.version = 1;
                        return Ok(stored);
                    }
                    Transaction::Refused(failed) => {
                        let stock = order.reserved().map(|(product, _)| product);
                        sold_out = those_refused(stock, failed).next();
                    }
                }
            }
            // Its own earlier try may have taken the last one.
            if let Some((request, replaced)) = &mut request {
                match self.earlier(request).await? {
                    Earlier::Known(faster) => return Ok(*faster),
                    Earlier::Free(over) => *replaced = over,
                }
            }
            allowed?;
            if let Some(product) = sold_out {
                return Err(OpenError::SoldOut(product.clone()));
            }
            back_off(attempt).await;
            held = self.held_by(&buyer).await?;
        }
        Err(match held.version == first {
            true => StoreError::Contended(TRIES).into(),
            false => OpenError::Rush,
        })
    }

    /// Begins another attempt in place of the one in `stored`, which leads nowhere; unless others
    /// did, or got a session.
    pub async fn next_attempt(&self, stored: Stored) -> Result<Stored, StoreError> {
        let given_up = stored.purchase.attempt.number;
        self.update(stored, |purchase, now| {
            let current = &purchase.attempt;
            if current.number != given_up || current.url.is_some() || purchase.abandoned {
                return None;
            }
            Some(purchase.attempt_again(now))
        })
        .await
    }

    /// Stores the session that Stripe opened. The purchase it answers has a URL: that of this
    /// session, or of another that was stored before.
    pub async fn attach(
        &self,
        stored: Stored,
        session: &SessionId,
        url: &str,
    ) -> Result<Stored, StoreError> {
        self.update(stored, |purchase, _| {
            let held = purchase.hold();
            let mut news = purchase
                .facts
                .merge(Change::Session(session.clone(), SessionState::Open));
            if purchase.attempt.url.is_none() {
                purchase.attempt.url = Some(url.to_owned());
                news = true;
            }
            news.then(|| Effects {
                hold_changed: purchase.hold() != held,
                ..Effects::default()
            })
        })
        .await
    }

    /// Ends a purchase of whose current attempt no session can be paid, because Stripe refused it
    /// for good or its time is over without one; unless others got one. What it had reserved goes
    /// back to the stock.
    pub async fn abandon(&self, stored: Stored) -> Result<Stored, StoreError> {
        let ended = stored.purchase.attempt.number;
        self.update(stored, |purchase, _| {
            if purchase.attempt.number == ended {
                purchase.abandon()
            } else {
                None
            }
        })
        .await
    }

    /// Notes that a session ended unpaid, as Stripe said when it was asked. What the purchase had
    /// reserved goes back to the stock, unless another session of it may still be paid.
    pub async fn expired(&self, stored: Stored, session: &SessionId) -> Result<Stored, StoreError> {
        self.update(stored, |purchase, _| {
            purchase.record(Change::Session(session.clone(), SessionState::Expired))
        })
        .await
    }

    /// Changes a purchase: again on what others wrote, if they were faster. `change` gets the time
    /// in Unix seconds, and answers `None` if it changed nothing.
    async fn update(
        &self,
        mut stored: Stored,
        change: impl Fn(&mut Purchase, i64) -> Option<Effects>,
    ) -> Result<Stored, StoreError> {
        let (mut unlimited, mut conflicts) = (BTreeSet::new(), 0_u32);
        for attempt in 1..=TRIES {
            let now = store::now();
            let Some(effects) = change(&mut stored.purchase, now) else {
                return Ok(stored);
            };
            let mut items = vec![self.purchases.put_purchase(&stored, now)?];
            let returned = still_limited(effects.returned, &unlimited);
            for (product, quantity) in &returned {
                items.push(self.products.give_back(product, *quantity)?);
            }
            if effects.hold_changed && conflicts < HOLD_GIVES_WAY {
                items.extend(self.purchases.note_hold(&stored.purchase, now)?);
            }
            match transact(&self.client, items).await? {
                Transaction::Written => {
                    stored.version = stored.version.saturating_add(1);
                    return Ok(stored);
                }
                Transaction::Refused(failed) => {
                    conflicts = conflicts.saturating_add(u32::from(!failed.contains(&true)));
                    let failed = failed.into_iter().skip(1);
                    unlimited.extend(those_refused(returned, failed).map(|(product, _)| product));
                }
            }
            back_off(attempt).await;
            let id = stored.purchase.id;
            stored = self
                .purchases
                .get(id)
                .await?
                .ok_or_else(|| StoreError::Unreadable {
                    key: id.to_string(),
                    why: "it is gone".to_owned(),
                })?;
        }
        Err(StoreError::Contended(TRIES))
    }
}

/// After so many conflicts with other transactions, what a buyer holds is left as it is: their own
/// requests may be in the way, and must not hold up what happened. It counts until its time is over.
const HOLD_GIVES_WAY: u32 = 2;

/// What can be given back: the seller may have deleted a product, or taken its limit away.
fn still_limited(
    mut returned: Vec<(ProductId, u32)>,
    unlimited: &BTreeSet<ProductId>,
) -> Vec<(ProductId, u32)> {
    returned.retain(|(product, _)| !unlimited.contains(product));
    returned
}

/// Those whose condition failed.
fn those_refused<T>(
    items: impl IntoIterator<Item = T>,
    failed: impl IntoIterator<Item = bool>,
) -> impl Iterator<Item = T> {
    items
        .into_iter()
        .zip(failed)
        .filter_map(|(item, failed)| failed.then_some(item))
}

/// Whether a usable attempt is under way, or another must begin first.
pub fn needs_another_attempt(attempt: &Attempt) -> bool {
    attempt.url.is_none() && !attempt.is_usable(store::now())
}

/// Records what Stripe says.
#[derive(Clone, Debug)]
pub struct Ledger {
    client: Client,
    products: Products,
    purchases: Purchases,
    outbox: Outbox,
    mode: Mode,
    dry_run: bool,
}

/// What an event, or an object that was fetched, says of a purchase.
#[derive(Clone, Debug)]
pub struct Report {
    /// Where it comes from.
    pub source: Source,
    /// Whose purchase.
    pub purchase: PurchaseId,
    /// What changed.
    pub change: Change,
    /// The payment intent, where there is one: refunds and disputes name nothing else.
    pub payment_intent: Option<PaymentIntentId>,
    /// What a lost purchase can be rebuilt from.
    pub origin: Option<(Buyer, Money)>,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It told something new: how the purchase stands now, and what a person should look at.
    Recorded(Status, BTreeSet<Attention>),
    /// It told nothing new; if it is an event, its claim says so from now on.
    NothingNew,
    /// This very event was recorded before.
    SeenBefore,
    /// There is no such purchase, and the report gives no reason to rebuild it.
    NoSuchPurchase,
}

fn call_attention(purchase: PurchaseId, outcome: &Outcome) {
    if let Outcome::Recorded(_, attention) = outcome
        && !attention.is_empty()
    {
        let metric = Metric::Attention.as_str();
        tracing::warn!(metric, purchase_id = %purchase, ?attention, "a purchase needs a person's attention");
    }
}

/// The items of a transaction, by what a refusal of each means.
enum Part {
    Claim,
    Purchase,
    Pointer,
    Mail(Mail),
    Superseded,
    Stock(ProductId),
    Hold,
}

impl Ledger {
    /// In the given tables.
    pub fn new(client: Client, products: &str, purchases: &str, outbox: &str, mode: Mode) -> Self {
        Self {
            products: Products::new(client.clone(), products),
            purchases: Purchases::new(client.clone(), purchases),
            outbox: Outbox::new(client.clone(), outbox),
            client,
            mode,
            dry_run: false,
        }
    }

    /// One that writes nothing, and answers what would be recorded.
    pub fn dry_run(self) -> Self {
        Self {
            dry_run: true,
            ..self
        }
    }

    /// Whether it writes nothing.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// The purchases it keeps.
    pub fn purchases(&self) -> &Purchases {
        &self.purchases
    }

    /// Records a report: all of its effects in one transaction, or, if it fails, none. The same
    /// report may come as often as it likes, in any order with others and at the same time.
    pub async fn record(&self, report: &Report) -> Result<Outcome, StoreError> {
        // Parts whose effect cannot be had any more, and must not hold up the others: mails with a
        // row left by a purchase that was lost since, stock that is not limited any more.
        let (mut in_outbox, mut unlimited) = (BTreeSet::new(), BTreeSet::new());
        let mut conflicts = 0_u32;
        for attempt in 1..=TRIES {
            let Some(mut stored) = self.find_or_rebuild(report).await? else {
                return Ok(Outcome::NoSuchPurchase);
            };
            if let Some((buyer, _)) = &report.origin {
                stored.purchase.learn_buyer(buyer);
            }
            let effects = stored.purchase.record(report.change.clone());
            let outcome = match &effects {
                Some(_) => Outcome::Recorded(stored.purchase.status(), stored.purchase.attention()),
                None => Outcome::NothingNew,
            };
            let is_event = matches!(report.source, Source::Event { .. });
            if effects.is_none() && !is_event {
                return Ok(outcome);
            }
            if self.dry_run {
                let claimed = self.purchases.is_claimed(report.purchase, &report.source);
                return Ok(if claimed.await? {
                    Outcome::SeenBefore
                } else {
                    outcome
                });
            }
            let mut parts = self.parts(report, &stored, effects)?;
            parts.retain(|(part, _)| match part {
                Part::Mail(mail) => !in_outbox.contains(mail),
                Part::Stock(product) => !unlimited.contains(product),
                Part::Hold => conflicts < HOLD_GIVES_WAY,
                _ => true,
            });
            let (parts, items): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let Transaction::Refused(failed) = transact(&self.client, items).await? else {
                call_attention(report.purchase, &outcome);
                return Ok(outcome);
            };
            conflicts = conflicts.saturating_add(u32::from(!failed.contains(&true)));
            for part in those_refused(parts, failed) {
                match part {
                    Part::Claim => return Ok(Outcome::SeenBefore),
                    Part::Mail(mail) => _ = in_outbox.insert(mail),
                    Part::Stock(product) => _ = unlimited.insert(product),
                    Part::Purchase | Part::Pointer | Part::Superseded | Part::Hold => {}
                }
            }
            back_off(attempt).await;
        }
        Err(StoreError::Contended(TRIES))
    }

    /// What is written of a report. One that told nothing new leaves only its claim; facts only
    /// grow, so that stays right whatever others write.
    fn parts(
        &self,
        report: &Report,
        stored: &Stored,
        effects: Option<Effects>,
    ) -> Result<Vec<(Part, TransactWriteItem)>, StoreError> {
        let now = store::now();
        let purchase = &stored.purchase;
        let claim = Claim {
            stored,
            source: &report.source,
            changed: effects.is_some(),
        };
        let mut parts = vec![(Part::Claim, self.purchases.put_claim(claim, now)?)];
        let points = effects.is_some() || matches!(report.change, Change::ChargeRefunded(_));
        if let Some(intent) = report.payment_intent.as_ref().filter(|_| points) {
            let pointer = self.purchases.put_pointer(intent, purchase.id)?;
            parts.push((Part::Pointer, pointer));
        }
        let Some(effects) = effects else {
            return Ok(parts);
        };
        parts.push((Part::Purchase, self.purchases.put_purchase(stored, now)?));
        for mail in effects.due {
            let row = self.outbox.put(purchase, &mail, self.mode, now)?;
            parts.push((Part::Mail(mail), row));
        }
        for mail in effects.superseded {
            let row = self.outbox.supersede(purchase, &mail, now)?;
            parts.push((Part::Superseded, row));
        }
        for (product, quantity) in effects.returned {
            let stock = self.products.give_back(&product, quantity)?;
            parts.push((Part::Stock(product), stock));
        }
        if effects.hold_changed {
            let hold = self.purchases.note_hold(purchase, now)?;
            parts.extend(hold.map(|hold| (Part::Hold, hold)));
        }
        Ok(parts)
    }

    /// Notes that a purchase was compared with what Stripe says, all of which is recorded: it need
    /// not be looked at again before its next check is due, unless there are more `doubts` by now
    /// than when the comparison began. `lines` are those of an order that was rebuilt without any.
    pub async fn checked(
        &self,
        id: PurchaseId,
        doubts: u32,
        lines: &[Line],
    ) -> Result<(), StoreError> {
        for attempt in 1..=TRIES {
            let Some(mut stored) = self.purchases.get(id).await? else {
                return Ok(());
            };
            if stored.purchase.doubts == doubts {
                stored.purchase.doubts = 0;
            }
            if stored.purchase.order.lines.is_empty() {
                stored.purchase.order.lines = lines.to_vec();
            }
            let put = self.purchases.put_purchase(&stored, store::now())?;
            if self.dry_run {
                return Ok(());
            }
            if let Transaction::Written = transact(&self.client, vec![put]).await? {
                return Ok(());
            }
            back_off(attempt).await;
        }
        Err(StoreError::Contended(TRIES))
    }

    /// Takes a person's word that a purchase, though it had to be rebuilt, is the shop's own: its
    /// mails go from now on, those that were held first. Answers how many those are; `None` if
    /// there is no such purchase.
    pub async fn confirm(&self, id: PurchaseId) -> Result<Option<u32>, StoreError> {
        for attempt in 1..=TRIES {
            let Some(mut stored) = self.purchases.get(id).await? else {
                return Ok(None);
            };
            let now = store::now();
            if stored.purchase.is_only_rebuilt() {
                stored.purchase.confirmed = true;
                let put = self.purchases.put_purchase(&stored, now)?;
                if let Transaction::Refused(_) = transact(&self.client, vec![put]).await? {
                    back_off(attempt).await;
                    continue;
                }
            }
            // Nobody writes a held row from here on. Whoever is cut off here may say it again.
            let mut released = 0_u32;
            for mail in &stored.purchase.mails {
                let was_held = self.outbox.release(&stored.purchase, mail, now).await?;
                released = released.saturating_add(u32::from(was_held));
            }
            return Ok(Some(released));
        }
        Err(StoreError::Contended(TRIES))
    }

    async fn find_or_rebuild(&self, report: &Report) -> Result<Option<Stored>, StoreError> {
        if let Some(stored) = self.purchases.get(report.purchase).await? {
            return Ok(Some(stored));
        }
        let money_moved = match report.change {
            Change::Session(_, SessionState::Settled { .. })
            | Change::Refund(..)
            | Change::Dispute(..) => true,
            Change::Session(..) | Change::ChargeRefunded(_) => false,
        };
        let origin = report.origin.clone().filter(|_| money_moved);
        Ok(origin.map(|(buyer, total)| Stored {
            purchase: Purchase::rebuilt(report.purchase, buyer, total),
            version: 0,
        }))
    }
}
