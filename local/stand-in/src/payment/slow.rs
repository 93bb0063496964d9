//! Payments that take their time: debits, vouchers and bank transfers. How one ends is seen later, in
//! [`life::settle`](crate::payment::life::settle).

use anyhow::Context as _;

use crate::account::amount::Amount;
use crate::cash_balance;
use crate::engine::ids::MandateId;
use crate::engine::resource::Object as _;
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::payment::action::{Action, BankTransfer, PendingVoucher};
use crate::payment::answer::{accept, ask, fail, keep_or_spend, refuse};
use crate::payment::bank::{BankDebit, Ending, Settlement};
use crate::payment::bank_transfer::kind_of;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::confirmation::{Confirmation, Outcome};
use crate::payment::consent;
use crate::payment::decline::{Decline, PaymentError};
use crate::payment::intent::{IntentState, PaymentIntent, Usage, WrongState};
use crate::payment::mandate::Uses;
use crate::payment::method::PaymentMethod;
use crate::payment::microdeposit::{self, Answer, Heard, Microdeposits, Told};
use crate::payment::testing::outcome::{Outcome as Fate, When};
use crate::payment::testing::voucher::{by_email, konbini};
use crate::payment::trial;
use crate::payment::verdict::After;
use crate::payment::voucher::Voucher;
use crate::webhook::record::record;

/// How long a voucher can be paid.
const VOUCHER_LASTS: Timestamp = 3 * DAY;

/// The account is to be debited, once it is known to be the buyer's.
pub(crate) fn start_debit(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    method: &mut PaymentMethod,
    debit: &BankDebit,
    how: &Confirmation,
) -> anyhow::Result<Outcome> {
    let uses = match intent.terms.setup_future_usage {
        Some(Usage::OffSession) => Uses::Many,
        _ => Uses::One {
            amount: intent.amount,
            currency: intent.currency,
        },
    };
    let mandate = consent::secure(transaction, method, debit, uses, how.agreed.clone())?;
    if !microdeposit::is_needed(debit, &intent.terms.payment_method_options) {
        return debit_account(transaction, intent, method, debit, mandate);
    }
    transaction.put(method)?;
    let (site, now) = (transaction.site(), transaction.now);
    let deposits = Microdeposits::send(debit, site, &intent.id, mandate, now);
    let action = Action::VerifyAccount(Box::new(deposits));
    ask(transaction, intent, action)?;
    Ok(Outcome::Waiting)
}

/// The buyer tells what was deposited on their account.
pub(crate) fn verify_account(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    told: &Told,
) -> anyhow::Result<Result<Heard<Outcome>, WrongState>> {
    let IntentState::RequiresAction(Action::VerifyAccount(deposits)) = &mut intent.state else {
        return Ok(Err(WrongState));
    };
    let (answer, mandate) = (deposits.hear(told), deposits.mandate.clone());
    Ok(Ok(match answer {
        Answer::Wrong(failure) => {
            transaction.put(intent)?;
            Heard::Wrong(failure)
        }
        Answer::Over(failure) => {
            let ending = failure.into();
            Heard::Answered(give_up_verifying(transaction, intent, &ending)?)
        }
        Answer::Right => {
            let id = intent.payment_method.as_deref();
            let id = id.context("nothing was to be paid with")?;
            let mut method: PaymentMethod = transaction.existing(id)?;
            let debit = method
                .verify()
                .context("no bank account was to be verified")?;
            let paid = debit_account(transaction, intent, &mut method, &debit, mandate)?;
            Heard::Answered(paid)
        }
    }))
}

/// Nobody has shown that the account is theirs, and now nobody can.
pub(crate) fn give_up_verifying(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    ending: &Decline,
) -> anyhow::Result<Outcome> {
    let id = intent.payment_method.as_deref();
    let method: PaymentMethod = transaction.existing(id.context("nothing was to be paid with")?)?;
    let error = PaymentError::new(ending, None, &method.answer());
    fail(transaction, intent, error)
}

/// The bank has an order, and thinks.
fn debit_account(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    method: &mut PaymentMethod,
    debit: &BankDebit,
    mandate: MandateId,
) -> anyhow::Result<Outcome> {
    let charge = Charge {
        mandate: Some(mandate),
        ..trial::charge_of(transaction, intent, method)
    };
    if let Settlement::Refused(decline) | Settlement::Unverifiable(decline) = &debit.settlement {
        let state = ChargeState::Blocked(decline.clone());
        return refuse(transaction, charge, intent, method, state);
    }
    intent.state = IntentState::Processing(match &debit.settlement {
        Settlement::After(seconds, ending) => {
            Some((transaction.now.saturating_add(*seconds), ending.clone()))
        }
        _ => None,
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
    method: &mut PaymentMethod,
) -> anyhow::Result<Outcome> {
    let kind = intent.terms.payment_method_options.get("customer_balance");
    let kind = kind.and_then(|it| it.pointer("/bank_transfer/type")?.as_str());
    // What has come already counts when the customer is told again, and so does what they have.
    let share = cash_balance::book::spendable(transaction, intent)?;
    let funded = intent.funded().plus(share);
    cash_balance::book::apply(transaction, intent, share)?;
    if funded >= intent.amount {
        let charge = trial::charge_of(transaction, intent, method);
        return accept(transaction, charge, intent, method, After::default());
    }
    let transfer = BankTransfer {
        funded,
        kind: kind.unwrap_or(kind_of(intent.currency)).to_owned(),
    };
    ask(transaction, intent, Action::BankTransfer(transfer))?;
    if share > Amount::ZERO {
        record(transaction, "payment_intent.partially_funded", intent)?;
    }
    Ok(Outcome::Waiting)
}
