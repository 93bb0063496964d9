//! `till purchases`: what was bought, and the whole story of one purchase.

mod find;
pub(crate) mod view;

use clap::{Args, Subcommand, ValueEnum};
use laptop::story::Story;
use serde::Serialize;
use shared::purchase::{Purchase, PurchaseId, Status};
use shared::view::SellerView;

pub(super) use self::find::{Name, not_found};
use self::view::{table, tell};
use super::console::{Consent, count, counter};
use super::exit::Exit;
use super::limit::Limit;
use super::moment::Since;
use super::operator::Operator;
use super::shop::Shop;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List purchases, newest first
    #[command(long_about = LIST)]
    List(List),
    /// Show everything about one purchase: order, money, events, mail
    Show(Show),
    /// Release the mail of purchases that had to be rebuilt
    #[command(long_about = CONFIRM)]
    Confirm(Confirm),
}

const LIST: &str = "\
List purchases, newest first.

With --buyer it reads that buyer's history, which has a purchase from the moment the buyer did their
part. Without, it reads the whole purchases table, which the functions may not do: with very many
purchases, that takes time and read capacity.";

const CONFIRM: &str = "\
Confirm that purchases are this shop's own, though they were lost here and had to be rebuilt from what
Stripe knows. Their mail, held until now, goes out within a minute, and later mail is no longer held.
Held mail that nobody confirms is deleted after 90 days.";

#[derive(Args)]
pub(super) struct List {
    /// Only purchases with this status; may be repeated
    #[arg(long, value_enum)]
    status: Vec<Standing>,
    /// Only purchases made since TIME, such as 2026-11-24, 2026-11-24T09:30:00Z, 7d, 12h or 30m
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only purchases of this buyer, by the subject (`sub`) of their ID token
    #[arg(long, value_name = "SUBJECT")]
    buyer: Option<String>,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    operator: Operator,
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

#[derive(Args)]
pub(super) struct Confirm {
    /// Purchase ids, or ids of Stripe objects that belong to one: cs_…, pi_…, ch_…, re_…, du_…
    #[arg(required = true)]
    ids: Vec<Name>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

#[derive(Args)]
pub(super) struct Show {
    /// A purchase id, or the id of a Stripe object that belongs to one: cs_…, pi_…, ch_…, re_…, du_…
    id: Name,
    #[command(flatten)]
    operator: Operator,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.run().await,
            Self::Show(show) => show.run().await,
            Self::Confirm(confirm) => confirm.run().await,
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let purchases = self.fetch(&shop).await?;
        let mut purchases = shop.invoices()?.complete_all(purchases).await?;
        purchases.retain(|purchase| self.wants(purchase));
        purchases.sort_by_key(|purchase| std::cmp::Reverse(purchase.id()));
        let found = self.limit.cut(&mut purchases);
        #[derive(Serialize)]
        struct Listed<'a> {
            purchases: Vec<SellerView<'a>>,
            /// How many there are, shown or not.
            found: usize,
        }
        let listed = Listed {
            purchases: purchases.iter().map(SellerView::of).collect(),
            found,
        };
        self.operator.show(&listed, || {
            table(&purchases).text_or("There are no such purchases.")
        })?;
        Limit::mention_rest(purchases.len(), found);
        Ok(Exit::Done)
    }

    async fn fetch(&self, shop: &Shop) -> anyhow::Result<Vec<Purchase>> {
        let reading = counter("purchases read:");
        let mut purchases = Vec::new();
        let Some(buyer) = &self.buyer else {
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

    fn wants(&self, purchase: &Purchase) -> bool {
        let status = purchase.status();
        let mut wanted = self.status.iter();
        (self.status.is_empty() || wanted.any(|wanted| Status::from(*wanted) == status))
            && self
                .since
                .is_none_or(|since| purchase.id().created_at() >= since.0)
    }
}

impl Show {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let id = self.id.purchase(&shop).await?;
        let story = Story::read(&shop.all_purchases()?, &shop.mails()?, id).await?;
        let Some(story) = story else {
            return Err(not_found(id, &shop));
        };
        self.operator.show(&story.json(), || tell(&story))?;
        Ok(Exit::Done)
    }
}

impl Confirm {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let purchases = shop.purchases()?;
        let mut ids = Vec::new();
        for name in &self.ids {
            let id = name.purchase(&shop).await?;
            if purchases.get(id).await?.is_none() {
                return Err(not_found(id, &shop));
            }
            ids.push(id);
        }
        shop.announce_writing();
        let all = count(ids.len(), "purchase");
        self.consent.ask(&format!("Release the mail of {all}?"))?;

        #[derive(Serialize)]
        struct Confirmed {
            purchase: PurchaseId,
            /// Mails that were held.
            released: u32,
        }
        let confirmation = shop.confirmation()?;
        let mut confirmed = Vec::new();
        for purchase in ids {
            let released = confirmation.confirm(purchase, shop.now()).await?;
            let released = released.unwrap_or_default();
            confirmed.push(Confirmed { purchase, released });
        }
        #[derive(Serialize)]
        struct Told<'a> {
            purchases: &'a [Confirmed],
        }
        let told = Told {
            purchases: &confirmed,
        };
        self.operator.show(&told, || {
            let line = |one: &Confirmed| {
                let mails = usize::try_from(one.released).unwrap_or(usize::MAX);
                format!("{}: {} released\n", one.purchase, count(mails, "mail"))
            };
            confirmed.iter().map(line).collect()
        })?;
        Ok(Exit::Done)
    }
}
