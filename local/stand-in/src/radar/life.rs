//! What can happen to a warning and to a review.
//!
//! ```text
//! review: open ──► approved, refunded, refunded_as_fraud, disputed
//! ```

use crate::account::amount::Amount;
use crate::engine::ids::{self, ChargeId, ReviewId};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::charge::Charge;
use crate::payment::intent::PaymentIntent;
use crate::radar::review::{Closed, Review};
use crate::radar::warning::EarlyFraudWarning;
use crate::webhook::record::{record, record_change};

/// The card's network has been told that a payment is fraud.
pub(crate) fn warn(
    transaction: &Transaction<'_>,
    charge: &Charge,
    fraud_type: &str,
) -> anyhow::Result<()> {
    let warning = EarlyFraudWarning {
        id: ids::early_fraud_warning(),
        created: transaction.now,
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        fraud_type: fraud_type.to_owned(),
        actionable: charge.refundable() > Amount::ZERO && !charge.disputed,
    };
    transaction.put(&warning)?;
    record(transaction, "radar.early_fraud_warning.created", &warning)
}

/// The money has gone back, or is being fought over: a warning can avert nothing any more.
pub(crate) fn nothing_to_avert(
    transaction: &Transaction<'_>,
    charge: &ChargeId,
) -> anyhow::Result<()> {
    for mut warning in transaction.having::<EarlyFraudWarning>("charge", charge)? {
        if warning.actionable {
            let before = warning.answer();
            warning.actionable = false;
            transaction.put(&warning)?;
            let event_type = "radar.early_fraud_warning.updated";
            record_change(transaction, event_type, &before, &warning)?;
        }
    }
    Ok(())
}

/// A rule wants somebody to look at a payment.
pub(crate) fn open_review(
    transaction: &Transaction<'_>,
    charge: &mut Charge,
) -> anyhow::Result<()> {
    let review = Review {
        id: ReviewId::random(),
        created: transaction.now,
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        billing_zip: charge.billing.address.postal_code.clone(),
        closed: None,
    };
    transaction.put(&review)?;
    show_review(transaction, charge, Some(&review.id))?;
    record(transaction, "review.opened", &review)
}

/// The review is closed already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AlreadyClosed;

/// Somebody has looked, or what happened since has settled it.
pub(crate) fn close_review(
    transaction: &Transaction<'_>,
    review: &mut Review,
    how: Closed,
) -> anyhow::Result<Result<(), AlreadyClosed>> {
    if review.closed.is_some() {
        return Ok(Err(AlreadyClosed));
    }
    let before = review.answer();
    review.closed = Some(how);
    transaction.put(review)?;
    let mut charge: Charge = transaction.existing(&review.charge)?;
    show_review(transaction, &mut charge, None)?;
    record_change(transaction, "review.closed", &before, review)?;
    Ok(Ok(()))
}

/// What becomes of a charge closes its reviews.
pub(crate) fn close_reviews_of(
    transaction: &Transaction<'_>,
    charge: &ChargeId,
    how: Closed,
) -> anyhow::Result<()> {
    for mut review in transaction.having::<Review>("charge", charge)? {
        // One that is closed stays as it is.
        let _: Result<(), AlreadyClosed> = close_review(transaction, &mut review, how)?;
    }
    Ok(())
}

/// A charge and its intent name the review while it is open.
fn show_review(
    transaction: &Transaction<'_>,
    charge: &mut Charge,
    review: Option<&ReviewId>,
) -> anyhow::Result<()> {
    charge.review = review.cloned();
    transaction.put(charge)?;
    if let Some(intent) = &charge.payment_intent {
        let mut intent: PaymentIntent = transaction.existing(intent)?;
        intent.review = review.cloned();
        transaction.put(&intent)?;
    }
    Ok(())
}
