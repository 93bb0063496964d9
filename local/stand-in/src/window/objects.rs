//! The objects, by kind.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Html;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::transaction::Transaction;
use crate::window::choice::query;
use crate::window::events::EventRow;
use crate::window::frame::{Frame, Moment, Section, View};
use crate::window::json::{self, Markup};
use crate::window::requests::{self, RequestRow};
use crate::window::scan::{PAGE, Page, Scan};
use crate::window::summary::{ObjectRow, Summary, created};
use crate::window::terms::Terms;
use crate::window::trouble::Trouble;

/// As many relations as a page shows.
const MOST_RELATED: usize = 20;

/// What is chosen beside the list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    kind: String,
    q: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "window/objects.html", config = "askama.toml")]
struct ListPage {
    frame: Frame,
    choice: Choice,
    /// How many there are of each kind.
    kinds: BTreeMap<String, i64>,
    page: Page<ObjectRow>,
}

pub(super) async fn list(
    view: View,
    Query(choice): Query<Choice>,
) -> Result<Html<String>, Trouble> {
    let kind = Some(choice.kind.as_str()).filter(|kind| !kind.is_empty());
    let found = Scan::of(kind).with(&Terms::read(&choice.q));
    let page = found.newest(&view, choice.before, PAGE).await?;
    let list = ListPage {
        frame: view.frame(Section::Objects, "").await?,
        kinds: view.read(kinds).await?,
        page: page.map(ObjectRow::from),
        choice,
    };
    Ok(Html(list.render()?))
}

fn kinds(transaction: &Transaction<'_>) -> anyhow::Result<BTreeMap<String, i64>> {
    let mut statement = transaction
        .sql
        .prepare_cached("SELECT kind, count(*) FROM objects WHERE kind <> 'event' GROUP BY kind")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Choice {
    /// The choice without its place, as a query.
    fn query(&self) -> String {
        query([("kind", &self.kind), ("q", &self.q)])
    }
}

#[derive(Template)]
#[template(path = "window/object.html", config = "askama.toml")]
struct DetailPage {
    frame: Frame,
    id: String,
    /// None if the object is gone, or never was.
    object: Option<Shown>,
    /// The kinds of others with the same id.
    namesakes: Vec<String>,
    related: Page<ObjectRow>,
    requests: Page<RequestRow>,
    events: Page<EventRow>,
}

struct Shown {
    kind: String,
    created: Moment,
    summary: Summary,
    json: Markup,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfKind {
    kind: Option<String>,
}

/// The kinds of which there is an object with this id: shops choose some ids.
fn kinds_with(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<Vec<String>> {
    let sql = "SELECT kind FROM objects WHERE id = ?1 ORDER BY sequence DESC";
    let mut statement = transaction.sql.prepare_cached(sql)?;
    let kinds = statement.query_map([id], |row| row.get(0))?;
    Ok(kinds.collect::<Result<_, _>>()?)
}

fn kind_of(shown: &Value) -> String {
    let kind = shown.get("object").and_then(Value::as_str);
    kind.unwrap_or_default().to_owned()
}

pub(super) async fn show(
    view: View,
    Path((_, id)): Path<(String, String)>,
    Query(OfKind { kind }): Query<OfKind>,
) -> Result<(StatusCode, Html<String>), Trouble> {
    let (base, wanted) = (view.base(), id.clone());
    let (object, namesakes, requests, events) = view
        .read(move |transaction| {
            let shown = match &kind {
                Some(kind) => transaction.shown_of(kind, &wanted)?,
                None => transaction.shown(&wanted)?,
            };
            let mut namesakes = kinds_with(transaction, &wanted)?;
            namesakes.retain(|kind| shown.as_ref().is_none_or(|it| it["object"] != *kind));
            let object = match shown {
                Some(shown) => Some(Shown {
                    kind: kind_of(&shown),
                    created: Moment::of(created(&shown)),
                    summary: Summary::of(&shown),
                    json: json::linked(transaction, &base, &shown)?,
                }),
                None => None,
            };
            let requests = requests::about(transaction, &wanted, MOST_RELATED)?;
            let events = EventRow::about(transaction, &wanted, MOST_RELATED)?;
            Ok((object, namesakes, requests, events))
        })
        .await?;
    // What is gone may have left traces, but a call that asked for it in vain is none.
    if object.is_none() && events.rows.is_empty() {
        return Err(view.no_such("object", &id));
    }
    let related = Scan::of(None).mentioning(&id);
    let related = related.newest(&view, None, MOST_RELATED).await?;
    let status = match &object {
        Some(_) => StatusCode::OK,
        None => StatusCode::NOT_FOUND,
    };
    let page = DetailPage {
        frame: view.frame(Section::Objects, "").await?,
        id,
        object,
        namesakes,
        related: related.map(ObjectRow::from),
        requests,
        events,
    };
    Ok((status, Html(page.render()?)))
}
