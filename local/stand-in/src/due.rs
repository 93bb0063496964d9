//! What time alone brings about. Each thing happens at the moment at which it is due, in the order of
//! these moments, however late somebody looks.

use anyhow::{bail, ensure};

use crate::account::balance::BalanceTransaction;
use crate::checkout::object::Session;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::file::link::FileLink;
use crate::invoice::object::Invoice;
use crate::payment::charge::Charge;
use crate::payment::intent::PaymentIntent;
use crate::promotion::object::{Coupon, PromotionCode};
use crate::quote::object::Quote;
use crate::refund::object::Refund;
use crate::{account, billing, checkout, file, payment, promotion, quote, refund};

/// Lets everything happen that is due by now.
pub(crate) fn catch_up(transaction: &mut Transaction<'_>) -> anyhow::Result<()> {
    let now = transaction.now;
    let mut last = None;
    while let Some(due) = transaction.first_due(now)? {
        ensure!(last.as_ref() != Some(&due), "{} stays due", due.id);
        transaction.now = due.at;
        match due.kind.as_str() {
            Session::KIND => checkout::life::run_out(transaction, &due.id)?,
            Refund::KIND => refund::life::decide(transaction, &due.id)?,
            PaymentIntent::KIND => billing::run_out_intent(transaction, &due.id)?,
            Invoice::KIND => billing::run_out_invoice(transaction, &due.id)?,
            Quote::KIND => quote::life::run_out(transaction, &due.id)?,
            Charge::KIND => payment::capture::expire(transaction, &due.id)?,
            BalanceTransaction::KIND => account::book::arrive(transaction, &due.id)?,
            FileLink::KIND => file::link::expire(transaction, &due.id)?,
            Coupon::KIND => promotion::life::end_coupon(transaction, &due.id)?,
            PromotionCode::KIND => promotion::life::end_code(transaction, &due.id)?,
            kind => bail!("time does not change {}, a {kind}", due.id),
        }
        last = Some(due);
    }
    transaction.now = now;
    Ok(())
}
