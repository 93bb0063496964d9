//! `till purchases`: what was bought, and the whole story of one purchase.

mod find;
pub(crate) mod view;

use clap::{Args, Subcommand, ValueEnum};
use laptop::story::Story;
use serde::Serialize;
use shared::purchase::{Purchase, PurchaseId, Status};
use shared::view::SellerView;

pub(super) use self::find::Name;
use self::view::{table, tell};
use super::console::{Consent, Console, count};
use super::exit::{Exit, NotFound};
use super::moment::Since;
use super::shop::{Shop, Where};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists purchases, newest first
    #[command(long_about = LIST)]
    List(List),
    /// Tells the whole story of one: order, money, events, mail
    Show(Show),
    /// Lets the mail of purchases go that had to be rebuilt
    #[command(long_about = CONFIRM)]
    Confirm(Confirm),
}

const LIST: &str = "\
Lists purchases, newest first.

With --buyer it asks the index of that buyer's history, which holds purchases from the moment the
buyer did their part. Without, it reads the whole purchases table, which functions may not: that
takes a while, and read capacity, where there are very many.";

const CONFIRM: &str = "\
Takes your word that purchases are this shop's own, though they were lost here and had to be rebuilt
from what Stripe knows. Their mail, held until now, goes within a minute, and what comes later goes by
itself. Without your word held mail is forgotten after 90 days.";

#[derive(Args)]
pub(super) struct List {
    /// Only those that stand like this; may be said several times
    #[arg(long, value_enum)]
    status: Vec<Standing>,
    /// Only those made since: 2026-11-24, 2026-11-24T09:30:00Z, 7d, 12h, 30m
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only this buyer's, by the subject (`sub`) of their ID token
    #[arg(long, value_name = "SUBJECT")]
    buyer: Option<String>,
    /// At most so many; 0 for all
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
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
    /// Purchase ids, or ids of Stripe's that belong to them
    #[arg(required = true)]
    ids: Vec<Name>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

#[derive(Args)]
pub(super) struct Show {
    /// A purchase id, or an id of Stripe's that belongs to one: cs_…, pi_…, ch_…, re_…, dp_…
    id: Name,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
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
        let shop = self.at.open().await?;
        let mut purchases = self.fetch(&shop).await?;
        purchases.retain(|purchase| self.wants(purchase));
        purchases.sort_by_key(|purchase| std::cmp::Reverse(purchase.id()));
        let found = purchases.len();
        if self.limit > 0 {
            purchases.truncate(self.limit);
        }
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
        self.console.show(&listed, || {
            if purchases.is_empty() {
                "There are no such purchases.\n".to_owned()
            } else {
                table(&purchases)
            }
        })?;
        if found > purchases.len() {
            let shown = purchases.len();
            self.console.note(&format!(
                "The newest {shown} of {found}; --limit 0 shows all of them."
            ));
        }
        Ok(Exit::Done)
    }

    async fn fetch(&self, shop: &Shop) -> anyhow::Result<Vec<Purchase>> {
        let reading = self.console.counter("purchases read:");
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
        let shop = self.at.open().await?;
        let id = self.id.find(&shop).await?;
        let story = Story::read(&shop.all_purchases()?, &shop.mails()?, id).await?;
        let Some(story) = story else {
            let name = shop.name();
            return Err(NotFound(format!("there is no purchase {id} in {name}")).into());
        };
        self.console.show(&story.json(), || tell(&story))?;
        Ok(Exit::Done)
    }
}

impl Confirm {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.at.open().await?;
        let purchases = shop.purchases()?;
        let mut ids = Vec::new();
        for name in &self.ids {
            let id = name.find(&shop).await?;
            if purchases.get(id).await?.is_none() {
                let shop = shop.name();
                return Err(NotFound(format!("there is no purchase {id} in {shop}")).into());
            }
            ids.push(id);
        }
        shop.announce_writing(self.console);
        let all = count(ids.len(), "purchase");
        self.consent.ask(&format!("Let the mail of {all} go?"))?;

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
        self.console.show(&told, || {
            let line = |one: &Confirmed| {
                let mails = usize::try_from(one.released).unwrap_or(usize::MAX);
                format!("{}: {} let go\n", one.purchase, count(mails, "mail"))
            };
            confirmed.iter().map(line).collect()
        })?;
        Ok(Exit::Done)
    }
}
