//! `till subscriptions cancel`: it ends at Stripe, and here when Stripe's event has been recorded.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use shared::invoice::{Invoice, InvoiceState};
use shared::purchase::{InvoiceId, SubscriptionId};
use shared::stripe::client::{Client as Stripe, StripeError};
use shared::subscription::{Reading, Subscription};

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
it after all in the billing portal, and so can you in Stripe's dashboard.

Once it has ended, nothing brings it back, yet an invoice that is still open could be paid, for nothing. So
--now voids it, and so does this command if the subscription has ended already, by itself or because it
could not be charged.";

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
    /// Invoices that need not be paid any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    voided: Vec<InvoiceId>,
    /// Whether the shop knows.
    recorded: bool,
}

impl Cancel {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let found = shop.subscriptions()?.with_invoices(&self.id).await?;
        let Some(found) = found else {
            return Err(not_found(&self.id, &shop));
        };
        let is_over = found.subscription.reading().is_some_and(Reading::is_over);
        let open: Vec<&Invoice> = match self.now || is_over {
            true => found.invoices.iter().filter(|it| is_open(it)).collect(),
            false => Vec::new(),
        };
        if is_over && open.is_empty() {
            bail!("{} has ended already; nothing was changed", self.id);
        }
        let stripe = shop.stripe().await?;
        shop.announce_writing();
        self.consent
            .ask(&self.question(&found.subscription, &open))?;
        if !is_over {
            self.cancel(&stripe).await?;
        }
        for invoice in &open {
            let path = format!("/invoices/{}/void", invoice.id());
            stripe.post::<IgnoredAny>(&path, &[], &once()).await?;
        }
        let cancelled: Option<Cancelled> = stripe.get(&self.path(), &[]).await?;
        let cancelled = cancelled.with_context(|| format!("Stripe no longer knows {}", self.id))?;
        let recorded = self.wait(&shop).await;
        let outcome = Outcome {
            id: self.id.clone(),
            status: cancelled.status,
            cancel_at: cancelled.cancel_at.map(rfc3339),
            ended_at: cancelled.ended_at.map(rfc3339),
            voided: open.iter().map(|invoice| invoice.id().clone()).collect(),
            recorded,
        };
        self.operator.show(&outcome, || outcome.words())?;
        Ok(if recorded { Exit::Done } else { Exit::Found })
    }

    fn question(&self, subscription: &Subscription, open: &[&Invoice]) -> String {
        let buyer = subscription.buyer().email.as_deref();
        let buyer = buyer.map_or("an unknown buyer".to_owned(), plain);
        let id = &self.id;
        let invoices = open
            .iter()
            .map(|it| format!("{} ({})", it.id(), it.bill().due));
        let invoices = invoices.collect::<Vec<_>>().join(", ");
        match (subscription.reading(), self.now) {
            (Some(reading), _) if reading.is_over() => {
                format!("{id} of {buyer} has ended. Void what is still open of it, {invoices}?")
            }
            (_, true) if open.is_empty() => format!("End {id} of {buyer} now?"),
            (_, true) => {
                format!("End {id} of {buyer} now, and void what is still open of it, {invoices}?")
            }
            (Some(reading), false) => {
                let end = second(reading.period.end);
                format!("End {id} of {buyer} on {end} UTC?")
            }
            (None, false) => format!("End {id} of {buyer} at the end of its period?"),
        }
    }

    fn path(&self) -> String {
        format!("/subscriptions/{}", self.id)
    }

    async fn cancel(&self, stripe: &Stripe) -> Result<(), StripeError> {
        let (path, key) = (self.path(), once());
        if self.now {
            return stripe.delete(&path).await;
        }
        let at_end = [("cancel_at_period_end", "true")];
        let cancelled = stripe.post::<IgnoredAny>(&path, &at_end, &key);
        cancelled.await.map(drop)
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
        let Ok(Some(found)) = subscriptions.with_invoices(&self.id).await else {
            return false;
        };
        found.subscription.reading().is_some_and(|it| {
            let all_void = !found.invoices.iter().any(is_open);
            (it.is_over() && all_void) || (!self.now && it.ends_at().is_some())
        })
    }
}

/// Whether it is still to be paid.
fn is_open(invoice: &Invoice) -> bool {
    invoice.state() == InvoiceState::Open
}

/// An idempotency key of this call's own: what was undone since is to be done again.
fn once() -> String {
    uuid::Uuid::now_v7().to_string()
}

impl Outcome {
    fn words(&self) -> String {
        let id = plain(self.id.as_str());
        let became = match (&self.ended_at, &self.cancel_at) {
            (Some(_), _) => format!("{id} has ended."),
            (None, Some(at)) => format!("{id} is cancelled, and ends on {at}."),
            (None, None) => format!("{id} is {} at Stripe.", self.status.replace('_', " ")),
        };
        let voided = self.voided.iter().map(|id| format!(" {id} is void."));
        let became = format!("{became}{}", voided.collect::<String>());
        match self.recorded {
            true => format!("{became}\n"),
            false => format!(
                "{became} The shop does not show it yet; it will when Stripe's event arrives, or \
                 after `till reconcile`.\n"
            ),
        }
    }
}
