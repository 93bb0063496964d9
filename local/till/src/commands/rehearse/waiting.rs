//! Waiting for what has to follow.

use std::time::{Duration, Instant};

use anyhow::bail;

/// What somebody sees who looks whether it has come about.
pub(super) enum Seen<T> {
    /// It has.
    There(T),
    /// It has not; this is so instead.
    Not(String),
}

/// How long to wait between the first two looks, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Looks again and again. The error is what was seen last: a look that fails is a look at a shop that
/// may be well again in a moment.
pub(super) async fn wait_for<T>(
    longest: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Seen<T>>,
) -> anyhow::Result<T> {
    let began = Instant::now();
    let (mut pause, longest_pause) = PAUSES;
    loop {
        let last = match look().await {
            Ok(Seen::There(found)) => return Ok(found),
            Ok(Seen::Not(last)) => last,
            Err(error) => format!("{error:#}"),
        };
        if began.elapsed() >= longest {
            bail!("{last} after {} seconds", longest.as_secs());
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(longest_pause);
    }
}
