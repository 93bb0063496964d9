//! The API calls and their answers.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Html;
use rusqlite::params_from_iter;
use rusqlite::types::Value as SqlValue;
use serde::Deserialize;
use url::form_urlencoded;

use crate::engine::transaction::Transaction;
use crate::window::choice::query;
use crate::window::curl;
use crate::window::events::EventRow;
use crate::window::frame::{Frame, Moment, Section, View};
use crate::window::json::{self, Markup};
use crate::window::scan::{PAGE, Page};
use crate::window::summary::{Status, duration};
use crate::window::terms::Terms;
use crate::window::trouble::Trouble;
use crate::wire::requests::{LoggedRequest, TEXT_LIMIT};

/// A call in a list.
pub(super) struct RequestRow {
    sequence: i64,
    pub(super) id: String,
    pub(super) created: Moment,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) status: Status,
    pub(super) fault: Option<String>,
    pub(super) took: String,
    pub(super) replayed: bool,
}

/// What is chosen above the list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    q: String,
    method: String,
    /// `ok` or `failed`.
    outcome: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "window/requests.html", config = "askama.toml")]
struct ListPage {
    frame: Frame,
    choice: Choice,
    page: Page<RequestRow>,
    address: String,
}

pub(super) async fn list(
    view: View,
    Query(choice): Query<Choice>,
) -> Result<Html<String>, Trouble> {
    let asked = choice.clone();
    let page = view
        .read(move |transaction| asked.find(transaction, PAGE))
        .await?;
    let list = ListPage {
        frame: view.frame(Section::Requests, "").await?,
        choice,
        page,
        address: view.address(),
    };
    Ok(Html(list.render()?))
}

/// What a search looks at besides the answer.
const ASKED: &str = "id || ' ' || path || ' &' || params || '& ' || coalesce(user_agent, '') \
                     || ' ' || coalesce(idempotency_key, '') || ' '";

impl Choice {
    pub(super) fn containing(q: &str) -> Self {
        Self {
            q: q.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn find(
        &self,
        transaction: &Transaction<'_>,
        most: usize,
    ) -> anyhow::Result<Page<RequestRow>> {
        let (mut condition, mut values) = Terms::read(&self.q).condition_on_json(ASKED, "answer");
        if !self.method.is_empty() {
            condition.push_str(" AND method = ?");
            values.push(SqlValue::Text(self.method.clone()));
        }
        match self.outcome.as_str() {
            "ok" => condition.push_str(" AND status < 400"),
            "failed" => condition.push_str(" AND status >= 400"),
            _ => {}
        }
        select(transaction, &condition, values, self.before, most)
    }

    /// The choice without its place, as a query.
    fn query(&self) -> String {
        query([
            ("q", &self.q),
            ("method", &self.method),
            ("outcome", &self.outcome),
        ])
    }

    fn is_empty(&self) -> bool {
        self.query().is_empty() && self.before.is_none()
    }
}

/// The calls that were about this object: they name it, or changed something and were answered with
/// it.
pub(super) fn about(
    transaction: &Transaction<'_>,
    id: &str,
    most: usize,
) -> anyhow::Result<Page<RequestRow>> {
    let condition = "instr(path, ?) OR instr(params, ?) OR (method <> 'GET' AND instr(answer, ?))";
    let encoded = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let values = [id.to_owned(), encoded, format!("\"{id}\"")];
    let values = values.map(SqlValue::Text).to_vec();
    select(transaction, condition, values, None, most)
}

fn select(
    transaction: &Transaction<'_>,
    condition: &str,
    mut values: Vec<SqlValue>,
    before: Option<i64>,
    most: usize,
) -> anyhow::Result<Page<RequestRow>> {
    let query = format!(
        "SELECT sequence, id, created, method, path, status, fault, microseconds, replay_of
         FROM requests WHERE ({condition}) AND sequence < ? ORDER BY sequence DESC LIMIT ?"
    );
    let limit = i64::try_from(most.saturating_add(1))?;
    values.extend([before.unwrap_or(i64::MAX), limit].map(SqlValue::Integer));
    let mut statement = transaction.sql.prepare_cached(&query)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok(RequestRow {
            sequence: row.get(0)?,
            id: row.get(1)?,
            created: Moment::of(row.get(2)?),
            method: row.get(3)?,
            path: row.get(4)?,
            status: Status::of_http(row.get(5)?),
            fault: row.get(6)?,
            took: duration(row.get(7)?),
            replayed: row.get::<_, Option<String>>(8)?.is_some(),
        })
    })?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    Ok(Page::of(rows, most, |row| row.sequence))
}

#[derive(Template)]
#[template(path = "window/request.html", config = "askama.toml")]
struct DetailPage {
    frame: Frame,
    request: LoggedRequest,
    created: Moment,
    status: Status,
    took: String,
    /// Names and values.
    params: Vec<(String, Markup)>,
    answer: Markup,
    /// The answer is kept only in part.
    cut: bool,
    curl: String,
    events: Vec<EventRow>,
}

pub(super) async fn show(
    view: View,
    Path((_, id)): Path<(String, String)>,
) -> Result<Html<String>, Trouble> {
    let (base, wanted) = (view.base(), id.clone());
    let found = view
        .read(move |transaction| {
            let Some(request) = LoggedRequest::find(transaction, &wanted)? else {
                return Ok(None);
            };
            let answer = match serde_json::from_str(&request.answer) {
                Ok(value) => json::linked(transaction, &base, &value)?,
                Err(_) => json::plain(&request.answer),
            };
            let pairs = form_urlencoded::parse(request.params.as_bytes());
            let params = pairs
                .map(|(name, value)| {
                    let value = json::linked_text(transaction, &base, &value)?;
                    Ok((name.into_owned(), value))
                })
                .collect::<anyhow::Result<Vec<_>>>()?;
            let events = EventRow::caused_by(transaction, &wanted)?;
            Ok(Some((request, answer, params, events)))
        })
        .await?;
    let Some((request, answer, params, events)) = found else {
        return Err(view.no_such("request", &id));
    };
    let page = DetailPage {
        frame: view.frame(Section::Requests, "").await?,
        created: Moment::of(request.created),
        status: Status::of_http(request.status),
        took: duration(request.microseconds),
        params,
        answer,
        cut: request.answer.len().saturating_add(4) > TEXT_LIMIT,
        curl: curl::command(&request, &view.address()),
        events,
        request,
    };
    Ok(Html(page.render()?))
}
