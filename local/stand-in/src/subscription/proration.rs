//! What a part of a period costs: pure arithmetic, to the second.
//!
//! A change in the middle of a period gives back what is left of what was paid, and asks for what is
//! left of what is wanted. Each is rounded down to the minor unit. Stripe's page "Prorations" is the
//! source.

use crate::account::amount::Amount;
use crate::engine::time::Timestamp;
use crate::invoice::line::Period;

/// What is left, from a moment on, of an amount for a whole period.
pub(crate) fn left_of(amount: Amount, whole: Period, from: Timestamp) -> Amount {
    let from = from.clamp(whole.start, whole.end);
    let left = whole.end.saturating_sub(from);
    part(amount, left, whole)
}

/// What an amount for a whole period comes to for so many seconds of it.
fn part(amount: Amount, seconds: Timestamp, whole: Period) -> Amount {
    let all = whole.end.saturating_sub(whole.start).max(1);
    amount.share_rounded_down(seconds, all)
}

/// What an amount for one interval comes to for a first period that is shorter, or longer.
pub(crate) fn for_stub(amount: Amount, stub: Period, interval: Period) -> Amount {
    part(amount, stub.end.saturating_sub(stub.start), interval)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::time::DAY;

    fn days(count: i64) -> Period {
        Period {
            start: 0,
            end: count.saturating_mul(DAY),
        }
    }

    /// Worked by hand.
    #[test]
    fn what_is_left_is_paid_by_the_second() {
        for (amount, period, from, left) in [
            // The example of Stripe's page: half of 10 and of 20 dollars.
            (1_000, days(30), 15 * DAY, 500),
            (2_000, days(30), 15 * DAY, 1_000),
            // 30 of 31 days: 967.74 and 1,935.48 cents.
            (1_000, days(31), DAY, 967),
            (2_000, days(31), DAY, 1_935),
            // One second less than a day of a day.
            (86_400, days(1), 1, 86_399),
            (1_000, days(30), 0, 1_000),
            (1_000, days(30), 30 * DAY, 0),
            // A moment that is not in the period counts as its nearest end.
            (1_000, days(30), -DAY, 1_000),
            (1_000, days(30), 31 * DAY, 0),
            (0, days(30), DAY, 0),
        ] {
            let found = left_of(Amount::new(amount), period, from);
            assert_eq!(found, Amount::new(left), "{amount} {period:?} {from}");
        }
    }

    #[test]
    fn a_first_period_of_another_length_costs_as_much_as_it_lasts() {
        let of = |stub| for_stub(Amount::new(3_100), days(stub), days(31)).minor_units();
        assert_eq!([of(1), of(31), of(62)], [100, 3_100, 6_200]);
    }

    proptest! {
        #[test]
        fn what_is_left_is_never_more_than_all_and_only_shrinks(
            amount in 0_i64..99_999_999, length in 1_i64..100_000_000, from in 0_i64..100_000_000,
        ) {
            let whole = Period { start: 0, end: length };
            let amount = Amount::new(amount);
            let left = left_of(amount, whole, from);
            prop_assert!(Amount::ZERO <= left && left <= amount);
            prop_assert!(left_of(amount, whole, from.saturating_add(1)) <= left);
        }

        #[test]
        fn a_period_cut_in_two_loses_less_than_two_minor_units(
            amount in 0_i64..99_999_999, length in 1_i64..100_000_000, cut in 0_i64..100_000_000,
        ) {
            let (whole, cut) = (Period { start: 0, end: length }, cut.rem_euclid(length));
            let amount = Amount::new(amount);
            let before = part(amount, cut, whole);
            let after = left_of(amount, whole, cut);
            let lost = amount.minus(before.plus(after)).minor_units();
            prop_assert!((0..2).contains(&lost), "{lost}");
        }
    }
}
