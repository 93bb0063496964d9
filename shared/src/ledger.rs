//! The doors through which purchases change: [`Orders`] while one is being opened, [`Ledger`] for
//! what Stripe says of it afterwards. Both read, decide with the pure rules of
//! [`crate::purchase`], and write on condition that nobody wrote meanwhile.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;

use crate::{
    config::Mode,
    money::Money,
    purchase::{
        Attempt, Attention, Buyer, Change, Mail, PaymentIntentId, Purchase, PurchaseId, SessionId,
        SessionState, Status,
    },
    store::{
        self, StoreError, TRIES, Transaction, back_off,
        outbox::Outbox,
        purchases::{Claim, IdempotentRequest, Purchases, Stored},
        transact,
    },
};

/// Purchases that are being opened.
#[derive(Clone, Debug)]
pub struct Orders {
    client: Client,
    purchases: Purchases,
}

/// Why a checkout is not carried on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The caller's fault: the key was used for something else.
    #[error("the idempotency key was used for another cart")]
    KeyReused,
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
    /// In the table `table`.
    pub fn new(client: Client, table: &str) -> Self {
        Self {
            purchases: Purchases::new(client.clone(), table),
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

    /// Stores a new purchase, together with the request's key if it has one. If another request
    /// with the key was faster, that one's purchase.
    pub async fn open(
        &self,
        purchase: Purchase,
        mut request: Option<(&IdempotentRequest, Option<PurchaseId>)>,
    ) -> Result<Stored, OpenError> {
        let mut stored = Stored {
            purchase,
            version: 0,
        };
        let now = store::now();
        for attempt in 1..=TRIES {
            let mut items = vec![self.purchases.put_purchase(&stored, now)?];
            if let Some((request, replaced)) = request {
                items.push(self.purchases.put_request(
                    request,
                    stored.purchase.id,
                    replaced,
                    now,
                )?);
            }
            match transact(&self.client, items).await? {
                Transaction::Written => {
                    stored.version = 1;
                    return Ok(stored);
                }
                Transaction::Refused(_) => {
                    if let Some((request, replaced)) = &mut request {
                        match self.earlier(request).await? {
                            Earlier::Known(faster) => return Ok(*faster),
                            Earlier::Free(over) => *replaced = over,
                        }
                    }
                    back_off(attempt).await;
                }
            }
        }
        Err(StoreError::Contended(TRIES).into())
    }

    /// Begins another attempt in place of the one in `stored`, which leads nowhere; unless others
    /// did, or got a session.
    pub async fn next_attempt(&self, stored: Stored) -> Result<Stored, StoreError> {
        let given_up = stored.purchase.attempt.number;
        self.update(stored, |purchase, now| {
            let current = &purchase.attempt;
            if current.number != given_up || current.url.is_some() {
                return false;
            }
            purchase.attempt = current.next(now);
            true
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
            let known = purchase
                .facts
                .merge(Change::Session(session.clone(), SessionState::Open));
            if purchase.attempt.url.is_none() {
                purchase.attempt.url = Some(url.to_owned());
                return true;
            }
            known
        })
        .await
    }

    /// Ends a purchase whose session Stripe refused for good; unless others got one.
    pub async fn abandon(&self, stored: Stored) -> Result<Stored, StoreError> {
        let refused = stored.purchase.attempt.number;
        self.update(stored, |purchase, _| {
            let untouched =
                purchase.attempt.number == refused && purchase.facts.sessions.is_empty();
            let abandons = untouched && !purchase.abandoned;
            purchase.abandoned |= untouched;
            abandons
        })
        .await
    }

    /// Changes a purchase: again on what others wrote, if they were faster. `change` says whether
    /// it changed anything; it gets the time in Unix seconds.
    async fn update(
        &self,
        mut stored: Stored,
        change: impl Fn(&mut Purchase, i64) -> bool,
    ) -> Result<Stored, StoreError> {
        for attempt in 1..=TRIES {
            let now = store::now();
            if !change(&mut stored.purchase, now) {
                return Ok(stored);
            }
            let put = vec![self.purchases.put_purchase(&stored, now)?];
            if let Transaction::Written = transact(&self.client, put).await? {
                stored.version = stored.version.saturating_add(1);
                return Ok(stored);
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

/// Whether a usable attempt is under way, or another must begin first.
pub fn needs_another_attempt(attempt: &Attempt) -> bool {
    attempt.url.is_none() && !attempt.is_usable(store::now())
}

/// Records what Stripe says.
#[derive(Clone, Debug)]
pub struct Ledger {
    client: Client,
    purchases: Purchases,
    outbox: Outbox,
    mode: Mode,
}

/// What an event says of a purchase.
#[derive(Clone, Debug)]
pub struct Report {
    /// The event's id, `evt_…`.
    pub event: String,
    /// The event's type.
    pub kind: String,
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
    /// It told nothing new; now its claim says so.
    NothingNew,
    /// This very event was recorded before.
    SeenBefore,
    /// There is no such purchase, and the report gives no reason to rebuild it.
    NoSuchPurchase,
}

impl Ledger {
    /// In the given tables.
    pub fn new(client: Client, purchases: &str, outbox: &str, mode: Mode) -> Self {
        Self {
            purchases: Purchases::new(client.clone(), purchases),
            outbox: Outbox::new(client.clone(), outbox),
            client,
            mode,
        }
    }

    /// Records a report: all of its effects in one transaction, or, if it fails, none. The same
    /// report may come as often as it likes, in any order with others and at the same time.
    pub async fn record(&self, report: &Report) -> Result<Outcome, StoreError> {
        let mut in_outbox = BTreeSet::new();
        for attempt in 1..=TRIES {
            let Some(mut stored) = self.find_or_rebuild(report).await? else {
                return Ok(Outcome::NoSuchPurchase);
            };
            let effects = stored.purchase.record(report.change.clone());
            let claim = Claim {
                purchase: &stored.purchase,
                event: &report.event,
                kind: &report.kind,
                changed: effects.is_some(),
            };
            let now = store::now();
            let Some(effects) = effects else {
                // Facts only grow, so this holds whatever others write meanwhile.
                let claim = vec![self.purchases.put_claim(claim, now)?];
                match transact(&self.client, claim).await? {
                    Transaction::Written => return Ok(Outcome::NothingNew),
                    Transaction::Refused(conditions) if conditions.first() == Some(&true) => {
                        return Ok(Outcome::SeenBefore);
                    }
                    Transaction::Refused(_) => back_off(attempt).await,
                }
                continue;
            };
            let purchase = &stored.purchase;
            let mut items = vec![
                self.purchases.put_claim(claim, now)?,
                self.purchases.put_purchase(&stored, now)?,
            ];
            if let Some(intent) = &report.payment_intent {
                items.push(self.purchases.put_pointer(intent, purchase.id)?);
            }
            let before_mails = items.len();
            let due: Vec<Mail> = effects.due.difference(&in_outbox).copied().collect();
            for mail in &due {
                items.push(self.outbox.put(purchase, *mail, self.mode, now)?);
            }
            for mail in effects.superseded {
                items.push(self.outbox.supersede(purchase, mail, now)?);
            }
            match transact(&self.client, items).await? {
                Transaction::Written => {
                    return Ok(Outcome::Recorded(purchase.status(), purchase.attention()));
                }
                Transaction::Refused(conditions) if conditions.first() == Some(&true) => {
                    return Ok(Outcome::SeenBefore);
                }
                Transaction::Refused(conditions) => {
                    // A row left by a purchase that was lost since: its mail is not due again,
                    // and must not keep the payment from being recorded.
                    let refused = conditions.iter().skip(before_mails);
                    let refused = due.iter().zip(refused).filter(|(_, failed)| **failed);
                    in_outbox.extend(refused.map(|(mail, _)| *mail));
                    back_off(attempt).await;
                }
            }
        }
        Err(StoreError::Contended(TRIES))
    }

    async fn find_or_rebuild(&self, report: &Report) -> Result<Option<Stored>, StoreError> {
        if let Some(stored) = self.purchases.get(report.purchase).await? {
            return Ok(Some(stored));
        }
        let settled = matches!(
            report.change,
            Change::Session(_, SessionState::Settled { .. })
        );
        let origin = report.origin.clone().filter(|_| settled);
        Ok(origin.map(|(buyer, total)| Stored {
            purchase: Purchase::rebuilt(report.purchase, buyer, total),
            version: 0,
        }))
    }
}
