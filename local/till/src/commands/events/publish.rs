//! `till events publish`: events for other systems, published again.

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use shared::purchase::{PurchaseId, Subject, SubscriptionId};
use shared::store::purchases::Purchases;
use shared::store::subscriptions::Subscriptions;
use shared::view::{Publication, Telling};

use crate::commands::console::{Column, DRY_RUN, Table, count, counter, progress};
use crate::commands::exit::{Exit, NotFound};
use crate::commands::moment::{Since, minute, rfc3339};
use crate::commands::operator::Operator;
use crate::commands::purchases::Name;
use crate::commands::shop::Shop;

pub(super) const ABOUT: &str = "\
Publish events for other systems again: on the stack's event bus or, of the shop on this machine, on
the dashboard and to EVENTS_URL.

What was told of the purchases and subscriptions that are named, or since a time, is told again, with
the same ids and sequence numbers, in the same order for each of them, and marked as a replay. It tells
how each stands now. Of a subscription, it tells how it stands, and each of its invoices.

With --since it reads the whole purchases table, which the functions may not do. What became true
before the shop published events counts as told when its purchase was made.";

#[derive(Args)]
pub(in crate::commands) struct Publish {
    /// Purchases, subscriptions (sub_…), or Stripe objects that belong to one: cs_…, in_…, pi_…,
    /// ch_…, re_…, du_…
    #[arg(
        required_unless_present = "since",
        conflicts_with = "since",
        value_name = "ID",
        value_parser = meant
    )]
    ids: Vec<Meant>,
    /// Everything that was told since TIME, such as 2026-11-24, 7d or 12h
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Show what would be published, and publish nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    operator: Operator,
}

/// Whose events are meant.
#[derive(Clone, Debug)]
enum Meant {
    Subscription(SubscriptionId),
    Other(Name),
}

fn meant(text: &str) -> Result<Meant, String> {
    match text.parse::<Subject>() {
        Ok(Subject::Subscription(id)) => Ok(Meant::Subscription(id)),
        _ => text.parse().map(Meant::Other),
    }
}

/// An event, as JSON.
#[derive(Serialize)]
struct View<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    at: String,
}

/// Where events are read from, and how they are told.
struct Sources {
    purchases: Purchases,
    subscriptions: Subscriptions,
    telling: Telling,
    shop: String,
}

type Told = Vec<(i64, Publication)>;

impl Publish {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let sources = Sources {
            purchases: shop.purchases()?,
            subscriptions: shop.subscriptions()?,
            telling: Telling {
                mode: shop.mode,
                replay: true,
            },
            shop: shop.name().to_owned(),
        };
        let told = match self.since {
            Some(since) => sources.since(&shop, since).await?,
            None => sources.of_all(&shop, &self.ids).await?,
        };
        if !self.dry_run && !told.is_empty() {
            shop.announce_writing();
            let (events, now) = (shop.events()?, shop.now());
            let bar = progress(told.len(), "ordering");
            for (_, publication) in &told {
                events.publish_again(publication.clone(), now).await?;
                bar.inc(1);
            }
            bar.finish_and_clear();
        }
        self.tell(&told)
    }

    fn tell(&self, told: &Told) -> anyhow::Result<Exit> {
        #[derive(Serialize)]
        struct Shown<'a> {
            dry_run: bool,
            events: Vec<View<'a>>,
        }
        let shown = Shown {
            dry_run: self.dry_run,
            events: told.iter().map(View::of).collect(),
        };
        self.operator.show(&shown, || {
            let mut table = Table::new([
                Column::left("TOLD (UTC)"),
                Column::left("TYPE"),
                Column::left("EVENT").giving_way(),
            ]);
            for (at, event) in told {
                table.row([minute(*at), event.kind.clone(), event.id.clone()]);
            }
            let mut text = table.text_or("There is nothing to tell.");
            if self.dry_run {
                text.push_str(DRY_RUN);
            } else if !told.is_empty() {
                let all = count(told.len(), "event");
                text.push_str(&format!("{all} will be published within a minute.\n"));
            }
            text
        })?;
        Ok(Exit::Done)
    }
}

impl<'a> View<'a> {
    fn of((at, event): &'a (i64, Publication)) -> Self {
        Self {
            id: &event.id,
            kind: &event.kind,
            at: rfc3339(*at),
        }
    }
}

impl Sources {
    /// Everything that was told of those that were named, each of which must be there before any of
    /// it is told again.
    async fn of_all(&self, shop: &Shop, all: &[Meant]) -> anyhow::Result<Told> {
        let mut told = Told::new();
        for meant in all {
            let subject = match meant {
                Meant::Subscription(id) => Subject::Subscription(id.clone()),
                Meant::Other(name) => name.find(shop).await?,
            };
            let found = match &subject {
                Subject::Purchase(id) => self.of_purchase(*id).await?,
                Subject::Subscription(id) | Subject::Invoice(id, _) => {
                    self.of_subscription(id).await?
                }
            };
            match found {
                Some(found) => told.extend(found),
                None => bail!(NotFound(format!("there is no {subject} in {}", self.shop))),
            }
        }
        Ok(told)
    }

    /// Everything that was told since then, in the order in which it was.
    async fn since(&self, shop: &Shop, since: Since) -> anyhow::Result<Told> {
        let mut told = Told::new();
        let reading = counter("purchases read:");
        let purchases = shop.all_purchases()?;
        let all = purchases.each(None, |purchase| {
            // Nobody was told yet of one that was lost and rebuilt.
            if !purchase.is_only_rebuilt() {
                told.extend(Publication::all_of_purchase(&purchase, self.telling));
            }
            reading.inc(1);
        });
        all.await?;
        let mut ids = Vec::new();
        let subscriptions = shop.all_subscriptions()?;
        let all = subscriptions.each(|subscription| ids.push(subscription.id().clone()));
        all.await?;
        for id in ids {
            told.extend(self.of_subscription(&id).await?.unwrap_or_default());
            reading.inc(1);
        }
        reading.finish_and_clear();
        told.retain(|(at, _)| *at >= since.0.unix_timestamp());
        // What is told of one subject is in order already, and stays so.
        told.sort_by_key(|(at, _)| *at);
        Ok(told)
    }

    async fn of_purchase(&self, id: PurchaseId) -> anyhow::Result<Option<Told>> {
        let Some(stored) = self.purchases.get(id).await? else {
            return Ok(None);
        };
        if stored.purchase.is_only_rebuilt() {
            bail!(
                "purchase {id} was lost and rebuilt, and nobody was told of it yet: `till purchases \
                 confirm {id}` tells"
            );
        }
        let told = Publication::all_of_purchase(&stored.purchase, self.telling);
        Ok(Some(told))
    }

    async fn of_subscription(&self, id: &SubscriptionId) -> anyhow::Result<Option<Told>> {
        let found = self.subscriptions.with_invoices(id).await?;
        Ok(found.map(|found| Publication::all_of_subscription(&found, self.telling)))
    }
}
