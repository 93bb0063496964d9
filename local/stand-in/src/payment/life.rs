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
//! follows its charge. What comes of it later, such as a dispute, is an [`Aftermath`], which whoever
//! has more to tell first (a Checkout session is complete) lets come when they have.

use anyhow::Context as _;

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::ids::{self, PaymentIntentId};
use crate::engine::resource::Object as _;
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::payment::action::{Action, BankTransfer, Challenge, PendingVoucher};
use crate::payment::aftermath::Aftermath;
use crate::payment::bank::{BankDebit, Ending, Settlement};
use crate::payment::capture;
use crate::payment::card::Card;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::decline::{Decline, PaymentError};
use crate::payment::intent::{
    CaptureMethod, ConfirmationMethod, IntentState, Origin, PaymentIntent, Terms, Usage, WrongState,
};
use crate::payment::keep;
use crate::payment::method::{Means, Owner, PaymentMethod};
use crate::payment::testing::claim::{Claim, ClaimKind};
use crate::payment::testing::outcome::{Outcome as Fate, When};
use crate::payment::testing::three_d_secure::{Challenged, FutureUsage, Request};
use crate::payment::testing::voucher::{by_email, konbini};
use crate::payment::trial;
use crate::payment::verdict::{self, After, Circumstances, Verdict};
use crate::payment::voucher::Voucher;
use crate::webhook::record::record;

/// How long a voucher can be paid.
const VOUCHER_LASTS: Timestamp = 3 * DAY;

/// How somebody confirms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Confirmation {
    /// The buyer is not there.
    pub(crate) off_session: bool,
    /// A buyer who is not there can be asked to come, if they are needed.
    pub(crate) waits_for_buyer: bool,
    /// Where the buyer goes when they have done what was asked of them.
    pub(crate) return_url: Option<String>,
    /// Whoever confirms cannot ask anything of the buyer.
    pub(crate) fails_on_action: bool,
    /// Whether 3D Secure is wanted.
    pub(crate) three_d_secure: Request,
    /// Where a voucher is shown.
    pub(crate) voucher_page: Option<String>,
    /// Whether a voucher is paid, somebody decides who presses a button.
    pub(crate) by_hand: bool,
}

/// What became of a try to pay.
#[derive(Debug)]
#[must_use]
pub(crate) enum Outcome {
    /// The money is the account's.
    Paid(Aftermath),
    /// The money is set aside.
    Authorized(Aftermath),
    /// The bank thinks.
    Processing,
    /// The buyer has to prove who they are: here.
    Challenged(String),
    /// The buyer takes their time.
    Waiting,
    /// The buyer has done their part: the shop is to confirm again.
    Unconfirmed,
    Refused(PaymentError),
}

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
    transaction.put(&intent)?;
    record(transaction, "payment_intent.created", &intent)?;
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
        Means::BankDebit(debit) => start_debit(transaction, intent, method, &debit),
        Means::Voucher(voucher) => hand_out(transaction, intent, method, voucher, how),
        Means::CustomerBalance => await_transfer(transaction, intent),
    }
}

fn try_card(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    method: &mut PaymentMethod,
    card: &Card,
    how: &Confirmation,
    authenticated: bool,
) -> anyhow::Result<Outcome> {
    let circumstances = Circumstances {
        off_session: how.off_session,
        authenticated,
        request: how.three_d_secure,
        setup_future_usage: intent.terms.setup_future_usage.map(|usage| match usage {
            Usage::OffSession => FutureUsage::OffSession,
            Usage::OnSession => FutureUsage::OnSession,
        }),
        kept: method.customer().is_some(),
        set_up: method.set_up,
    };
    let given = card.given(&method.billing.address);
    let mut charge = trial::charge_of(transaction, intent, method);
    let verdict = match verdict::charge(card.test, given, &circumstances) {
        Verdict::Declined(decline, ..)
            if how.waits_for_buyer && decline == Decline::wants_the_buyer() =>
        {
            Verdict::Challenge
        }
        verdict => verdict,
    };
    method.checked = !matches!(verdict, Verdict::Challenge);
    transaction.put(method)?;
    match verdict {
        Verdict::Challenge if how.fails_on_action => {
            let decline = Decline::wants_the_buyer();
            refuse(
                transaction,
                charge,
                intent,
                method,
                ChargeState::Declined(decline),
            )
        }
        Verdict::Challenge => {
            let page = format!("{}/3ds/{}", transaction.site(), intent.id);
            intent.state = IntentState::RequiresAction(Action::Authenticate(Challenge {
                page: page.clone(),
                return_url: how.return_url.clone(),
                goes_on: intent.terms.confirmation_method == ConfirmationMethod::Automatic,
            }));
            transaction.put(intent)?;
            record(transaction, "payment_intent.requires_action", intent)?;
            Ok(Outcome::Challenged(page))
        }
        Verdict::Approved(approval) => {
            charge.risk = Some(approval.risk);
            charge.three_d_secure = approval.three_d_secure;
            method.set_up = approval.sets_up;
            accept(transaction, charge, intent, method, approval.after)
        }
        Verdict::Declined(decline, risk, three_d_secure) => {
            charge.risk = Some(risk);
            charge.three_d_secure = three_d_secure;
            refuse(
                transaction,
                charge,
                intent,
                method,
                ChargeState::Declined(decline),
            )
        }
        Verdict::Reversed(decline, risk, three_d_secure) => {
            charge.risk = Some(risk);
            charge.three_d_secure = three_d_secure;
            let state = ChargeState::Reversed(decline);
            refuse(transaction, charge, intent, method, state)
        }
        Verdict::Blocked(decline, risk) => {
            charge.risk = Some(risk);
            refuse(
                transaction,
                charge,
                intent,
                method,
                ChargeState::Blocked(decline),
            )
        }
    }
}

/// The issuer has said yes.
fn accept(
    transaction: &Transaction<'_>,
    mut charge: Charge,
    intent: &mut PaymentIntent,
    method: &mut PaymentMethod,
    after: After,
) -> anyhow::Result<Outcome> {
    let capture = intent.terms.capture_method;
    let manual = capture == CaptureMethod::Manual;
    charge.state = trial::captured_or_set_aside(transaction, charge.amount, manual);
    if capture == CaptureMethod::Automatic {
        trial::book(transaction, &mut charge, after.bypasses_pending)?;
    }
    intent.state = match charge.state {
        ChargeState::Authorized { capture_before } => IntentState::RequiresCapture {
            until: capture_before,
        },
        _ => IntentState::Succeeded {
            received: charge.amount,
        },
    };
    intent.payment_method = Some(method.id.clone());
    intent.latest_charge = Some(charge.id.clone());
    intent.last_payment_error = None;
    transaction.put(&charge)?;
    record(transaction, "charge.succeeded", &charge)?;
    keep_or_spend(transaction, intent, method)?;
    transaction.put(intent)?;
    let aftermath = Aftermath {
        charge: charge.id,
        unbooked: capture == CaptureMethod::AutomaticAsync,
        after,
    };
    match capture {
        CaptureMethod::Manual => {
            record(
                transaction,
                "payment_intent.amount_capturable_updated",
                intent,
            )?;
            Ok(Outcome::Authorized(aftermath))
        }
        CaptureMethod::Automatic | CaptureMethod::AutomaticAsync => {
            record(transaction, "payment_intent.succeeded", intent)?;
            Ok(Outcome::Paid(aftermath))
        }
    }
}

/// The payment method stays with its customer if that was asked for; nobody's is used up.
fn keep_or_spend(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    method: &mut PaymentMethod,
) -> anyhow::Result<()> {
    let keeps = intent.terms.setup_future_usage.is_some() && method.means.can_be_kept();
    match (&method.owner, &intent.terms.customer) {
        (Owner::Nobody, Some(customer)) if keeps => keep::attach(transaction, method, customer),
        (Owner::Nobody, _) => {
            method.owner = Owner::Spent;
            transaction.put(method)
        }
        _ => transaction.put(method),
    }
}

/// Somebody has said no: the bank, or Radar.
fn refuse(
    transaction: &Transaction<'_>,
    mut charge: Charge,
    intent: &mut PaymentIntent,
    method: &PaymentMethod,
    state: ChargeState,
) -> anyhow::Result<Outcome> {
    let error = match &state {
        ChargeState::Declined(decline)
        | ChargeState::Blocked(decline)
        | ChargeState::Reversed(decline) => {
            PaymentError::new(decline, Some(&charge.id), &method.answer())
        }
        _ => anyhow::bail!("{} is refused without a reason", charge.id),
    };
    charge.state = state;
    intent.latest_charge = Some(charge.id.clone());
    transaction.put(&charge)?;
    record(transaction, "charge.failed", &charge)?;
    fail(transaction, intent, error)
}

/// The try has come to nothing: another payment method is needed.
fn fail(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    error: PaymentError,
) -> anyhow::Result<Outcome> {
    intent.state = IntentState::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_payment_error = Some(error.clone());
    transaction.put(intent)?;
    record(transaction, "payment_intent.payment_failed", intent)?;
    Ok(Outcome::Refused(error))
}

fn start_debit(
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
fn hand_out(
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
    intent.state = IntentState::RequiresAction(Action::Voucher(Box::new(PendingVoucher {
        voucher,
        page: page.unwrap_or_else(|| transaction.site().to_owned()),
        expires_at: transaction.now.saturating_add(VOUCHER_LASTS),
        settlement,
        billing: method.billing.clone(),
    })));
    intent.last_payment_error = None;
    transaction.put(intent)?;
    record(transaction, "payment_intent.requires_action", intent)?;
    Ok(Outcome::Waiting)
}

/// The customer is told where to transfer the money.
fn await_transfer(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
) -> anyhow::Result<Outcome> {
    let kind = intent.terms.payment_method_options.get("customer_balance");
    let kind = kind.and_then(|it| it.pointer("/bank_transfer/type")?.as_str());
    // What has come already counts when the customer is told again.
    let funded = intent.funded();
    intent.state = IntentState::RequiresAction(Action::BankTransfer(BankTransfer {
        funded,
        kind: kind.unwrap_or("us_bank_transfer").to_owned(),
    }));
    intent.last_payment_error = None;
    transaction.put(intent)?;
    record(transaction, "payment_intent.requires_action", intent)?;
    Ok(Outcome::Waiting)
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
            Settlement::ByHand | Settlement::Refused(_) => Ending::Fails(Decline::by_time()),
        },
        IntentState::RequiresCapture { .. } => {
            capture::release(transaction, intent, "charge.expired")?;
            capture::end(transaction, intent, Some("automatic".to_owned()))?;
            return Ok(None);
        }
        _ => anyhow::bail!("time does not change {}", intent.id),
    };
    let outcome = settle(transaction, intent, ending)?;
    outcome
        .map(Some)
        .map_err(|WrongState| anyhow::anyhow!("{} cannot settle", intent.id))
}
