//! Time as Stripe counts it.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, as Stripe counts time.
pub(crate) type Timestamp = i64;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;

/// The machine's own time. Only webhook signatures use it directly: their receiver compares them
/// with a clock that nobody has moved.
pub(crate) fn real() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// What the machine's clock says: this machine's, unless a simulation keeps the time. Cheap to clone.
#[derive(Clone)]
pub struct MachineTime(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl MachineTime {
    /// One that says what `seconds` answers, in seconds since 1970.
    pub fn new(seconds: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(seconds))
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for MachineTime {
    fn default() -> Self {
        Self::new(real)
    }
}

impl fmt::Debug for MachineTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MachineTime")
    }
}
