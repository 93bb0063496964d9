//! The one way in which anything is paid: by the API, on the payment page, and by time.
//!
//! ```text
//! requires_payment_method, requires_confirmation
//!   │ confirm                            ┌──────────────────────► canceled
//!   ├─ approved ──────────► succeeded    │ (from anywhere but succeeded)
//!   ├─ approved, manual ──► requires_capture ──capture──► succeeded
//!   ├─ declined, blocked ─► requires_payment_method
//!   ├─ challenged, voucher, transfer ─► requires_action ──► any of these
//!   └─ debited ───────────► processing ──► succeeded, requires_payment_method
//! ```
//!
//! Events are recorded in the order in which Stripe makes them: the charge is tried, the intent
//! follows its charge. What comes of it later, such as a dispute, is an
//! [`Aftermath`](crate::payment::aftermath::Aftermath), which whoever has more to tell first (a Checkout
//! session is complete) lets come when they have.

use anyhow::Context as _;

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::cash_balance;
use crate::engine::ids::{self, PaymentIntentId};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::action::Action;
use crate::payment::answer::{accept, fail, refuse};
use crate::payment::bank::{Ending, Settlement};
use crate::payment::by_card::try_card;
use crate::payment::capture;
use crate::payment::charge::ChargeState;
use crate::payment::confirmation::{Confirmation, Outcome};
use crate::payment::decline::{Decline, PaymentError};
use crate::payment::intent::{IntentState, Origin, PaymentIntent, Terms, WrongState};
use crate::payment::method::{Means, PaymentMethod};
use crate::payment::slow::{await_transfer, give_up_verifying, hand_out, start_debit};
use crate::payment::testing::claim::{Claim, ClaimKind};
use crate::payment::testing::three_d_secure::Challenged;
use crate::payment::trial;
use crate::payment::verdict::After;
use crate::webhook::record::put_and_record;

/// Makes an intent.
pub(crate) fn create(
    transaction: &Transaction<'_>,
    amount: Amount,
    currency: Currency,
    terms: Terms,
    method: Option<&PaymentMethod>,
    origin: Origin,
) -> anyhow::Result<PaymentIntent> {
    let id = PaymentIntentId::random();
    let intent = PaymentIntent {
        client_secret: ids::client_secret(&id),
        id,
        created: transaction.now,
        amount,
        currency,
        state: match method {
            Some(_) => IntentState::RequiresConfirmation {
                authenticated: false,
            },
            None => IntentState::RequiresPaymentMethod,
        },
        terms,
        payment_method: method.map(|method| method.id.clone()),
        latest_charge: None,
        last_payment_error: None,
        review: None,
        origin,
    };
    put_and_record(transaction, "payment_intent.created", &intent)?;
    Ok(intent)
}

/// Tries to pay.
pub(crate) fn confirm(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    method: &mut PaymentMethod,
    how: &Confirmation,
) -> anyhow::Result<Outcome> {
    let authenticated = matches!(
        intent.state,
        IntentState::RequiresConfirmation {
            authenticated: true
        }
    ) && intent.payment_method.as_ref() == Some(&method.id);
    intent.payment_method = Some(method.id.clone());
    match method.means.clone() {
        Means::Card(card) => try_card(transaction, intent, method, &card, how, authenticated),
        Means::BankDebit(debit) => start_debit(transaction, intent, method, &debit, how),
        Means::Voucher(voucher) => hand_out(transaction, intent, method, voucher, how),
        Means::CustomerBalance => await_transfer(transaction, intent, method),
    }
}

/// The buyer has shown who they are, or has not.
pub(crate) fn authenticate(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    challenged: Challenged,
) -> anyhow::Result<Result<Outcome, WrongState>> {
    let Some(challenge) = intent.challenge().cloned() else {
        return Ok(Err(WrongState));
    };
    let method = intent.payment_method.as_deref();
    let mut method: PaymentMethod =
        transaction.existing(method.context("nothing was to be paid with")?)?;
    if challenged != Challenged::Passed {
        let decline = Decline::not_authenticated(PaymentIntent::KIND);
        let error = PaymentError::new(&decline, None, &method.answer());
        return fail(transaction, intent, error).map(Ok);
    }
    intent.state = IntentState::RequiresConfirmation {
        authenticated: true,
    };
    if !challenge.goes_on {
        transaction.put(intent)?;
        return Ok(Ok(Outcome::Unconfirmed));
    }
    confirm(
        transaction,
        intent,
        &mut method,
        &Confirmation {
            return_url: challenge.return_url,
            ..Confirmation::default()
        },
    )
    .map(Ok)
}

/// The bank, or the buyer of a voucher, ends a payment that has taken its time.
pub(crate) fn settle(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    ending: Ending,
) -> anyhow::Result<Result<Outcome, WrongState>> {
    let method = intent.payment_method.as_deref();
    let mut method: PaymentMethod = match (&intent.state, method) {
        (
            IntentState::Processing(_)
            | IntentState::RequiresAction(Action::Voucher(_) | Action::BankTransfer(_)),
            Some(id),
        ) => transaction.existing(id)?,
        _ => return Ok(Err(WrongState)),
    };
    let charge = match &intent.state {
        IntentState::Processing(_) => {
            let charge = intent.latest_charge.as_deref();
            transaction.existing(charge.context("a payment is processing without a charge")?)?
        }
        _ => trial::charge_of(transaction, intent, &method),
    };
    if let IntentState::RequiresAction(Action::BankTransfer(_)) = intent.state {
        match ending {
            Ending::Fails(_) => cash_balance::book::unapply(transaction, intent)?,
            _ => cash_balance::book::fund_the_rest(transaction, intent)?,
        }
    }
    let outcome = match ending {
        Ending::Succeeds => accept(transaction, charge, intent, &mut method, After::default()),
        Ending::SucceedsDisputed => {
            let claim = Claim {
                kind: ClaimKind::Chargeback,
                reason: "debit_not_authorized",
            };
            let after = After {
                claims: vec![claim],
                ..After::default()
            };
            accept(transaction, charge, intent, &mut method, after)
        }
        Ending::Fails(_) if intent.voucher().is_some() => {
            intent.latest_charge = None;
            let error = PaymentError::new(&Decline::by_time(), None, &method.answer());
            fail(transaction, intent, error)
        }
        Ending::Fails(decline) => {
            let state = ChargeState::Declined(decline);
            refuse(transaction, charge, intent, &method, state)
        }
    };
    outcome.map(Ok)
}

/// The time of an intent has come: the bank answers, a voucher lapses, or what was set aside is the
/// buyer's again. There is no outcome of the last.
pub(crate) fn run_out(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
) -> anyhow::Result<Option<Outcome>> {
    let ending = match &intent.state {
        IntentState::Processing(Some((_, ending))) => ending.clone(),
        IntentState::RequiresAction(Action::Voucher(pending)) => match &pending.settlement {
            Settlement::After(_, ending) => ending.clone(),
            _ => Ending::Fails(Decline::by_time()),
        },
        IntentState::RequiresCapture { .. } => {
            capture::lapse(transaction, intent)?;
            return Ok(None);
        }
        IntentState::RequiresAction(Action::VerifyAccount(deposits)) => {
            let ending = deposits.ending.clone();
            return give_up_verifying(transaction, intent, &ending).map(Some);
        }
        _ => anyhow::bail!("time does not change {}", intent.id),
    };
    let outcome = settle(transaction, intent, ending)?;
    outcome
        .map(Some)
        .map_err(|WrongState| anyhow::anyhow!("{} cannot settle", intent.id))
}
