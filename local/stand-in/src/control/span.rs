//! How far time is to be moved, as people say it: `90`, `3h`, `1mo`.

use std::str::FromStr;

use serde::Deserialize;

use crate::engine::calendar::{Interval, Unit};
use crate::engine::time::{DAY, HOUR, MINUTE, Timestamp};

const MONTH: Interval = Interval {
    unit: Unit::Month,
    count: 1,
};

/// A length of time. A month or a year is as long as the calendar makes it from where it begins, as
/// it is for a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Span {
    Seconds(i64),
    Months(i64),
}

impl Span {
    /// The moment at its end.
    pub(crate) fn after(self, begin: Timestamp) -> Timestamp {
        match self {
            Self::Seconds(seconds) => begin.saturating_add(seconds),
            Self::Months(months) => MONTH.from(begin, months),
        }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '-');
        let (number, unit) = text.split_at(end.unwrap_or(text.len()));
        let span = number.parse::<i64>().ok().and_then(|number| {
            let seconds = |each: i64| number.checked_mul(each).map(Self::Seconds);
            match unit {
                "" | "s" => seconds(1),
                "m" => seconds(MINUTE),
                "h" => seconds(HOUR),
                "d" => seconds(DAY),
                "w" => seconds(DAY.saturating_mul(7)),
                "mo" => Some(Self::Months(number)),
                "y" => number.checked_mul(12).map(Self::Months),
                _ => None,
            }
        });
        span.ok_or_else(|| {
            format!("{text:?} is not a length of time: use 90s, 30m, 3h, 1d, 2w, 1mo or 1y")
        })
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon on 31 January 2026.
    const JANUARY: Timestamp = 1_769_860_800;

    #[test]
    fn a_span_is_a_number_and_a_unit_and_a_bare_number_is_seconds() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("30m", 1_800),
            ("3h", 3 * HOUR),
            (" 1d ", DAY),
            ("2w", 14 * DAY),
            ("0", 0),
        ] {
            let span = text.parse::<Span>().unwrap();
            assert_eq!(span.after(JANUARY), JANUARY + seconds, "{text}");
        }
    }

    #[test]
    fn a_month_and_a_year_are_the_calendars() {
        for (text, days) in [
            ("1mo", 28),
            ("2mo", 59),
            ("12mo", 365),
            ("1y", 365),
            ("0mo", 0),
        ] {
            let span = text.parse::<Span>().unwrap();
            assert_eq!(span.after(JANUARY), JANUARY + days * DAY, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for text in [
            "",
            "mo",
            "1.5d",
            "1 fortnight",
            "1M",
            "9223372036854775807d",
            "--1",
        ] {
            let refused = text.parse::<Span>().unwrap_err();
            assert!(refused.contains("is not a length of time"), "{refused}");
        }
    }
}
