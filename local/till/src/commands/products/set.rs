//! `till products set`: some fields of one product.

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use shared::mode::Mode;
use shared::product::{Product, ProductId};
use shared::store::operator::StockChange;

use super::patch::{Patch, Setting};
use super::step::{Difference, Step, lines, write};
use crate::commands::console::{Consent, DRY_RUN, note};
use crate::commands::exit::{Exit, NotFound};
use crate::commands::operator::Operator;

pub(super) const ABOUT: &str = "\
Change one product.

  name=TEXT  description=TEXT  images='URL URL…'
  price=1600       in minor units, in the product's currency; or price=1600usd
  active=false     takes it off sale
  stock=+20        adds 20 pieces; -20 takes 20 away
  stock=20         sets the stock to 20, whatever is sold meanwhile
  stock=none       makes it unlimited

Fields that you do not name stay as they are.";

#[derive(Args)]
pub(in crate::commands) struct Set {
    /// The product's id
    id: ProductId,
    /// What to change
    #[arg(required = true, value_name = "FIELD=VALUE")]
    settings: Vec<Setting>,
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

impl Set {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let table = shop.assortment()?;
        let Some(before) = shop.shelf()?.get(&self.id).await? else {
            let name = shop.name();
            return Err(NotFound(format!(
                "there is no product {} in {name}: see `till products list`",
                self.id
            ))
            .into());
        };
        let mut patch = Patch::of(self.id.clone());
        let mut stock = StockChange::Keep;
        for setting in self.settings {
            match setting {
                Setting::Name(name) => patch.name = Some(name),
                Setting::Description(text) => patch.description = Some(text),
                Setting::Images(images) => patch.images = Some(images),
                Setting::Price(price) => patch.price = Some(price),
                Setting::Active(active) => patch.active = Some(active),
                Setting::Stock(change) => stock = change,
            }
        }
        patch.stock = stock_after(&before, stock)?;
        let after = patch
            .apply(Some(&before), shop.site())
            .map_err(anyhow::Error::msg)?;
        let step = Step::between(Some(before), after.clone(), stock);
        #[derive(Serialize)]
        struct Done<'a> {
            dry_run: bool,
            product: &'a Product,
            changes: Vec<Difference>,
        }
        let done = Done {
            dry_run: self.dry_run,
            product: &after,
            changes: step.as_ref().map(Step::differences).unwrap_or_default(),
        };
        let Some(step) = step else {
            let so_already = format!("{} is like that already; nothing was changed.\n", self.id);
            self.operator.show(&done, || so_already)?;
            return Ok(Exit::Done);
        };
        let lines = lines(std::slice::from_ref(&step));
        if !self.dry_run {
            shop.announce_writing();
            if shop.mode == Mode::Live {
                note(lines.trim_end());
                self.consent.ask("Change it?")?;
            }
            write(&table, &step).await?;
        }
        let dry = match self.dry_run {
            true => DRY_RUN,
            false => "",
        };
        self.operator.show(&done, || format!("{lines}{dry}"))?;
        Ok(Exit::Done)
    }
}

/// How many will be left, if the change can be made.
fn stock_after(before: &Product, change: StockChange) -> anyhow::Result<Option<Option<u32>>> {
    let id = &before.id;
    let limited = || {
        before.stock.with_context(|| {
            format!(
                "the stock of {id} is unlimited, so nothing can be added to it or taken from it; set \
                 stock=NUMBER first"
            )
        })
    };
    Ok(match change {
        StockChange::Keep => None,
        StockChange::Set(stock) => Some(stock),
        StockChange::Add(pieces) => {
            let sum = limited()?.checked_add(pieces);
            Some(Some(
                sum.context("stock: that is more than can be counted")?,
            ))
        }
        StockChange::Take(pieces) => {
            let left = limited()?;
            let rest = left.checked_sub(pieces);
            Some(Some(rest.with_context(|| {
                format!("only {left} of {id} are left, so {pieces} cannot be taken away")
            })?))
        }
    })
}
