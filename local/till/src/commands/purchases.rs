//! `till purchases`: what was bought, and the whole story of one purchase.

mod fulfil;
mod packing;
pub(crate) mod view;
mod wanted;

use clap::{Args, Subcommand};
use serde::Serialize;
use shared::purchase::PurchaseId;
use shared::view::SellerView;
pub(super) use window::name::{Name, not_found};
use window::story::Story;

use self::fulfil::Fulfil;
use self::packing::Packing;
use self::view::{table, tell};
use self::wanted::Wanted;
use super::console::{Consent, count};
use super::exit::Exit;
use super::limit::Limit;
use super::operator::Operator;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List purchases, newest first
    #[command(long_about = LIST)]
    List(List),
    /// Show everything about one purchase: order, money, events, mail
    Show(Show),
    /// Write what has to be sent where into a CSV file
    #[command(long_about = PACKING)]
    Packing(Packing),
    /// Note that a purchase was sent or done, and tell the buyer
    #[command(long_about = fulfil::ABOUT)]
    Fulfil(Fulfil),
    /// Release the mail of purchases that had to be rebuilt
    #[command(long_about = CONFIRM)]
    Confirm(Confirm),
}

const LIST: &str = "\
List purchases, newest first.

With --buyer it reads that buyer's history, which has a purchase from the moment the buyer did their
part. Without, it reads the whole purchases table, which the functions may not do: with very many
purchases, that takes time and read capacity.";

const PACKING: &str = "\
Write what has to be sent where into a CSV file: a row for each shipped product of each purchase that
is paid, not refunded in full and not fulfilled, with its buyer's number, address and shipping rate, oldest first.
With --status, purchases of these statuses instead.";

const CONFIRM: &str = "\
Confirm that purchases are this shop's own, though they were lost here and had to be rebuilt from what
Stripe knows. Their mail, held until now, goes out within a minute, and later mail is no longer held.
Held mail that nobody confirms is deleted after 90 days.";

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    operator: Operator,
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
            Self::Packing(packing) => packing.run().await,
            Self::Fulfil(fulfil) => fulfil.run().await,
            Self::Confirm(confirm) => confirm.run().await,
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let mut purchases = self.wanted.fetch(&shop, |_| true).await?;
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
}

impl Show {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let id = self.id.purchase(&shop).await?;
        let outbox = (&shop.mails()?, &shop.events()?);
        let story = Story::read(&shop.all_purchases()?, outbox, id).await?;
        let Some(story) = story else {
            return Err(not_found(id, &shop));
        };
        self.operator.show(&story.json()?, || tell(&story))?;
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
