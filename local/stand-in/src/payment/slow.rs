//! Payments that take their time: debits, vouchers and bank transfers. How one ends is seen later, in
//! [`life::settle`](crate::payment::life::settle).

use crate::engine::resource::Object as _;
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::payment::action::{Action, BankTransfer, PendingVoucher};
use crate::payment::answer::{ask, fail, keep_or_spend, refuse};
use crate::payment::bank::{BankDebit, Ending, Settlement};
use crate::payment::charge::ChargeState;
use crate::payment::confirmation::{Confirmation, Outcome};
use crate::payment::decline::PaymentError;
use crate::payment::intent::{IntentState, PaymentIntent};
use crate::payment::method::PaymentMethod;
use crate::payment::testing::outcome::{Outcome as Fate, When};
use crate::payment::testing::voucher::{by_email, konbini};
use crate::payment::trial;
use crate::payment::voucher::Voucher;
use crate::webhook::record::record;

/// How long a voucher can be paid.
const VOUCHER_LASTS: Timestamp = 3 * DAY;

/// The bank has an order, and thinks.
pub(crate) fn start_debit(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    method: &mut PaymentMethod,
    debit: &BankDebit,
) -> anyhow::Result<Outcome> {
    let charge = trial::charge_of(transaction, intent, method);
    if let Settlement::Refused(decline) = &debit.settlement {
        let state = ChargeState::Blocked(decline.clone());
        return refuse(transaction, charge, intent, method, state);
    }
    intent.state = IntentState::Processing(match &debit.settlement {
        Settlement::ByHand | Settlement::Refused(_) => None,
        Settlement::After(seconds, ending) => {
            Some((transaction.now.saturating_add(*seconds), ending.clone()))
        }
    });
    intent.latest_charge = Some(charge.id.clone());
    intent.last_payment_error = None;
    transaction.put(&charge)?;
    record(transaction, "charge.pending", &charge)?;
    keep_or_spend(transaction, intent, method)?;
    transaction.put(intent)?;
    record(transaction, "payment_intent.processing", intent)?;
    Ok(Outcome::Processing)
}

/// The buyer leaves with a voucher: whether they pay with it is seen later.
pub(crate) fn hand_out(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    method: &PaymentMethod,
    voucher: Voucher,
    how: &Confirmation,
) -> anyhow::Result<Outcome> {
    transaction.put(method)?;
    let email = method.billing.email.as_deref().unwrap_or_default();
    let later = |seconds: Timestamp| transaction.now.saturating_add(seconds);
    let number = intent.terms.payment_method_options.get("konbini");
    let number = number.and_then(|it| it.get("confirmation_number")?.as_str());
    let fate = match voucher {
        Voucher::Konbini => konbini(email, number),
        _ => Ok(by_email(email)),
    };
    let fate = match fate {
        Ok(fate) => fate,
        Err(failure) => {
            let error = PaymentError::new(&failure.into(), None, &method.answer());
            return fail(transaction, intent, error);
        }
    };
    let settlement = match fate {
        // On the payment page, whoever tests decides.
        Fate::Succeeds(When::AfterThreeMinutes) if how.by_hand => Settlement::ByHand,
        Fate::Succeeds(when) => Settlement::After(later(when.seconds()), Ending::Succeeds),
        Fate::Fails(when, failure) => {
            Settlement::After(later(when.seconds()), Ending::Fails(failure.into()))
        }
        _ => Settlement::ByHand,
    };
    let page = how.voucher_page.clone();
    let pending = PendingVoucher {
        voucher,
        page: page.unwrap_or_else(|| transaction.site().to_owned()),
        expires_at: later(VOUCHER_LASTS),
        settlement,
        billing: method.billing.clone(),
    };
    ask(transaction, intent, Action::Voucher(Box::new(pending)))?;
    Ok(Outcome::Waiting)
}

/// The customer is told where to transfer the money.
pub(crate) fn await_transfer(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
) -> anyhow::Result<Outcome> {
    let kind = intent.terms.payment_method_options.get("customer_balance");
    let kind = kind.and_then(|it| it.pointer("/bank_transfer/type")?.as_str());
    // What has come already counts when the customer is told again.
    let funded = intent.funded();
    let transfer = BankTransfer {
        funded,
        kind: kind.unwrap_or("us_bank_transfer").to_owned(),
    };
    ask(transaction, intent, Action::BankTransfer(transfer))?;
    Ok(Outcome::Waiting)
}
