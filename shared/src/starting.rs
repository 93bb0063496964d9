//! A function's start: what can wait until it has asked Lambda for work.

/// The event loop turns this often until a function that starts has asked for work: that takes one
/// turn to connect to Lambda's Runtime API, and one to write.
const TURNS: usize = 4;

/// Lets everything else go first until the function has asked for work, if it is just starting.
/// What follows is then done while Lambda looks for that work.
pub(crate) async fn work_is_asked_for() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}
