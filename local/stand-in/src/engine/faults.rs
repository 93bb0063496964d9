//! Bad days on request: what Stripe's API, its events and its webhooks do when something goes wrong.
//!
//! | fault | hits | what happens |
//! | --- | --- | --- |
//! | `error` | API calls | answered with `status` (500) instead of doing the work |
//! | `rate_limit` | API calls | answered 429 |
//! | `slow` | API calls | done at once, answered after `delay_ms`; the idempotency key is in use meanwhile |
//! | `time_out` | API calls | done, but the answer never comes |
//! | `hang_up` | API calls | done, but the connection breaks before the answer |
//! | `no_event` | events | the object changes and nobody is told: the event is never made |
//! | `drop` | deliveries | the event exists, but is not delivered |
//! | `duplicate` | deliveries | delivered once more after it was taken |
//! | `delay` | deliveries | first tried after `delay_ms`, in whole seconds of the stand-in's clock |
//! | `reorder` | deliveries | waits until a later event has been taken, a minute at most |
//! | `endpoint_down` | tries | fails without reaching the endpoint, and is recorded as a failed try |
//!
//! A fault waits for the calls of a `path` and a `method`, or for the events of a `type`; `/v1/refunds*`
//! and `charge.*` mean all that begin so. It strikes `times` times, once if nothing is said; 0 means
//! until it is taken away. The first fault that fits strikes.

use std::sync::{Mutex, PoisonError};

use http::Method;
use serde::{Deserialize, Serialize};

use crate::engine::pattern::matches;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// An API call is refused.
    Error,
    /// An API call is one too many.
    RateLimit,
    /// An API call is answered late.
    Slow,
    /// An API call is done and never answered.
    TimeOut,
    /// An API call is done, and the connection breaks.
    HangUp,
    /// An event is not made.
    NoEvent,
    /// An event is not delivered.
    Drop,
    /// An event is delivered twice.
    Duplicate,
    /// An event is delivered late.
    Delay,
    /// An event is overtaken by the next one.
    Reorder,
    /// A try does not reach the endpoint.
    EndpointDown,
}

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Call,
    Event,
    Delivery,
    Try,
}

impl Fault {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::RateLimit => "rate_limit",
            Self::Slow => "slow",
            Self::TimeOut => "time_out",
            Self::HangUp => "hang_up",
            Self::NoEvent => "no_event",
            Self::Drop => "drop",
            Self::Duplicate => "duplicate",
            Self::Delay => "delay",
            Self::Reorder => "reorder",
            Self::EndpointDown => "endpoint_down",
        }
    }

    fn place(self) -> Place {
        match self {
            Self::Error | Self::RateLimit | Self::Slow | Self::TimeOut | Self::HangUp => {
                Place::Call
            }
            Self::NoEvent => Place::Event,
            Self::Drop | Self::Duplicate | Self::Delay | Self::Reorder => Place::Delivery,
            Self::EndpointDown => Place::Try,
        }
    }
}

/// A fault that waits for something to spoil.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlannedFault {
    /// What goes wrong. Left out, it is `error` if there is a status, else `slow`.
    #[serde(default)]
    pub(crate) fault: Option<Fault>,
    /// Which calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// Which calls, by their HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    /// Which events.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) event_type: Option<String>,
    /// What `error` answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// How late `slow` and `delay` are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delay_ms: Option<u64>,
    /// How often; 0 until it is taken away.
    #[serde(default = "once")]
    pub(crate) times: u32,
}

fn once() -> u32 {
    1
}

/// What strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) fault: Fault,
    pub(crate) status: u16,
    pub(crate) delay_ms: u64,
}

impl PlannedFault {
    fn what(&self) -> Fault {
        self.fault.unwrap_or(match self.status {
            Some(_) => Fault::Error,
            None => Fault::Slow,
        })
    }

    /// Says what makes no sense.
    fn check(&self) -> Result<(), String> {
        let fault = self.what();
        let for_calls = fault.place() == Place::Call;
        match self.status {
            Some(status) if !(400..=599).contains(&status) => {
                return Err(format!("status must be 4xx or 5xx, not {status}"));
            }
            Some(_) if fault != Fault::Error => {
                return Err("only the fault error has a status".to_owned());
            }
            _ => {}
        }
        if self.delay_ms.is_some() && !matches!(fault, Fault::Error | Fault::Slow | Fault::Delay) {
            return Err("only the faults slow, error and delay have a delay_ms".to_owned());
        }
        if self.delay_ms.is_none() && matches!(fault, Fault::Slow | Fault::Delay) {
            return Err("set delay_ms to the delay in milliseconds".to_owned());
        }
        if for_calls && self.event_type.is_some() {
            return Err("this fault hits API calls: choose them by path and method".to_owned());
        }
        if !for_calls && (self.path.is_some() || self.method.is_some()) {
            return Err("this fault hits events: choose them by type".to_owned());
        }
        Ok(())
    }

    fn strike(&self) -> Strike {
        let fault = self.what();
        Strike {
            fault,
            status: match fault {
                Fault::RateLimit => 429,
                _ => self.status.unwrap_or(500),
            },
            delay_ms: self.delay_ms.unwrap_or_default(),
        }
    }
}

/// The faults still to come. They are a switch, not state: a restart clears them.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<PlannedFault>>);

impl Faults {
    pub(crate) fn plan(&self, fault: PlannedFault) -> Result<PlannedFault, String> {
        fault.check()?;
        let fault = PlannedFault {
            fault: Some(fault.what()),
            ..fault
        };
        self.with(|faults| faults.push(fault.clone()));
        Ok(fault)
    }

    pub(crate) fn all(&self) -> Vec<PlannedFault> {
        self.with(|faults| faults.clone())
    }

    pub(crate) fn clear(&self) {
        self.with(Vec::clear);
    }

    /// What happens to this API call.
    pub(crate) fn at_call(&self, method: &Method, path: &str) -> Option<Strike> {
        self.next(Place::Call, |fault| {
            fault.path.as_deref().is_none_or(|it| matches(it, path))
                && fault
                    .method
                    .as_deref()
                    .is_none_or(|it| it.eq_ignore_ascii_case(method.as_str()))
        })
    }

    /// Whether an event of this type is not made.
    pub(crate) fn no_event(&self, event_type: &str) -> bool {
        self.at_event(Place::Event, event_type).is_some()
    }

    /// What happens to the delivery of an event of this type.
    pub(crate) fn at_delivery(&self, event_type: &str) -> Option<Strike> {
        self.at_event(Place::Delivery, event_type)
    }

    /// Whether this try to deliver does not reach the endpoint.
    pub(crate) fn endpoint_down(&self, event_type: &str) -> bool {
        self.at_event(Place::Try, event_type).is_some()
    }

    fn at_event(&self, place: Place, event_type: &str) -> Option<Strike> {
        self.next(place, |fault| {
            fault
                .event_type
                .as_deref()
                .is_none_or(|it| matches(it, event_type))
        })
    }

    fn next(&self, place: Place, meets: impl Fn(&PlannedFault) -> bool) -> Option<Strike> {
        self.with(|faults| {
            let at = faults
                .iter()
                .position(|fault| fault.what().place() == place && meets(fault))?;
            let fault = faults.get_mut(at)?;
            let strike = fault.strike();
            match fault.times {
                0 => {}
                1 => {
                    faults.remove(at);
                }
                times => fault.times = times.saturating_sub(1),
            }
            Some(strike)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<PlannedFault>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn planned(faults: &Faults, plan: Value) {
        faults.plan(serde_json::from_value(plan).unwrap()).unwrap();
    }

    #[test]
    fn a_fault_strikes_what_it_waits_for_as_often_as_asked() {
        let faults = Faults::default();
        planned(
            &faults,
            json!({ "fault": "error", "path": "/v1/refunds*", "method": "post", "times": 2 }),
        );
        let post = |path| faults.at_call(&Method::POST, path).map(|it| it.status);
        assert_eq!(post("/v1/charges"), None);
        assert_eq!(faults.at_call(&Method::GET, "/v1/refunds"), None);
        assert_eq!(post("/v1/refunds"), Some(500));
        assert_eq!(post("/v1/refunds/re_1/cancel"), Some(500));
        assert_eq!(post("/v1/refunds"), None);
        assert!(faults.all().is_empty());
    }

    #[test]
    fn a_fault_without_end_strikes_until_it_is_taken_away() {
        let faults = Faults::default();
        planned(
            &faults,
            json!({ "fault": "no_event", "type": "charge.*", "times": 0 }),
        );
        assert!((0..9).all(|_| faults.no_event("charge.refunded")));
        assert!(!faults.no_event("refund.created"));
        assert!(!faults.endpoint_down("charge.refunded"));
        faults.clear();
        assert!(!faults.no_event("charge.refunded"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for plan in [
            json!({ "status": 200 }),
            json!({ "fault": "drop", "path": "/v1/refunds" }),
            json!({ "fault": "error", "type": "charge.refunded" }),
            json!({ "fault": "delay" }),
            json!({ "fault": "rate_limit", "status": 500 }),
            json!({ "fault": "hang_up", "delay_ms": 5 }),
        ] {
            let plan: PlannedFault = serde_json::from_value(plan).unwrap();
            assert!(Faults::default().plan(plan.clone()).is_err(), "{plan:?}");
        }
    }
}
