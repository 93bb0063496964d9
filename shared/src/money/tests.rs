use proptest::prelude::*;

use super::*;

fn money(amount: i64, currency: &str) -> Money {
    Money::new(amount, currency.parse().unwrap())
}

#[test]
fn amounts_are_written_with_the_decimals_of_their_currency() {
    for (amount, currency, text) in [
        (1500, "usd", "15.00 USD"),
        (5, "usd", "0.05 USD"),
        (0, "usd", "0.00 USD"),
        (-1205, "eur", "-12.05 EUR"),
        (1800, "jpy", "1800 JPY"),
        (3500, "kwd", "3.500 KWD"),
        (70, "bhd", "0.070 BHD"),
        (50000, "isk", "500.00 ISK"),
        (50000, "ugx", "500.00 UGX"),
        (i64::MIN, "jpy", "-9223372036854775808 JPY"),
    ] {
        assert_eq!(money(amount, currency).to_string(), text);
    }
}

#[test]
fn an_amount_is_read_as_people_write_it() {
    for (text, amount, currency) in [
        ("5", 500, "usd"),
        ("5.0", 500, "usd"),
        ("5.00", 500, "usd"),
        ("0.05", 5, "usd"),
        ("1800", 1800, "jpy"),
        ("3.5", 3500, "kwd"),
    ] {
        let read = Money::from_major_units(text, currency.parse().unwrap());
        assert_eq!(read, Ok(money(amount, currency)), "{text}");
    }
    for (text, currency) in [
        ("", "usd"),
        (".", "usd"),
        ("5.", "usd"),
        (".5", "usd"),
        ("5,00", "usd"),
        ("1 000", "usd"),
        ("-5", "usd"),
        ("+5", "usd"),
        ("5.001", "usd"),
        ("5.0", "jpy"),
        ("٥", "usd"),
    ] {
        let read = Money::from_major_units(text, currency.parse().unwrap());
        assert!(
            matches!(read, Err(MoneyError::NotAnAmount(..))),
            "{text}: {read:?}"
        );
    }
    let read = Money::from_major_units("5,00", "usd".parse().unwrap());
    assert_eq!(
        read.unwrap_err().to_string(),
        "\"5,00\" is not an amount in USD: write it like 5.00"
    );
    assert_eq!(
        Money::from_major_units("99999999999999999999", "jpy".parse().unwrap()),
        Err(MoneyError::Overflow)
    );
}

#[test]
fn a_price_follows_its_currencys_rules() {
    assert_eq!(money(1500, "usd").check_price(), Ok(()));
    assert_eq!(money(1, "usd").check_price(), Ok(()));
    assert_eq!(money(3500, "kwd").check_price(), Ok(()));
    for (wrong, why) in [
        (
            money(3505, "kwd"),
            "3.505 KWD must be a multiple of 10 minor units",
        ),
        (
            money(550, "isk"),
            "5.50 ISK must be a multiple of 100 minor units",
        ),
        (
            money(550, "ugx"),
            "5.50 UGX must be a multiple of 100 minor units",
        ),
        (money(-1, "usd"), "-0.01 USD is negative"),
        (
            money(100_000_000, "usd"),
            "1000000.00 USD is over Stripe's maximum of 999999.99 USD",
        ),
        (
            money(1, "xxx"),
            "xxx is not a currency that Stripe charges in",
        ),
    ] {
        assert_eq!(wrong.check_price().unwrap_err().to_string(), why);
    }
}

#[test]
fn a_total_under_stripes_minimum_is_refused_and_a_free_one_is_not() {
    assert_eq!(money(0, "usd").check_total(), Ok(()));
    assert_eq!(money(50, "usd").check_total(), Ok(()));
    assert_eq!(
        money(49, "usd").check_total().unwrap_err().to_string(),
        "0.49 USD is under Stripe's minimum of 0.50 USD"
    );
    assert_eq!(
        money(29, "gbp").check_total(),
        Err(MoneyError::TooSmall(money(29, "gbp")))
    );
    assert_eq!(
        money(17_400, "huf").check_total(),
        Err(MoneyError::TooSmall(money(17_400, "huf")))
    );
}

/// The table of Stripe's page, in the amounts that it gives.
#[test]
fn stripes_minimum_is_the_least_that_can_be_charged() {
    let minimums = "2.00 aed, 0.50 aud, 1.00 bgn, 0.50 brl, 0.50 cad, 0.50 chf, 15.00 czk, 2.50 dkk, \
        0.50 eur, 0.30 gbp, 4.00 hkd, 175.00 huf, 0.50 inr, 50 jpy, 10.00 mxn, 2.00 myr, 3.00 nok, \
        0.50 nzd, 2.00 pln, 2.00 ron, 3.00 sek, 0.50 sgd, 10.00 thb, 0.50 usd";
    for minimum in minimums.split(", ") {
        let (amount, code) = minimum.split_once(' ').unwrap();
        let least = Money::from_major_units(amount, code.parse().unwrap()).unwrap();
        assert_eq!(least.check_total(), Ok(()), "{minimum}");
        let less = money(least.amount - 1, code);
        assert_eq!(less.check_total(), Err(MoneyError::TooSmall(less)));
    }
}

#[test]
fn eight_digits_can_be_charged_and_twelve_of_rupiah() {
    for (most, code) in [
        (99_999_999, "usd"),
        (99_999_999, "jpy"),
        (999_999_999_999, "idr"),
    ] {
        assert_eq!(money(most, code).check_total(), Ok(()));
        let more = money(most + 1, code);
        assert_eq!(more.check_total(), Err(MoneyError::TooLarge(more)));
    }
}

#[test]
fn every_currency_that_can_be_sold_in_is_on_stripes_own_list() {
    // Its list lacks the five three-decimal currencies, and SLE, which replaced SLL.
    let three_decimals = |code: &&str| code.parse::<Currency>().unwrap().decimals() == 3;
    assert_eq!(
        CHARGEABLE
            .iter()
            .filter(|code| three_decimals(code))
            .count(),
        5
    );
    for code in CHARGEABLE
        .into_iter()
        .filter(|code| !three_decimals(code) && *code != "sle")
    {
        let theirs: stripe_types::Currency = code.parse().unwrap();
        assert!(!format!("{theirs:?}").starts_with("Unknown"), "{code}");
        assert_eq!(code.parse::<Currency>().unwrap().to_string(), code);
    }
}

#[test]
fn a_currency_is_three_letters() {
    let usd = "USD".parse::<Currency>().unwrap();
    assert_eq!(usd.as_str(), "usd");
    assert_eq!(format!("{usd:?}"), "usd");
    for wrong in ["", "us", "usdt", "u$d", "é1"] {
        assert!(wrong.parse::<Currency>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn sums_are_exact_or_refused(a: i64, b: i64, times: u32) {
        let (x, y) = (money(a, "usd"), money(b, "usd"));
        prop_assert_eq!(x.checked_add(y).ok().map(|sum| sum.amount), a.checked_add(b));
        prop_assert_eq!(x.checked_mul(times).ok().map(|m| m.amount), a.checked_mul(times.into()));
        prop_assert!(x.checked_add(money(b, "eur")).is_err());
    }

    #[test]
    fn major_units_lose_nothing(amount in -99_999_999_i64..=99_999_999, currency in "usd|jpy|kwd|isk") {
        let money = money(amount, &currency);
        let digits: String = money.major_units().chars().filter(|c| *c != '.').collect();
        prop_assert_eq!(digits.parse::<i64>().unwrap(), amount);
    }

    #[test]
    fn what_is_written_is_read_back(amount in 0_i64.., currency in "usd|jpy|kwd|isk") {
        let money = money(amount, &currency);
        prop_assert_eq!(Money::from_major_units(&money.major_units(), money.currency), Ok(money));
    }

    #[test]
    fn reading_an_amount_never_panics(text: String) {
        let _ = Money::from_major_units(&text, "usd".parse().unwrap());
    }
}
