//! The story of a purchase, as the dashboard and the operator's commands show it: the purchase,
//! what was recorded about it, the mails it called for, and what other systems were told; and that of
//! a subscription.

mod subscription;
mod timeline;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use serde_json::Value;
use shared::clock::rfc3339;
use shared::purchase::{Announced, Mail, News, Purchase, PurchaseId, Status};
use shared::store::operator::{AllPurchases, Events, Mails, RecordedEvent};
use shared::store::outbox;
use shared::store::publications::EventRow;
use shared::view::SellerView;

pub use self::subscription::SubscriptionStory;
use self::timeline::{Effects, Moment, Timeline, What};

/// An event that was recorded.
#[derive(Serialize)]
struct EventView<'a, S> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    recorded_at: String,
    changed: bool,
    /// The version afterwards of what it is about.
    version: u64,
    /// The status afterwards of what it is about.
    status: &'a S,
}

impl<'a, S> EventView<'a, S> {
    fn of(event: &'a RecordedEvent<S>) -> Self {
        Self {
            id: &event.id,
            kind: &event.kind,
            recorded_at: rfc3339(event.recorded_at),
            changed: event.changed,
            version: event.version,
            status: &event.status,
        }
    }
}

/// A mail that was called for.
#[derive(Serialize)]
struct MailView<'a> {
    /// The row's, unless that has been deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    mail: &'a Mail,
    /// `gone` if its row has been deleted.
    state: &'static str,
    attempts: u32,
    /// Why it was given up, or why the latest attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
}

impl<'a> MailView<'a> {
    /// A mail, and its row unless that has been deleted.
    fn of(mail: &'a Mail, row: Option<&'a outbox::Row>) -> Self {
        Self {
            id: row.map(|row| row.id.as_str()),
            mail,
            state: row.map_or("gone", |row| row.state.as_str()),
            attempts: row.map(|row| row.attempts).unwrap_or_default(),
            reason: row.and_then(|row| row.reason.as_deref()),
            created_at: row.map(|row| rfc3339(row.created_at)),
            finished_at: row.and_then(|row| row.finished_at).map(rfc3339),
            next_attempt_at: row.and_then(|row| row.next_attempt).map(rfc3339),
        }
    }
}

/// What other systems are told.
#[derive(Serialize)]
struct PublicationView<'a> {
    /// The row's, unless that has been deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    event: &'a News,
    sequence: u64,
    /// `untold` if it was true before there was anybody to tell, `gone` if its row has been deleted.
    state: &'static str,
    attempts: u32,
    /// Why it was given up, or why the latest attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
}

impl<'a> PublicationView<'a> {
    /// What was announced, and its row unless that has been deleted.
    fn of(
        Told {
            news,
            announced,
            row,
        }: &'a Told,
    ) -> Self {
        let without_row = match announced.at {
            Some(_) => "gone",
            None => "untold",
        };
        let row = row.as_ref();
        Self {
            id: row.map(|row| row.id.as_str()),
            event: news,
            sequence: announced.sequence,
            state: row.map_or(without_row, |row| row.state.as_str()),
            attempts: row.map(|row| row.attempts).unwrap_or_default(),
            reason: row.and_then(|row| row.reason.as_deref()),
            recorded_at: announced.at.map(rfc3339),
            next_attempt_at: row.and_then(|row| row.next_attempt).map(rfc3339),
        }
    }
}

/// Something that other systems were told, and its row unless that has been deleted.
pub struct Told {
    /// What.
    pub news: News,
    /// When.
    pub announced: Announced,
    /// What became of it.
    pub row: Option<EventRow>,
}

/// A purchase, what was recorded about it, and what came of that.
pub struct Story {
    /// As it stands.
    pub purchase: Purchase,
    /// What was recorded about it, oldest first.
    pub events: Vec<RecordedEvent<Status>>,
    /// The mails it called for, each with its row unless that has been deleted.
    pub mails: Vec<(Mail, Option<outbox::Row>)>,
    /// What other systems were told, in that order.
    pub told: Vec<Told>,
}

impl Story {
    /// All of it; `None` if there is no such purchase.
    pub async fn read(
        purchases: &AllPurchases,
        (mails, events): (&Mails, &Events),
        id: PurchaseId,
    ) -> anyhow::Result<Option<Self>> {
        let Some(recorded) = purchases.with_events(id).await? else {
            return Ok(None);
        };
        let rows = stream::iter(recorded.purchase.mails().clone()).map(|mail| async move {
            let row = mails.get(&id.into(), &mail).await?;
            anyhow::Ok((mail, row))
        });
        let mut mails: Vec<_> = rows.buffered(8).try_collect().await?;
        mails.sort_by_key(|(_, row)| row.as_ref().map(|row| row.created_at));
        let announced = recorded.purchase.announced().clone();
        let told = stream::iter(announced).map(|(news, announced)| async move {
            let row = events.get(&format!("{id}#{news}")).await?;
            anyhow::Ok(Told {
                news,
                announced,
                row,
            })
        });
        let mut told: Vec<_> = told.buffered(8).try_collect().await?;
        told.sort_by(|one, other| {
            let place = |told: &Told| (told.announced.sequence, told.news.clone());
            place(one).cmp(&place(other))
        });
        Ok(Some(Self {
            purchase: recorded.purchase,
            events: recorded.events,
            mails,
            told,
        }))
    }

    fn timeline(&self) -> Vec<Moment> {
        let (purchase, id) = (&self.purchase, self.purchase.id().to_string());
        let mut line = Timeline::default();
        let made = purchase.id().created_at().unix_timestamp();
        line.add(Some(made), What::Request { id: id.clone() });
        line.attempt(&id, purchase.attempt(), purchase.sessions().keys());
        line.events(&self.events, |status| status.as_str());
        let mut effects = Effects::default();
        for row in self.mails.iter().filter_map(|(_, row)| row.as_ref()) {
            effects.note(&row.mail.to_string(), row.created_at);
            line.mail(row);
        }
        for told in &self.told {
            if let Some(at) = told.announced.at {
                effects.note(&told.news.to_string(), at);
            }
            if let Some(row) = &told.row {
                line.publication(row);
            }
        }
        line.payment(purchase.payment(), &effects);
        for (id, parcel) in purchase.parcels() {
            line.parcel(id, parcel);
        }
        line.in_order()
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Result<Value> {
        #[derive(Serialize)]
        struct Whole<'a> {
            purchase: SellerView<'a>,
            events: Vec<EventView<'a, Status>>,
            mails: Vec<MailView<'a>>,
            published: Vec<PublicationView<'a>>,
            /// All of this in the order in which it happened.
            timeline: Vec<Moment>,
        }
        let mails = self.mails.iter();
        serde_json::to_value(Whole {
            purchase: SellerView::of(&self.purchase),
            events: self.events.iter().map(EventView::of).collect(),
            mails: mails
                .map(|(mail, row)| MailView::of(mail, row.as_ref()))
                .collect(),
            published: self.told.iter().map(PublicationView::of).collect(),
            timeline: self.timeline(),
        })
    }
}
