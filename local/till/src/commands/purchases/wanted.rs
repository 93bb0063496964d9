//! Which of all purchases are meant.

use clap::{Args, ValueEnum};
use shared::purchase::{Purchase, Status};
use window::overview::has;

use crate::commands::console::counter;
use crate::commands::moment::Since;
use crate::commands::shop::Shop;

#[derive(Args)]
pub(super) struct Wanted {
    /// Only purchases with this status; may be repeated
    #[arg(long, value_enum)]
    status: Vec<Standing>,
    /// Only purchases made since TIME, such as 2026-11-24, 2026-11-24T09:30:00Z, 7d, 12h or 30m
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only purchases of this buyer, by the subject (`sub`) of their ID token
    #[arg(long, value_name = "SUBJECT")]
    buyer: Option<String>,
    /// Only purchases with TEXT in their number, in the buyer's email address, or in the name or
    /// address they are sent to
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

/// [`Status`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Standing {
    Open,
    Abandoned,
    Expired,
    Pending,
    Failed,
    Paid,
    PartiallyRefunded,
    Refunded,
    Disputed,
    ChargedBack,
}

impl From<Standing> for Status {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Open => Self::Open,
            Standing::Abandoned => Self::Abandoned,
            Standing::Expired => Self::Expired,
            Standing::Pending => Self::Pending,
            Standing::Failed => Self::Failed,
            Standing::Paid => Self::Paid,
            Standing::PartiallyRefunded => Self::PartiallyRefunded,
            Standing::Refunded => Self::Refunded,
            Standing::Disputed => Self::Disputed,
            Standing::ChargedBack => Self::ChargedBack,
        }
    }
}

impl Wanted {
    /// Those that are meant, with the money of their invoices, newest first. Without `--status`,
    /// `is_usual` says which statuses are.
    pub(super) async fn fetch(
        &self,
        shop: &Shop,
        is_usual: impl Fn(Status) -> bool,
    ) -> anyhow::Result<Vec<Purchase>> {
        let purchases = self.read(shop).await?;
        let mut purchases = shop.invoices()?.complete_all(purchases).await?;
        purchases.retain(|purchase| {
            let status = purchase.status();
            let mut wanted = self.status.iter();
            let has_status = match self.status.is_empty() {
                true => is_usual(status),
                false => wanted.any(|wanted| Status::from(*wanted) == status),
            };
            let made_at = purchase.id().created_at();
            has_status
                && self.since.is_none_or(|since| made_at >= since.0)
                && self.search.as_ref().is_none_or(|text| has(purchase, text))
        });
        purchases.sort_by_key(|purchase| std::cmp::Reverse(purchase.id()));
        Ok(purchases)
    }

    async fn read(&self, shop: &Shop) -> anyhow::Result<Vec<Purchase>> {
        let mut purchases = Vec::new();
        let Some(buyer) = &self.buyer else {
            let reading = counter("purchases read:");
            let since = self.since.map(|since| since.0);
            let all = shop.all_purchases()?;
            let all = all.each(since, |purchase| {
                purchases.push(purchase);
                reading.inc(1);
            });
            all.await?;
            reading.finish_and_clear();
            return Ok(purchases);
        };
        let history = shop.history()?;
        let mut before = None;
        loop {
            let page = history.page(buyer, 100, before).await?;
            purchases.extend(page.purchases);
            before = page.next;
            if before.is_none() {
                return Ok(purchases);
            }
        }
    }
}
