//! How the seller hears of sales: by a mail for each, or by one a day.

use std::collections::BTreeMap;
use std::fmt;

use fastrand::Rng;
use shared::purchase::PurchaseId;

use crate::span::{DAY, HOUR};

/// When the one a day is sent, in seconds after midnight.
const TIME_OF_DAY: i64 = 6 * HOUR as i64;

/// The shop's setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digest {
    pub(crate) is_daily: bool,
}

impl Digest {
    /// Drawn by itself, so that histories are otherwise what they were before there was any.
    pub(crate) fn drawn(seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed.rotate_left(24));
        Self {
            is_daily: dice.u32(..3) == 0,
        }
    }

    /// As a variable of the functions.
    pub(crate) fn setting(self) -> (&'static str, &'static str) {
        let wanted = if self.is_daily { "daily" } else { "each" };
        ("SALE_MAILS", wanted)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.is_daily {
            true => "The seller hears of sales once a day",
            false => "The seller hears of each sale",
        })
    }
}

/// Whether a sale that was ordered to be told at one second was told at another before its time.
pub(crate) fn is_early(ordered: i64, told: i64) -> bool {
    let day = |at: i64| (at - TIME_OF_DAY).div_euclid(DAY as i64);
    day(told) <= day(ordered)
}

/// Which of the rows that a mailer has claimed a letter is about, or what is wrong with it. One about
/// what was sold in a day is about those that it names.
pub(crate) fn rows(
    form: &[u8],
    claimed: &[(String, i64)],
) -> Result<BTreeMap<String, i64>, String> {
    let fields: BTreeMap<_, _> = form_urlencoded::parse(form).collect();
    let field = |name| fields.get(name).map_or("", AsRef::as_ref);
    let Some(sales) = sales(field("Message.Subject.Data")) else {
        let last = claimed.last().cloned().map(|row| BTreeMap::from([row]));
        return last.ok_or_else(|| "a mail that nobody claimed was sent".to_owned());
    };
    let text = field("Message.Body.Text.Data");
    let is_named = |row: &str| {
        let id = row.strip_suffix("#sold").and_then(|id| id.parse().ok());
        id.is_some_and(|id: PurchaseId| text.contains(&format!("Purchase {}", id.number())))
    };
    let named = claimed.iter().filter(|(row, _)| is_named(row));
    let named: BTreeMap<_, _> = named.cloned().collect();
    match named.len() == sales {
        true => Ok(named),
        false => Err(format!("a letter about {sales} sales is about {named:?}")),
    }
}

/// How many sales a letter is about, if it is about what was sold in a day: `[test, for …] 3 sales at`.
fn sales(subject: &str) -> Option<usize> {
    let (_, subject) = subject.rsplit_once("] ").unwrap_or(("", subject));
    let (number, rest) = subject.split_once(' ')?;
    let is_digest = rest.starts_with("sales at ") || rest.starts_with("sale at ");
    number.parse().ok().filter(|_| is_digest)
}
