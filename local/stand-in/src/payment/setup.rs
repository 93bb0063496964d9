//! The one way in which a payment method is set up for later.
//!
//! ```text
//! requires_payment_method, requires_confirmation
//!   │ confirm                  ┌──► canceled (from anywhere but succeeded)
//!   ├─ accepted ──► succeeded  │
//!   ├─ declined ──► requires_payment_method
//!   └─ challenged ► requires_action ──► succeeded, requires_payment_method
//! ```

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use crate::engine::ids::{self, CustomerId, SetupAttemptId, SetupIntentId};
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::transaction::Transaction;
use crate::payment::action::Challenge;
use crate::payment::bank::BankDebit;
use crate::payment::consent;
use crate::payment::decline::{Decline, PaymentError};
use crate::payment::intent::{Methods, Usage, WrongState};
use crate::payment::keep;
use crate::payment::mandate::{Acceptance, Uses};
use crate::payment::method::{Means, Owner, PaymentMethod};
use crate::payment::microdeposit::{self, Answer, Heard, Microdeposits, Told};
use crate::payment::setup_intent::{SetupAttempt, SetupIntent, SetupState};
use crate::payment::testing::three_d_secure::{Challenged, FutureUsage, Proof, Request};
use crate::payment::verdict::{self, Admission, Circumstances, ThreeDSecure};
use crate::webhook::record::record;

/// What a setup intent is to be.
#[derive(Debug)]
pub(crate) struct NewSetup {
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) methods: Methods,
    pub(crate) usage: Usage,
    pub(crate) options: Map<String, Value>,
    pub(crate) from_checkout: bool,
}

/// How somebody confirms.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// Where the buyer goes when they have done what was asked of them.
    pub(crate) return_url: Option<String>,
    pub(crate) three_d_secure: Request,
    /// The buyer has agreed to be debited.
    pub(crate) agreed: Option<Acceptance>,
}

/// What became of a try to set up.
#[derive(Debug)]
#[must_use]
pub(crate) enum SetUp {
    Done,
    /// The buyer has to prove who they are, or that an account is theirs.
    Challenged,
    Refused(PaymentError),
}

/// Makes a setup intent.
pub(crate) fn create(
    transaction: &Transaction<'_>,
    new: NewSetup,
    method: Option<&PaymentMethod>,
) -> anyhow::Result<SetupIntent> {
    let id = SetupIntentId::random();
    let intent = SetupIntent {
        client_secret: ids::client_secret(&id),
        id,
        created: transaction.now,
        state: match method {
            Some(_) => SetupState::RequiresConfirmation,
            None => SetupState::RequiresPaymentMethod,
        },
        description: new.description,
        metadata: new.metadata,
        customer: new.customer,
        methods: new.methods,
        usage: new.usage,
        payment_method: method.map(|method| method.id.clone()),
        payment_method_options: new.options,
        latest_attempt: None,
        last_setup_error: None,
        mandate: None,
        from_checkout: new.from_checkout,
    };
    transaction.put(&intent)?;
    record(transaction, "setup_intent.created", &intent)?;
    Ok(intent)
}

/// Tries to set up.
pub(crate) fn confirm(
    transaction: &Transaction<'_>,
    intent: &mut SetupIntent,
    method: &mut PaymentMethod,
    how: Terms,
) -> anyhow::Result<SetUp> {
    let (return_url, request) = (how.return_url, how.three_d_secure);
    if let Means::BankDebit(debit) = method.means.clone() {
        let agreed = how.agreed;
        intent.mandate = Some(consent::secure(
            transaction,
            method,
            &debit,
            Uses::Many,
            agreed,
        )?);
        if microdeposit::is_needed(&debit, &intent.payment_method_options) {
            return await_verification(transaction, intent, method, &debit);
        }
    }
    let circumstances = Circumstances {
        request,
        ..setting_up(intent)
    };
    match answer(method, &circumstances) {
        Admission::Challenge => {
            let page = format!("{}/3ds/{}", transaction.site(), intent.id);
            intent.payment_method = Some(method.id.clone());
            intent.state = SetupState::RequiresAction(Challenge {
                page,
                return_url,
                goes_on: true,
            });
            intent.latest_attempt = Some(attempt(
                transaction,
                intent,
                method,
                Tried::Challenged,
                None,
            )?);
            transaction.put(intent)?;
            record(transaction, "setup_intent.requires_action", intent)?;
            Ok(SetUp::Challenged)
        }
        Admission::Admitted => accept(transaction, intent, method, None),
        Admission::Declined(decline) => refuse(transaction, intent, method, &decline, None),
    }
}

/// The buyer has to show that an account is theirs.
fn await_verification(
    transaction: &Transaction<'_>,
    intent: &mut SetupIntent,
    method: &PaymentMethod,
    debit: &BankDebit,
) -> anyhow::Result<SetUp> {
    let mandate = intent.mandate.clone().context("nothing was agreed to")?;
    let (site, now) = (transaction.site(), transaction.now);
    let deposits = Microdeposits::send(debit, site, &intent.id, mandate, now);
    intent.payment_method = Some(method.id.clone());
    intent.state = SetupState::VerifiesAccount(Box::new(deposits));
    let tried = attempt(transaction, intent, method, Tried::Challenged, None)?;
    intent.latest_attempt = Some(tried);
    transaction.put(intent)?;
    record(transaction, "setup_intent.requires_action", intent)?;
    Ok(SetUp::Challenged)
}

/// The buyer tells what was deposited on their account.
pub(crate) fn verify_account(
    transaction: &Transaction<'_>,
    intent: &mut SetupIntent,
    told: &Told,
) -> anyhow::Result<Result<Heard<SetUp>, WrongState>> {
    let SetupState::VerifiesAccount(deposits) = &mut intent.state else {
        return Ok(Err(WrongState));
    };
    let answer = deposits.hear(told);
    let method = intent.payment_method.as_deref();
    let mut method: PaymentMethod =
        transaction.existing(method.context("nothing was to be set up")?)?;
    Ok(Ok(match answer {
        Answer::Wrong(failure) => {
            transaction.put(intent)?;
            Heard::Wrong(failure)
        }
        Answer::Over(failure) => {
            let ending = failure.into();
            Heard::Answered(refuse(transaction, intent, &method, &ending, None)?)
        }
        Answer::Right => {
            method.verify();
            Heard::Answered(accept(transaction, intent, &mut method, None)?)
        }
    }))
}

/// Nobody has shown in time that an account is theirs.
pub(crate) fn run_out(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut intent: SetupIntent = transaction.existing(id)?;
    let SetupState::VerifiesAccount(deposits) = &intent.state else {
        anyhow::bail!("time does not change {id}");
    };
    let ending = deposits.ending.clone();
    let method = intent.payment_method.as_deref();
    let method: PaymentMethod =
        transaction.existing(method.context("nothing was to be set up")?)?;
    refuse(transaction, &mut intent, &method, &ending, None).map(|_| ())
}

/// What a buyer agrees to.
fn setting_up(intent: &SetupIntent) -> Circumstances {
    Circumstances {
        setup_future_usage: Some(match intent.usage {
            Usage::OffSession => FutureUsage::OffSession,
            Usage::OnSession => FutureUsage::OnSession,
        }),
        ..Circumstances::default()
    }
}

/// What the issuer says. A bank is not asked.
fn answer(method: &PaymentMethod, circumstances: &Circumstances) -> Admission {
    match &method.means {
        Means::Card(card) => verdict::set_up(card.test, circumstances),
        Means::BankDebit(_) | Means::Voucher(_) | Means::CustomerBalance => Admission::Admitted,
    }
}

/// The buyer has shown who they are, or has not.
pub(crate) fn authenticate(
    transaction: &Transaction<'_>,
    intent: &mut SetupIntent,
    challenged: Challenged,
) -> anyhow::Result<Result<SetUp, WrongState>> {
    let SetupState::RequiresAction(_) = intent.state else {
        return Ok(Err(WrongState));
    };
    let method = intent.payment_method.as_deref();
    let mut method: PaymentMethod =
        transaction.existing(method.context("nothing was to be set up")?)?;
    let proof = Some(challenged.proof());
    if challenged != Challenged::Passed {
        let decline = Decline::not_authenticated(SetupIntent::KIND);
        return refuse(transaction, intent, &method, &decline, proof).map(Ok);
    }
    let circumstances = Circumstances {
        authenticated: true,
        ..setting_up(intent)
    };
    match answer(&method, &circumstances) {
        Admission::Declined(decline) => {
            refuse(transaction, intent, &method, &decline, proof).map(Ok)
        }
        Admission::Admitted | Admission::Challenge => {
            accept(transaction, intent, &mut method, proof).map(Ok)
        }
    }
}

fn accept(
    transaction: &Transaction<'_>,
    intent: &mut SetupIntent,
    method: &mut PaymentMethod,
    proof: Option<Proof>,
) -> anyhow::Result<SetUp> {
    method.checked = true;
    method.set_up |= intent.usage == Usage::OffSession;
    match (&method.owner, &intent.customer) {
        (Owner::Nobody, Some(customer)) => keep::attach(transaction, method, customer)?,
        _ => transaction.put(method)?,
    }
    intent.state = SetupState::Succeeded;
    intent.payment_method = Some(method.id.clone());
    intent.last_setup_error = None;
    intent.latest_attempt = Some(attempt(
        transaction,
        intent,
        method,
        Tried::Succeeded,
        proof,
    )?);
    transaction.put(intent)?;
    record(transaction, "setup_intent.succeeded", intent)?;
    Ok(SetUp::Done)
}

fn refuse(
    transaction: &Transaction<'_>,
    intent: &mut SetupIntent,
    method: &PaymentMethod,
    decline: &Decline,
    proof: Option<Proof>,
) -> anyhow::Result<SetUp> {
    let error = PaymentError::new(decline, None, &method.answer());
    intent.latest_attempt = Some(attempt(
        transaction,
        intent,
        method,
        Tried::Failed(error.clone()),
        proof,
    )?);
    intent.state = SetupState::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_setup_error = Some(error.clone());
    transaction.put(intent)?;
    record(transaction, "setup_intent.setup_failed", intent)?;
    Ok(SetUp::Refused(error))
}

/// How a try went.
enum Tried {
    Challenged,
    Succeeded,
    Failed(PaymentError),
}

/// Keeps what was tried.
fn attempt(
    transaction: &Transaction<'_>,
    intent: &SetupIntent,
    method: &PaymentMethod,
    tried: Tried,
    proof: Option<Proof>,
) -> anyhow::Result<SetupAttemptId> {
    let kind = method.means.name();
    let details = match &method.means {
        Means::Card(card) => {
            let shown = proof.map(|proof| ThreeDSecure::of(proof, card.test.brand));
            card.attempted(&method.billing.address, shown.as_ref())
        }
        _ => json!({}),
    };
    let (status, error) = match tried {
        Tried::Challenged => ("requires_action", None),
        Tried::Succeeded => ("succeeded", None),
        Tried::Failed(error) => ("failed", Some(error)),
    };
    let attempt = SetupAttempt {
        id: SetupAttemptId::random(),
        created: transaction.now,
        setup_intent: intent.id.clone(),
        customer: intent.customer.clone(),
        payment_method: method.id.clone(),
        details: json!({ "type": kind, kind: details }),
        status: status.to_owned(),
        usage: intent.usage,
        error,
    };
    transaction.put(&attempt)?;
    Ok(attempt.id)
}

/// Gives a setup intent up.
pub(crate) fn cancel(
    transaction: &Transaction<'_>,
    intent: &mut SetupIntent,
    reason: Option<String>,
) -> anyhow::Result<Result<(), WrongState>> {
    if matches!(
        intent.state,
        SetupState::Succeeded | SetupState::Canceled { .. }
    ) {
        return Ok(Err(WrongState));
    }
    intent.state = SetupState::Canceled { reason };
    transaction.put(intent)?;
    record(transaction, "setup_intent.canceled", intent)?;
    Ok(Ok(()))
}
