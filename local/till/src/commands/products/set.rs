//! `till products set`: some fields of one product.

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use shared::mode::Mode;
use shared::product::{Product, ProductId, Recurring};
use shared::store::operator::StockChange;

use super::one::one;
use super::patch::{Patch, Setting};
use super::step::{Changed, Step, write};
use crate::commands::console::{Consent, DRY_RUN, note};
use crate::commands::exit::Exit;
use crate::commands::operator::Operator;

pub(super) const ABOUT: &str = "\
Change one product.

  name=TEXT  description=TEXT  images='URL URL…'
  price=1600       in minor units, in the product's currency; or price=1600usd
  recurring='3 months'  is paid for every three months: day, week, month or year, with a number
                        before it; recurring=none makes it something that is paid for once
  trial_days=14    of what recurs, the first 14 days are free
  group=shirt options='size=M; color=red'
                   makes it one of the shirts; group=none options=none takes it out again
  category=Tea     puts it into a category; category=none into none
  shipped=true     is sent by post
  tax_code=txcd_99999999  what Stripe taxes it as; tax_code=none leaves that to your Stripe account
  tax_behavior=exclusive  tax comes on top of the price; inclusive: it is in the price; none: as your
                          Stripe account says
  active=false     takes it off sale
  stock=+20        adds 20 pieces; -20 takes 20 away
  stock=20         sets the stock to 20, whatever is sold meanwhile
  stock=none       makes it unlimited
  low_stock=3      mails you when 3 or fewer are left; low_stock=none: only when none is left

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
        let before = one(&shop, &self.id).await?;
        let mut patch = Patch::of(self.id.clone());
        let mut stock = StockChange::Keep;
        let (mut recurring, mut trial_days) = (None, None);
        for setting in self.settings {
            match setting {
                Setting::Name(name) => patch.name = Some(name),
                Setting::Description(text) => patch.description = Some(text),
                Setting::Images(images) => patch.images = Some(images),
                Setting::Price(price) => patch.price = Some(price),
                Setting::Recurring(every) => recurring = Some(every),
                Setting::TrialDays(days) => trial_days = Some(days),
                Setting::Shipped(shipped) => patch.shipped = Some(shipped),
                Setting::Group(group) => patch.group = Some(group),
                Setting::Options(options) => patch.options = Some(options),
                Setting::Category(category) => patch.category = Some(category),
                Setting::TaxCode(code) => patch.tax_code = Some(code),
                Setting::TaxBehavior(said) => patch.tax_behavior = Some(said),
                Setting::Active(active) => patch.active = Some(active),
                Setting::Stock(change) => stock = change,
                Setting::LowStock(pieces) => patch.low_stock = Some(pieces),
            }
        }
        patch.recurring = recurring_after(&before, recurring, trial_days)?;
        patch.stock = stock_after(&before, stock)?;
        let after = patch
            .apply(Some(&before), shop.site())
            .map_err(anyhow::Error::msg)?;
        let step = Step::between(Some(before), after.clone(), stock);
        #[derive(Serialize)]
        struct Done<'a> {
            dry_run: bool,
            #[serde(flatten)]
            changed: Changed<'a>,
        }
        let done = Done {
            dry_run: self.dry_run,
            changed: Changed::to(&after, step.as_ref()),
        };
        let Some(step) = step else {
            let so_already = format!("{} is like that already; nothing was changed.\n", self.id);
            self.operator.show(&done, || so_already)?;
            return Ok(Exit::Done);
        };
        let lines = step.text();
        if !self.dry_run {
            shop.announce_writing();
            if shop.mode == Mode::Live {
                note(lines.trim_end());
                self.consent.ask("Change it?")?;
            }
            write(&table, &step).await?;
        }
        let dry = if self.dry_run { DRY_RUN } else { "" };
        self.operator.show(&done, || format!("{lines}{dry}"))?;
        Ok(Exit::Done)
    }
}

/// How often it will be paid for. A trial stays when only the interval changes.
fn recurring_after(
    before: &Product,
    every: Option<Option<Recurring>>,
    trial_days: Option<u32>,
) -> anyhow::Result<Option<Option<Recurring>>> {
    if every.is_none() && trial_days.is_none() {
        return Ok(None);
    }
    let had = before.recurring;
    let Some(every) = every.unwrap_or(had) else {
        return match trial_days {
            Some(_) => bail!(
                "{} is paid for once, so it has no trial; set recurring=month, or another interval",
                before.id
            ),
            None => Ok(Some(None)),
        };
    };
    let kept = had.map_or(0, |had| had.trial_days);
    Ok(Some(Some(Recurring {
        trial_days: trial_days.unwrap_or(kept),
        ..every
    })))
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
