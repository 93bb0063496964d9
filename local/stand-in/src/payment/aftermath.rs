//! What comes of a payment when everybody knows of it: the money is booked, and those who worry about it
//! speak up.

use crate::account::amount::Amount;
use crate::dispute;
use crate::dispute::life::Contest;
use crate::engine::ids::ChargeId;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::charge::Charge;
use crate::payment::trial;
use crate::payment::verdict::After;
use crate::radar;
use crate::webhook::record::record_shown;

/// What comes of a payment when everybody knows of it.
#[derive(Debug)]
#[must_use]
pub(crate) struct Aftermath {
    pub(crate) charge: ChargeId,
    /// The money has yet to be booked.
    pub(crate) unbooked: bool,
    pub(crate) after: After,
}

impl Aftermath {
    pub(crate) fn come(self, transaction: &Transaction<'_>) -> anyhow::Result<()> {
        let mut charge: Charge = transaction.existing(&self.charge)?;
        if self.unbooked {
            let before = charge.answer();
            let amount = charge.captured();
            let bypasses_pending = self.after.bypasses_pending;
            trial::book(transaction, &mut charge, amount, bypasses_pending)?;
            let now = charge.answer();
            transaction.put_as(&charge, &now)?;
            record_shown(transaction, "charge.updated", now, Some(&before))?;
        }
        if self.after.reviewed {
            radar::life::open_review(transaction, &mut charge)?;
        }
        if let Some(fraud_type) = self.after.warned {
            radar::life::warn(transaction, &charge, fraud_type)?;
        }
        let shares = shares(charge.captured(), self.after.claims.len());
        for (claim, amount) in self.after.claims.iter().zip(shares) {
            let contest = Contest::of(claim, amount);
            dispute::life::open(transaction, &mut charge, &contest)?;
        }
        Ok(())
    }
}

/// An amount in so many parts, equal but for the rest, which the first has.
fn shares(amount: Amount, parts: usize) -> Vec<Amount> {
    let count = i64::try_from(parts).unwrap_or(1).max(1);
    let each = amount.share_rounded_down(1, count);
    let mut shares = vec![each; parts];
    if let Some(first) = shares.first_mut() {
        *first = first.plus(amount.beyond(count));
    }
    shares
}
