//! `/v1/test_helpers/test_clocks`.

use serde_json::json;

use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::test_clock::life;
use crate::test_clock::object::{ClockState, TestClock};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["test_helpers", "test_clocks"]) => Box::new(create),
        ("POST", ["test_helpers", "test_clocks", id, "advance"]) => {
            Box::new(move |params| advance(id, params))
        }
        ("DELETE", ["test_helpers", "test_clocks", id]) => {
            Box::new(move |params| delete(id, params))
        }
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let frozen_time = params
        .integer_within("frozen_time", 0, 253_402_300_799)
        .required(&params, "frozen_time")?;
    let name = params.short_text("name", 300)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let clock = life::set(transaction, ids::plain("clock_1"), name, frozen_time)?;
        Ok(clock.answer())
    }))
}

fn advance(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let to = params
        .integer("frozen_time")
        .required(&params, "frozen_time")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut clock = find(transaction, id)?;
        let refuse = |message: &str| Err(ApiError::invalid(message).param("frozen_time"));
        if clock.state == ClockState::Failed {
            return Err(ApiError::invalid(
                "The test clock failed to advance and can no longer be used. Delete it and create \
                 another.",
            ));
        }
        if to <= clock.frozen_time {
            return refuse(
                "The timestamp must be after the test clock's current frozen time: a test clock can \
                 only be advanced.",
            );
        }
        if to > life::farthest(transaction, &clock)? {
            return refuse(
                "The timestamp is too far in the future. You can advance a test clock at most two \
                 intervals of the shortest subscription on it at a time, and at most two years if it \
                 has no subscription.",
            );
        }
        life::advance(transaction, &mut clock, to)?;
        Ok(clock.answer())
    }))
}

fn delete(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let clock = find(transaction, id)?;
        life::delete(transaction, &clock)?;
        Ok(json!({ "id": id, "object": TestClock::KIND, "deleted": true }))
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<TestClock, ApiError> {
    let clock = transaction.get::<TestClock>(id)?;
    clock.ok_or_else(|| ApiError::no_such(TestClock::KIND, id).param("test_clock"))
}
