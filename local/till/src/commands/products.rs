//! `till products`: what is for sale.

mod field;
mod file;
mod patch;

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use console::measure_text_width;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use shared::mode::Mode;
use shared::product::{Product, ProductId};
use shared::store::operator::{Assortment, StockChange};
use shared::store::products::{Offers, Shelf};

use self::file::{Format, Row};
use self::patch::{Difference, Left, Patch, Setting, Step};
use super::console::{
    Column, Consent, Console, Table, bad, count, dim, good, notable, plain, print, write_out,
};
use super::exit::{Exit, NotFound};
use super::shop::Where;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists all products, those that are not for sale, too
    List(List),
    /// Adds and changes products as a file says
    #[command(long_about = IMPORT)]
    Import(Import),
    /// Writes all products to a file that `import` reads
    Export(Export),
    /// Changes one product: `set mug price=1600 active=false stock=+20`
    #[command(long_about = SET)]
    Set(Set),
}

const IMPORT: &str = "\
Adds and changes products as a file says.

The file is a table (.csv), JSON lines (.jsonl) or a JSON array (.json). Its fields, here as
columns: id, name, description, images (addresses, separated by spaces), amount, currency,
active, stock. In JSON, amount and currency are together in `price`, as in the HTTP API. Amounts
are in minor units: 1500 is 15.00 USD. What a file does not speak of stays as it is, and so does
every product that is not in it. A new product needs id, name and price.

The whole file is checked before anything is written; if a row is not valid, all that are not are
listed and nothing is written. The same file may be imported again: what is as it says already is
left alone.

How many are left of a product changes while the shop sells, so a number from a file would undo
sales. It counts for new products; for those that are there, only with --stock.";

const SET: &str = "\
Changes one product.

  name=TEXT  description=TEXT  images='ADDRESS ADDRESS…'
  price=1600       in minor units, in the currency it has; or price=1600usd
  active=false     whether it can be bought
  stock=+20        so many more; -20 so many fewer
  stock=20         so many are left from now on, whatever is sold meanwhile
  stock=none       never runs out

Fields that are not named stay as they are.";

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

#[derive(Args)]
pub(super) struct Import {
    /// A .csv, .jsonl or .json file, or - for stdin
    file: PathBuf,
    /// How the file is written [default: as its name says; stdin: jsonl]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Set how many are left of products that are there already, too
    #[arg(long)]
    stock: bool,
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

#[derive(Args)]
pub(super) struct Export {
    /// A .csv, .jsonl or .json file, or - for stdout
    #[arg(default_value = "-")]
    file: PathBuf,
    /// How to write it [default: as the file's name says; stdout: jsonl]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

#[derive(Args)]
pub(super) struct Set {
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

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.run().await,
            Self::Import(import) => import.run().await,
            Self::Export(export) => export.run().await,
            Self::Set(set) => set.run().await,
        }
    }
}

/// Writes that are under way at once.
const AT_ONCE: usize = 8;

impl List {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.at.open().await?;
        let products = all(&shop.shelf()?).await?;
        #[derive(Serialize)]
        struct Listed<'a> {
            products: &'a [Product],
        }
        let listed = Listed {
            products: &products,
        };
        self.console.show(&listed, || {
            if products.is_empty() {
                "There are no products yet; `till products import` brings them in.\n".to_owned()
            } else {
                table(&products)
            }
        })?;
        Ok(Exit::Done)
    }
}

fn table(products: &[Product]) -> String {
    let mut table = Table::new([
        Column::left("ID"),
        Column::left("NAME").giving_way(),
        Column::right("PRICE"),
        Column::right("LEFT"),
        Column::left("FOR SALE"),
    ]);
    for product in products {
        table.row([
            product.id.to_string(),
            plain(&product.name),
            product.price.to_string(),
            match product.stock {
                Some(0) => notable("0"),
                Some(pieces) => pieces.to_string(),
                None => dim("no limit"),
            },
            match product.active {
                true => good("yes"),
                false => dim("no"),
            },
        ]);
    }
    table.text()
}

/// Every product there is.
async fn all(table: &Shelf) -> anyhow::Result<Vec<Product>> {
    let mut products = Vec::new();
    let mut after = None;
    loop {
        let page = table.list(100, after.as_ref()).await?;
        products.extend(page.products);
        after = page.next;
        if after.is_none() {
            return Ok(products);
        }
    }
}

impl Export {
    async fn run(self) -> anyhow::Result<Exit> {
        let format = Format::of(&self.file, self.format)?;
        let shop = self.at.open().await?;
        let products = all(&shop.shelf()?).await?;
        let text = file::write(&products, format)?;
        if file::is_standard(&self.file) {
            // In a file or a pipe it is data.
            if std::io::stdout().is_terminal() {
                print(&text)?;
            } else {
                write_out(&text)?;
            }
            return Ok(Exit::Done);
        }
        let name = self.file.display().to_string();
        if self.file.exists() {
            self.consent.ask(&format!("{name} exists. Replace it?"))?;
        }
        file::save(&self.file, &text)?;
        #[derive(Serialize)]
        struct Exported {
            file: String,
            products: usize,
        }
        let written = count(products.len(), "product");
        let exported = Exported {
            file: name.clone(),
            products: products.len(),
        };
        self.console
            .show(&exported, || format!("{written} written to {name}.\n"))?;
        Ok(Exit::Done)
    }
}

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

impl Import {
    async fn run(self) -> anyhow::Result<Exit> {
        let format = Format::of(&self.file, self.format)?;
        let text = file::read(&self.file)?;
        let name = match file::is_standard(&self.file) {
            true => "standard input".to_owned(),
            false => self.file.display().to_string(),
        };
        let rows = file::parse(&text, format).with_context(|| name.clone())?;
        let (patches, mut invalid) = patches(rows);

        let shop = self.at.open().await?;
        let table = shop.assortment()?;
        let mut there = self.fetch(&shop.offers()?, &patches).await?;
        let mut steps = Vec::new();
        let (mut unchanged, mut stock_kept) = (0_usize, 0_usize);
        for (at, patch) in patches {
            let before = there.remove(&patch.id);
            let mut after = match patch.apply(before.as_ref(), shop.site()) {
                Ok(after) => after,
                Err(error) => {
                    invalid.push(Invalid {
                        at,
                        id: Some(patch.id),
                        error,
                    });
                    continue;
                }
            };
            let mut stock = StockChange::Keep;
            if let Some(before) = before.as_ref().filter(|b| b.stock != after.stock) {
                if self.stock {
                    stock = StockChange::Set(after.stock);
                } else {
                    after.stock = before.stock;
                    stock_kept = stock_kept.saturating_add(1);
                }
            }
            match Step::between(before, after, stock) {
                Some(step) => steps.push(step),
                None => unchanged = unchanged.saturating_add(1),
            }
        }
        if !invalid.is_empty() {
            return self.refuse(&name, invalid);
        }

        let imported = imported(&steps, unchanged, self.dry_run);
        if self.dry_run || steps.is_empty() {
            self.console
                .show(&imported, || format!("{}{}", lines(&steps), imported.sum()))?;
            self.mention_stock(stock_kept);
            return Ok(Exit::Done);
        }
        shop.announce_writing(self.console);
        if !imported.changed.is_empty() || shop.mode == Mode::Live {
            let changed = count(imported.changed.len(), "product");
            let added = count(imported.added.len(), "product");
            self.console.note(lines(&steps).trim_end());
            self.consent
                .ask(&format!("Change {changed} and add {added}?"))?;
        }
        self.write(&table, steps).await?;
        self.console.show(&imported, || imported.sum())?;
        self.mention_stock(stock_kept);
        Ok(Exit::Done)
    }

    /// Those of the products that are there already.
    async fn fetch(
        &self,
        table: &Offers,
        patches: &[(String, Patch)],
    ) -> anyhow::Result<HashMap<ProductId, Product>> {
        let bar = self.console.progress(patches.len(), "comparing");
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
            self.console
                .note(&plain(&format!("{name}, {at}: {id}{error}")));
        }
        let rows = match invalid.len() {
            1 => "1 row is".to_owned(),
            more => format!("{more} rows are"),
        };
        let refused = Imported {
            invalid,
            ..imported(&[], 0, self.dry_run)
        };
        self.console.show(&refused, || {
            bad(&format!("{rows} not valid; nothing was written.")) + "\n"
        })?;
        Ok(Exit::Found)
    }

    async fn write(&self, table: &Assortment, steps: Vec<Step>) -> anyhow::Result<()> {
        let bar = self.console.progress(steps.len(), "writing");
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
            "not all is written; what is stays, so mend what is in the way and import again",
        )
    }

    fn mention_stock(&self, kept: usize) {
        if kept > 0 {
            let products = count(kept, "product");
            self.console.note(&format!(
                "How many are left of {products} differs and was not touched; --stock sets it."
            ));
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
                    error: format!("it is at {before} already"),
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

async fn write(table: &Assortment, step: &Step) -> anyhow::Result<()> {
    let id = &step.product().id;
    let written = match step {
        Step::Add(product) => table.add(product).await,
        Step::Change {
            before,
            after,
            stock,
        } => table.change(before, after, *stock).await,
    };
    if !written.with_context(|| format!("the product {id}"))? {
        match step {
            Step::Change {
                stock: StockChange::Take(pieces),
                ..
            } => bail!("there are not {pieces} left of {id}"),
            Step::Change {
                stock: StockChange::Add(_),
                ..
            } => bail!("how many are left of {id} is not limited any more, or too many to count"),
            _ => bail!("somebody else added or deleted {id} at this moment"),
        }
    }
    Ok(())
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
            "{} added, {} changed, {} as they were",
            self.added.len(),
            self.changed.len(),
            self.unchanged
        );
        match self.dry_run {
            true => format!("{sum}: that is what would be. Nothing was written.\n"),
            false => format!("{sum}.\n"),
        }
    }
}

/// What is to be different, product by product.
fn lines(steps: &[Step]) -> String {
    let ids = steps.iter().map(|step| step.product().id.as_str().len());
    let width = ids.max().unwrap_or_default();
    let mut text = String::new();
    for step in steps {
        let product = step.product();
        let (kind, what) = match step {
            Step::Add(_) => {
                let left = product.stock.map(|stock| format!(", {stock} left"));
                let left = left.unwrap_or_default();
                let new = format!("{}, {}{left}", plain(&product.name), product.price);
                (good("add   "), vec![new])
            }
            Step::Change { .. } => {
                let differences = step.differences().into_iter();
                let what = differences.map(|d| format!("{} {}", d.field, d.words));
                (notable("change"), what.collect())
            }
        };
        let head = format!("{kind}  {:width$}  ", product.id.as_str());
        let indent = " ".repeat(measure_text_width(&head));
        for (place, what) in what.iter().enumerate() {
            let before = if place == 0 { &head } else { &indent };
            text.push_str(&format!("{before}{what}\n"));
        }
    }
    text
}

impl Set {
    async fn run(self) -> anyhow::Result<Exit> {
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
