//! One payment of a purchase or an invoice: what Stripe knows of it, and how much of it can be refunded.

use std::collections::BTreeMap;

use anyhow::bail;
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};
use shared::money::{Currency, Money, MoneyError};
use shared::purchase::{PaymentIntentId, RefundId, RefundState};
use shared::stripe::client::{Client as Stripe, LONGEST_PAGE, List};

use super::paid::Paid;
use crate::shop::{NotFound, Refused};

/// Where a refund's --key is kept on it.
pub(super) const KEY: &str = "till_refund_key";

/// A payment, and what is left of it.
pub struct Payment {
    /// Its id.
    pub intent: PaymentIntentId,
    /// What it brought.
    pub paid: Money,
    /// What went back, or is on its way.
    pub refunded: Money,
    /// What can still go back.
    pub left: Money,
    refunds: Vec<Made>,
}

/// Why an amount cannot be refunded.
#[derive(Debug, thiserror::Error)]
pub enum AmountError {
    /// All of it went back, or is held by disputes.
    #[error("nothing is left to refund: {refunded} of {paid} was refunded{}", held(*paid, *refunded))]
    NothingLeft {
        /// What was paid.
        paid: Money,
        /// What of it was refunded.
        refunded: Money,
    },
    /// It is nothing, or less.
    #[error("{0} is not above zero")]
    NotAboveZero(i64),
    /// It is more than is left.
    #[error("{amount} is more than is left of this payment, which is {left} of {paid}")]
    TooMuch {
        /// What was asked for.
        amount: Money,
        /// What is left.
        left: Money,
        /// Of what was paid.
        paid: Money,
    },
    /// Stripe would not take it.
    #[error(transparent)]
    Price(#[from] MoneyError),
}

fn held(paid: Money, refunded: Money) -> &'static str {
    match refunded < paid {
        true => ", and disputes hold the rest",
        false => "",
    }
}

/// A refund, as Stripe answers it.
#[derive(Deserialize)]
pub struct Made {
    /// Its id.
    pub id: RefundId,
    /// In minor units.
    pub amount: i64,
    /// Of the amount.
    pub currency: Currency,
    /// How far it has come.
    #[serde(deserialize_with = "decided")]
    pub status: RefundState,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// `null` says that Stripe has not decided yet.
fn decided<'de, D: Deserializer<'de>>(status: D) -> Result<RefundState, D::Error> {
    let status: Option<RefundState> = Deserialize::deserialize(status)?;
    Ok(status.unwrap_or(RefundState::Pending))
}

impl Made {
    /// Whether its money is gone or on its way.
    fn counts(&self) -> bool {
        !matches!(self.status, RefundState::Canceled | RefundState::Failed)
    }
}

impl Payment {
    /// The only payment of what was `bought`, or the one that is `wanted`, with what Stripe knows of it
    /// now.
    pub async fn of(bought: &Paid, wanted: Option<&str>, stripe: &Stripe) -> anyhow::Result<Self> {
        let payments = bought.payments(stripe).await?;
        let (intent, paid) = choose(bought, payments, wanted)?;
        let refunds = refunds_of(stripe, &intent).await?;
        let counted = refunds.iter().filter(|made| made.counts());
        let refunded: i64 = counted.map(|made| made.amount).sum();
        // Disputes are of all of it: which payment they are about is not recorded.
        let disputed = bought.disputed();
        let disputed = if disputed.currency == paid.currency {
            disputed.amount
        } else {
            0
        };
        let left = paid
            .amount
            .saturating_sub(refunded)
            .saturating_sub(disputed);
        Ok(Self {
            intent,
            paid,
            refunded: Money::new(refunded, paid.currency),
            left: Money::new(left.max(0), paid.currency),
            refunds,
        })
    }

    /// The refund that was made under this key.
    pub fn take_refund(&mut self, key: &str) -> Option<Made> {
        let mut refunds = self.refunds.iter();
        let has_key = |made: &Made| made.metadata.get(KEY).is_some_and(|it| it == key);
        let place = refunds.position(has_key)?;
        Some(self.refunds.swap_remove(place))
    }

    /// What to refund, if so many minor units are wanted, or all that is left.
    pub fn amount(&self, wanted: Option<i64>) -> Result<Money, AmountError> {
        let (paid, refunded, left) = (self.paid, self.refunded, self.left);
        if left.amount <= 0 {
            return Err(AmountError::NothingLeft { paid, refunded });
        }
        let amount = Money::new(wanted.unwrap_or(left.amount), paid.currency);
        if amount.amount <= 0 {
            return Err(AmountError::NotAboveZero(amount.amount));
        }
        if amount.amount > left.amount {
            return Err(AmountError::TooMuch { amount, left, paid });
        }
        amount.check_price()?;
        Ok(amount)
    }

    /// An idempotency key that stays the same until Stripe knows another refund of the payment, or has
    /// failed to make this one once more.
    pub fn key_for(&self, amount: Money, failed_before: u32) -> String {
        let refunds = self.refunds.iter();
        let mut refunds: Vec<_> = refunds.map(|made| made.id.as_str()).collect();
        refunds.sort_unstable();
        let mut hash = Sha256::new();
        for refund in refunds {
            hash.update(refund);
            hash.update([0]);
        }
        let known = hex::encode(hash.finalize());
        let known = known.get(..16).unwrap_or(&known);
        let again = match failed_before {
            0 => String::new(),
            times => format!(":{times}"),
        };
        format!(
            "till-refund:{}:{}:{known}{again}",
            self.intent, amount.amount
        )
    }
}

fn choose(
    bought: &Paid,
    mut payments: Vec<(PaymentIntentId, Money)>,
    wanted: Option<&str>,
) -> anyhow::Result<(PaymentIntentId, Money)> {
    let id = bought.id();
    if let Some(wanted) = wanted {
        payments.retain(|(intent, _)| intent.as_str() == wanted);
        if payments.is_empty() {
            let shown_by = bought.shown_by();
            bail!(NotFound(format!(
                "{wanted} is not a payment of {id}: see `{shown_by}`"
            )));
        }
    }
    match <[_; 1]>::try_from(payments) {
        Ok([payment]) => Ok(payment),
        Err(none) if none.is_empty() && bought.is_settled() => {
            bail!(Refused(format!(
                "{id} was free, so there is nothing to refund"
            )))
        }
        Err(none) if none.is_empty() => bail!(Refused(format!(
            "{id} is {}, so nothing was paid and there is nothing to refund",
            bought.standing().as_str()
        ))),
        Err(several) => {
            let several: Vec<_> = several
                .iter()
                .map(|(intent, paid)| format!("{intent} ({paid})"))
                .collect();
            bail!(Refused(format!(
                "{id} was paid {} times: choose a payment with --payment-intent: {}",
                several.len(),
                several.join(", ")
            )))
        }
    }
}

async fn refunds_of(stripe: &Stripe, intent: &PaymentIntentId) -> anyhow::Result<Vec<Made>> {
    let mut refunds: Vec<Made> = Vec::new();
    loop {
        let mut query = vec![("limit", LONGEST_PAGE), ("payment_intent", intent.as_str())];
        let last = refunds.last().map(|last| last.id.clone());
        query.extend(last.as_ref().map(|last| ("starting_after", last.as_str())));
        let page: List<Made> = stripe.list("/refunds", &query).await?;
        refunds.extend(page.data);
        if !page.has_more {
            return Ok(refunds);
        }
    }
}
