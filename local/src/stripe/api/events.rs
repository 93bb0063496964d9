//! `/v1/events`.

use super::Work;
use super::errors::ApiError;
use super::expand::{Expansions, Shape};
use super::lists::{Created, Paging};
use super::params::Params;
use crate::stripe::database::Object as _;
use crate::stripe::events::{Event, matches};

const URL: &str = "/v1/events";

pub(super) fn retrieve(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    Expansions::read(&mut params, Shape::One(Event::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let event = transaction.get::<Event>(id)?;
        Ok(event
            .ok_or_else(|| ApiError::no_such(Event::KIND, id).param("id"))?
            .answer())
    }))
}

pub(super) fn list(mut params: Params) -> Result<Work<'static>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let created = Created::read(&mut params)?;
    let mut types = params.texts("types")?;
    if types.len() > 20 {
        return Err(
            ApiError::invalid("At most 20 types can be asked for at a time.").param("types"),
        );
    }
    types.extend(params.text("type")?);
    let delivered = params.boolean("delivery_success")?;
    Expansions::read(&mut params, Shape::List(Event::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        paging.stored(transaction, URL, |event: &Event| {
            Ok(created.contains(event.created())
                && (types.is_empty() || types.iter().any(|it| matches(it, &event.event_type)))
                && delivered.is_none_or(|delivered| delivered == (event.pending_webhooks == 0)))
        })
    }))
}
