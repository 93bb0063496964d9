//! `till products import`: products become what a file says.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use shared::mode::Mode;
use shared::product::{Product, ProductId, Site};
use shared::store::operator::{Assortment, StockChange};
use shared::store::products::Offers;

use super::file::{self, Format, Row};
use super::patch::Patch;
use super::step::{Difference, Step, lines, write};
use crate::commands::console::{Consent, DRY_RUN, bad, count, note, plain, progress};
use crate::commands::exit::Exit;
use crate::commands::operator::Operator;
use crate::commands::output::is_standard;
use crate::commands::shop::Shop;

pub(super) const ABOUT: &str = "\
Add and change products from a file.

The file is a table (.csv), JSON lines (.jsonl) or a JSON array (.json). Its columns or fields are
id, name, description, images (URLs; in a table separated by spaces), amount, currency, interval,
interval_count, trial_days, shipped, group, options (in a table size=M; color=red), category, file,
file_size, tax_code, tax_behavior, active, stock and low_stock. In JSON, amount and currency are together in
`price`, what says how often it is paid for in `recurring`, as in the HTTP API, and a file's name and size in
`file`. Amounts are in minor units: 1500
is 15.00 USD. An interval is day, week, month or year; without one, a product is paid for once. Where a
table says amount, currency, interval and interval_count, `till products set` says price=1500usd and
recurring='3 months'. Fields that the file leaves out stay as they are, and so do products that are not in
it. A new product needs an id, a name and a price.

The whole file is checked before anything is written. If rows cannot be imported, all of them are
listed and nothing is written. Importing the same file again changes nothing.

A product's stock changes while the shop sells, so a number from a file would undo sales. It counts
for new products; for existing ones only with --stock. What a file names as a product's file must be in
the bucket: `till products file push` puts it there.";

#[derive(Args)]
pub(in crate::commands) struct Import {
    /// A .csv, .jsonl or .json file, or - for stdin
    file: PathBuf,
    /// The file's format [default: by the end of its name; stdin: jsonl]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Set the stock of existing products, too
    #[arg(long)]
    stock: bool,
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

/// Writes that are under way at once.
const AT_ONCE: usize = 8;

/// What an import did, or would do.
#[derive(Serialize)]
struct Imported {
    dry_run: bool,
    added: Vec<Product>,
    changed: Vec<Changed>,
    unchanged: usize,
    invalid: Vec<Invalid>,
}

#[derive(Serialize)]
struct Changed {
    id: ProductId,
    changes: Vec<Difference>,
}

/// A row that cannot be taken in.
#[derive(Serialize)]
struct Invalid {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<ProductId>,
    error: String,
}

/// What comes of a file's rows beside the products that are there.
#[derive(Default)]
struct Outlook {
    steps: Vec<Step>,
    unchanged: usize,
    /// Products whose stock differs and is left alone.
    stock_kept: usize,
    invalid: Vec<Invalid>,
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let format = Format::of(&self.file, self.format)?;
        let text = file::read(&self.file)?;
        let name = match is_standard(&self.file) {
            true => "standard input".to_owned(),
            false => self.file.display().to_string(),
        };
        let rows = file::parse(&text, format).with_context(|| name.clone())?;
        let (patches, invalid) = patches(rows);

        let shop = self.operator.shop().await?;
        let mut there = self.fetch(&shop.offers()?, &patches).await?;
        let mut outlook = Outlook {
            invalid,
            ..Outlook::default()
        };
        for (at, patch) in patches {
            let before = there.remove(&patch.id);
            outlook.add(at, &patch, before, (shop.site(), self.stock));
        }
        if !outlook.invalid.is_empty() {
            return self.refuse(&name, outlook.invalid);
        }
        self.carry_out(&shop, outlook).await
    }

    /// Writes what has changed, and says what that was.
    async fn carry_out(&self, shop: &Shop, outlook: Outlook) -> anyhow::Result<Exit> {
        let Outlook {
            steps,
            unchanged,
            stock_kept,
            ..
        } = outlook;
        let imported = imported(&steps, unchanged, self.dry_run);
        if self.dry_run || steps.is_empty() {
            self.operator
                .show(&imported, || format!("{}{}", lines(&steps), imported.sum()))?;
            self.mention_stock(stock_kept);
            return Ok(Exit::Done);
        }
        shop.announce_writing();
        if !imported.changed.is_empty() || shop.mode == Mode::Live {
            let changed = count(imported.changed.len(), "product");
            let added = count(imported.added.len(), "product");
            note(lines(&steps).trim_end());
            self.consent
                .ask(&format!("Change {changed} and add {added}?"))?;
        }
        self.write(&shop.assortment()?, steps).await?;
        self.operator.show(&imported, || imported.sum())?;
        self.mention_stock(stock_kept);
        Ok(Exit::Done)
    }

    /// Those of the products that are there already.
    async fn fetch(
        &self,
        table: &Offers,
        patches: &[(String, Patch)],
    ) -> anyhow::Result<HashMap<ProductId, Product>> {
        let bar = progress(patches.len(), "comparing");
        let mut there = HashMap::new();
        // As many as DynamoDB reads at once.
        for some in patches.chunks(100) {
            let found = table
                .get_all(some.iter().map(|(_, patch)| &patch.id))
                .await?;
            there.extend(found.into_iter().map(|found| (found.id.clone(), found)));
            bar.inc(u64::try_from(some.len()).unwrap_or_default());
        }
        bar.finish_and_clear();
        Ok(there)
    }

    fn refuse(&self, name: &str, invalid: Vec<Invalid>) -> anyhow::Result<Exit> {
        for Invalid { at, id, error } in &invalid {
            let id = id.as_ref().map(|id| format!("{id}: ")).unwrap_or_default();
            note(&plain(&format!("{name}, {at}: {id}{error}")));
        }
        let rows = count(invalid.len(), "row");
        let refused = Imported {
            invalid,
            ..imported(&[], 0, self.dry_run)
        };
        self.operator.show(&refused, || {
            bad(&format!("{rows} cannot be imported; nothing was written.")) + "\n"
        })?;
        Ok(Exit::Found)
    }

    async fn write(&self, table: &Assortment, steps: Vec<Step>) -> anyhow::Result<()> {
        let bar = progress(steps.len(), "writing");
        let writes = steps.into_iter().map(|step| {
            let bar = &bar;
            async move {
                write(table, &step).await?;
                bar.inc(1);
                anyhow::Ok(())
            }
        });
        let written: anyhow::Result<()> = stream::iter(writes)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await;
        bar.finish_and_clear();
        written.context(
            "not everything was written; fix this and import the same file again, which writes the rest",
        )
    }

    fn mention_stock(&self, kept: usize) {
        if kept > 0 {
            let products = count(kept, "product");
            note(&format!(
                "The stock of {products} differs from the file and was left alone; --stock sets it."
            ));
        }
    }
}

impl Outlook {
    /// Adds what comes of one row, `at` its place in the file. The stock of a product that is there
    /// is set only if `sets_stock`.
    fn add(
        &mut self,
        at: String,
        patch: &Patch,
        before: Option<Product>,
        (site, sets_stock): (Site, bool),
    ) {
        let refuse = |error| {
            let id = Some(patch.id.clone());
            self.invalid.push(Invalid { at, id, error });
        };
        let mut after = match patch.apply(before.as_ref(), site) {
            Ok(after) => after,
            Err(error) => return refuse(error),
        };
        let mut stock = StockChange::Keep;
        let differs = before.as_ref().filter(|it| it.stock != after.stock);
        let kept = differs.filter(|_| !sets_stock).map(|before| before.stock);
        match kept {
            Some(kept) => after.stock = kept,
            None if differs.is_some() => stock = StockChange::Set(after.stock),
            None => {}
        }
        if let Err(error) = after.check() {
            return refuse(format!(
                "{error}; --stock sets the stock of existing products, too"
            ));
        }
        self.stock_kept = self.stock_kept.saturating_add(usize::from(kept.is_some()));
        match Step::between(before, after, stock) {
            Some(step) => self.steps.push(step),
            None => self.unchanged = self.unchanged.saturating_add(1),
        }
    }
}

/// What the rows say, and which of them say nothing valid. A product may be in a file once.
fn patches(rows: Vec<Row>) -> (Vec<(String, Patch)>, Vec<Invalid>) {
    let (mut patches, mut invalid) = (Vec::new(), Vec::new());
    let mut first = HashMap::new();
    for Row { at, patch } in rows {
        match patch {
            Err(error) => invalid.push(Invalid {
                at,
                id: None,
                error,
            }),
            Ok(patch) => match first.get(&patch.id) {
                Some(before) => invalid.push(Invalid {
                    error: format!("{before} has the same id"),
                    id: Some(patch.id),
                    at,
                }),
                None => {
                    first.insert(patch.id.clone(), at.clone());
                    patches.push((at, patch));
                }
            },
        }
    }
    (patches, invalid)
}

fn imported(steps: &[Step], unchanged: usize, dry_run: bool) -> Imported {
    let added = steps.iter().filter_map(|step| match step {
        Step::Add(product) => Some(product.clone()),
        Step::Change { .. } => None,
    });
    let changed = steps.iter().filter_map(|step| match step {
        Step::Add(_) => None,
        Step::Change { after, .. } => Some(Changed {
            id: after.id.clone(),
            changes: step.differences(),
        }),
    });
    Imported {
        dry_run,
        added: added.collect(),
        changed: changed.collect(),
        unchanged,
        invalid: Vec::new(),
    }
}

impl Imported {
    fn sum(&self) -> String {
        let sum = format!(
            "{} added, {} changed, {} unchanged",
            self.added.len(),
            self.changed.len(),
            self.unchanged
        );
        match self.dry_run {
            true => format!("{sum}. {DRY_RUN}"),
            false => format!("{sum}.\n"),
        }
    }
}
