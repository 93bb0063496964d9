//! How what was paid comes about.

use serde::{Deserialize, Serialize};

/// From what the goods cost to what was paid, as Stripe reckons it: in minor units of the currency
/// that was paid in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sums {
    /// What the goods cost at the order's prices.
    pub subtotal: i64,
    /// How much of that a promotion took off.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub discount: i64,
    /// What shipping cost.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub shipping: i64,
    /// What of it is tax, whether it came on top or was in the prices.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub tax: i64,
}

impl Sums {
    /// How much of the tax came on top of the prices, to a total of `total`; the rest was in them.
    pub fn tax_on_top(&self, total: i64) -> i64 {
        let prices = self.subtotal.saturating_sub(self.discount);
        let prices = prices.saturating_add(self.shipping);
        total.saturating_sub(prices).clamp(0, self.tax.max(0))
    }

    /// How much of the tax was in the prices already.
    pub fn tax_included(&self, total: i64) -> i64 {
        self.tax.saturating_sub(self.tax_on_top(total))
    }

    /// How much of `part`, of the `total` that was paid, is tax: in proportion, rounded half up, so
    /// that of all of it, it is all of the tax.
    pub fn tax_in(&self, part: i64, total: i64) -> i64 {
        if total <= 0 {
            return 0;
        }
        let share = share(self.tax, part.clamp(0, total), total);
        share.unwrap_or(self.tax)
    }

    /// Whether what was paid is what the goods cost, so that there is nothing to tell.
    pub(crate) fn are_only_goods(&self) -> bool {
        let Self {
            subtotal: _,
            discount,
            shipping,
            tax,
        } = *self;
        [discount, shipping, tax] == [0; 3]
    }
}

/// `whole` × `part` ÷ `of`, rounded half up; `None` if that is more than can be counted.
fn share(whole: i64, part: i64, of: i64) -> Option<i64> {
    let twice = i128::from(of).checked_mul(2)?;
    let product = i128::from(whole).checked_mul(i128::from(part))?;
    let rounded = product.checked_mul(2)?.checked_add(i128::from(of))?;
    i64::try_from(rounded.checked_div_euclid(twice)?).ok()
}

fn is_nothing(amount: &i64) -> bool {
    *amount == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taxed(subtotal: i64, discount: i64, shipping: i64, tax: i64) -> Sums {
        Sums {
            subtotal,
            discount,
            shipping,
            tax,
        }
    }

    #[test]
    fn tax_comes_on_top_of_prices_or_is_in_them_or_both() {
        for (sums, total, on_top, included) in [
            (taxed(1000, 0, 0, 190), 1190, 190, 0),
            (taxed(1190, 0, 0, 190), 1190, 0, 190),
            (taxed(1000, 200, 500, 247), 1547, 247, 0),
            // Goods with their tax in the price, shipping without.
            (taxed(1190, 0, 500, 285), 1785, 95, 190),
            (taxed(1000, 1000, 0, 0), 0, 0, 0),
            // What cannot be is not shown as more than it says.
            (taxed(1000, 0, 0, 10), 2000, 10, 0),
        ] {
            assert_eq!(sums.tax_on_top(total), on_top, "{sums:?}");
            assert_eq!(sums.tax_included(total), included, "{sums:?}");
        }
    }

    #[test]
    fn only_a_discount_shipping_or_tax_makes_sums_worth_telling() {
        assert!(taxed(1500, 0, 0, 0).are_only_goods());
        for more in [
            taxed(1500, 100, 0, 0),
            taxed(1500, 0, 490, 0),
            taxed(1500, 0, 0, 240),
        ] {
            assert!(!more.are_only_goods(), "{more:?}");
        }
    }

    #[test]
    fn the_tax_in_a_part_is_in_proportion() {
        let sums = taxed(1190, 0, 0, 190);
        for (part, tax) in [(0, 0), (119, 19), (595, 95), (3, 0), (4, 1), (1190, 190)] {
            assert_eq!(sums.tax_in(part, 1190), tax, "of {part}");
        }
        assert_eq!(sums.tax_in(5000, 1190), 190, "no more than all of it");
        assert_eq!(sums.tax_in(5000, 0), 0);
    }

    proptest! {
        #[test]
        fn parts_that_are_all_of_it_have_all_of_the_tax_between_them(
            paid in 1_i64..=99_999_999_999,
            tax_share in 0_i64..=1000,
            cuts in prop::collection::vec(0_i64..=1000, 0..8),
        ) {
            let thousandth = paid.div_euclid(1000);
            let sums = taxed(paid, 0, 0, thousandth.saturating_mul(tax_share));
            let mut cuts: Vec<_> = cuts.iter().map(|cut| thousandth.saturating_mul(*cut)).collect();
            cuts.sort_unstable();
            cuts.push(paid);
            let (mut before, mut taxes) = (0_i64, 0_i64);
            for cut in cuts {
                let tax = sums.tax_in(cut, paid).saturating_sub(sums.tax_in(before, paid));
                prop_assert!((0..=cut.saturating_sub(before)).contains(&tax));
                (before, taxes) = (cut, taxes.saturating_add(tax));
            }
            prop_assert_eq!(taxes, sums.tax);
        }

        #[test]
        fn what_is_on_top_and_what_is_included_are_the_tax(
            subtotal in 0_i64..1_000_000,
            discount in 0_i64..1_000_000,
            shipping in 0_i64..1_000_000,
            tax in 0_i64..1_000_000,
            total in 0_i64..4_000_000,
        ) {
            let sums = taxed(subtotal, discount, shipping, tax);
            let (on_top, included) = (sums.tax_on_top(total), sums.tax_included(total));
            prop_assert_eq!(on_top.saturating_add(included), tax);
            prop_assert!(on_top >= 0 && included >= 0);
        }
    }
}
