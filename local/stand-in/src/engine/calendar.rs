//! Calendar intervals, as prices recur in them.
//!
//! Intervals are counted from an anchor, and months keep its day where they have it: from 31 January
//! they lead to 28 February, and to 31 March. Stripe's page "Setting the subscription billing cycle
//! date" is the source.

use serde::{Deserialize, Serialize};
use time::{Date, Month, OffsetDateTime, Time};

use crate::engine::time::{DAY, Timestamp};

/// An interval's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    /// The unit of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "year" => Self::Year,
            _ => return None,
        })
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// As many as make three years: the longest that Stripe lets a price recur in.
    pub(crate) fn most(self) -> i64 {
        match self {
            Self::Day => 1_095,
            Self::Week => 156,
            Self::Month => 36,
            Self::Year => 3,
        }
    }
}

/// The last moment that is not beyond all dates.
const LAST: Timestamp = Timestamp::MAX - 1;

/// So many of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Interval {
    pub(crate) unit: Unit,
    pub(crate) count: i64,
}

/// What intervals are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    pub(crate) at: Timestamp,
    /// The day of the month to return to, which the anchor's own month may not have.
    day: u8,
}

impl Anchor {
    /// An anchor whose day of the month is its own.
    pub(crate) fn new(at: Timestamp) -> Self {
        let day = OffsetDateTime::from_unix_timestamp(at).map_or(1, OffsetDateTime::day);
        Self { at, day }
    }

    /// The first moment from `from` on with this day, and perhaps this month and this time of day. A
    /// month without the day has its last instead.
    pub(crate) fn next(
        from: Timestamp,
        day: u8,
        month: Option<Month>,
        of_day: Option<Time>,
    ) -> Self {
        let at = OffsetDateTime::from_unix_timestamp(from)
            .ok()
            .and_then(|now| {
                let time = of_day.unwrap_or(now.time());
                let wanted = |months: i64| {
                    let start = now.replace_day(1).ok()?.replace_time(time).unix_timestamp();
                    let first = Self { at: start, day };
                    let at = months_later(first, months)?;
                    let is_of_month = month.is_none_or(|month| {
                        OffsetDateTime::from_unix_timestamp(at).is_ok_and(|it| it.month() == month)
                    });
                    (at >= from && is_of_month).then_some(at)
                };
                (0..=13).find_map(wanted)
            });
        Self {
            at: at.unwrap_or(from),
            day,
        }
    }
}

impl Interval {
    /// The moment so many intervals after the anchor, or before it.
    pub(crate) fn after(self, anchor: Anchor, times: i64) -> Timestamp {
        let units = self.count.saturating_mul(times);
        let days = |each: i64| anchor.at.saturating_add(units.saturating_mul(each));
        let beyond = if units < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        match self.unit {
            Unit::Day => days(DAY),
            Unit::Week => days(DAY.saturating_mul(7)),
            Unit::Month => months_later(anchor, units).unwrap_or(beyond),
            Unit::Year => months_later(anchor, units.saturating_mul(12)).unwrap_or(beyond),
        }
    }

    /// The moment so many intervals after this one.
    pub(crate) fn from(self, moment: Timestamp, times: i64) -> Timestamp {
        self.after(Anchor::new(moment), times)
    }

    /// Where the interval that a moment is in begins and ends.
    pub(crate) fn around(self, anchor: Anchor, moment: Timestamp) -> (Timestamp, Timestamp) {
        let mut times = self.roughly_between(anchor.at, moment);
        while self.after(anchor, times) > moment {
            times = times.saturating_sub(1);
        }
        // Beyond all dates there is no later interval to come to.
        while self.after(anchor, times.saturating_add(1)) <= moment.min(LAST) {
            times = times.saturating_add(1);
        }
        let end = times.saturating_add(1);
        (self.after(anchor, times), self.after(anchor, end))
    }

    /// How many intervals there are between two moments, give or take one.
    fn roughly_between(self, from: Timestamp, to: Timestamp) -> i64 {
        let days = to.saturating_sub(from).div_euclid(DAY);
        let of_unit = match self.unit {
            Unit::Day => 1,
            Unit::Week => 7,
            Unit::Month => 30,
            Unit::Year => 365,
        };
        days.div_euclid(self.count.saturating_mul(of_unit).max(1))
    }
}

/// The anchor's day and time so many months later, or the last day of that month.
fn months_later(anchor: Anchor, months: i64) -> Option<Timestamp> {
    let moment = OffsetDateTime::from_unix_timestamp(anchor.at).ok()?;
    let month = i64::from(moment.year())
        .checked_mul(12)?
        .checked_add(i64::from(u8::from(moment.month())))?
        .checked_sub(1)?
        .checked_add(months)?;
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month = u8::try_from(month.rem_euclid(12).checked_add(1)?).ok()?;
    let month = Month::try_from(month).ok()?;
    let day = anchor.day.min(month.length(year)).max(1);
    let date = Date::from_calendar_date(year, month, day).ok()?;
    Some(moment.replace_date(date).unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MONTHLY: Interval = Interval {
        unit: Unit::Month,
        count: 1,
    };

    fn at(year: i32, month: u8, day: u8, hour: u8, minute: u8) -> Timestamp {
        let month = Month::try_from(month).unwrap();
        let date = Date::from_calendar_date(year, month, day).unwrap();
        date.with_hms(hour, minute, 0)
            .unwrap()
            .assume_utc()
            .unix_timestamp()
    }

    #[test]
    fn months_return_to_the_day_of_their_anchor() {
        let anchor = Anchor::new(at(2025, 1, 31, 10, 0));
        for (times, expected) in [
            (0, at(2025, 1, 31, 10, 0)),
            (1, at(2025, 2, 28, 10, 0)),
            (2, at(2025, 3, 31, 10, 0)),
            (3, at(2025, 4, 30, 10, 0)),
            (13, at(2026, 2, 28, 10, 0)),
            (37, at(2028, 2, 29, 10, 0)),
            (-2, at(2024, 11, 30, 10, 0)),
        ] {
            assert_eq!(MONTHLY.after(anchor, times), expected, "{times}");
        }
    }

    #[test]
    fn a_leap_day_returns_every_four_years() {
        let yearly = Interval {
            unit: Unit::Year,
            count: 1,
        };
        let anchor = Anchor::new(at(2024, 2, 29, 0, 0));
        let after = |times| yearly.after(anchor, times);
        assert_eq!(after(1), at(2025, 2, 28, 0, 0));
        assert_eq!(after(4), at(2028, 2, 29, 0, 0));
    }

    #[test]
    fn a_day_that_a_month_lacks_is_kept_for_those_that_have_it() {
        let from = at(2025, 4, 10, 8, 30);
        let anchor = Anchor::next(from, 31, None, None);
        assert_eq!(anchor.at, at(2025, 4, 30, 8, 30));
        let next = MONTHLY.after(anchor, 1);
        assert_eq!(next, at(2025, 5, 31, 8, 30));
        let march = Anchor::next(from, 1, Some(Month::March), Some(Time::MIDNIGHT));
        assert_eq!(march.at, at(2026, 3, 1, 0, 0));
    }

    fn interval() -> impl Strategy<Value = Interval> {
        let unit = prop_oneof![
            Just(Unit::Day),
            Just(Unit::Week),
            Just(Unit::Month),
            Just(Unit::Year)
        ];
        unit.prop_flat_map(|unit| (1..=unit.most()).prop_map(move |count| Interval { unit, count }))
    }

    /// From 1990 to 2090.
    fn moment() -> impl Strategy<Value = Timestamp> {
        631_152_000_i64..3_786_912_000
    }

    proptest! {
        #[test]
        fn an_interval_contains_the_moment_it_is_around(
            interval in interval(), anchor in moment(), moment in moment(),
        ) {
            let (start, end) = interval.around(Anchor::new(anchor), moment);
            prop_assert!(start <= moment && moment < end, "{start} {moment} {end}");
        }

        #[test]
        fn the_next_interval_begins_where_one_ends(
            interval in interval(), anchor in moment(), moment in moment(),
        ) {
            let anchor = Anchor::new(anchor);
            let (_, end) = interval.around(anchor, moment);
            prop_assert_eq!(interval.around(anchor, end).0, end);
        }

        #[test]
        fn a_later_interval_begins_later(
            interval in interval(), anchor in moment(), times in -20_i64..20,
        ) {
            let anchor = Anchor::new(anchor);
            prop_assert!(interval.after(anchor, times) < interval.after(anchor, times.saturating_add(1)));
        }
    }
}
