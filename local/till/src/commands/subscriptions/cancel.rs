//! `till subscriptions cancel`: it ends at Stripe, and here when Stripe's event has been recorded.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use shared::purchase::SubscriptionId;
use shared::stripe::client::Client as Stripe;
use shared::subscription::Reading;

use super::find::{id, not_found};
use crate::commands::console::{Consent, counter, plain};
use crate::commands::exit::Exit;
use crate::commands::moment::{rfc3339, second};
use crate::commands::operator::Operator;
use crate::commands::shop::Shop;

pub(super) const ABOUT: &str = "\
Cancel a buyer's subscription, through Stripe.

It ends when what is paid for is over; with --now, at once. Nothing is refunded: for that there is `till
refund`. Cancelling one that is cancelled already changes nothing. Until it has ended, the buyer can keep
it after all in the billing portal, and so can you in Stripe's dashboard.";

#[derive(Args)]
pub(in crate::commands) struct Cancel {
    /// The subscription's id, sub_…
    #[arg(value_parser = id)]
    id: SubscriptionId,
    /// End it at once
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

/// How long to wait for the event.
const WAIT: Duration = Duration::from_secs(15);

/// What is read of Stripe's answer.
#[derive(Deserialize)]
struct Cancelled {
    status: String,
    cancel_at: Option<i64>,
    ended_at: Option<i64>,
}

#[derive(Serialize)]
struct Outcome {
    id: SubscriptionId,
    /// Its status at Stripe.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    /// Whether the shop knows.
    recorded: bool,
}

impl Cancel {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let Some(stored) = shop.subscriptions()?.get(&self.id).await? else {
            return Err(not_found(&self.id, &shop));
        };
        let buyer = stored.subscription.buyer().email.as_deref();
        let buyer = buyer.map_or("an unknown buyer".to_owned(), plain);
        let reading = stored.subscription.reading();
        if reading.is_some_and(Reading::is_over) {
            bail!("{} has ended already; nothing was changed", self.id);
        }
        let stripe = shop.stripe().await?;
        let when = match (self.now, reading) {
            (true, _) => "now".to_owned(),
            (false, Some(reading)) => format!("on {} UTC", second(reading.period.end)),
            (false, None) => "at the end of its period".to_owned(),
        };
        shop.announce_writing();
        self.consent
            .ask(&format!("End {} of {buyer} {when}?", self.id))?;
        let cancelled = self.cancel(&stripe).await?;
        let recorded = self.wait(&shop).await;
        let outcome = Outcome {
            id: self.id.clone(),
            status: cancelled.status,
            cancel_at: cancelled.cancel_at.map(rfc3339),
            ended_at: cancelled.ended_at.map(rfc3339),
            recorded,
        };
        self.operator.show(&outcome, || outcome.words())?;
        Ok(if recorded { Exit::Done } else { Exit::Found })
    }
}

impl Cancel {
    async fn cancel(&self, stripe: &Stripe) -> anyhow::Result<Cancelled> {
        let path = format!("/subscriptions/{}", self.id);
        // Under keys of its own: repeated after it was kept after all, it is to be cancelled again.
        let once = uuid::Uuid::now_v7().to_string();
        match self.now {
            true => stripe.delete(&path).await?,
            false => {
                let at_end = [("cancel_at_period_end", "true")];
                stripe.post::<IgnoredAny>(&path, &at_end, &once).await?;
            }
        }
        let cancelled = stripe.get(&path, &[]).await?;
        cancelled.with_context(|| format!("Stripe no longer knows {}", self.id))
    }

    /// Whether the shop learns of it in time.
    async fn wait(&self, shop: &Shop) -> bool {
        let waiting = counter("waiting for Stripe's event");
        let recorded = tokio::time::timeout(WAIT, async {
            let mut pause = Duration::from_millis(100);
            while !self.is_recorded(shop).await {
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(Duration::from_secs(1));
                waiting.tick();
            }
        });
        let recorded = recorded.await.is_ok();
        waiting.finish_and_clear();
        recorded
    }

    async fn is_recorded(&self, shop: &Shop) -> bool {
        let Ok(subscriptions) = shop.subscriptions() else {
            return false;
        };
        let Ok(Some(stored)) = subscriptions.get(&self.id).await else {
            return false;
        };
        let is_ending = |it: &Reading| it.is_over() || (!self.now && it.cancel_at.is_some());
        stored.subscription.reading().is_some_and(is_ending)
    }
}

impl Outcome {
    fn words(&self) -> String {
        let id = plain(self.id.as_str());
        let became = match (&self.ended_at, &self.cancel_at) {
            (Some(_), _) => format!("{id} has ended."),
            (None, Some(at)) => format!("{id} is cancelled, and ends on {at}."),
            (None, None) => format!("{id} is {} at Stripe.", self.status.replace('_', " ")),
        };
        match self.recorded {
            true => format!("{became}\n"),
            false => format!(
                "{became} The shop does not show it yet; it will when Stripe's event arrives, or \
                 after `till reconcile`.\n"
            ),
        }
    }
}
