//! The events, and how each was delivered.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{Html, Redirect};
use rusqlite::params;
use rusqlite::types::Value as SqlValue;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::webhook::event::Event;
use crate::webhook::history::{self, Attempt, Delivery};
use crate::window::choice::query;
use crate::window::frame::{Frame, Moment, Section, View};
use crate::window::json::{self, Markup};
use crate::window::scan::{Found, PAGE, Page, Scan};
use crate::window::summary::{Status, created};
use crate::window::terms::Terms;
use crate::window::trouble::Trouble;

/// An event in a list.
pub(super) struct EventRow {
    sequence: i64,
    pub(super) id: String,
    pub(super) event_type: String,
    /// The id of what it is about; empty if that has none.
    pub(super) subject: String,
    pub(super) created: Moment,
    /// How its deliveries stand.
    pub(super) deliveries: Vec<Status>,
}

/// What is chosen above the list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    q: String,
    /// `pending`, `failed` or `delivered`.
    delivery: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "window/events.html", config = "askama.toml")]
struct ListPage {
    frame: Frame,
    choice: Choice,
    page: Page<EventRow>,
}

pub(super) async fn list(
    view: View,
    Query(choice): Query<Choice>,
) -> Result<Html<String>, Trouble> {
    let mut scan = Scan::of(Some(Event::KIND)).with(&Terms::read(&choice.q));
    if !choice.delivery.is_empty() {
        let state = SqlValue::Text(choice.delivery.clone());
        scan = scan.and(
            "id IN (SELECT event FROM webhooks WHERE webhooks.state = ?)",
            vec![state],
        );
    }
    let found = scan.newest(&view, choice.before, PAGE).await?;
    let list = ListPage {
        frame: view.frame(Section::Events, "").await?,
        page: EventRow::all(&view, found).await?,
        choice,
    };
    Ok(Html(list.render()?))
}

impl Choice {
    /// The choice without its place, as a query.
    fn query(&self) -> String {
        query([("q", &self.q), ("delivery", &self.delivery)])
    }
}

impl EventRow {
    /// These events with their deliveries.
    pub(super) async fn all(view: &View, found: Page<Found>) -> anyhow::Result<Page<Self>> {
        let older = found.older;
        let read = |transaction: &Transaction<'_>| {
            let rows = found.rows.into_iter();
            rows.map(|found| Self::of(transaction, found.sequence, &found.shown))
                .collect()
        };
        let rows = view.read(read).await?;
        Ok(Page { rows, older })
    }

    /// The events of this object, newest first.
    pub(super) fn about(
        transaction: &Transaction<'_>,
        object: &str,
        most: usize,
    ) -> anyhow::Result<Page<Self>> {
        let condition = "subject = ?1";
        let rows = Self::select(transaction, condition, object, most.saturating_add(1))?;
        Ok(Page::of(rows, most, |row| row.sequence))
    }

    /// The events that a call led to, newest first.
    pub(super) fn caused_by(
        transaction: &Transaction<'_>,
        request: &str,
    ) -> anyhow::Result<Vec<Self>> {
        // A call's events are among the newest when somebody looks; older ones are not worth the
        // reading of all there are.
        let condition = "kind = 'event' AND shown ->> '$.request.id' = ?1
                         AND sequence > (SELECT max(sequence) FROM objects) - 40000";
        Self::select(transaction, condition, request, PAGE)
    }

    fn select(
        transaction: &Transaction<'_>,
        condition: &'static str,
        value: &str,
        most: usize,
    ) -> anyhow::Result<Vec<Self>> {
        let query = format!(
            "SELECT sequence, shown FROM objects WHERE {condition} ORDER BY sequence DESC LIMIT ?2"
        );
        let mut statement = transaction.sql.prepare_cached(&query)?;
        let rows = statement.query_map(params![value, most], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (sequence, shown) = row?;
            Self::of(transaction, sequence, &serde_json::from_str(&shown)?)
        })
        .collect()
    }

    fn of(transaction: &Transaction<'_>, sequence: i64, shown: &Value) -> anyhow::Result<Self> {
        let text = |pointer| {
            let text = shown.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let id = text("/id");
        let mut statement = transaction.sql.prepare_cached(
            "SELECT state, count(*) FROM webhooks WHERE event = ?1 GROUP BY state ORDER BY state",
        )?;
        let deliveries = statement.query_map([&id], |row| {
            let status = Status::of(&row.get::<_, String>(0)?);
            Ok(match row.get::<_, i64>(1)? {
                1 => status,
                count => Status {
                    word: format!("{count} {}", status.word),
                    ..status
                },
            })
        })?;
        let deliveries = deliveries.collect::<Result<_, _>>()?;
        Ok(Self {
            sequence,
            event_type: text("/type"),
            subject: text("/data/object/id"),
            created: Moment::of(created(shown)),
            deliveries,
            id,
        })
    }
}

#[derive(Template)]
#[template(path = "window/event.html", config = "askama.toml")]
struct DetailPage {
    frame: Frame,
    row: EventRow,
    json: Markup,
    /// The call that led to it.
    request: Option<Markup>,
    deliveries: Vec<DeliveryView>,
}

struct DeliveryView {
    endpoint: Markup,
    url: String,
    status: Status,
    next: Option<Moment>,
    /// Newest first.
    tries: Vec<TryView>,
}

struct TryView {
    number: usize,
    at: Moment,
    outcome: Status,
    milliseconds: u64,
    /// What the receiver answered, or why it did not.
    answer: String,
    answer_headers: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

pub(super) async fn show(
    view: View,
    Path((_, id)): Path<(String, String)>,
) -> Result<Html<String>, Trouble> {
    let (base, wanted) = (view.base(), id.clone());
    let found = view
        .read(move |transaction| {
            if transaction.get::<Event>(&wanted)?.is_none() {
                return Ok(None);
            }
            let shown = transaction.shown_of(Event::KIND, &wanted)?;
            let shown = shown.unwrap_or_default();
            let request = shown.pointer("/request/id").and_then(Value::as_str);
            let request = request.map(|id| json::linked_text(transaction, &base, id));
            let deliveries = history::of_event(transaction, &wanted)?.into_iter();
            let deliveries =
                deliveries.map(|delivery| DeliveryView::of(transaction, &base, delivery));
            Ok(Some((
                EventRow::of(transaction, 0, &shown)?,
                json::linked(transaction, &base, &shown)?,
                request.transpose()?,
                deliveries.collect::<anyhow::Result<Vec<_>>>()?,
            )))
        })
        .await?;
    let Some((row, json, request, deliveries)) = found else {
        return Err(view.no_such("event", &id));
    };
    let page = DetailPage {
        frame: view.frame(Section::Events, "").await?,
        row,
        json,
        request,
        deliveries,
    };
    Ok(Html(page.render()?))
}

impl DeliveryView {
    fn of(transaction: &Transaction<'_>, base: &str, delivery: Delivery) -> anyhow::Result<Self> {
        let tries = delivery.attempts.into_iter().enumerate();
        let mut tries: Vec<_> = tries.map(TryView::of).collect();
        tries.reverse();
        Ok(Self {
            endpoint: json::linked_text(transaction, base, &delivery.endpoint)?,
            url: delivery.url,
            status: Status::of(delivery.state.as_str()),
            next: delivery.next_attempt.map(Moment::of),
            tries,
        })
    }
}

impl TryView {
    fn of((index, attempt): (usize, Attempt)) -> Self {
        let outcome = match attempt.status {
            Some(status @ 200..300) => Status::of_http(status),
            Some(status) => Status {
                tone: "bad",
                ..Status::of_http(status)
            },
            None => Status {
                word: "no answer".to_owned(),
                tone: "bad",
            },
        };
        Self {
            number: index.saturating_add(1),
            at: Moment::of(attempt.at),
            outcome,
            milliseconds: attempt.milliseconds,
            answer: attempt.answer.or(attempt.error).unwrap_or_default(),
            answer_headers: attempt.answer_headers,
            headers: attempt.request_headers.into_iter().collect(),
        }
    }
}

pub(super) async fn resend(
    view: View,
    Path((_, id)): Path<(String, String)>,
) -> Result<Redirect, Trouble> {
    view.account.resend(&id).await?;
    Ok(view.back_to(&format!("events/{id}")))
}

pub(super) async fn discard(
    view: View,
    Path((_, id)): Path<(String, String)>,
) -> Result<Redirect, Trouble> {
    view.account.discard(&id).await?;
    Ok(view.back_to(&format!("events/{id}")))
}
