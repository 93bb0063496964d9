//! The story of a subscription: its invoices, and of itself and each of them what was recorded and
//! the mails that were called for.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use shared::purchase::{InvoiceId, Mail, Subject, SubscriptionId};
use shared::store::operator::{AllSubscriptions, Mails, RecordedEvent, SubscriptionWithEvents};
use shared::store::outbox::Row;
use shared::view::SellerSubscriptionDetails;

use super::{EventView, MailView};

/// A subscription with its invoices, what was recorded about them, and the mails they called for.
pub(crate) struct SubscriptionStory {
    recorded: SubscriptionWithEvents,
    /// The rows that are still kept of mails about any of them.
    rows: Vec<Row>,
}

/// What is told of a subscription itself, or of one invoice.
#[derive(Serialize)]
struct Chapter<'a> {
    events: Vec<EventView<'a, String>>,
    mails: Vec<MailView<'a>>,
}

impl SubscriptionStory {
    /// All of it; `None` if there is no such subscription.
    pub(crate) async fn read(
        subscriptions: &AllSubscriptions,
        mails: &Mails,
        id: &SubscriptionId,
    ) -> anyhow::Result<Option<Self>> {
        let Some(recorded) = subscriptions.with_events(id).await? else {
            return Ok(None);
        };
        let rows = mails.about(id).await?;
        Ok(Some(Self { recorded, rows }))
    }

    /// As JSON at `now`.
    pub(crate) fn json(&self, now: i64) -> Value {
        #[derive(Serialize)]
        struct Whole<'a> {
            subscription: SellerSubscriptionDetails<'a>,
            #[serde(flatten)]
            own: Chapter<'a>,
            of_invoices: BTreeMap<&'a InvoiceId, Chapter<'a>>,
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
        })
        .unwrap_or_default()
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
