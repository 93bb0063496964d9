//! `till subscriptions`: what buyers subscribe to, and cancelling it for them.

mod cancel;
mod find;
mod view;

use std::cmp::Reverse;

use clap::{Args, Subcommand};
use serde::Serialize;
use shared::purchase::SubscriptionId;
use shared::subscription::Subscription;
use shared::view::{SellerSubscription, SellerSubscriptionDetails};

use self::find::{id, not_found};
use self::view::{table, tell};
use super::console::counter;
use super::exit::Exit;
use super::limit::Limit;
use super::operator::Operator;
use super::shop::Shop;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List subscriptions, newest first
    #[command(long_about = LIST)]
    List(List),
    /// Show everything about one subscription: plan, money, invoices
    Show(Show),
    /// Cancel a subscription, through Stripe
    #[command(long_about = cancel::ABOUT)]
    Cancel(cancel::Cancel),
}

const LIST: &str = "\
List subscriptions, newest first, as Stripe last described them.

With --buyer it reads that buyer's. Without, it reads the whole purchases table, which the functions may
not do: with very many purchases, that takes time and read capacity.";

#[derive(Args)]
pub(super) struct List {
    /// Only subscriptions with this status, such as active or past_due; may be repeated
    #[arg(long)]
    status: Vec<String>,
    /// Only subscriptions of this buyer, by the subject (`sub`) of their ID token
    #[arg(long, value_name = "SUBJECT")]
    buyer: Option<String>,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    operator: Operator,
}

#[derive(Args)]
pub(super) struct Show {
    /// The subscription's id, sub_…
    #[arg(value_parser = id)]
    id: SubscriptionId,
    #[command(flatten)]
    operator: Operator,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.run().await,
            Self::Show(show) => show.run().await,
            Self::Cancel(cancel) => cancel.run().await,
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let mut found = self.fetch(&shop).await?;
        let status = |one: &Subscription| one.reading().map_or("unread", |it| it.status.as_str());
        found
            .retain(|one| self.status.is_empty() || self.status.iter().any(|it| it == status(one)));
        let began = |one: &Subscription| one.reading().map(|reading| reading.started_at);
        found.sort_by_key(|one| (began(one).is_some(), Reverse(began(one))));
        let all = self.limit.cut(&mut found);
        #[derive(Serialize)]
        struct Listed<'a> {
            subscriptions: Vec<SellerSubscription<'a>>,
            /// How many there are, shown or not.
            found: usize,
        }
        let listed = Listed {
            subscriptions: found.iter().map(SellerSubscription::of).collect(),
            found: all,
        };
        self.operator.show(&listed, || {
            table(&found).text_or("There are no such subscriptions.")
        })?;
        Limit::mention_rest(found.len(), all);
        Ok(Exit::Done)
    }

    async fn fetch(&self, shop: &Shop) -> anyhow::Result<Vec<Subscription>> {
        let mut found = Vec::new();
        let Some(buyer) = &self.buyer else {
            let reading = counter("subscriptions read:");
            let all = shop.all_subscriptions()?;
            let each = all.each(|subscription| {
                found.push(subscription);
                reading.inc(1);
            });
            each.await?;
            reading.finish_and_clear();
            return Ok(found);
        };
        let subscriptions = shop.subscriptions()?;
        for id in shop.history()?.subscriptions(buyer).await? {
            let stored = subscriptions.get(&id).await?;
            found.extend(stored.map(|stored| stored.subscription));
        }
        Ok(found)
    }
}

impl Show {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let found = shop.subscriptions()?.with_invoices(&self.id).await?;
        let Some(found) = found else {
            return Err(not_found(&self.id, &shop));
        };
        let details = SellerSubscriptionDetails::of(&found, shop.now());
        self.operator.show(&details, || tell(&found, shop.now()))?;
        Ok(Exit::Done)
    }
}
