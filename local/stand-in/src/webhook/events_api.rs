//! `/v1/events`.

use rusqlite::types::Value as SqlValue;

use crate::engine::resource::Object as _;
use crate::webhook::event::Event;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::{Paging, created};
use crate::wire::params::Params;

const URL: &str = "/v1/events";

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["events"]) => Box::new(list),
        _ => return None,
    })
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
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
                    "instr(shown ->> '$.type', ?) = 1",
                    SqlValue::Text(group.to_owned()),
                ),
                None => ("shown ->> '$.type' = ?", SqlValue::Text(it)),
            })
            .unzip();
        filter = filter.and(&format!("({})", conditions.join(" OR ")), values);
    }
    match params.boolean("delivery_success")? {
        Some(true) => filter = filter.and("shown ->> '$.pending_webhooks' = 0", []),
        Some(false) => filter = filter.and("shown ->> '$.pending_webhooks' > 0", []),
        None => {}
    }
    params.finish()?;
    Ok(Box::new(move |transaction| {
        paging.stored(transaction, Event::KIND, URL, &filter)
    }))
}
