//! From what is there to what is wanted: as data, in words, and written.

use std::fmt;

use anyhow::{Context as _, bail};
use console::measure_text_width;
use serde::Serialize;
use serde_json::{Value, json};
use shared::plain;
use shared::product::{Product, ProductFile, Recurring, TaxBehavior, TaxCode};
use shared::store::operator::{Assortment, StockChange};

use super::field::in_line;
use crate::commands::console::{bytes, good, notable};

/// One step towards what is wanted.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A product that was not there.
    Add(Product),
    /// One that was, and is to be different.
    Change {
        // A product is large, and most steps of an import add one.
        before: Box<Product>,
        after: Product,
        stock: StockChange,
    },
}

impl Step {
    /// From what is there to what is wanted; `None` if that is the same.
    pub(super) fn between(
        before: Option<Product>,
        after: Product,
        stock: StockChange,
    ) -> Option<Self> {
        let Some(before) = before else {
            return Some(Self::Add(after));
        };
        let step = Self::Change {
            before: Box::new(before),
            after,
            stock,
        };
        (!step.differences().is_empty()).then_some(step)
    }

    /// Its lines.
    pub(super) fn text(&self) -> String {
        lines(std::slice::from_ref(self))
    }

    pub(super) fn product(&self) -> &Product {
        match self {
            Self::Add(product) | Self::Change { after: product, .. } => product,
        }
    }

    /// What is different; nothing of a new product.
    pub(super) fn differences(&self) -> Vec<Difference> {
        let Self::Change {
            before,
            after,
            stock,
        } = self
        else {
            return Vec::new();
        };
        let mut differences = Vec::new();
        let mut differ = |field, from: Value, to: Value, words: String| {
            if from != to {
                differences.push(Difference {
                    field,
                    from,
                    to,
                    words,
                });
            }
        };
        let (from, to) = (&before.name, &after.name);
        differ("name", json!(from), json!(to), quoted(from, to));
        let (from, to) = (&before.description, &after.description);
        differ("description", json!(from), json!(to), quoted(from, to));
        let (from, to) = (&before.images, &after.images);
        differ(
            "images",
            json!(from),
            json!(to),
            format!(
                "{} → {}",
                or_none(&plain::line(&from.join(" "))),
                or_none(&plain::line(&to.join(" ")))
            ),
        );
        let (from, to) = (before.price, after.price);
        differ("price", json!(from), json!(to), format!("{from} → {to}"));
        let (from, to) = (before.recurring, after.recurring);
        let words = |it: Option<Recurring>| it.map_or("once".to_owned(), Recurring::terms);
        differ(
            "recurring",
            json!(from),
            json!(to),
            format!("{} → {}", words(from), words(to)),
        );
        let (from, to) = (before.shipped, after.shipped);
        let words = if to { "no → yes" } else { "yes → no" };
        differ("shipped", json!(from), json!(to), words.to_owned());
        for (field, from, to, words) in placements(before, after) {
            differ(field, from, to, words);
        }
        for (field, [from, to]) in taxes(before, after) {
            let words = |said: Option<&str>| said.unwrap_or("none").to_owned();
            let words = format!("{} → {}", words(from), words(to));
            differ(field, json!(from), json!(to), words);
        }
        let (from, to) = (before.active, after.active);
        let words = if to { "no → yes" } else { "yes → no" };
        differ("active", json!(from), json!(to), words.to_owned());
        for (field, [from, to], words) in stocks(before, after, *stock) {
            differ(field, json!(from), json!(to), words);
        }
        differences
    }
}

/// How many were left, and how few were few; and how that is to be.
fn stocks(
    before: &Product,
    after: &Product,
    change: StockChange,
) -> [(&'static str, [Option<u32>; 2], String); 2] {
    let from = before.stock;
    let to = match change {
        StockChange::Keep => from,
        StockChange::Set(to) => to,
        StockChange::Add(pieces) => from.map(|from| from.saturating_add(pieces)),
        StockChange::Take(pieces) => from.map(|from| from.saturating_sub(pieces)),
    };
    let few = [before.low_stock, after.low_stock];
    let [was, is] = few.map(|few| few.map_or("none".to_owned(), |few| few.to_string()));
    [
        (
            "stock",
            [from, to],
            format!("{} → {}", Left(from), Left(to)),
        ),
        ("low_stock", few, format!("{was} → {is}")),
    ]
}

/// How it was taxed, and how it is to be; `None` is as the account at Stripe says.
fn taxes<'a>(before: &'a Product, after: &'a Product) -> [(&'static str, [Option<&'a str>; 2]); 2] {
    let both = [before, after];
    [
        (
            "tax_code",
            both.map(|it| it.tax_code.as_ref().map(TaxCode::as_str)),
        ),
        (
            "tax_behavior",
            both.map(|it| it.tax_behavior.map(TaxBehavior::as_str)),
        ),
    ]
}

/// `Atlas.pdf (4.5 MB)`
fn in_words(file: &Option<ProductFile>) -> String {
    match file {
        None => "none".to_owned(),
        Some(ProductFile { name, size: None }) => name.to_string(),
        Some(ProductFile {
            name,
            size: Some(size),
        }) => format!("{name} ({})", bytes(*size)),
    }
}

fn quoted(from: &str, to: &str) -> String {
    format!("\"{}\" → \"{}\"", plain::line(from), plain::line(to))
}

/// Where it was among the others and what came with it, and how that is to be.
fn placements(before: &Product, after: &Product) -> [(&'static str, Value, Value, String); 4] {
    let options = |product: &Product| plain::line(&in_line(&product.options));
    let (from, to) = (options(before), options(after));
    [
        (
            "group",
            json!(before.group),
            json!(after.group),
            named(&before.group, &after.group),
        ),
        (
            "options",
            json!(before.options),
            json!(after.options),
            format!("{} → {}", or_none(&from), or_none(&to)),
        ),
        (
            "category",
            json!(before.category),
            json!(after.category),
            named(&before.category, &after.category),
        ),
        (
            "file",
            json!(before.file),
            json!(after.file),
            format!("{} → {}", in_words(&before.file), in_words(&after.file)),
        ),
    ]
}

fn named(from: &Option<String>, to: &Option<String>) -> String {
    let word = |it: &Option<String>| plain::line(it.as_deref().unwrap_or_default());
    format!("{} → {}", or_none(&word(from)), or_none(&word(to)))
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// One field of a product that is to be different.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Difference {
    pub(super) field: &'static str,
    pub(super) from: Value,
    pub(super) to: Value,
    #[serde(skip)]
    pub(super) words: String,
}

/// A product as it is after a step, and what that changed, as JSON.
#[derive(Serialize)]
pub(super) struct Changed<'a> {
    product: &'a Product,
    changes: Vec<Difference>,
}

impl<'a> Changed<'a> {
    /// `after` the step, if there was anything to change.
    pub(super) fn to(after: &'a Product, step: Option<&Step>) -> Self {
        Self {
            product: after,
            changes: step.map(Step::differences).unwrap_or_default(),
        }
    }
}

/// How many are left, in words.
pub(super) struct Left(pub(super) Option<u32>);

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pieces) => f.pad(&pieces.to_string()),
            None => f.pad("unlimited"),
        }
    }
}

/// `, 14 days free`, if that is how it begins.
fn trial(product: &Product) -> String {
    let terms = product.recurring.map(Recurring::terms).unwrap_or_default();
    let trial = terms
        .split_once(", ")
        .map(|(_, trial)| format!(", {trial}"));
    trial.unwrap_or_default()
}

/// What is to be different, product by product.
pub(super) fn lines(steps: &[Step]) -> String {
    let ids = steps.iter().map(|step| step.product().id.as_str().len());
    let width = ids.max().unwrap_or_default();
    let mut text = String::new();
    for step in steps {
        let product = step.product();
        let (kind, what) = match step {
            Step::Add(_) => {
                let left = product.stock.map(|stock| format!(", stock {stock}"));
                let left = left.unwrap_or_default();
                let name = plain::line(&product.name);
                let new = format!(
                    "{name}, {}{}{left}",
                    product.price_in_words(),
                    trial(product)
                );
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

/// Writes it, on condition that nobody else was faster.
pub(super) async fn write(table: &Assortment, step: &Step) -> anyhow::Result<()> {
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
            } => bail!("fewer than {pieces} of {id} are left now"),
            Step::Change {
                stock: StockChange::Add(_),
                ..
            } => bail!("the stock of {id} is unlimited now, or would be more than can be counted"),
            _ => bail!("somebody else added or deleted {id} at this moment; run this again"),
        }
    }
    Ok(())
}
