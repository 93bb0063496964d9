//! What goes wrong around the functions, and how often.

use std::collections::BTreeMap;
use std::fmt;

use fastrand::Rng;

/// Something that may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// DynamoDB throttles, or fails before it has done anything.
    TablesRefuse,
    /// Another transaction has one of the items.
    TablesConflict,
    /// DynamoDB does what it was asked, and its answer is lost.
    TablesLoseAnswers,
    /// A read that need not be consistent, or an index, shows what was.
    TablesLag,
    /// Stripe is busy (409, 429), or fails before it has done anything.
    StripeRefuses,
    /// Stripe fails (500) after it has done what it was asked, and says so again under the same key.
    StripeFails,
    /// Stripe does what it was asked, and its answer is lost.
    StripeLosesAnswers,
    /// SES or the event bus throttles or fails.
    MailRefused,
    /// SES sends the mail, or the bus publishes the event, and its answer is lost.
    MailLosesAnswers,
    /// There is no connection.
    Unreachable,
    /// An answer takes seconds.
    Slow,
    /// A function is killed between two of its calls.
    Killed,
    /// Stripe delivers an event twice, at once or later.
    EventTwice,
    /// Stripe delivers an event days later.
    EventLate,
    /// Stripe never delivers an event.
    EventLost,
    /// Stripe never delivers an event about a session, nor lists it.
    EventNeverMade,
    /// The outbox's stream is read minutes later.
    StreamLate,
    /// A batch of the stream comes again.
    StreamTwice,
    /// A buyer's request is sent twice at once.
    Impatience,
}

/// How often each trouble strikes, of a thousand chances; one that is not there never does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weather(BTreeMap<Trouble, u32>);

impl Trouble {
    pub(crate) const ALL: [Self; 19] = [
        Self::TablesRefuse,
        Self::TablesConflict,
        Self::TablesLoseAnswers,
        Self::TablesLag,
        Self::StripeRefuses,
        Self::StripeFails,
        Self::StripeLosesAnswers,
        Self::MailRefused,
        Self::MailLosesAnswers,
        Self::Unreachable,
        Self::Slow,
        Self::Killed,
        Self::EventTwice,
        Self::EventLate,
        Self::EventLost,
        Self::EventNeverMade,
        Self::StreamLate,
        Self::StreamTwice,
        Self::Impatience,
    ];

    /// Rates to choose from: calls are many, events and invocations fewer.
    fn rates(self) -> [u32; 3] {
        match self {
            Self::TablesLag | Self::EventTwice | Self::EventLate | Self::EventLost => {
                [50, 200, 500]
            }
            Self::EventNeverMade => [20, 50, 200],
            Self::StreamLate | Self::StreamTwice | Self::Impatience => [50, 200, 500],
            Self::Killed => [10, 50, 200],
            _ => [5, 20, 80],
        }
    }
}

impl Weather {
    /// Some of all troubles, or fair weather.
    pub(crate) fn drawn(dice: &mut Rng) -> Self {
        let mut weather = BTreeMap::new();
        for trouble in Trouble::ALL {
            let rate = trouble.rates()[dice.usize(..3)];
            if dice.bool() {
                weather.insert(trouble, rate);
            }
        }
        Self(weather)
    }

    pub(crate) fn rate(&self, trouble: Trouble) -> u32 {
        self.0.get(&trouble).copied().unwrap_or_default()
    }

    /// The troubles that there are.
    pub(crate) fn troubles(&self) -> impl Iterator<Item = Trouble> {
        self.0.keys().copied()
    }

    /// The same weather but for one trouble.
    pub(crate) fn without(&self, trouble: Trouble) -> Self {
        let mut rest = self.clone();
        rest.0.remove(&trouble);
        rest
    }
}

impl fmt::Display for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("fair");
        }
        let troubles = self
            .0
            .iter()
            .map(|(trouble, rate)| format!("{trouble:?} {}.{}%", rate / 10, rate % 10));
        f.write_str(&troubles.collect::<Vec<_>>().join(", "))
    }
}
