//! What buyers and their banks do.

use serde::{Deserialize, Serialize};

use super::{ControlError, Controlled, find};
use crate::account::amount::Amount;
use crate::account::object::Account;
use crate::checkout::object::Session;
use crate::dispute::life::Contest;
use crate::dispute::object::{Dispute, DisputeKind, DisputeStatus};
use crate::engine::ids;
use crate::payment::bank::Ending;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::decline::Decline;
use crate::payment::intent::{PaymentIntent, WrongState};
use crate::payment::setup_intent::SetupIntent;
use crate::payment::testing::three_d_secure::Challenged;
use crate::refund::object::{Refund, RefundStatus};
use crate::{billing, checkout, dispute, refund};

impl Account {
    /// The bank has the money of a delayed payment: of a session, or of a payment intent.
    pub async fn succeed(&self, id: &str) -> Controlled<()> {
        self.settle(id, Ending::Succeeds).await
    }

    /// The bank refuses a delayed payment.
    pub(super) async fn fail(&self, id: &str) -> Controlled<()> {
        self.settle(id, Ending::Fails(Decline::by_bank())).await
    }

    /// The buyer of a payment intent, or of a setup intent, has shown who they are, or has not.
    pub(super) async fn authenticate(&self, id: &str, outcome: Authentication) -> Controlled<()> {
        let (whose, id) = (id, id.to_owned());
        let challenged = match outcome {
            Authentication::Succeed => Challenged::Passed,
            Authentication::Fail => Challenged::Failed,
        };
        self.command_about(whose, move |transaction| {
            let not_asked = |status: &str| {
                Err(ControlError::Refused(format!(
                    "{id} is not waiting for its customer to authenticate: it is {status}"
                )))
            };
            if let Some(mut setup) = transaction.get::<SetupIntent>(&id)? {
                return match checkout::life::authenticate_setup(
                    transaction,
                    &mut setup,
                    challenged,
                )? {
                    Ok(_) => Ok(()),
                    Err(WrongState) => not_asked(setup.state.as_str()),
                };
            }
            let mut intent = find::<PaymentIntent>(transaction, &id)?;
            match billing::authenticate(transaction, &mut intent, challenged)? {
                Ok(_) => Ok(()),
                Err(WrongState) => not_asked(intent.state.as_str()),
            }
        })
        .await
    }

    /// The bank, or the buyer, moves a refund on.
    pub(super) async fn advance_refund(&self, refund: &str, step: RefundStep) -> Controlled<()> {
        let id = refund.to_owned();
        self.command_about(refund, move |transaction| {
            let mut refund = find::<Refund>(transaction, &id)?;
            refund::life::advance(transaction, &mut refund, step.into())?.map_err(
                |refund::life::WrongState| {
                    ControlError::Refused(format!(
                        "{id} is {}: it can no longer become {}",
                        refund.status.as_str(),
                        RefundStatus::from(step).as_str()
                    ))
                },
            )
        })
        .await
    }

    /// The buyer contests a charge. Returns the dispute's id.
    pub async fn dispute(&self, charge: &str, claim: NewDispute) -> Controlled<String> {
        let id = charge.to_owned();
        self.command_about(charge, move |transaction| {
            let mut charge = find::<Charge>(transaction, &id)?;
            if !matches!(charge.state, ChargeState::Captured { .. }) {
                return Err(ControlError::Refused(format!(
                    "{id} took no money: there is nothing to contest"
                )));
            }
            let most = match claim.kind {
                DisputeKind::Chargeback => dispute::life::contestable(transaction, &charge)?,
                DisputeKind::Inquiry | DisputeKind::Prevented => charge.captured(),
            };
            if most <= Amount::ZERO {
                return Err(ControlError::Refused(format!(
                    "{id} has nothing left to contest: all of it is refunded or charged back"
                )));
            }
            if claim
                .amount
                .is_some_and(|amount| !(1..=most.minor_units()).contains(&amount))
            {
                return Err(ControlError::Refused(format!(
                    "amount must be between 1 and {most}, which is what can still be contested \
                     of the charge"
                )));
            }
            let reason = claim.reason.as_deref().unwrap_or("fraudulent");
            if !REASONS.contains(&reason) {
                return Err(ControlError::Refused(format!(
                    "reason must be one of {}, not {reason}",
                    REASONS.join(", ")
                )));
            }
            let amount = claim.amount.map_or(most, Amount::new);
            let contest = Contest::by_hand(claim.kind, reason, amount);
            let dispute = dispute::life::open(transaction, &mut charge, &contest)?;
            Ok(dispute.id.to_string())
        })
        .await
    }

    /// The bank, or the buyer, moves a dispute on.
    pub(super) async fn advance_dispute(
        &self,
        dispute: &str,
        status: DisputeStatus,
    ) -> Controlled<()> {
        let id = dispute.to_owned();
        self.command_about(dispute, move |transaction| {
            let mut dispute = find::<Dispute>(transaction, &ids::current(&id))?;
            dispute::life::advance(transaction, &mut dispute, status)?.map_err(
                |dispute::life::WrongState| {
                    ControlError::Refused(format!(
                        "{id} is {}: it can no longer become {}",
                        dispute.status.as_str(),
                        status.as_str()
                    ))
                },
            )
        })
        .await
    }

    async fn settle(&self, id: &str, ending: Ending) -> Controlled<()> {
        let (whose, id) = (id, id.to_owned());
        self.command_about(whose, move |transaction| {
            let refused = |status: &str| {
                ControlError::Refused(format!(
                    "{id} has no delayed payment under way: it is {status}"
                ))
            };
            let mut intent = match transaction.get::<PaymentIntent>(&id)? {
                Some(intent) => intent,
                None => {
                    let session = find::<Session>(transaction, &id)?;
                    checkout::life::pending_payment(transaction, &session)?
                        .ok_or_else(|| refused(session.status.as_str()))?
                }
            };
            billing::settle(transaction, &mut intent, ending)?
                .map_err(|WrongState| refused(intent.state.as_str()))
        })
        .await
    }
}

/// How a buyer fares at their bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Authentication {
    Succeed,
    Fail,
}

/// What can happen to a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefundStep {
    /// The money arrived.
    Succeed,
    /// The money came back.
    Fail,
    /// The buyer must say where the money is to go.
    RequireAction,
    /// The shop has changed its mind.
    Cancel,
}

impl From<RefundStep> for RefundStatus {
    fn from(step: RefundStep) -> Self {
        match step {
            RefundStep::Succeed => Self::Succeeded,
            RefundStep::Fail => Self::Failed,
            RefundStep::RequireAction => Self::RequiresAction,
            RefundStep::Cancel => Self::Canceled,
        }
    }
}

/// What a buyer contests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewDispute {
    /// How far it goes at once.
    pub kind: DisputeKind,
    /// Stripe's word for it; `fraudulent`, if left out.
    pub reason: Option<String>,
    /// How much of the charge; all that can still be contested, if left out.
    pub amount: Option<i64>,
}

/// Why buyers dispute.
const REASONS: &[&str] = &[
    "bank_cannot_process",
    "check_returned",
    "credit_not_processed",
    "customer_initiated",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "noncompliant",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
];
