//! What time it is. Asked where a request or an event comes in, and passed on from there, so that
//! everything it leads to happens at one moment, and tests can say which.

use std::{fmt, sync::Arc};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A clock. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> OffsetDateTime + Send + Sync>);

impl Clock {
    /// One that says what `moment` answers.
    pub fn new(moment: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(moment))
    }

    /// This moment.
    pub fn moment(&self) -> OffsetDateTime {
        (self.0)()
    }

    /// This moment in whole Unix seconds, which is all that most of the shop needs of it.
    pub fn now(&self) -> i64 {
        self.moment().unix_timestamp()
    }
}

/// A time in Unix seconds as it is written in JSON.
pub fn rfc3339(at: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at).ok();
    at.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// This machine's.
impl Default for Clock {
    fn default() -> Self {
        Self::new(OffsetDateTime::now_utc)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
