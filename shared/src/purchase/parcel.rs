//! What the seller did for a purchase: sent a parcel, or whatever else was to be done.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::plain;

/// By what a parcel is told from the others of its purchase: its tracking number, or that it has
/// none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ParcelId(String);

/// A text is not a tracking number.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a tracking number: it has 1 to 40 letters and digits, perhaps with hyphens between \
     them"
)]
pub struct NotATrackingNumber(String);

/// Something that was sent, or done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Parcel {
    /// When the seller first said so, in Unix seconds.
    pub at: i64,
    /// Who delivers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Where the buyer can see how far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<String>,
}

/// Stands for no number. No number is like it.
const WITHOUT_NUMBER: &str = "-";

impl ParcelId {
    /// That of a parcel without a tracking number. A purchase has one such parcel at most.
    pub fn without_number() -> Self {
        Self(WITHOUT_NUMBER.to_owned())
    }

    /// Its tracking number.
    pub fn number(&self) -> Option<&str> {
        (self.0 != WITHOUT_NUMBER).then_some(&self.0)
    }
}

/// A tracking number, as carriers print them: with spaces between groups, perhaps, and in upper or
/// lower case.
impl FromStr for ParcelId {
    type Err = NotATrackingNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let number = number.to_ascii_uppercase();
        let is_number = (1..=40).contains(&number.len())
            && number
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-')
            && number.starts_with(|c: char| c.is_ascii_alphanumeric());
        match is_number {
            true => Ok(Self(number)),
            false => Err(NotATrackingNumber(plain::line(text))),
        }
    }
}

impl TryFrom<String> for ParcelId {
    type Error = NotATrackingNumber;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            WITHOUT_NUMBER => Ok(Self::without_number()),
            number => number.parse(),
        }
    }
}

impl From<ParcelId> for String {
    fn from(id: ParcelId) -> Self {
        id.0
    }
}

impl fmt::Display for ParcelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Parcel {
    /// Merges what else was said of the same parcel; says whether it said anything new. What was
    /// said first is when it was sent; of two carriers or addresses, the same one is kept whichever
    /// was said first.
    pub(super) fn merge(&mut self, other: Self) -> bool {
        let before = self.clone();
        self.at = self.at.min(other.at);
        self.carrier = self.carrier.take().max(other.carrier);
        self.tracking_url = self.tracking_url.take().max(other.tracking_url);
        *self != before
    }
}
