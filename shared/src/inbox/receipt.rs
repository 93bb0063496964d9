//! What became of an event.

use std::collections::BTreeSet;

use crate::{
    purchase::{Attention, Subject},
    standing::Standing,
};

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It said something new.
    Recorded {
        /// What the event is about.
        subject: Subject,
        /// How it stands now.
        status: Standing,
        /// What a person should look at.
        attention: BTreeSet<Attention>,
    },
    /// It said nothing new.
    NothingNew,
    /// This very event was recorded before.
    SeenBefore,
    /// It is about a purchase or an invoice that no longer exists here, and moved no money.
    NoSuchPurchase,
    /// It is about something that does not belong to this shop.
    Foreign,
    /// Till does not handle its type.
    Unhandled,
    /// It is kept until somebody has fixed what keeps it from being recorded.
    Parked,
    /// It was parked before, and is still kept.
    ParkedBefore,
}

impl Receipt {
    /// As the webhook tells Stripe, and as logs say it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Recorded { .. } => "recorded",
            Self::NothingNew => "nothing new",
            Self::SeenBefore => "seen before",
            Self::NoSuchPurchase => "no such purchase",
            Self::Foreign => "foreign",
            Self::Unhandled => "unhandled",
            Self::Parked | Self::ParkedBefore => "parked",
        }
    }
}
