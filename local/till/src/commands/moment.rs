//! Points in time, as operators say and read them. All of it is UTC, as logs and Stripe's
//! dashboard links are.

use std::str::FromStr;

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, Duration, OffsetDateTime, Time};

/// From when on: a date, a time, or how long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since(pub(super) OffsetDateTime);

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
            return Ok(Self(moment.to_offset(time::UtcOffset::UTC)));
        }
        if let Ok(date) = Date::parse(text, &Iso8601::DATE) {
            return Ok(Self(date.with_time(Time::MIDNIGHT).assume_utc()));
        }
        let ago = ago(text).and_then(|ago| OffsetDateTime::now_utc().checked_sub(ago));
        ago.map(Self).ok_or_else(|| {
            format!(
                "{text:?} is not a time: use 2026-11-24, 2026-11-24T09:30:00Z, or how long ago, such \
                 as 7d, 12h or 30m"
            )
        })
    }
}

fn ago(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds: i64 = match unit {
        'd' => 24 * 3600,
        'h' => 3600,
        'm' => 60,
        _ => return None,
    };
    Some(Duration::seconds(seconds.checked_mul(number.into())?))
}

/// `2026-11-24`, of Unix seconds.
pub(super) fn day(unix: i64) -> String {
    moment(unix).date().to_string()
}

/// `2026-11-24 09:30`, of Unix seconds.
pub(super) fn minute(unix: i64) -> String {
    let moment = moment(unix);
    let (hour, minute, _) = moment.to_hms();
    format!("{} {hour:02}:{minute:02}", moment.date())
}

/// `2026-11-24 09:30:15`, of Unix seconds.
pub(super) fn second(unix: i64) -> String {
    format!("{}:{:02}", minute(unix), moment(unix).second())
}

/// `November 2026`, of Unix seconds.
pub(super) fn month(unix: i64) -> String {
    let moment = moment(unix);
    format!("{} {}", moment.month(), moment.year())
}

/// As the HTTP API writes times.
pub(super) fn rfc3339(unix: i64) -> String {
    moment(unix).format(&Rfc3339).unwrap_or_default()
}

/// `40 s`, `3 min`, `5 h`, `2 days`.
pub(super) fn lasting(seconds: i64) -> String {
    let span = Duration::seconds(seconds);
    if span < Duration::minutes(2) {
        format!("{seconds} s")
    } else if span < Duration::hours(2) {
        format!("{} min", span.whole_minutes())
    } else if span < Duration::days(2) {
        format!("{} h", span.whole_hours())
    } else {
        format!("{} days", span.whole_days())
    }
}

fn moment(unix: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_a_moment_or_how_long_ago() {
        let unix = |text: &str| text.parse::<Since>().unwrap().0.unix_timestamp();
        assert_eq!(unix("2026-11-24"), 1_795_478_400);
        assert_eq!(unix("2026-11-24T01:00:00+01:00"), 1_795_478_400);
        let now = OffsetDateTime::now_utc().unix_timestamp();
        for (text, seconds) in [("7d", 7 * 24 * 3600), ("12h", 12 * 3600), ("30m", 1800)] {
            assert!((now - seconds - unix(text)).abs() <= 2, "{text}");
        }
        for wrong in [
            "",
            "d",
            "yesterday",
            "2026-13-01",
            "-7d",
            "7w",
            "4294967295d",
        ] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans_are_told_in_one_unit() {
        let day = 24 * 3600;
        for (seconds, words) in [(0, "0 s"), (119, "119 s"), (120, "2 min"), (day, "24 h")] {
            assert_eq!(lasting(seconds), words);
        }
        assert_eq!(lasting(2 * day), "2 days");
    }

    #[test]
    fn times_are_written_to_the_minute_or_the_second() {
        assert_eq!(minute(1_795_478_461), "2026-11-24 00:01");
        assert_eq!(second(1_795_478_461), "2026-11-24 00:01:01");
        assert_eq!(month(1_795_478_461), "November 2026");
        assert_eq!(rfc3339(1_795_478_461), "2026-11-24T00:01:01Z");
    }
}
