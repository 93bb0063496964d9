//! Test clocks.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::clock::TEST_CLOCK;
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;

/// A clock that stands still until it is advanced.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TestClock {
    pub(crate) id: String,
    /// In the account's time, which the clock itself lives in.
    pub(crate) created: Timestamp,
    pub(crate) name: Option<String>,
    pub(crate) frozen_time: Timestamp,
    pub(crate) deletes_after: Timestamp,
    pub(crate) state: ClockState,
}

/// How a clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClockState {
    Ready,
    Advancing {
        to: Timestamp,
        /// When somebody asked for it, in the account's time.
        since: Timestamp,
    },
    /// Something that was due on the way could not happen.
    Failed,
}

impl Object for TestClock {
    const KIND: &'static str = TEST_CLOCK;

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(match self.state {
            ClockState::Advancing { since, .. } => since,
            ClockState::Ready | ClockState::Failed => self.deletes_after,
        })
    }

    fn answer(&self) -> Value {
        let (status, details) = match self.state {
            ClockState::Ready => ("ready", json!({})),
            ClockState::Advancing { to, .. } => (
                "advancing",
                json!({ "advancing": { "target_frozen_time": to } }),
            ),
            ClockState::Failed => ("internal_failure", json!({})),
        };
        json!({
            "id": self.id,
            "object": Self::KIND,
            "created": self.created,
            "deletes_after": self.deletes_after,
            "frozen_time": self.frozen_time,
            "livemode": false,
            "name": self.name,
            "status": status,
            "status_details": details,
        })
    }
}
