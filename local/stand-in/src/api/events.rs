//! `/v1/events`.

use rusqlite::types::Value as SqlValue;

use super::Work;
use super::errors::ApiError;
use super::expand::{Expansions, Shape};
use super::lists::{Paging, created};
use super::params::Params;
use crate::database::Object as _;
use crate::events::Event;

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
    let mut filter = created(&mut params)?;
    let mut types = params.texts("types")?;
    if types.len() > 20 {
        return Err(
            ApiError::invalid("At most 20 types can be asked for at a time.").param("types"),
        );
    }
    types.extend(params.text("type")?);
    if !types.is_empty() {
        // A group, such as charge.*, is all types that begin like it.
        let (conditions, values): (Vec<&str>, Vec<SqlValue>) = types
            .into_iter()
            .map(|it| match it.strip_suffix('*') {
                Some(group) => (
                    "instr(body ->> '$.type', ?) = 1",
                    SqlValue::Text(group.to_owned()),
                ),
                None => ("body ->> '$.type' = ?", SqlValue::Text(it)),
            })
            .unzip();
        filter = filter.and(&format!("({})", conditions.join(" OR ")), values);
    }
    match params.boolean("delivery_success")? {
        Some(true) => filter = filter.and("body ->> '$.pending_webhooks' = 0", []),
        Some(false) => filter = filter.and("body ->> '$.pending_webhooks' > 0", []),
        None => {}
    }
    Expansions::read(&mut params, Shape::List(Event::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        paging.stored::<Event>(transaction, URL, &filter)
    }))
}
