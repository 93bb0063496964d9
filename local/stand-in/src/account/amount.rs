//! Amounts of money.

use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// So many minor units of the currency that stands beside it. Negative goes out.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub(crate) struct Amount(i64);

impl Amount {
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const MAX: Self = Self(i64::MAX);

    pub(crate) const fn new(minor_units: i64) -> Self {
        Self(minor_units)
    }

    pub(crate) const fn minor_units(self) -> i64 {
        self.0
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The same in the other direction.
    pub(crate) fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// So many times as much, unless that is more than can be counted.
    pub(crate) fn times(self, quantity: i64) -> Option<Self> {
        self.0.checked_mul(quantity).map(Self)
    }

    /// So many parts of a whole, rounded half up; what goes out, as what comes in.
    pub(crate) fn share(self, parts: i64, whole: i64) -> Self {
        match self < Self::ZERO {
            true => self.negated().share(parts, whole).negated(),
            false => self.part(parts, whole, whole.into()),
        }
    }

    /// So many parts of a whole, rounded down.
    pub(crate) fn share_rounded_down(self, parts: i64, whole: i64) -> Self {
        self.part(parts, whole, 0)
    }

    /// `parts / whole`, half of `bias / whole` added before what is left over is cut off.
    fn part(self, parts: i64, whole: i64, bias: i128) -> Self {
        let twice = |number: i64| i128::from(number).saturating_mul(2);
        let share = i128::from(self.0)
            .saturating_mul(twice(parts))
            .saturating_add(bias)
            .checked_div(twice(whole))
            .and_then(|share| i64::try_from(share).ok());
        share.map_or(self, Self)
    }

    /// What is over the last multiple of `step`.
    pub(crate) fn beyond(self, step: i64) -> Self {
        Self(self.0.checked_rem(step).unwrap_or_default())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_as_asked() {
        let share = |amount, parts, whole| Amount::new(amount).share(parts, whole).minor_units();
        assert_eq!(share(1_500, 1, 10), 150);
        assert_eq!(share(1_005, 1, 10), 101);
        assert_eq!(share(1_004, 1, 10), 100);
        assert_eq!(share(-1_005, 1, 10), -101);
        assert_eq!(share(-1_004, 1, 10), -100);
        let down = Amount::new(1_005).share_rounded_down(1, 10);
        assert_eq!(down, Amount::new(100));
        assert_eq!(share(i64::MAX, 1, 1), i64::MAX);
    }
}
