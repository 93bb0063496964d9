//! `till purchases fulfil`: what was sent, or done, and telling the buyer.

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use shared::ledger::{Ledger, Outcome, Report, Source};
use shared::plain;
use shared::purchase::{Change, Parcel, ParcelId, Purchase, PurchaseId};
use shared::store::Tables;
use url::Url;

use super::{Name, not_found};
use crate::commands::exit::Exit;
use crate::commands::operator::Operator;

pub(super) const ABOUT: &str = "\
Note that what a purchase is for was sent or, if nothing is, that all is done. The buyer gets a mail,
once for each parcel, and other systems are told (purchase.fulfilled). `till purchases packing` then
leaves the purchase out.

Several parcels are told apart by their tracking numbers. Saying the same again changes nothing; a
carrier or an address that was missing is added, without another mail.";

#[derive(Args)]
pub(in crate::commands) struct Fulfil {
    /// A purchase id, or the id of a Stripe object that belongs to one: cs_…, pi_…, ch_…, re_…, du_…
    id: Name,
    /// The parcel's tracking number
    #[arg(long, value_name = "NUMBER")]
    tracking: Option<ParcelId>,
    /// Who delivers it, such as DHL
    #[arg(long, value_name = "NAME", value_parser = carrier)]
    carrier: Option<String>,
    /// Where the buyer can see how far it has come: the mail leads there
    #[arg(long, value_name = "URL", value_parser = address)]
    tracking_url: Option<Url>,
    #[command(flatten)]
    operator: Operator,
}

fn carrier(text: &str) -> Result<String, String> {
    let name = text.trim();
    let is_name = (1..=60).contains(&name.chars().count()) && name.chars().all(plain::is_plain);
    match is_name {
        true => Ok(name.to_owned()),
        false => Err("it must have 1 to 60 characters on one line".to_owned()),
    }
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match matches!(url.scheme(), "http" | "https") && text.len() <= 500 {
        true => Ok(url),
        false => {
            Err("it must start with https:// or http://, and have at most 500 bytes".to_owned())
        }
    }
}

impl Fulfil {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let id = self.id.purchase(&shop).await?;
        let Some(stored) = shop.purchases()?.get(id).await? else {
            return Err(not_found(id, &shop));
        };
        refuse_unpaid(&stored.purchase)?;
        shop.announce_writing();
        let now = shop.now();
        let parcel_id = self.tracking.clone();
        let parcel_id = parcel_id.unwrap_or_else(ParcelId::without_number);
        let parcel = Parcel {
            at: now,
            carrier: self.carrier.clone(),
            tracking_url: self.tracking_url.as_ref().map(Url::to_string),
        };
        let report = Report {
            source: Source::Seller {
                deed: format!("fulfilled#{parcel_id}"),
            },
            purchase: id,
            change: Change::Fulfilled(parcel_id, parcel),
            payment_intent: None,
            origin: None,
        };
        let ledger = Ledger::of(&Tables::of(&shop.environment)?, shop.mode)?;
        let is_news = match ledger.record(&report, now).await? {
            Outcome::Recorded(..) => true,
            Outcome::NothingNew | Outcome::SeenBefore => false,
            Outcome::NoSuchPurchase => return Err(not_found(id, &shop)),
        };
        self.tell(id, is_news)
    }

    fn tell(&self, id: PurchaseId, is_news: bool) -> anyhow::Result<Exit> {
        #[derive(Serialize)]
        struct Told<'a> {
            purchase: PurchaseId,
            #[serde(skip_serializing_if = "Option::is_none")]
            tracking_number: Option<&'a str>,
            /// Whether it was not known yet.
            recorded: bool,
        }
        let number = self.tracking.as_ref().and_then(ParcelId::number);
        let told = Told {
            purchase: id,
            tracking_number: number,
            recorded: is_news,
        };
        self.operator.show(&told, || {
            let parcel = number.map_or(String::new(), |number| format!(", parcel {number}"));
            match is_news {
                true => {
                    format!("{id} is fulfilled{parcel}. The buyer gets a mail within a minute.\n")
                }
                false => format!("{id}{parcel}: that was known.\n"),
            }
        })?;
        Ok(Exit::Done)
    }
}

/// Whether it was paid only grows, so it need not be looked at again when it is written.
fn refuse_unpaid(purchase: &Purchase) -> anyhow::Result<()> {
    if purchase.is_settled() {
        return Ok(());
    }
    bail!(
        "purchase {} is {}: only what was paid can be fulfilled",
        purchase.id(),
        purchase.status().as_str()
    )
}
