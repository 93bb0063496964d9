//! Faults on request: the next calls are refused, or answered late.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

/// What goes wrong with one call. A late answer has done its work in time.
#[derive(Debug, Clone)]
pub(in crate::stripe) struct Fault {
    /// The path it waits for; any, if there is none.
    pub(in crate::stripe) path: Option<String>,
    /// Answered instead of doing the work. Stripe keeps a 5xx under the call's idempotency key.
    pub(in crate::stripe) status: Option<StatusCode>,
    pub(in crate::stripe) delay: Duration,
}

/// The faults still to come. They are a switch, not state: a restart clears them.
#[derive(Debug, Default)]
pub(in crate::stripe) struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    /// Plans the fault for the next `times` calls of its path.
    pub(in crate::stripe) fn plan(&self, fault: &Fault, times: usize) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.extend(std::iter::repeat_n(fault, times).cloned());
    }

    pub(super) fn next(&self, path: &str) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let meets = |fault: &Fault| fault.path.as_deref().is_none_or(|meant| meant == path);
        let place = faults.iter().position(meets)?;
        faults.remove(place)
    }
}
