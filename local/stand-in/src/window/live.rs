//! News for open pages, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream};

use crate::window::frame::View;

/// How long news are gathered before a page hears of them.
const GATHERING: Duration = Duration::from_millis(100);

/// Says `changed` whenever something may have changed, until the stand-in stops.
pub(super) async fn news(view: View) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let news = view.account.0.news.subscribe();
    let stopping = view.stand_in.0.stopping.subscribe();
    let events = stream::unfold((news, stopping), |(mut news, mut stopping)| async move {
        tokio::select! {
            changed = news.changed() => changed.ok()?,
            _ = stopping.wait_for(|stopping| *stopping) => return None,
        }
        tokio::time::sleep(GATHERING).await;
        news.mark_unchanged();
        // Browsers pass over an event without data.
        let event = Event::default().event("changed").data("look again");
        Some((Ok(event), (news, stopping)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
