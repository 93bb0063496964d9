//! A try to pay by card, which is answered at once.

use crate::engine::transaction::Transaction;
use crate::payment::action::{Action, Challenge};
use crate::payment::answer::{accept, ask, refuse};
use crate::payment::card::Card;
use crate::payment::charge::ChargeState;
use crate::payment::confirmation::{Confirmation, Outcome};
use crate::payment::decline::Decline;
use crate::payment::intent::{ConfirmationMethod, PaymentIntent, Usage};
use crate::payment::method::PaymentMethod;
use crate::payment::testing::three_d_secure::FutureUsage;
use crate::payment::trial;
use crate::payment::verdict::{self, Circumstances, Verdict};

/// The issuer is asked, and Radar before and after it.
pub(crate) fn try_card(
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
        kept: method.customer().is_some() || intent.keeps_for_customer(),
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
    if !matches!(verdict, Verdict::Approved(_)) {
        // Otherwise it is not done changing.
        transaction.put(method)?;
    }
    let state = match verdict {
        Verdict::Approved(approval) => {
            charge.risk = Some(approval.risk);
            charge.three_d_secure = approval.three_d_secure;
            method.set_up = approval.sets_up;
            return accept(transaction, charge, intent, method, approval.after);
        }
        Verdict::Challenge if !how.fails_on_action => {
            let page = format!("{}/3ds/{}", transaction.site(), intent.id);
            let challenge = Challenge {
                page: page.clone(),
                return_url: how.return_url.clone(),
                goes_on: intent.terms.confirmation_method == ConfirmationMethod::Automatic,
            };
            ask(transaction, intent, Action::Authenticate(challenge))?;
            return Ok(Outcome::Challenged(page));
        }
        Verdict::Challenge => ChargeState::Declined(Decline::wants_the_buyer()),
        Verdict::Declined(decline, risk, three_d_secure) => {
            charge.risk = Some(risk);
            charge.three_d_secure = three_d_secure;
            ChargeState::Declined(decline)
        }
        Verdict::Reversed(decline, risk, three_d_secure) => {
            charge.risk = Some(risk);
            charge.three_d_secure = three_d_secure;
            ChargeState::Reversed(decline)
        }
        Verdict::Blocked(decline, risk) => {
            charge.risk = Some(risk);
            ChargeState::Blocked(decline)
        }
    };
    refuse(transaction, charge, intent, method, state)
}
