//! What is still to follow from what was done: events on their way to the webhook, and records in
//! the tables' streams.

use std::sync::Arc;
use std::time::Duration;

use stand_in::StandIn;

use crate::streams::Drain;

/// Clones wait for the same.
#[derive(Clone)]
pub(crate) struct Aftermath {
    stand_in: Option<StandIn>,
    streams: Arc<[Drain]>,
}

impl Aftermath {
    pub(crate) fn of(stand_in: Option<StandIn>, streams: Vec<Drain>) -> Self {
        Self {
            stand_in,
            streams: streams.into(),
        }
    }

    /// Resolves when everything done before has taken effect: every event that is due and not held
    /// back has been tried at the webhook, and every record in the streams has been handled.
    pub(crate) async fn is_over(&self) -> anyhow::Result<()> {
        if let Some(stand_in) = &self.stand_in {
            while stand_in.default_account().is_delivering().await? {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        for stream in self.streams.iter() {
            stream.drained().await;
        }
        Ok(())
    }
}
