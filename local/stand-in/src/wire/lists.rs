//! Lists, a page at a time: newest first, from a cursor that is the id of an object.

use serde_json::{Value, json};

use crate::engine::filter::{Cursor, Filter};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// Which page is asked for.
#[derive(Debug)]
pub(crate) struct Paging {
    limit: usize,
    cursor: Option<Near>,
}

#[derive(Debug)]
enum Near {
    StartingAfter(String),
    EndingBefore(String),
}

impl Paging {
    /// The first page, as long as pages are when nobody says otherwise.
    pub(crate) fn first() -> Self {
        Self {
            limit: 10,
            cursor: None,
        }
    }

    /// A list that is one page, however long.
    pub(crate) fn whole(url: &str, data: Vec<Value>) -> Value {
        json!({ "object": "list", "url": url, "has_more": false, "data": data })
    }

    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let limit = params.integer_within("limit", 1, 100)?;
        let after = params.text("starting_after")?;
        let before = params.text("ending_before")?;
        let cursor = match (after, before) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "Only one of starting_after and ending_before can be used at a time.",
                )
                .param("starting_after"));
            }
            (Some(id), None) => Some(Near::StartingAfter(id)),
            (None, Some(id)) => Some(Near::EndingBefore(id)),
            (None, None) => None,
        };
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        Ok(Self {
            limit: limit.unwrap_or(Self::first().limit),
            cursor,
        })
    }

    /// One more than fits a page shows whether there are more.
    fn wanted(&self) -> usize {
        self.limit.saturating_add(1)
    }

    /// A page of what is stored.
    pub(crate) fn stored(
        &self,
        transaction: &Transaction<'_>,
        kind: &str,
        url: &str,
        filter: &Filter,
    ) -> Result<Value, ApiError> {
        let place = |id: &str, param| {
            let sequence = transaction.sequence(kind, id)?;
            sequence.ok_or_else(|| ApiError::no_such(kind, id).param(param))
        };
        let cursor = match &self.cursor {
            None => Cursor::OlderThan(i64::MAX),
            Some(Near::StartingAfter(id)) => Cursor::OlderThan(place(id, "starting_after")?),
            Some(Near::EndingBefore(id)) => Cursor::NewerThan(place(id, "ending_before")?),
        };
        let objects = transaction.some_shown(kind, cursor, self.wanted(), filter)?;
        Ok(self.page(url, objects))
    }

    /// A page of what is at hand, all of it, in the order of the list.
    pub(crate) fn listed(
        &self,
        url: &str,
        all: impl DoubleEndedIterator<Item = Value>,
    ) -> Result<Value, ApiError> {
        let all: Vec<Value> = all.collect();
        let place = |id: &str, param| {
            let place = all.iter().position(|value| value["id"] == id);
            place.ok_or_else(|| ApiError::no_such("item", id).param(param))
        };
        Ok(match &self.cursor {
            None => self.page(url, all),
            Some(Near::StartingAfter(id)) => {
                let after = place(id, "starting_after")?.saturating_add(1);
                self.page(url, all.into_iter().skip(after))
            }
            Some(Near::EndingBefore(id)) => {
                let before = place(id, "ending_before")?;
                let mut before: Vec<_> = all.into_iter().take(before).collect();
                before.reverse();
                self.page(url, before)
            }
        })
    }

    /// The list object: of `answers`, which run away from the cursor, what fits.
    pub(crate) fn page(&self, url: &str, answers: impl IntoIterator<Item = Value>) -> Value {
        let mut data: Vec<_> = answers.into_iter().take(self.wanted()).collect();
        let has_more = data.len() > self.limit;
        data.truncate(self.limit);
        if matches!(self.cursor, Some(Near::EndingBefore(_))) {
            data.reverse();
        }
        json!({ "object": "list", "url": url, "has_more": has_more, "data": data })
    }
}

/// Refuses an end that has come already.
pub(crate) fn in_the_future(
    param: &str,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), ApiError> {
    match until {
        Some(until) if until <= now => {
            Err(ApiError::invalid(format!("{param} must be in the future.")).param(param))
        }
        _ => Ok(()),
    }
}

/// What lists can be narrowed by: `created=…`, or `created[gt|gte|lt|lte]=…`.
pub(crate) fn created(params: &mut Params) -> Result<Filter, ApiError> {
    if params.is_text("created")
        && let Some(moment) = params.integer("created")?
    {
        return Ok(Filter::created(moment, moment));
    }
    let mut range = params.object("created")?;
    let from = range.integer("gte")?.unwrap_or(Timestamp::MIN);
    let after = range
        .integer("gt")?
        .map_or(Timestamp::MIN, |gt| gt.saturating_add(1));
    let to = range.integer("lte")?.unwrap_or(Timestamp::MAX);
    let before = range
        .integer("lt")?
        .map_or(Timestamp::MAX, |lt| lt.saturating_sub(1));
    range.finish()?;
    Ok(Filter::created(from.max(after), to.min(before)))
}

/// Narrows a list by a moment that its objects show at a path: `param=…`, or `param[gt|gte|lt|lte]=…`.
pub(crate) fn narrowed(
    mut filter: Filter,
    params: &mut Params,
    param: &str,
    path: &str,
) -> Result<Filter, ApiError> {
    if params.is_text(param)
        && let Some(moment) = params.integer(param)?
    {
        return Ok(filter.equal(path, moment.into()));
    }
    let mut bounds = params.object(param)?;
    for (name, operator) in [("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<=")] {
        if let Some(bound) = bounds.integer(name)? {
            filter = filter.compare(path, operator, bound.into());
        }
    }
    bounds.finish()?;
    Ok(filter)
}
