use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::engine::resource::Metadata;
use crate::invoice::line::{Content, Period, Pricing, Source};
use crate::invoice::object::Due;
use crate::promotion::object::Off;

fn usd() -> Currency {
    "usd".parse().unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn line(amount: i64, discounts: Vec<Discount>, rates: Vec<Rate>) -> Line {
    let content = Content {
        amount: Amount::new(amount),
        description: None,
        quantity: 1,
        pricing: Pricing {
            price: String::new(),
            product: String::new(),
            unit_amount_decimal: None,
            includes_tax: false,
        },
        period: Period::at(0),
        discountable: amount >= 0,
        discounts,
        rates,
        metadata: Metadata::new(),
    };
    let source = Source::Item {
        item: String::new(),
        subscription: None,
        proration: None,
    };
    Line::new(content, source)
}

fn percent(id: &str, hundredths: u32) -> Discount {
    Discount {
        shown: object(json!({ "id": id })),
        off: Off::Percent(hundredths),
    }
}

fn amount_off(id: &str, amount: i64) -> Discount {
    Discount {
        shown: object(json!({ "id": id })),
        off: Off::Amount {
            amount: Amount::new(amount),
            currency: usd(),
        },
    }
}

fn rate(id: &str, percentage: f64, inclusive: bool) -> Rate {
    Rate::stored(object(
        json!({ "id": id, "percentage": percentage, "inclusive": inclusive }),
    ))
}

fn totals(lines: &[Line], discounts: &[Discount], rates: &[Rate]) -> Totals {
    Totals::of(&Bill {
        lines,
        currency: usd(),
        discounts,
        rates,
        automatic: None,
        exempt: false,
        shipping: None,
    })
}

/// Subtotal, discount, tax and total.
fn sums(totals: &Totals) -> [i64; 4] {
    let discount: Amount = totals.discounts.iter().map(|(_, amount)| *amount).sum();
    let tax: Amount = totals.taxes.iter().map(|tax| tax.amount).sum();
    [totals.subtotal, discount, tax, totals.total].map(Amount::minor_units)
}

#[test]
fn worked_by_hand() {
    let vat = || rate("vat", 19.0, false);
    let included = || rate("included", 19.0, true);
    for (what, lines, discounts, rates, expected) in [
        ("nothing", vec![], vec![], vec![vat()], [0, 0, 0, 0]),
        (
            "a credit among debits",
            vec![line(2_000, vec![], vec![]), line(-500, vec![], vec![])],
            vec![],
            vec![],
            [1_500, 0, 0, 1_500],
        ),
        (
            // Stripe's example: 15 % of 0.43 is 0.0645, so 0.06; of 4.84 it is 0.726, so 0.73. Of the
            // sum it would have been 0.79, too, but of two times 0.43 it is 0.12 and not 0.13.
            "tax is rounded line by line",
            vec![line(43, vec![], vec![]), line(43, vec![], vec![])],
            vec![],
            vec![rate("r", 15.0, false)],
            [86, 0, 12, 98],
        ),
        (
            "Stripe's example of rounding",
            vec![line(43, vec![], vec![]), line(484, vec![], vec![])],
            vec![],
            vec![rate("r", 15.0, false)],
            [527, 0, 79, 606],
        ),
        (
            "a tax that is in the price adds nothing",
            vec![line(1_190, vec![], vec![])],
            vec![],
            vec![included()],
            [1_190, 0, 190, 1_190],
        ),
        (
            // 20 % and 10 % in 13.00: a net of 10.00.
            "taxes in one price are taken out together",
            vec![line(1_300, vec![], vec![])],
            vec![],
            vec![rate("a", 20.0, true), rate("b", 10.0, true)],
            [1_300, 0, 300, 1_300],
        ),
        (
            // 19 % in 11.90 leave 10.00, of which 5 % are 0.50.
            "a tax on top is on what a tax in the price leaves",
            vec![line(1_190, vec![], vec![])],
            vec![],
            vec![included(), rate("top", 5.0, false)],
            [1_190, 0, 240, 1_240],
        ),
        (
            // 10 % of 15.05 is 1.505, so 1.51; what remains of the lines is 8.99 and 4.55 with 1.71 and
            // 0.86 of tax.
            "a discount comes before tax",
            vec![line(1_000, vec![], vec![]), line(505, vec![], vec![])],
            vec![percent("d", 1_000)],
            vec![vat()],
            [1_505, 151, 257, 1_611],
        ),
        (
            // 50 % of 10.00, then 1.00 off 5.00 + 2.00, which is 0.71 and 0.29.
            "a line's own discount comes first, and is in the subtotal",
            vec![
                line(1_000, vec![percent("l", 5_000)], vec![]),
                line(200, vec![], vec![]),
            ],
            vec![amount_off("d", 100)],
            vec![],
            [700, 600, 0, 600],
        ),
        (
            // 20 % of 100.00, and 50 % of what is left.
            "discounts are taken off one after the other",
            vec![line(10_000, vec![], vec![])],
            vec![percent("a", 2_000), percent("b", 5_000)],
            vec![],
            [10_000, 6_000, 0, 4_000],
        ),
        (
            "no discount takes more than there is",
            vec![line(300, vec![], vec![]), line(200, vec![], vec![])],
            vec![amount_off("d", 9_999)],
            vec![vat()],
            [500, 500, 0, 0],
        ),
        (
            "a credit bears no discount",
            vec![line(1_000, vec![], vec![]), line(-400, vec![], vec![])],
            vec![percent("d", 1_000)],
            vec![],
            [600, 100, 0, 500],
        ),
        (
            // 19 % of −4.00 is −0.76.
            "a credit takes its tax back",
            vec![line(1_000, vec![], vec![]), line(-400, vec![], vec![])],
            vec![],
            vec![vat()],
            [600, 0, 114, 714],
        ),
        (
            "a line's own rates are instead of the invoice's",
            vec![
                line(1_000, vec![], vec![rate("low", 7.0, false)]),
                line(1_000, vec![], vec![]),
            ],
            vec![],
            vec![vat()],
            [2_000, 0, 260, 2_260],
        ),
    ] {
        assert_eq!(
            sums(&totals(&lines, &discounts, &rates)),
            expected,
            "{what}"
        );
    }
}

#[test]
fn an_exempt_customer_pays_no_tax() {
    let lines = [line(1_000, vec![], vec![])];
    let bill = Bill {
        lines: &lines,
        currency: usd(),
        discounts: &[],
        rates: &[rate("vat", 19.0, false)],
        automatic: None,
        exempt: true,
        shipping: None,
    };
    assert_eq!(sums(&Totals::of(&bill)), [1_000, 0, 0, 1_000]);
}

#[test]
fn what_is_due_is_never_less_than_can_be_charged() {
    for (total, balance, due, ending) in [
        (2_000, 0, 2_000, 0),
        (2_000, -1_500, 500, 0),
        (2_000, -2_000, 0, 0),
        (2_000, -2_500, 0, -500),
        (2_000, 300, 2_300, 0),
        (30, 0, 0, 30),
        (30, 30, 60, 0),
        (2_000, -1_960, 0, 40),
        (-700, 0, 0, -700),
        (0, 0, 0, 0),
    ] {
        let is = Due::of(Amount::new(total), Amount::new(balance), usd());
        let expected = Due {
            amount: Amount::new(due),
            ending_balance: Amount::new(ending),
        };
        assert_eq!(is, expected, "{total} with a balance of {balance}");
    }
}

fn discount() -> impl Strategy<Value = Discount> {
    ("[a-d]", 1..10_000_u32, 1..50_000_i64, any::<bool>()).prop_map(
        |(id, share, amount, shares)| match shares {
            true => percent(&id, share),
            false => amount_off(&id, amount),
        },
    )
}

fn some_rate() -> impl Strategy<Value = Rate> {
    (0..1_000_000_u32, any::<bool>()).prop_map(|(share, inclusive)| {
        let id = format!("{share} {inclusive}");
        rate(&id, f64::from(share) / 10_000.0, inclusive)
    })
}

fn some_line(least: i64) -> impl Strategy<Value = Line> {
    (
        least..100_000_i64,
        prop::collection::vec(discount(), 0..3),
        prop::collection::vec(some_rate(), 0..3),
    )
        .prop_map(|(amount, discounts, rates)| line(amount, discounts, rates))
}

proptest! {
    #[test]
    fn parts_add_up_to_the_whole(
        lines in prop::collection::vec(some_line(-50_000), 0..6),
        discounts in prop::collection::vec(discount(), 0..3),
        rates in prop::collection::vec(some_rate(), 0..3),
    ) {
        let totals = totals(&lines, &discounts, &rates);
        let of_lines: Amount = totals.lines.iter().map(|line| line.total).sum();
        prop_assert_eq!(of_lines, totals.total);
        let amounts: Amount = lines.iter().map(|line| line.content.amount).sum();
        let discount: Amount = totals.discounts.iter().map(|(_, amount)| *amount).sum();
        let on_top: Amount = totals.taxes.iter().map(Tax::on_top).sum();
        prop_assert_eq!(amounts.minus(discount).plus(on_top), totals.total);
        let tax: Amount = totals.taxes.iter().map(|tax| tax.amount).sum();
        prop_assert_eq!(totals.total.minus(tax), totals.total_excluding_tax);
        let by_line: Amount = totals
            .lines
            .iter()
            .flat_map(|line| &line.taxes)
            .map(|tax| tax.amount)
            .sum();
        prop_assert_eq!(by_line, tax);
    }

    #[test]
    fn nothing_falls_below_zero_without_credits(
        lines in prop::collection::vec(some_line(0), 0..6),
        discounts in prop::collection::vec(discount(), 0..4),
        rates in prop::collection::vec(some_rate(), 0..3),
    ) {
        let totals = totals(&lines, &discounts, &rates);
        prop_assert!(totals.subtotal >= Amount::ZERO);
        prop_assert!(totals.subtotal_excluding_tax >= Amount::ZERO);
        prop_assert!(totals.total_excluding_tax >= Amount::ZERO);
        prop_assert!(totals.lines.iter().all(|line| line.total >= Amount::ZERO));
        let taxes = totals.lines.iter().flat_map(|line| &line.taxes);
        prop_assert!(taxes.into_iter().all(|tax| tax.amount >= Amount::ZERO));
    }

    #[test]
    fn the_balance_bears_all_that_is_not_due(total in -100_000..100_000_i64, balance in -100_000..100_000_i64) {
        let (total, balance) = (Amount::new(total), Amount::new(balance));
        let due = Due::of(total, balance, usd());
        prop_assert_eq!(due.amount.plus(due.ending_balance), total.plus(balance));
        prop_assert!(due.amount == Amount::ZERO || due.amount >= usd().minimum());
    }
}
