//! Everything in one line: what happened to a purchase or a subscription, in the order in which the shop
//! recorded it.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::clock::rfc3339;
use shared::money::Money;
use shared::purchase::{Attempt, InvoiceId, Parcel, ParcelId, Payment, SessionId};
use shared::store::operator::RecordedEvent;
use shared::store::outbox::{Row, State};
use shared::store::publications::EventRow;

/// Something that happened.
#[derive(Debug, Serialize)]
pub(super) struct Moment {
    /// When; absent if nobody has noted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip)]
    order: (i64, u8),
    /// The invoice it is about, in the story of a subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<InvoiceId>,
    #[serde(flatten)]
    what: What,
}

/// What happened. Variants are in the order of those that were recorded in the same second.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum What {
    /// A buyer asked to pay.
    Request { id: String },
    /// The latest call to open a session began.
    Attempt {
        number: u32,
        /// Under which Stripe does it once.
        idempotency_key: String,
        expires_at: String,
        sessions: Vec<String>,
    },
    /// An invoice was made.
    Invoice {
        id: String,
        amount: Money,
        state: &'static str,
    },
    /// Something of Stripe's, or the seller's, was recorded.
    Event {
        id: String,
        #[serde(rename = "type")]
        event_type: String,
        changed: bool,
        /// What it was about stood so before, and stands so since.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        status: String,
        version: u64,
    },
    /// Money went back, or was to.
    Refund {
        id: String,
        state: String,
        amount: Money,
    },
    /// A bank asked, or took the money.
    Dispute {
        id: String,
        state: String,
        amount: Money,
    },
    /// The seller sent something, or did what was to be done.
    Parcel {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        carrier: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// Other systems were to be told, or were.
    Publication {
        id: String,
        event: String,
        #[serde(flatten)]
        progress: Progress,
    },
    /// A mail was to be sent, or was.
    Mail {
        id: String,
        mail: String,
        #[serde(flatten)]
        progress: Progress,
    },
}

/// How far something in the outbox had come.
#[derive(Debug, Serialize)]
pub(super) struct Progress {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
}

impl What {
    fn rank(&self) -> u8 {
        match self {
            Self::Request { .. } => 0,
            Self::Attempt { .. } => 1,
            Self::Invoice { .. } => 2,
            Self::Event { .. } => 3,
            Self::Refund { .. } | Self::Dispute { .. } | Self::Parcel { .. } => 4,
            Self::Publication { .. } => 5,
            Self::Mail { .. } => 6,
        }
    }
}

/// A time line in the making.
#[derive(Default)]
pub(super) struct Timeline {
    moments: Vec<Moment>,
    /// The invoice that is being told of.
    pub(super) invoice: Option<InvoiceId>,
}

impl Timeline {
    /// In the order of time; what has no time comes last.
    pub(super) fn in_order(mut self) -> Vec<Moment> {
        self.moments.sort_by_key(|moment| moment.order);
        self.moments
    }

    pub(super) fn add(&mut self, at: Option<i64>, what: What) {
        self.moments.push(Moment {
            at: at.map(rfc3339),
            order: (at.unwrap_or(i64::MAX), what.rank()),
            invoice: self.invoice.clone(),
            what,
        });
    }

    pub(super) fn attempt<'a>(
        &mut self,
        purchase: &str,
        attempt: &Attempt,
        sessions: impl Iterator<Item = &'a SessionId>,
    ) {
        let what = What::Attempt {
            number: attempt.number,
            idempotency_key: format!("{purchase}:{}", attempt.number),
            expires_at: rfc3339(attempt.expires_at),
            sessions: sessions.map(|id| id.as_str().to_owned()).collect(),
        };
        self.add(Some(attempt.started_at), what);
    }

    /// What was recorded of one thing, oldest first; `status` says a status in a word.
    pub(super) fn events<S>(&mut self, events: &[RecordedEvent<S>], status: impl Fn(&S) -> &str) {
        let mut before: Option<&str> = None;
        for event in events {
            let now = status(&event.status);
            let what = What::Event {
                id: event.id.clone(),
                event_type: event.kind.clone(),
                changed: event.changed,
                from: before
                    .filter(|before| *before != now)
                    .map(ToOwned::to_owned),
                status: now.to_owned(),
                version: event.version,
            };
            before = Some(now);
            self.add(Some(event.recorded_at), what);
        }
    }

    /// Refunds and disputes have no time of their own: they are told when they first had an effect.
    pub(super) fn payment(&mut self, payment: &Payment, effects: &Effects) {
        for (id, refund) in payment.refunds() {
            let what = What::Refund {
                id: id.as_str().to_owned(),
                state: word(&refund.state),
                amount: refund.amount,
            };
            self.add(effects.first(id.as_str()), what);
        }
        for (id, dispute) in payment.disputes() {
            let (Some(status), Some(terms)) = (dispute.status(), dispute.terms()) else {
                continue;
            };
            let what = What::Dispute {
                id: id.as_str().to_owned(),
                state: status.as_str().to_owned(),
                amount: terms.amount,
            };
            self.add(effects.first(id.as_str()), what);
        }
    }

    pub(super) fn parcel(&mut self, id: &ParcelId, parcel: &Parcel) {
        let what = What::Parcel {
            id: id.number().map(ToOwned::to_owned),
            carrier: parcel.carrier.clone(),
            url: parcel.tracking_url.clone(),
        };
        self.add(Some(parcel.at), what);
    }

    pub(super) fn mail(&mut self, row: &Row) {
        let steps = steps((row.created_at, row.finished_at), row.state);
        for (at, state) in steps {
            let what = What::Mail {
                id: row.id.clone(),
                mail: row.mail.to_string(),
                progress: Progress::of(state, &Latest::of_mail(row)),
            };
            self.add(Some(at), what);
        }
    }

    pub(super) fn publication(&mut self, row: &EventRow) {
        for (at, state) in steps((row.created_at, row.finished_at), row.state) {
            let what = What::Publication {
                id: row.id.clone(),
                event: row.kind.clone(),
                progress: Progress::of(state, &Latest::of_publication(row)),
            };
            self.add(Some(at), what);
        }
    }
}

/// That it was called for, and how it ended.
fn steps((created, finished): (i64, Option<i64>), state: State) -> Vec<(i64, State)> {
    let begun = match state {
        State::Held => State::Held,
        _ => State::Due,
    };
    let ended = finished.map(|at| (at, state));
    [(created, begun)].into_iter().chain(ended).collect()
}

/// How far something in the outbox has come.
struct Latest<'r> {
    state: State,
    attempts: u32,
    reason: Option<&'r str>,
    next_attempt: Option<i64>,
}

impl<'r> Latest<'r> {
    fn of_mail(row: &'r Row) -> Self {
        Self {
            state: row.state,
            attempts: row.attempts,
            reason: row.reason.as_deref(),
            next_attempt: row.next_attempt,
        }
    }

    fn of_publication(row: &'r EventRow) -> Self {
        Self {
            state: row.state,
            attempts: row.attempts,
            reason: row.reason.as_deref(),
            next_attempt: row.next_attempt,
        }
    }
}

impl Progress {
    /// `shown` is how far it had come then: what is known of the latest state is not told of an earlier one.
    fn of(shown: State, latest: &Latest<'_>) -> Self {
        let known = Some(latest).filter(|latest| latest.state == shown);
        Self {
            state: shown.as_str(),
            attempts: known.map(|latest| latest.attempts),
            reason: known.and_then(|latest| latest.reason.map(ToOwned::to_owned)),
            next_attempt_at: known.and_then(|latest| latest.next_attempt.map(rfc3339)),
        }
    }
}

/// When each refund and dispute first had an effect, by its id.
#[derive(Default)]
pub(super) struct Effects(BTreeMap<String, i64>);

impl Effects {
    /// `name` is that of a mail or of news: `refund#re_1`, `dispute_closed#dp_1#won`.
    pub(super) fn note(&mut self, name: &str, at: i64) {
        let Some(id) = name.split('#').nth(1) else {
            return;
        };
        let known = self.0.entry(id.to_owned()).or_insert(at);
        *known = at.min(*known);
    }

    fn first(&self, id: &str) -> Option<i64> {
        self.0.get(id).copied()
    }
}

/// As it is written in JSON.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
