//! The story of a subscription: its invoices, and of itself and each of them what was recorded, the mails
//! that were called for, and what other systems were told.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use shared::clock::rfc3339;
use shared::purchase::{InvoiceId, Mail, Subject, SubscriptionId};
use shared::store::operator::{
    AllSubscriptions, Events, Mails, RecordedEvent, SubscriptionWithEvents,
};
use shared::store::outbox::Row;
use shared::store::publications::EventRow;
use shared::view::SellerSubscriptionDetails;

use super::timeline::{Effects, Moment, Timeline, What};
use super::{EventView, MailView};

/// A subscription with its invoices, what was recorded about them, and the mails they called for.
pub struct SubscriptionStory {
    recorded: SubscriptionWithEvents,
    /// The rows that are still kept of mails about any of them.
    rows: Vec<Row>,
    /// Those of what other systems were told of any of them, the earliest first.
    told: Vec<EventRow>,
}

/// What other systems were told of a subscription, or of an invoice.
#[derive(Serialize)]
struct ToldView<'a> {
    id: &'a str,
    event: &'a str,
    state: &'static str,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    recorded_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
}

impl<'a> ToldView<'a> {
    fn of(row: &'a EventRow) -> Self {
        Self {
            id: &row.id,
            event: &row.kind,
            state: row.state.as_str(),
            attempts: row.attempts,
            reason: row.reason.as_deref(),
            recorded_at: rfc3339(row.created_at),
            next_attempt_at: row.next_attempt.map(rfc3339),
        }
    }
}

/// What is told of a subscription itself, or of one invoice.
#[derive(Serialize)]
struct Chapter<'a> {
    events: Vec<EventView<'a, String>>,
    mails: Vec<MailView<'a>>,
}

impl SubscriptionStory {
    /// All of it; `None` if there is no such subscription.
    pub async fn read(
        subscriptions: &AllSubscriptions,
        (mails, events): (&Mails, &Events),
        id: &SubscriptionId,
    ) -> anyhow::Result<Option<Self>> {
        let Some(recorded) = subscriptions.with_events(id).await? else {
            return Ok(None);
        };
        let (rows, told) = futures::try_join!(mails.about(id), events.about(id))?;
        let mut told: Vec<_> = told;
        told.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(Some(Self {
            recorded,
            rows,
            told,
        }))
    }

    /// As JSON at `now`.
    pub fn json(&self, now: i64) -> serde_json::Result<Value> {
        #[derive(Serialize)]
        struct Whole<'a> {
            subscription: SellerSubscriptionDetails<'a>,
            #[serde(flatten)]
            own: Chapter<'a>,
            of_invoices: BTreeMap<&'a InvoiceId, Chapter<'a>>,
            published: Vec<ToldView<'a>>,
            /// All of this in the order in which it happened.
            timeline: Vec<Moment>,
        }
        let found = &self.recorded.found;
        let notices: Vec<_> = found.subscription.standing_notices().collect();
        let of_invoices = found.invoices.iter().map(|invoice| {
            let events = self.recorded.of_invoices.get(invoice.id());
            let events = events.map(Vec::as_slice).unwrap_or_default();
            let chapter = self.chapter(&invoice.subject(), events, invoice.mails().iter());
            (invoice.id(), chapter)
        });
        serde_json::to_value(Whole {
            subscription: SellerSubscriptionDetails::of(found, now),
            own: self.chapter(
                &found.subscription.subject(),
                &self.recorded.events,
                notices.iter(),
            ),
            of_invoices: of_invoices.collect(),
            published: self.told.iter().map(ToldView::of).collect(),
            timeline: self.timeline(),
        })
    }

    fn timeline(&self) -> Vec<Moment> {
        let found = &self.recorded.found;
        let mut line = Timeline::default();
        let mut effects = Effects::default();
        line.events(&self.recorded.events, |status| status);
        for row in &self.rows {
            line.invoice = invoice_of(&row.content.about);
            effects.note(&row.mail.to_string(), row.created_at);
            line.mail(row);
        }
        for row in &self.told {
            // event#<subject>#<news>
            let (subject, news) = named(&row.id);
            line.invoice = subject.parse().ok().as_ref().and_then(invoice_of);
            effects.note(news, row.created_at);
            line.publication(row);
        }
        for invoice in &found.invoices {
            let (id, bill) = (invoice.id(), invoice.bill());
            line.invoice = Some(id.clone());
            let what = What::Invoice {
                id: id.as_str().to_owned(),
                amount: bill.total,
                state: invoice.status().as_str(),
            };
            line.add(Some(bill.created_at), what);
            let events = self.recorded.of_invoices.get(id);
            line.events(events.map(Vec::as_slice).unwrap_or_default(), |status| {
                status
            });
            line.payment(invoice.payment(), &effects);
        }
        line.in_order()
    }

    /// `known` are mails that were called for, whether or not their rows are still kept.
    fn chapter<'a>(
        &'a self,
        subject: &Subject,
        events: &'a [RecordedEvent<String>],
        known: impl Iterator<Item = &'a Mail>,
    ) -> Chapter<'a> {
        let about = |row: &&Row| row.content.about == *subject;
        let rows: BTreeMap<_, _> = self
            .rows
            .iter()
            .filter(about)
            .map(|it| (&it.mail, it))
            .collect();
        let called_for: BTreeSet<_> = known.chain(rows.keys().copied()).collect();
        let mails = called_for.into_iter();
        let mut mails: Vec<_> = mails
            .map(|mail| MailView::of(mail, rows.get(mail).copied()))
            .collect();
        mails.sort_by(|one, other| one.created_at.cmp(&other.created_at));
        Chapter {
            events: events.iter().map(EventView::of).collect(),
            mails,
        }
    }
}

fn invoice_of(subject: &Subject) -> Option<InvoiceId> {
    match subject {
        Subject::Invoice(_, id) => Some(id.clone()),
        Subject::Purchase(_) | Subject::Subscription(_) => None,
    }
}

/// The subject and the news in the id of a publication's row.
fn named(id: &str) -> (&str, &str) {
    let id = id.strip_prefix("event#").unwrap_or(id);
    id.split_once('#').unwrap_or((id, ""))
}
