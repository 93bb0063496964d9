//! What is paid for again and again.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How often a product is paid for, and from when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurring {
    /// The unit of time.
    pub interval: Interval,
    /// How many of them lie between two payments.
    #[serde(default = "one")]
    pub interval_count: u32,
    /// How many days are free before the first payment; 0 if it is due at once.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub trial_days: u32,
}

/// A unit of time between two payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    /// 24 hours.
    Day,
    /// Seven days.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

/// What Stripe does not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecurringError {
    /// Nothing between two payments.
    #[error("interval_count: it is at least 1")]
    Never,
    /// Too far apart.
    #[error(
        "interval_count: {0} is more than Stripe's three years (3 years, 36 months, 156 weeks or \
         1095 days)"
    )]
    TooFarApart(u32),
    /// Too long before the first payment.
    #[error("trial_days: {0} is more than Stripe's two years (730 days)")]
    LongTrial(u32),
}

impl Recurring {
    /// Checks Stripe's limits: three years between two payments (its page on
    /// `price_data.recurring`), and 730 free days (its page on trials).
    pub fn check(self) -> Result<(), RecurringError> {
        if self.interval_count == 0 {
            return Err(RecurringError::Never);
        }
        if self.interval_count > self.interval.in_three_years() {
            return Err(RecurringError::TooFarApart(self.interval_count));
        }
        if self.trial_days > 730 {
            return Err(RecurringError::LongTrial(self.trial_days));
        }
        Ok(())
    }

    /// All of it in words: "every month, 14 days free".
    pub fn terms(self) -> String {
        match self.trial_days {
            0 => format!("every {self}"),
            1 => format!("every {self}, 1 day free"),
            days => format!("every {self}, {days} days free"),
        }
    }
}

/// The time between two payments, to be read after "every" or a slash: `month`, `3 months`.
impl fmt::Display for Recurring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interval = self.interval.as_str();
        match self.interval_count {
            1 => f.write_str(interval),
            count => write!(f, "{count} {interval}s"),
        }
    }
}

impl Interval {
    /// Stripe's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    fn in_three_years(self) -> u32 {
        match self {
            Self::Day => 1095,
            Self::Week => 156,
            Self::Month => 36,
            Self::Year => 3,
        }
    }
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(interval_count: u32, interval: Interval) -> Recurring {
        Recurring {
            interval,
            interval_count,
            trial_days: 0,
        }
    }

    #[test]
    fn payments_are_up_to_three_years_apart() {
        for (most, interval) in [
            (1095, Interval::Day),
            (156, Interval::Week),
            (36, Interval::Month),
            (3, Interval::Year),
        ] {
            assert_eq!(every(1, interval).check(), Ok(()));
            assert_eq!(every(most, interval).check(), Ok(()));
            let more = most + 1;
            let refused = every(more, interval).check();
            assert_eq!(refused, Err(RecurringError::TooFarApart(more)));
            assert_eq!(every(0, interval).check(), Err(RecurringError::Never));
        }
    }

    #[test]
    fn up_to_two_years_are_free() {
        let free = |trial_days| Recurring {
            trial_days,
            ..every(1, Interval::Month)
        };
        assert_eq!(free(730).check(), Ok(()));
        assert_eq!(free(731).check(), Err(RecurringError::LongTrial(731)));
    }

    #[test]
    fn it_is_written_as_people_say_it() {
        let monthly = every(1, Interval::Month);
        assert_eq!(format!("9.00 EUR / {monthly}"), "9.00 EUR / month");
        assert_eq!(every(2, Interval::Week).terms(), "every 2 weeks");
        let tried = Recurring {
            trial_days: 14,
            ..monthly
        };
        assert_eq!(tried.terms(), "every month, 14 days free");
    }

    #[test]
    fn a_month_is_meant_unless_there_are_more() {
        let read: Recurring = serde_json::from_str(r#"{"interval":"month"}"#).unwrap();
        assert_eq!(read, every(1, Interval::Month));
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            r#"{"interval":"month","interval_count":1}"#
        );
    }
}
