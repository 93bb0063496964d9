//! What a part of a period costs: pure arithmetic, to the second.
//!
//! A change in the middle of a period gives back what is left of what was paid, and asks for what is
//! left of what is wanted. Each is rounded down to the minor unit. Stripe's page "Prorations" is the
//! source.

use crate::account::amount::Amount;
use crate::engine::time::Timestamp;
use crate::invoice::line::Period;

/// What an amount for a whole period comes to for a part of it; or for a first period, which may be longer
/// than the interval that the amount is for.
pub(crate) fn part_of(amount: Amount, whole: Period, part: Period) -> Amount {
    amount.share_rounded_down(seconds(part), seconds(whole).max(1))
}

fn seconds(period: Period) -> Timestamp {
    period.end.saturating_sub(period.start)
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

    fn from(start: Timestamp, whole: Period) -> Period {
        Period { start, ..whole }
    }

    /// Worked by hand.
    #[test]
    fn what_is_left_is_paid_by_the_second() {
        for (amount, period, moment, left) in [
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
            (0, days(30), DAY, 0),
        ] {
            let found = part_of(Amount::new(amount), period, from(moment, period));
            assert_eq!(found, Amount::new(left), "{amount} {period:?} {moment}");
        }
    }

    #[test]
    fn a_first_period_of_another_length_costs_as_much_as_it_lasts() {
        let of = |stub| part_of(Amount::new(3_100), days(31), days(stub)).minor_units();
        assert_eq!([of(1), of(31), of(62)], [100, 3_100, 6_200]);
    }

    proptest! {
        #[test]
        fn what_is_left_is_never_more_than_all_and_only_shrinks(
            amount in 0_i64..99_999_999, length in 1_i64..100_000_000, moment in 0_i64..100_000_000,
        ) {
            let (whole, moment) = (Period { start: 0, end: length }, moment.rem_euclid(length));
            let amount = Amount::new(amount);
            let left = part_of(amount, whole, from(moment, whole));
            prop_assert!(Amount::ZERO <= left && left <= amount);
            prop_assert!(part_of(amount, whole, from(moment.saturating_add(1), whole)) <= left);
        }

        #[test]
        fn a_period_cut_in_two_loses_less_than_two_minor_units(
            amount in 0_i64..99_999_999, length in 1_i64..100_000_000, cut in 0_i64..100_000_000,
        ) {
            let (whole, cut) = (Period { start: 0, end: length }, cut.rem_euclid(length));
            let amount = Amount::new(amount);
            let before = part_of(amount, whole, Period { end: cut, ..whole });
            let after = part_of(amount, whole, from(cut, whole));
            let lost = amount.minus(before.plus(after)).minor_units();
            prop_assert!((0..2).contains(&lost), "{lost}");
        }
    }
}
