//! Test accounts for SEPA Direct Debit.
//!
//! They are on the page [Testing](https://docs.stripe.com/testing#non-card-payments), tab "SEPA Direct
//! Debit".

use crate::payment::testing::outcome::{self, Outcome, When};

/// A test account, and what becomes of its debits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TestIban {
    pub(crate) iban: &'static str,
    pub(crate) outcome: Outcome,
}

impl TestIban {
    /// Where the account is, in two letters.
    pub(crate) fn country(&self) -> &'static str {
        self.iban.get(..2).unwrap_or_default()
    }
}

/// The account with this IBAN, however it is spaced and in letters of either case.
pub(crate) fn by_iban(typed: &str) -> Option<TestIban> {
    let iban: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    all()
        .find(|(_, account)| account.iban.eq_ignore_ascii_case(&iban))
        .map(|(_, account)| account)
}

/// The account that a name such as `pm_sepaDebit_success_at` stands for.
pub(crate) fn by_payment_method(name: &str) -> Option<TestIban> {
    let (kind, country) = name.strip_prefix("pm_sepaDebit_")?.split_once('_')?;
    all()
        .find(|(known, account)| *known == kind && account.country().to_lowercase() == country)
        .map(|(_, account)| account)
}

/// Whether an IBAN's check digits fit the rest of it.
pub(crate) fn has_valid_check_digits(typed: &str) -> bool {
    let iban: Vec<char> = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let Some((head, rest)) = iban.split_at_checked(4) else {
        return false;
    };
    let mut remainder: u32 = 0;
    for character in rest.iter().chain(head) {
        let Some(value) = character.to_digit(36) else {
            return false;
        };
        let shift = if value > 9 { 100 } else { 10 };
        remainder = remainder
            .saturating_mul(shift)
            .saturating_add(value)
            .rem_euclid(97);
    }
    remainder == 1
}

/// Every account, with the part of its name that says what becomes of it.
fn all() -> impl Iterator<Item = (&'static str, TestIban)> {
    COUNTRIES.iter().flat_map(|Accounts(ibans)| {
        ibans
            .iter()
            .zip(KINDS)
            .map(|(iban, (name, outcome))| (name, TestIban { iban, outcome }))
    })
}

/// What becomes of a country's accounts, in the order in which [`COUNTRIES`] lists them.
const KINDS: [(&str, Outcome); 8] = [
    ("success", Outcome::Succeeds(When::AtOnce)),
    ("successDelayed", Outcome::Succeeds(When::AfterThreeMinutes)),
    (
        "failed",
        Outcome::Fails(When::AtOnce, outcome::ATTEMPT_FAILED),
    ),
    (
        "failedDelayed",
        Outcome::Fails(When::AfterThreeMinutes, outcome::ATTEMPT_FAILED),
    ),
    ("disputed", Outcome::SucceedsDisputed(When::AtOnce)),
    (
        "exceedsWeeklyVolumeLimit",
        Outcome::Refused(outcome::EXCEEDS_SOURCE_LIMIT),
    ),
    (
        "exceedsWeeklyTransactionLimit",
        Outcome::Refused(outcome::EXCEEDS_WEEKLY_LIMIT),
    ),
    (
        "insufficientFunds",
        Outcome::Fails(When::AtOnce, outcome::INSUFFICIENT_FUNDS),
    ),
];

/// The accounts of one country, one for each of [`KINDS`].
struct Accounts([&'static str; 8]);

static COUNTRIES: &[Accounts] = &[
    Accounts([
        "AT611904300234573201",
        "AT321904300235473204",
        "AT861904300235473202",
        "AT051904300235473205",
        "AT591904300235473203",
        "AT981904300000343434",
        "AT601904300000121212",
        "AT981904300002222227",
    ]),
    Accounts([
        "BE62510007547061",
        "BE78510007547064",
        "BE68539007547034",
        "BE51510007547065",
        "BE08510007547063",
        "BE90510000343434",
        "BE52510000121212",
        "BE90510002222227",
    ]),
    Accounts([
        "HR7624020064583467589",
        "HR6323600002337876649",
        "HR2725000096983499248",
        "HR6723600004878117427",
        "HR8724840081455523553",
        "HR7424020060000343434",
        "HR3624020060000121212",
        "HR7424020060002222227",
    ]),
    Accounts([
        "EE382200221020145685",
        "EE222200221020145682",
        "EE762200221020145680",
        "EE922200221020145683",
        "EE492200221020145681",
        "EE672200000000343434",
        "EE292200000000121212",
        "EE672200000002222227",
    ]),
    Accounts([
        "FI2112345600000785",
        "FI3712345600000788",
        "FI9112345600000786",
        "FI1012345600000789",
        "FI6412345600000787",
        "FI6712345600343434",
        "FI2912345600121212",
        "FI6712345602222227",
    ]),
    Accounts([
        "FR1420041010050500013M02606",
        "FR3020041010050500013M02609",
        "FR8420041010050500013M02607",
        "FR7920041010050500013M02600",
        "FR5720041010050500013M02608",
        "FR9720041010050000000343434",
        "FR5920041010050000000121212",
        "FR9720041010050000002222227",
    ]),
    Accounts([
        "DE89370400440532013000",
        "DE08370400440532013003",
        "DE62370400440532013001",
        "DE78370400440532013004",
        "DE35370400440532013002",
        "DE65370400440000343434",
        "DE27370400440000121212",
        "DE65370400440002222227",
    ]),
    Accounts([
        "GI60MPFS599327643783385",
        "GI08RRNW626436291644533",
        "GI41SAFA461293238477751",
        "GI50LROG772261344693297",
        "GI26KJBC361883934534696",
        "GI14NWBK000000000343434",
        "GI73NWBK000000000121212",
        "GI14NWBK000000002222227",
    ]),
    Accounts([
        "IE29AIBK93115212345678",
        "IE24AIBK93115212345671",
        "IE02AIBK93115212345679",
        "IE94AIBK93115212345672",
        "IE51AIBK93115212345670",
        "IE10AIBK93115200343434",
        "IE69AIBK93115200121212",
        "IE10AIBK93115202222227",
    ]),
    Accounts([
        "LI0508800636123378777",
        "LI4408800387787111369",
        "LI1208800143823175626",
        "LI4908800356441975566",
        "LI7708800125525347723",
        "LI2408800000000343434",
        "LI8308800000000121212",
        "LI2408800000002222227",
    ]),
    Accounts([
        "LT121000011101001000",
        "LT281000011101001003",
        "LT821000011101001001",
        "LT981000011101001004",
        "LT551000011101001002",
        "LT591000000000343434",
        "LT211000000000121212",
        "LT591000000002222227",
    ]),
    Accounts([
        "LU280019400644750000",
        "LU440019400644750003",
        "LU980019400644750001",
        "LU170019400644750004",
        "LU710019400644750002",
        "LU900010000000343434",
        "LU520010000000121212",
        "LU900010000002222227",
    ]),
    Accounts([
        "NL39RABO0300065264",
        "NL55RABO0300065267",
        "NL91ABNA0417164300",
        "NL28RABO0300065268",
        "NL82RABO0300065266",
        "NL27RABO0000343434",
        "NL86RABO0000121212",
        "NL27RABO0002222227",
    ]),
    Accounts([
        "NO9386011117947",
        "NO8886011117940",
        "NO6686011117948",
        "NO6186011117941",
        "NO3986011117949",
        "NO0586010343434",
        "NO6486010121212",
        "NO0586012222227",
    ]),
    Accounts([
        "PT50000201231234567890154",
        "PT66000201231234567890157",
        "PT23000201231234567890155",
        "PT39000201231234567890158",
        "PT93000201231234567890156",
        "PT05000201230000000343434",
        "PT64000201230000000121212",
        "PT05000201230000002222227",
    ]),
    Accounts([
        "ES0700120345030000067890",
        "ES2300120345030000067893",
        "ES9121000418450200051332",
        "ES9300120345030000067894",
        "ES5000120345030000067892",
        "ES1700120345000000343434",
        "ES7600120345000000121212",
        "ES1700120345000002222227",
    ]),
    Accounts([
        "SE3550000000054910000003",
        "SE5150000000054910000006",
        "SE0850000000054910000004",
        "SE2450000000054910000007",
        "SE7850000000054910000005",
        "SE2850000000000000343434",
        "SE8750000000000000121212",
        "SE2850000000000002222227",
    ]),
    Accounts([
        "CH9300762011623852957",
        "CH8656663438253651553",
        "CH5362200119938136497",
        "CH1843597160341964438",
        "CH1260378413965193069",
        "CH1800762000000343434",
        "CH7700762000000121212",
        "CH1800762000002222227",
    ]),
    Accounts([
        "GB82WEST12345698765432",
        "GB98WEST12345698765435",
        "GB55WEST12345698765433",
        "GB71WEST12345698765436",
        "GB28WEST12345698765434",
        "GB70WEST12345600343434",
        "GB32WEST12345600121212",
        "GB70WEST12345602222227",
    ]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_iban_is_sound_and_found_by_itself_and_by_its_name() {
        let mut seen = BTreeSet::new();
        for (kind, account) in all() {
            assert!(has_valid_check_digits(account.iban), "{}", account.iban);
            assert!(seen.insert(account.iban), "{}", account.iban);
            assert_eq!(by_iban(account.iban), Some(account));
            let country = account.country().to_lowercase();
            let name = format!("pm_sepaDebit_{kind}_{country}");
            assert_eq!(by_payment_method(&name), Some(account));
        }
        assert_eq!(seen.len(), 152);
    }

    #[test]
    fn an_iban_is_found_as_people_write_it() {
        let account = by_iban("de62 3704 0044 0532 0130 01").unwrap();
        assert_eq!(account.country(), "DE");
        assert_eq!(
            account.outcome,
            Outcome::Fails(When::AtOnce, outcome::ATTEMPT_FAILED)
        );
    }

    #[test]
    fn an_iban_with_a_slip_is_noticed_and_another_sound_one_is_not_a_test_account() {
        assert!(!has_valid_check_digits("DE62370400440532013002"));
        assert!(!has_valid_check_digits("DE"));
        assert!(!has_valid_check_digits("DE62-3704"));
        assert!(has_valid_check_digits("DE75512108001245126199"));
        assert!(by_iban("DE75512108001245126199").is_none());
        assert!(by_payment_method("pm_sepaDebit_success").is_none());
        assert!(by_payment_method("pm_sepaDebit_success_us").is_none());
    }
}
