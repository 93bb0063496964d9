//! The events behind a place: how far a listener has come, and what is next.

use anyhow::Context as _;

use crate::engine::filter::{Cursor, Filter};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::webhook::event::Event;
use crate::webhook::queue;

/// Events that are read at a time.
const AT_ONCE: usize = 20;

/// The place of the newest event: behind it comes only what is still to happen.
pub(crate) fn newest(transaction: &Transaction<'_>) -> anyhow::Result<i64> {
    let last = Cursor::OlderThan(i64::MAX);
    let newest: Vec<Event> = transaction.some(last, 1, &Filter::default())?;
    let newest = newest.first().map(|event| place(transaction, event));
    Ok(newest.transpose()?.unwrap_or_default())
}

/// The next events behind a place, each with its own, unless deliveries are held back.
pub(crate) fn behind(
    transaction: &Transaction<'_>,
    place_of_last: i64,
) -> anyhow::Result<Vec<(i64, Event)>> {
    if queue::is_held(transaction)? {
        return Ok(Vec::new());
    }
    let from = Cursor::NewerThan(place_of_last);
    let events: Vec<Event> = transaction.some(from, AT_ONCE, &Filter::default())?;
    events
        .into_iter()
        .map(|event| Ok((place(transaction, &event)?, event)))
        .collect()
}

/// All events behind a place, oldest first, whether or not they are held back.
pub(crate) fn all_behind(
    transaction: &Transaction<'_>,
    place_of_last: i64,
) -> anyhow::Result<Vec<Event>> {
    let from = Cursor::NewerThan(place_of_last);
    transaction.some(from, isize::MAX.unsigned_abs(), &Filter::default())
}

fn place(transaction: &Transaction<'_>, event: &Event) -> anyhow::Result<i64> {
    let place = transaction.sequence(Event::KIND, &event.id)?;
    place.with_context(|| format!("the event {} has no place", event.id))
}
