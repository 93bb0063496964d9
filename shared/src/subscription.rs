//! A subscription as it was last read at Stripe, and what follows from that.
//!
//! How a subscription stands is not a fact that grows: it falls behind and recovers, is cancelled
//! and kept after all. So nothing is merged here. Stripe's events are only hints to read it, and a
//! reading replaces the one before it. Whoever reads it notes the version of what is stored first,
//! asks Stripe then, and writes on that version, so that each stored reading was fetched after the
//! one before it was stored ([`crate::readings`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    invoice::Letters,
    purchase::{Buyer, Mail, Notice, PurchaseId, Subject, SubscriptionId},
};

mod entitlement;
mod notices;
mod reading;
#[cfg(test)]
mod tests;
mod turn;

pub use entitlement::Entitlement;
pub use reading::{Item, Next, Pause, PauseBehavior, Reading, SubscriptionStatus};
pub use turn::{Turn, TurnKind};

/// One subscription. It changes only by being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    id: SubscriptionId,
    /// The purchase with which it began.
    purchase: PurchaseId,
    buyer: Buyer,
    /// `None` until it is read for the first time.
    reading: Option<Reading>,
    /// What somebody was told that is still true.
    told: BTreeMap<Notice, Told>,
    /// The latest of what other systems were told.
    turn: Option<Turn>,
}

/// That somebody was told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Told {
    /// The moment it was about, in Unix seconds.
    pub about: i64,
    /// The version whose reading told it.
    pub version: u64,
}

impl Subscription {
    /// A subscription that is still to be read.
    pub fn new(id: SubscriptionId, purchase: PurchaseId, buyer: Buyer) -> Self {
        Self {
            id,
            purchase,
            buyer,
            reading: None,
            told: BTreeMap::new(),
            turn: None,
        }
    }

    /// Rebuilds it from what is stored.
    pub(crate) fn kept(
        (id, purchase): (SubscriptionId, PurchaseId),
        buyer: Buyer,
        reading: Option<Reading>,
        (told, turn): (BTreeMap<Notice, Told>, Option<Turn>),
    ) -> Self {
        Self {
            id,
            purchase,
            buyer,
            reading,
            told,
            turn,
        }
    }

    /// Takes over a reading, which makes this `version` of it. `None` if that says nothing new.
    /// `trial_is_ending` is whether an event said so.
    pub fn read(
        &mut self,
        reading: Reading,
        trial_is_ending: bool,
        version: u64,
        now: i64,
    ) -> Option<Letters> {
        let plan_changed = self
            .reading
            .as_ref()
            .is_some_and(|before| reading.has_another_plan_than(before));
        let mut due = BTreeSet::new();
        if plan_changed {
            due.insert(Mail::Notice(Notice::PlanChanged, version));
        }
        let already = self.told.get(&Notice::TrialEnding);
        let is_ending = |at| trial_is_ending || already.is_some_and(|told| told.about == at);
        let true_now = notices::of(&reading, is_ending, now);
        let mut superseded = BTreeSet::new();
        let mut told = BTreeMap::new();
        for (notice, about) in &true_now {
            let known = self.told.get(notice).filter(|known| known.about == *about);
            let known = known.copied().unwrap_or_else(|| {
                due.insert(Mail::Notice(*notice, version));
                Told {
                    about: *about,
                    version,
                }
            });
            told.insert(*notice, known);
        }
        for (notice, before) in &self.told {
            let mail = Mail::Notice(*notice, before.version);
            if mail.is_progress() && told.get(notice) != Some(before) {
                superseded.insert(mail);
            }
        }
        let is_news = self.reading.as_ref() != Some(&reading) || told != self.told;
        if let Some(kind) = TurnKind::of(self.reading.as_ref(), &reading) {
            self.turn = Some(Turn {
                kind,
                version,
                at: now,
                before: self.turn.map(|before| (before.kind, before.version)),
            });
        }
        (self.reading, self.told) = (Some(reading), told);
        is_news.then_some(Letters { due, superseded })
    }

    /// Its key.
    pub fn id(&self) -> &SubscriptionId {
        &self.id
    }

    /// The purchase with which it began.
    pub fn purchase(&self) -> PurchaseId {
        self.purchase
    }

    /// What it is, as events and mails name it.
    pub fn subject(&self) -> Subject {
        Subject::Subscription(self.id.clone())
    }

    /// Whose it is.
    pub fn buyer(&self) -> &Buyer {
        &self.buyer
    }

    /// How it stood when it was last read; `None` if it never was.
    pub fn reading(&self) -> Option<&Reading> {
        self.reading.as_ref()
    }

    /// What somebody was told that is still true.
    pub(crate) fn told(&self) -> &BTreeMap<Notice, Told> {
        &self.told
    }

    /// The latest of what other systems were told.
    pub fn turn(&self) -> Option<&Turn> {
        self.turn.as_ref()
    }

    /// The mails about what somebody was told that is still true.
    pub fn standing_notices(&self) -> impl Iterator<Item = Mail> {
        let told = self.told.iter();
        told.map(|(notice, told)| Mail::Notice(*notice, told.version))
    }

    /// When to read it again, in Unix seconds, unless something is heard before. `None` if nothing
    /// more will come of it.
    pub fn next_check(&self, now: i64) -> Option<i64> {
        const HOUR: i64 = 3600;
        const DAY: i64 = 24 * HOUR;
        let Some(reading) = &self.reading else {
            return Some(now);
        };
        match reading.status {
            SubscriptionStatus::Canceled | SubscriptionStatus::IncompleteExpired => None,
            SubscriptionStatus::Active | SubscriptionStatus::Trialing => {
                let resumes = reading.pause.and_then(|pause| pause.resumes_at);
                let ends = [reading.cancel_at, reading.trial_end, resumes];
                let ends = ends.into_iter().flatten().filter(|end| *end > now);
                let end = ends.fold(reading.period.end, i64::min);
                // Stripe charges a renewal an hour after it has made its invoice.
                let settled = end.saturating_add(2 * HOUR);
                Some(settled.max(now.saturating_add(HOUR)))
            }
            SubscriptionStatus::Incomplete
            | SubscriptionStatus::PastDue
            | SubscriptionStatus::Unpaid
            | SubscriptionStatus::Paused => Some(now.saturating_add(DAY)),
        }
    }
}
