//! What a developer or a test does to the stand-in that no buyer and no shop can do to Stripe.
//! [`routes`](mod@routes) has it over HTTP.

mod routes;

use std::sync::Arc;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::account::amount::Amount;
use crate::account::object::Account;
use crate::checkout::object::Session;
use crate::cli::feed;
use crate::dispute::life::Contest;
use crate::dispute::object::{Dispute, DisputeKind, DisputeStatus};
use crate::engine::clock;
use crate::engine::faults::PlannedFault;
use crate::engine::ids;
use crate::engine::resource::{Cause, Object};
use crate::engine::time::DAY;
use crate::engine::transaction::Transaction;
use crate::payment::bank::Ending;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::decline::Decline;
use crate::payment::intent::{PaymentIntent, WrongState};
use crate::payment::setup_intent::SetupIntent;
use crate::payment::testing::three_d_secure::Challenged;
use crate::refund::object::{Refund, RefundStatus};
use crate::seed::{Seed, SeedError};
use crate::webhook::queue::{self, Delivery, Resent};
use crate::{billing, checkout, dispute, refund};

pub(super) use routes::routes;

/// Far enough for everything that takes time.
const MOST_SECONDS: i64 = 366 * DAY;

/// The stand-in's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Clock {
    /// Seconds since 1970.
    pub now: i64,
    /// Of these, how many the machine's own clock has not seen.
    pub ahead: i64,
}

/// What has become of the events.
#[derive(Debug, Serialize)]
struct Deliveries {
    /// Whether they are held back.
    held: bool,
    /// Newest first.
    deliveries: Vec<Delivery>,
}

/// Why a command is not obeyed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is nothing with this id that the command could be about.
    #[error("no such {kind}: '{id}'")]
    NoSuch {
        /// What it should have been.
        kind: &'static str,
        /// What was asked for.
        id: String,
    },
    /// It cannot be done now.
    #[error("{0}")]
    Refused(String),
    /// What the account is to begin with cannot be made.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The stand-in itself failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl ControlError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoSuch { .. } => StatusCode::NOT_FOUND,
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::Seed(error) if !matches!(error, SeedError::Failed(_)) => StatusCode::BAD_REQUEST,
            Self::Seed(_) | Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

type Controlled<T> = Result<T, ControlError>;

impl Account {
    /// All webhook deliveries with every try.
    async fn deliveries(&self) -> Controlled<Deliveries> {
        self.command(|transaction| {
            Ok(Deliveries {
                held: queue::is_held(transaction)?,
                deliveries: queue::all(transaction)?,
            })
        })
        .await
    }

    /// Whether an event is being delivered, or due and not held back.
    pub async fn is_delivering(&self) -> Controlled<bool> {
        self.command(|transaction| Ok(!queue::due(transaction, 1)?.is_empty()))
            .await
    }

    /// Plans a fault. Returns it as it was understood.
    pub(crate) fn plan_fault(&self, fault: PlannedFault) -> Controlled<PlannedFault> {
        let planned = self.0.faults.plan(fault).map_err(ControlError::Refused)?;
        self.0.news.send_replace(());
        Ok(planned)
    }

    /// The faults still to come.
    pub(crate) fn faults(&self) -> Vec<PlannedFault> {
        self.0.faults.all()
    }

    /// Takes all faults away.
    pub(crate) fn clear_faults(&self) {
        self.0.faults.clear();
        self.0.news.send_replace(());
    }

    /// Delivers an event again, even while deliveries are held.
    pub async fn resend(&self, event: &str) -> Controlled<()> {
        let event = event.to_owned();
        self.command(
            move |transaction| match queue::resend(transaction, &event)? {
                Resent::Due => Ok(()),
                Resent::NoSuchEvent => Err(ControlError::NoSuch {
                    kind: "event",
                    id: event,
                }),
                Resent::NoEndpoint => Err(ControlError::Refused(
                    "there is no webhook endpoint to send it to: make one at /v1/webhook_endpoints"
                        .to_owned(),
                )),
            },
        )
        .await
    }

    /// Drops an event that is not delivered yet.
    pub(crate) async fn discard(&self, event: &str) -> Controlled<()> {
        let event = event.to_owned();
        self.command(
            move |transaction| match queue::discard(transaction, &event)? {
                true => Ok(()),
                false => Err(ControlError::NoSuch {
                    kind: "event waiting for delivery",
                    id: event,
                }),
            },
        )
        .await
    }

    /// Holds all deliveries back, or lets them go. Events can then be sent in any order, one by one.
    pub(crate) async fn hold_deliveries(&self, held: bool) -> Controlled<()> {
        self.command(move |transaction| Ok(queue::hold(transaction, held)?))
            .await
    }

    /// The bank has the money of a delayed payment: of a session, or of a payment intent.
    pub async fn succeed(&self, id: &str) -> Controlled<()> {
        self.settle(id, Ending::Succeeds).await
    }

    /// The bank refuses a delayed payment.
    async fn fail(&self, id: &str) -> Controlled<()> {
        self.settle(id, Ending::Fails(Decline::by_bank())).await
    }

    /// The buyer of a payment intent, or of a setup intent, has shown who they are, or has not.
    async fn authenticate(&self, id: &str, outcome: Authentication) -> Controlled<()> {
        let (whose, id) = (id, id.to_owned());
        let challenged = match outcome {
            Authentication::Succeed => Challenged::Passed,
            Authentication::Fail => Challenged::Failed,
        };
        self.command_about(whose, move |transaction| {
            let not_asked = |status: &str| {
                Err(ControlError::Refused(format!(
                    "{id} does not wait for its customer to authenticate: it is {status}"
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

    /// The stand-in's time.
    pub async fn clock(&self) -> Controlled<Clock> {
        self.command(|transaction| {
            Ok(Clock {
                now: transaction.now,
                ahead: clock::ahead(transaction.sql)?,
            })
        })
        .await
    }

    /// Moves time forward: sessions expire, tries fall due, keys are forgotten.
    pub(crate) async fn advance_clock(&self, seconds: i64) -> Controlled<Clock> {
        if !(0..=MOST_SECONDS).contains(&seconds) {
            let reason = format!("advance must be between 0 and {MOST_SECONDS} seconds");
            return Err(ControlError::Refused(reason));
        }
        self.command(move |transaction| Ok(clock::advance(transaction.sql, seconds)?))
            .await?;
        // Reading the time lets happen what it has made due.
        self.clock().await
    }

    /// The bank, or the buyer, moves a refund on.
    async fn advance_refund(&self, refund: &str, step: RefundStep) -> Controlled<()> {
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
                    "amount must be between 1 and the {most} that can be contested of the charge"
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
    async fn advance_dispute(&self, dispute: &str, status: DisputeStatus) -> Controlled<()> {
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

    /// Makes the calls of a seed.
    async fn sow(&self, seed: Seed) -> Controlled<()> {
        let settings = Arc::clone(&self.0.settings);
        self.command(move |transaction| Ok(seed.sow(transaction, &settings)?))
            .await
    }

    /// Keeps a copy of everything.
    pub(crate) async fn take_snapshot(&self, name: &str) -> Controlled<()> {
        if name.is_empty() {
            let reason = "a snapshot needs a name that is not empty";
            return Err(ControlError::Refused(reason.to_owned()));
        }
        let (account, name) = (self.clone(), name.to_owned());
        blocking(move || account.0.snapshots.take(&account.0.database, &name)).await?;
        self.0.news.send_replace(());
        Ok(())
    }

    /// Brings back what was copied.
    pub(crate) async fn restore_snapshot(&self, name: &str) -> Controlled<()> {
        let (account, wanted) = (self.clone(), name.to_owned());
        let restore = move || account.0.snapshots.restore(&account.0.database, &wanted);
        let restored = blocking(restore).await?;
        self.0.changed.notify_one();
        let newest = self.command(|transaction| Ok(feed::newest(transaction)?));
        self.0.settings.listeners.go_back_to(newest.await?);
        self.0.news.send_replace(());
        match restored {
            true => Ok(()),
            false => Err(no_snapshot(name.to_owned())),
        }
    }

    /// Forgets a copy.
    pub(crate) fn forget_snapshot(&self, name: &str) -> Controlled<()> {
        let forgotten = self.0.snapshots.forget(name);
        self.0.news.send_replace(());
        match forgotten {
            true => Ok(()),
            false => Err(no_snapshot(name.to_owned())),
        }
    }

    async fn command<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Controlled<T> + Send + 'static,
    ) -> Controlled<T> {
        self.transact(Cause::default(), work).await
    }

    /// The same about an object, in whose time it is done.
    async fn command_about<T: Send + 'static>(
        &self,
        object: &str,
        work: impl FnOnce(&Transaction<'_>) -> Controlled<T> + Send + 'static,
    ) -> Controlled<T> {
        self.transact_in_time_of(object, work).await
    }
}

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> Controlled<T> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(anyhow::Error::new)??)
}

fn no_snapshot(name: String) -> ControlError {
    ControlError::NoSuch {
        kind: "snapshot",
        id: name,
    }
}

fn find<T: Object>(transaction: &Transaction<'_>, id: &str) -> Controlled<T> {
    transaction.get(id)?.ok_or_else(|| ControlError::NoSuch {
        kind: T::KIND,
        id: id.to_owned(),
    })
}

/// How a buyer fares at their bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Authentication {
    Succeed,
    Fail,
}

/// What can happen to a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RefundStep {
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
