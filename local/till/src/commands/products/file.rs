//! Products in files: JSON, JSON lines or CSV.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use csv::StringRecord;
use shared::money::Currency;
use shared::product::{Product, ProductFile, Recurring, TaxBehavior, TaxCode};

use super::field::{self, Price};
use super::patch::Patch;
use crate::commands::output::is_standard;

/// How products are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table whose first line names the columns
    Csv,
    /// One JSON object per line
    Jsonl,
    /// A JSON array, or the answer of GET /products
    Json,
}

impl Format {
    /// The one asked for, else what the file's name says; for stdin and stdout, JSON lines.
    pub(super) fn of(path: &Path, asked: Option<Self>) -> anyhow::Result<Self> {
        if let Some(format) = asked {
            return Ok(format);
        }
        if is_standard(path) {
            return Ok(Self::Jsonl);
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::Jsonl),
            Some("json") => Ok(Self::Json),
            _ => bail!(
                "the format of {} is unknown: end its name in .csv, .jsonl or .json, or pass --format",
                path.display()
            ),
        }
    }
}

/// What a file says of one product, or why that cannot be understood.
#[derive(Debug)]
pub(super) struct Row {
    /// Where it is: `line 4`.
    pub(super) at: String,
    pub(super) patch: Result<Patch, String>,
}

/// Reads the whole of a file or of stdin.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if is_standard(path) {
        let read = std::io::stdin().read_to_string(&mut text);
        read.context("cannot read standard input")?;
    } else {
        text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
    }
    // Spreadsheets put a byte order mark before the first column's name.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// Row for row; an error if it makes no rows at all.
pub(super) fn parse(text: &str, format: Format) -> anyhow::Result<Vec<Row>> {
    match format {
        Format::Csv => parse_csv(text),
        Format::Jsonl => Ok(parse_json_lines(text)),
        Format::Json => parse_json(text),
    }
}

fn parse_json_lines(text: &str) -> Vec<Row> {
    let lines = (1_usize..).zip(text.lines());
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            let patch = serde_json::from_str(line).map_err(|error| {
                let why = error.to_string();
                let place = format!(" at line {} column {}", error.line(), error.column());
                match why.strip_suffix(&place) {
                    Some(why) => format!("{why} (column {})", error.column()),
                    None => why,
                }
            });
            Row {
                at: format!("line {number}"),
                patch,
            }
        })
        .collect()
}

fn parse_json(text: &str) -> anyhow::Result<Vec<Row>> {
    let value = shared::json::parse(text.as_bytes());
    let value = value.context("it is not JSON")?;
    let products = match value {
        serde_json::Value::Object(mut answer) => answer.remove("products"),
        array => Some(array),
    };
    let Some(serde_json::Value::Array(products)) = products else {
        bail!("it is neither an array of products nor an object with `products`");
    };
    let numbered = (1_usize..).zip(products);
    let rows = numbered.map(|(number, product)| Row {
        at: format!("product {number}"),
        patch: serde_json::from_value(product).map_err(|error| error.to_string()),
    });
    Ok(rows.collect())
}

/// As they are written; all but the first are optional in a file that is read.
const COLUMNS: [&str; 20] = [
    "id",
    "name",
    "description",
    "images",
    "amount",
    "currency",
    "interval",
    "interval_count",
    "trial_days",
    "shipped",
    "group",
    "options",
    "category",
    "file",
    "file_size",
    "tax_code",
    "tax_behavior",
    "active",
    "stock",
    "low_stock",
];

fn parse_csv(text: &str) -> anyhow::Result<Vec<Row>> {
    // The reader counts a line too few where they end as on Windows.
    let text = text.replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::Headers)
        .from_reader(text.as_bytes());
    let titles = reader.headers().context("its first line cannot be read")?;
    let titles = without_empty_end(titles);
    if let Some((separator, name)) = foreign_separator(&titles) {
        bail!(
            "its columns are separated by {name} ({separator:?}); save it with commas, which \
             spreadsheets call \"CSV (comma delimited)\""
        );
    }
    for title in &titles {
        if !COLUMNS.contains(&title) {
            bail!(
                "its first line names a column {title:?}, which is not one of {}",
                COLUMNS.join(", ")
            );
        }
    }
    if !titles.iter().any(|title| title == "id") {
        bail!("its first line does not name the column id");
    }
    let rows = reader.records().filter_map(|record| match record {
        Ok(record) if record.iter().all(|cell| cell.trim().is_empty()) => None,
        Ok(record) => Some(Row {
            at: line_of(record.position()),
            patch: parse_record(&titles, &record),
        }),
        Err(error) => Some(Row {
            at: line_of(error.position()),
            patch: Err(error.to_string()),
        }),
    });
    Ok(rows.collect())
}

/// Spreadsheets write columns and rows that once had something in them, or a format.
fn without_empty_end(cells: &StringRecord) -> StringRecord {
    let cells: Vec<_> = cells.iter().collect();
    let last = cells.iter().rposition(|cell| !cell.trim().is_empty());
    cells
        .into_iter()
        .take(last.map_or(0, |last| last.saturating_add(1)))
        .collect()
}

/// What separates the columns instead of commas. Where commas are decimal, spreadsheets write
/// semicolons.
fn foreign_separator(titles: &StringRecord) -> Option<(char, &'static str)> {
    let [only] = titles.iter().collect::<Vec<_>>()[..] else {
        return None;
    };
    let known = [(';', "semicolons"), ('\t', "tabs")];
    known
        .into_iter()
        .find(|(separator, _)| only.contains(*separator))
}

fn line_of(position: Option<&csv::Position>) -> String {
    position.map_or("the end".to_owned(), |at| format!("line {}", at.line()))
}

fn parse_record(titles: &StringRecord, record: &StringRecord) -> Result<Patch, String> {
    let beyond = record.iter().skip(titles.len());
    if record.len() < titles.len() || beyond.into_iter().any(|cell| !cell.trim().is_empty()) {
        return Err(format!(
            "{} cells in {} columns",
            record.len(),
            titles.len()
        ));
    }
    let cell = |title: &str| {
        let mut cells = titles.iter().zip(record);
        cells.find(|(of, _)| *of == title).map(|(_, cell)| cell)
    };
    let id = cell("id").unwrap_or_default();
    let id = id.trim().parse().map_err(|error| format!("id: {error}"))?;
    let mut patch = Patch::of(id);
    patch.name = cell("name").map(str::to_owned);
    patch.description = cell("description").map(str::to_owned);
    patch.images = cell("images").map(field::addresses);
    let currency = cell("currency").map(|currency| {
        let currency = currency.trim().parse::<Currency>();
        currency.map_err(|error| format!("currency: {error}"))
    });
    let currency = currency.transpose()?;
    patch.price = match cell("amount") {
        Some(amount) => Some(Price {
            amount: field::amount(amount).map_err(|why| format!("amount: {why}"))?,
            currency,
        }),
        None if currency.is_some() => return Err("currency: it needs an amount".to_owned()),
        None => None,
    };
    patch.recurring = recurring(cell)?;
    let shipped = cell("shipped").map(field::yes_or_no);
    patch.shipped = shipped
        .transpose()
        .map_err(|why| format!("shipped: {why}"))?;
    patch.group = cell("group").map(field::name);
    let options = cell("options").map(field::options);
    patch.options = options
        .transpose()
        .map_err(|why| format!("options: {why}"))?;
    patch.category = cell("category").map(field::name);
    patch.file = product_file(cell)?;
    let code = cell("tax_code").map(field::tax_code);
    patch.tax_code = code.transpose().map_err(|why| format!("tax_code: {why}"))?;
    let behavior = cell("tax_behavior").map(field::tax_behavior);
    patch.tax_behavior = behavior
        .transpose()
        .map_err(|why| format!("tax_behavior: {why}"))?;
    let active = cell("active").map(field::yes_or_no);
    patch.active = active.transpose().map_err(|why| format!("active: {why}"))?;
    let stock = cell("stock").map(field::stock);
    patch.stock = stock.transpose().map_err(|why| format!("stock: {why}"))?;
    let low_stock = cell("low_stock").map(field::low_stock);
    patch.low_stock = low_stock
        .transpose()
        .map_err(|why| format!("low_stock: {why}"))?;
    Ok(patch)
}

/// Nothing if no column says whether there is a file.
fn product_file<'a>(
    cell: impl Fn(&str) -> Option<&'a str>,
) -> Result<Option<Option<ProductFile>>, String> {
    let size = cell("file_size")
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let size = size.map(|text| {
        let size = text.parse::<u64>();
        size.map_err(|_| format!("file_size: {text:?} is not a number of bytes"))
    });
    let size = size.transpose()?;
    match cell("file").map(str::trim) {
        None | Some("") if size.is_some() => Err("file: file_size needs one".to_owned()),
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(name) => Ok(Some(Some(ProductFile {
            name: name
                .parse()
                .map_err(|why| format!("file: {name:?}: {why}"))?,
            size,
        }))),
    }
}

/// Nothing if no column says how often a product is paid for.
fn recurring<'a>(
    cell: impl Fn(&str) -> Option<&'a str>,
) -> Result<Option<Option<Recurring>>, String> {
    let number = |title: &str| {
        let text = cell(title).map(str::trim).filter(|text| !text.is_empty());
        let number = text.map(field::number).transpose();
        number.map_err(|why| format!("{title}: {why}"))
    };
    let (count, trial_days) = (number("interval_count")?, number("trial_days")?);
    let interval = cell("interval").map(str::trim);
    match interval {
        None | Some("") if count.is_some() || trial_days.is_some_and(|days| days > 0) => {
            Err("interval: it is needed beside interval_count and trial_days".to_owned())
        }
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(text) => Ok(Some(Some(Recurring {
            interval: field::interval(text)
                .ok_or_else(|| format!("interval: {text:?} is not day, week, month or year"))?,
            interval_count: count.unwrap_or(1),
            trial_days: trial_days.unwrap_or(0),
        }))),
    }
}

/// As [`parse`] reads it.
pub(super) fn write(products: &[Product], format: Format) -> anyhow::Result<String> {
    match format {
        Format::Json => Ok(format!("{}\n", serde_json::to_string_pretty(products)?)),
        Format::Jsonl => {
            let lines = products.iter().map(serde_json::to_string);
            let lines: Vec<_> = lines.collect::<Result<_, _>>()?;
            Ok(lines.into_iter().map(|line| line + "\n").collect())
        }
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(COLUMNS)?;
            for product in products {
                let recurring = product.recurring;
                let number = |of: fn(Recurring) -> u32| {
                    recurring.map_or(String::new(), |recurring| of(recurring).to_string())
                };
                let pieces = |of: Option<u32>| of.map_or(String::new(), |of| of.to_string());
                writer.write_record([
                    product.id.as_str(),
                    &product.name,
                    &product.description,
                    &product.images.join(" "),
                    &product.price.amount.to_string(),
                    product.price.currency.as_str(),
                    recurring.map_or("", |recurring| recurring.interval.as_str()),
                    &number(|recurring| recurring.interval_count),
                    &number(|recurring| recurring.trial_days),
                    if product.shipped { "true" } else { "false" },
                    product.group.as_deref().unwrap_or_default(),
                    &field::in_line(&product.options),
                    product.category.as_deref().unwrap_or_default(),
                    product.file.as_ref().map_or("", |file| file.name.as_str()),
                    &product
                        .file
                        .as_ref()
                        .and_then(|file| file.size)
                        .map_or(String::new(), |size| size.to_string()),
                    product.tax_code.as_ref().map_or("", TaxCode::as_str),
                    product.tax_behavior.map_or("", TaxBehavior::as_str),
                    if product.active { "true" } else { "false" },
                    &pieces(product.stock),
                    &pieces(product.low_stock),
                ])?;
            }
            let bytes = writer.into_inner().context("a row cannot be written")?;
            Ok(String::from_utf8(bytes)?)
        }
    }
}

#[cfg(test)]
mod tests;
