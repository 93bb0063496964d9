//! `till rehearse`: walks a test shop from end to end, as a buyer, a bank and a seller would, and says
//! what held.
//!
//! Each step is a file of its own, and a line in [`BEFORE`], [`CHOSEN`] or [`AFTER`]. What they share is
//! the [`stage`].

mod alarms;
mod api;
mod buyer;
mod card;
mod challenge;
mod cleanup;
mod decline;
mod delayed;
mod dispute;
mod events;
mod goods;
mod mail;
mod payer;
mod published;
mod refund;
mod report;
mod sign_up;
mod stage;
mod step;
mod subscription;
mod waiting;

use std::time::Duration;

use anyhow::bail;
use clap::{Args, ValueEnum};
use shared::mode::Mode;

use self::report::{Finding, Report, Verdict};
use self::stage::{Stage, Wishes};
use self::step::Step;
use super::console::{Consent, note};
use super::exit::Exit;
use super::operator::Operator;

/// Whoever buys, and what: nothing else can be tried without.
const BEFORE: [&Step; 2] = [&sign_up::STEP, &goods::STEP];

/// Those of which some may be chosen, in the order in which they are taken.
const CHOSEN: [(Chosen, &Step); 7] = [
    (Chosen::Card, &card::STEP),
    (Chosen::Decline, &decline::STEP),
    (Chosen::ThreeDSecure, &challenge::STEP),
    (Chosen::Delayed, &delayed::STEP),
    (Chosen::Refund, &refund::STEP),
    (Chosen::Dispute, &dispute::STEP),
    (Chosen::Subscription, &subscription::STEP),
];

/// What has come of all of it.
const AFTER: [&Step; 3] = [&mail::STEP, &published::STEP, &events::STEP];

pub(super) const ABOUT: &str = "\
Walk a test shop from end to end, and say what held, with the ids of everything that came about.

It signs a buyer up, buys with test cards (one that pays, one that is declined, one that asks for 3D
Secure, a bank debit), refunds, answers a dispute with evidence, subscribes and lets a period pass on a
test clock of Stripe's, and looks at the mail, the events (Stripe's and the shop's own) and the alarms.
Then it cleans up: what is open is cancelled, what is left is refunded unless it was disputed, the
buyer's account and the test clock are deleted. The purchases stay in the tables.

Nothing in Stripe's API pays a Checkout page. If the shop uses Stripe itself, the command prints each
page's address and what to type there, and waits ten minutes for it. The stand-in's pages it submits.

Ctrl-C ends it early, and it cleans up all the same.

A live shop is refused. A step that cannot be tried here is LEFT OUT, with the reason; only if every
step held is the exit code 0.

A stack with its own user pool needs cognito-idp:AdminCreateUser, AdminSetUserPassword,
AdminInitiateAuth and AdminDeleteUser. For another issuer, set BUYER_TOKEN to the ID token of a buyer
for testing. Stripe is called with STRIPE_SECRET_KEY if that is set, else with the shop's own key, which
may lack permissions for disputes, customers and test clocks.";

#[derive(Args)]
pub(super) struct Rehearse {
    /// Only these steps, and those that belong to every rehearsal
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STEP")]
    only: Vec<Chosen>,
    /// What to buy, by its id [default: the cheapest that is not shipped and never runs out]
    #[arg(long, value_name = "PRODUCT")]
    product: Option<String>,
    /// What to subscribe to, by its id [default: the cheapest that recurs]
    #[arg(long, value_name = "PRODUCT")]
    subscribe_to: Option<String>,
    /// How many seconds to wait for what an event brings
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

/// A step, as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Chosen {
    Card,
    Decline,
    #[value(name = "3ds")]
    ThreeDSecure,
    Delayed,
    Refund,
    Dispute,
    Subscription,
}

impl Rehearse {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        if shop.mode == Mode::Live {
            bail!(
                "{} takes real money, which a rehearsal would move: rehearse on a stack with Mode=test",
                shop.name()
            );
        }
        shop.announce_writing();
        let name = shop.name().to_owned();
        if shop.stack.is_some() {
            self.consent.ask(&format!(
                "Buy, refund and dispute in {name} with test cards?"
            ))?;
        }
        let wishes = Wishes {
            product: self.product.clone(),
            recurring: self.subscribe_to.clone(),
            patience: Duration::from_secs(self.patience),
        };
        let mut stage = Stage::of(shop, wishes).await?;
        let steps = self.rehearse(&mut stage).await;
        let report = Report {
            shop: name,
            payer: stage.payer.words(),
            steps,
        };
        self.operator.show(&report, || report.text())?;
        let all_held = report.count(Verdict::Held) == report.steps.len();
        Ok(if all_held { Exit::Done } else { Exit::Found })
    }

    /// Whatever becomes of the others, each step is taken, and the last one cleans up.
    async fn rehearse(&self, stage: &mut Stage) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut obstacle: Option<String> = None;
        for step in self.steps(stage) {
            if let Some(why) = &obstacle {
                found.push(step.left_out(why));
                continue;
            }
            let Some(finding) = take(step, stage).await else {
                found.push(step.left_out("it was interrupted"));
                obstacle = Some("the rehearsal was interrupted before".to_owned());
                continue;
            };
            let is_needed = BEFORE.iter().any(|it| it.name == step.name);
            if is_needed && finding.verdict != Verdict::Held {
                let name = step.name;
                obstacle = Some(format!("it takes what the step {name} did not bring about"));
            }
            found.push(finding);
        }
        note("Cleaning up …");
        found.push(cleanup::STEP.take(stage).await);
        found
    }

    /// All but the last.
    fn steps(&self, stage: &Stage) -> Vec<&'static Step> {
        let is_wanted = |step: &Chosen| self.only.is_empty() || self.only.contains(step);
        let chosen = CHOSEN.iter().filter(|(chosen, _)| is_wanted(chosen));
        let chosen = chosen.map(|(_, step)| *step);
        let alarms = stage.shop.stack.is_some().then_some(&alarms::STEP);
        let steps = BEFORE.into_iter().chain(chosen).chain(AFTER);
        steps.chain(alarms).collect()
    }
}

/// Says which step it is, because some take minutes. `None` if somebody has pressed Ctrl-C: what was
/// made until then is still to be cleaned up.
async fn take(step: &Step, stage: &mut Stage) -> Option<Finding> {
    note(&format!("Rehearsing {} …", step.name));
    tokio::select! {
        finding = step.take(stage) => Some(finding),
        _ = tokio::signal::ctrl_c() => None,
    }
}
