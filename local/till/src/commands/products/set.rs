//! `till products set`: some fields of one product.

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use shared::mode::Mode;
use shared::product::{Product, ProductId};
use shared::store::operator::StockChange;

use super::patch::{Patch, Setting};
use super::step::{Difference, Left, Step, lines, write};
use crate::commands::console::{Consent, Console};
use crate::commands::exit::{Exit, NotFound};
use crate::commands::shop::Where;

pub(super) const ABOUT: &str = "\
Changes one product.

  name=TEXT  description=TEXT  images='ADDRESS ADDRESS…'
  price=1600       in minor units, in the currency it has; or price=1600usd
  active=false     whether it can be bought
  stock=+20        so many more; -20 so many fewer
  stock=20         so many are left from now on, whatever is sold meanwhile
  stock=none       never runs out

Fields that are not named stay as they are.";

#[derive(Args)]
pub(in crate::commands) struct Set {
    /// Which product
    id: ProductId,
    /// What is to be different
    #[arg(required = true, value_name = "FIELD=VALUE")]
    settings: Vec<Setting>,
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

impl Set {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.at.open().await?;
        let table = shop.assortment()?;
        let Some(before) = shop.shelf()?.get(&self.id).await? else {
            let name = shop.name();
            return Err(NotFound(format!("there is no product {} in {name}", self.id)).into());
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
            let so_already = format!("{} is like that already.\n", self.id);
            self.console.show(&done, || so_already)?;
            return Ok(Exit::Done);
        };
        let lines = lines(std::slice::from_ref(&step));
        if !self.dry_run {
            shop.announce_writing(self.console);
            if shop.mode == Mode::Live {
                self.console.note(lines.trim_end());
                self.consent.ask("Change it?")?;
            }
            write(&table, &step).await?;
        }
        let dry = match self.dry_run {
            true => "That is what would be. Nothing was written.\n",
            false => "",
        };
        self.console.show(&done, || format!("{lines}{dry}"))?;
        Ok(Exit::Done)
    }
}

/// How many will be left, if the change can be made.
fn stock_after(before: &Product, change: StockChange) -> anyhow::Result<Option<Option<u32>>> {
    let id = &before.id;
    let limited = || {
        before.stock.with_context(|| {
            format!("{id} never runs out, so there is nothing to add to; say stock=NUMBER first")
        })
    };
    Ok(match change {
        StockChange::Keep => None,
        StockChange::Set(stock) => Some(stock),
        StockChange::Add(pieces) => {
            let sum = limited()?.checked_add(pieces);
            Some(Some(sum.context("stock: more than can be counted")?))
        }
        StockChange::Take(pieces) => {
            let left = limited()?;
            let rest = left.checked_sub(pieces);
            Some(Some(rest.with_context(|| {
                format!("there are {} left of {id}, not {pieces}", Left(Some(left)))
            })?))
        }
    })
}
