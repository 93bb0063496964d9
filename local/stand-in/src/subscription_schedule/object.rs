//! Subscription schedules.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::description::{Description, complete};
use crate::engine::ids::{CustomerId, SubscriptionId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::{DAY, Timestamp};
use crate::subscription::terms::billing_mode;
use crate::subscription_schedule::phase::Phase;
use crate::wire::values::value;

/// How long before its end `subscription_schedule.expiring` tells of it.
const EXPIRING_BEFORE: Timestamp = 7 * DAY;

/// What a subscription is to be, phase by phase.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Schedule {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) customer: CustomerId,
    pub(crate) state: State,
    pub(crate) subscription: Option<SubscriptionId>,
    pub(crate) released_subscription: Option<SubscriptionId>,
    pub(crate) end_behavior: EndBehavior,
    /// What holds for every phase that says nothing else, as it was asked for.
    pub(crate) defaults: Map<String, Value>,
    pub(crate) billing_mode: Option<Value>,
    pub(crate) metadata: Metadata,
    /// Each begins where the one before ends; there is at least one.
    pub(crate) phases: Vec<Phase>,
    /// The shop was told that it ends then.
    pub(crate) told_of_end: Option<Timestamp>,
    pub(crate) test_clock: Option<String>,
}

/// How a schedule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    NotStarted,
    /// In the phase at this place.
    Active {
        phase: usize,
    },
    Completed {
        at: Timestamp,
    },
    Released {
        at: Timestamp,
    },
    Canceled {
        at: Timestamp,
    },
}

/// What becomes of the subscription when the last phase is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndBehavior {
    /// It ends.
    Cancel,
    /// It goes on by itself.
    #[default]
    Release,
}

/// What time brings to a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Its subscription begins.
    Begin,
    TellOfEnd,
    /// The phase at this place begins.
    Next(usize),
    End,
}

impl State {
    /// Stripe's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Active { .. } => "active",
            Self::Completed { .. } => "completed",
            Self::Released { .. } => "released",
            Self::Canceled { .. } => "canceled",
        }
    }

    /// Whether nothing will change it any more.
    pub(crate) fn is_over(self) -> bool {
        !matches!(self, Self::NotStarted | Self::Active { .. })
    }
}

impl Schedule {
    /// The phase that its subscription is in.
    pub(crate) fn current(&self) -> Option<&Phase> {
        match self.state {
            State::Active { phase } => self.phases.get(phase),
            _ => None,
        }
    }

    /// What ends its subscription, if that ends with the phase at this place.
    pub(crate) fn cancels_at(&self, place: usize) -> Option<Timestamp> {
        let is_last = place.saturating_add(1) == self.phases.len();
        let last = self.phases.last().filter(|_| is_last)?;
        (self.end_behavior == EndBehavior::Cancel).then_some(last.end)
    }

    /// What comes next, and when.
    pub(crate) fn next_step(&self) -> Option<(Timestamp, Step)> {
        let place = match self.state {
            State::NotStarted => return Some((self.phases.first()?.start, Step::Begin)),
            State::Active { phase } => phase,
            _ => return None,
        };
        let (first, last) = (self.phases.first()?, self.phases.last()?);
        let next = place.saturating_add(1);
        let step = match next < self.phases.len() {
            true => Step::Next(next),
            false => Step::End,
        };
        let own = (self.current()?.end, step);
        let warned = last.end.saturating_sub(EXPIRING_BEFORE);
        // A schedule that is shorter than the warning has none.
        let tells = self.told_of_end != Some(last.end) && warned > first.start;
        let tell = tells.then_some((warned, Step::TellOfEnd));
        // The first of several at one moment.
        tell.into_iter().chain([own]).min_by_key(|(at, _)| *at)
    }

    fn defaults_shown(&self) -> Value {
        let described = Description::newest().object(Self::KIND);
        let shape = described.and_then(|fields| fields.get("default_settings"));
        let given = Value::Object(self.defaults.clone());
        let mut shown = shape.map_or_else(|| json!({}), |it| value(&it.shape, &given, None));
        let known = [
            ("collection_method", json!("charge_automatically")),
            (
                "automatic_tax",
                json!({ "disabled_reason": null, "enabled": false, "liability": null }),
            ),
        ];
        if let Some(shown) = shown.as_object_mut() {
            for (field, value) in known {
                if shown.get(field).is_none_or(Value::is_null) {
                    shown.insert(field.to_owned(), value);
                }
            }
        }
        let settings = shown.get_mut("invoice_settings");
        if let Some(settings) = settings.and_then(Value::as_object_mut) {
            settings.insert("issuer".to_owned(), json!({ "type": "self" }));
        }
        shown
    }
}

impl Object for Schedule {
    const KIND: &'static str = "subscription_schedule";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.next_step().map(|(at, _)| at)
    }

    fn answer(&self) -> Value {
        let at = |is: fn(State) -> Option<Timestamp>| is(self.state);
        let current = self.current();
        let phases: Vec<_> = self.phases.iter().map(Phase::shown).collect();
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "billing_mode": billing_mode(self.billing_mode.as_ref()),
            "canceled_at": at(|it| match it { State::Canceled { at } => Some(at), _ => None }),
            "completed_at": at(|it| match it { State::Completed { at } => Some(at), _ => None }),
            "created": self.created,
            "current_phase": current.map(|it| json!({ "end_date": it.end, "start_date": it.start })),
            "customer": self.customer,
            "default_settings": self.defaults_shown(),
            "end_behavior": self.end_behavior,
            "livemode": false,
            "metadata": self.metadata,
            "pause_schedules": [],
            "phases": phases,
            "released_at": at(|it| match it { State::Released { at } => Some(at), _ => None }),
            "released_subscription": self.released_subscription,
            "status": self.state.as_str(),
            "subscription": self.subscription,
            "test_clock": self.test_clock,
        });
        complete(Self::KIND, answer)
    }
}
