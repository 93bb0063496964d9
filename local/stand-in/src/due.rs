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
use crate::payment::mandate::Mandate;
use crate::payment::setup_intent::SetupIntent;
use crate::payout::object::Payout;
use crate::promotion::object::{Coupon, PromotionCode};
use crate::quote::object::Quote;
use crate::refund::object::Refund;
use crate::subscription::object::Subscription;
use crate::subscription_schedule::object::Schedule;
use crate::test_clock::object::{ClockState, TestClock};
use crate::{
    account, billing, checkout, file, payment, payout, promotion, quote, refund,
    subscription_schedule, test_clock,
};

/// More than can happen to one object at one moment.
const MOST_AT_ONCE: u8 = 5;

/// Lets everything happen that is due by now.
pub(crate) fn catch_up(transaction: &Transaction<'_>) -> anyhow::Result<()> {
    let (mut last, mut times) = (None, 0_u8);
    while let Some(due) = transaction.first_due(transaction.now)? {
        times = match last.as_ref() == Some(&due) {
            true => times.saturating_add(1),
            false => 0,
        };
        ensure!(times < MOST_AT_ONCE, "{} stays due", due.id);
        let then = transaction.at(due.at);
        match due.kind.as_str() {
            TestClock::KIND => wind(&then, &due.id)?,
            Session::KIND => checkout::life::run_out(&then, &due.id)?,
            Refund::KIND => refund::life::decide(&then, &due.id)?,
            PaymentIntent::KIND => billing::run_out_intent(&then, &due.id)?,
            Charge::KIND => payment::capture::expire(&then, &due.id)?,
            BalanceTransaction::KIND => account::book::arrive(&then, &due.id)?,
            SetupIntent::KIND => payment::setup::run_out(&then, &due.id)?,
            Mandate::KIND => payment::consent::take_effect(&then, &due.id)?,
            Payout::KIND => payout::life::run_out(&then, &due.id)?,
            FileLink::KIND => file::link::expire(&then, &due.id)?,
            Coupon::KIND => promotion::life::end_coupon(&then, &due.id)?,
            PromotionCode::KIND => promotion::life::end_code(&then, &due.id)?,
            Invoice::KIND => billing::run_out_invoice(&then, &due.id)?,
            Quote::KIND => quote::life::run_out(&then, &due.id)?,
            Subscription::KIND => {
                subscription_schedule::life::step_of_subscription(&then, &due.id)?
            }
            Schedule::KIND => subscription_schedule::life::step(&then, &due.id)?,
            kind => bail!("time does not change {}, a {kind}", due.id),
        }
        last = Some(due);
    }
    Ok(())
}

/// A test clock goes where it was sent, and what is due on the way happens in its time; or its own time
/// is over. What cannot happen stops this clock alone.
fn wind(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut clock: TestClock = transaction.existing(id)?;
    let ClockState::Advancing { to, .. } = clock.state else {
        return test_clock::life::delete(transaction, &clock);
    };
    let then = transaction.in_time_of([id])?.at(to);
    let arrived = transaction.attempt(|| catch_up(&then)).map(|()| to);
    test_clock::life::arrive(transaction, &mut clock, arrived)
}
