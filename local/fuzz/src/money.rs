//! Amounts and currencies as people write them in product files and on the command line: `15.00 usd`.

use shared::money::{Currency, Money};

/// What is read is written as it was read, and no arithmetic panics.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (amount, code) = text.rsplit_once(' ').unwrap_or((text, "usd"));
    let currency: Currency = match code.parse() {
        Ok(currency) => currency,
        Err(_) => return,
    };
    assert_eq!(currency.as_str(), code.to_ascii_lowercase());
    let money = match Money::from_major_units(amount, currency) {
        Ok(money) => money,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let written = money.major_units();
    assert_eq!(Money::from_major_units(&written, currency), Ok(money));
    let doubled = money.checked_mul(2);
    assert_eq!(money.checked_add(money), doubled);
    assert!(money.amount >= 0);
    if money.check_total().is_ok() {
        assert!(money.check_price().is_ok());
        assert!(money.amount <= currency.maximum_charge());
        assert_eq!(money.amount % currency.step(), 0);
    }
}
