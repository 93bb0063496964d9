//! A product's own page: the site's `product.html` with the product in it, for those who read pages
//! without running their scripts, and for everybody until the script has asked for the product.

use shared::product::{Interval, Product, TaxBehavior};

use super::config::Config;
use super::html::{self, Word, escaped};
use super::json_ld;
use super::texts::Texts;
use crate::commands::console::bytes;

/// What all pages are made from.
pub(super) struct Shelf<'a> {
    pub(super) config: &'a Config,
    pub(super) texts: &'a Texts,
    pub(super) products: &'a [Product],
    /// The site's address, without a slash at its end.
    pub(super) url: &'a str,
}

impl Shelf<'_> {
    /// What a page says in this place.
    pub(super) fn said(&self, word: Word<'_>) -> anyhow::Result<Option<String>> {
        let text = |key: &str| {
            let text = self.texts.get(key).map(str::to_owned);
            text.ok_or_else(|| anyhow::anyhow!("there are no words for {key}"))
        };
        Ok(match word {
            Word::Text(key) => Some(text(key)?),
            Word::Title(key) => Some(self.titled(&text(key)?)),
            Word::Shop("name") => Some(self.config.name().to_owned()),
            Word::Shop(member) => self.config.text_of(member).map(str::to_owned),
        })
    }

    /// `Stoneware mug · Till`
    pub(super) fn titled(&self, words: &str) -> String {
        format!("{words} · {}", self.config.name())
    }

    /// What a product costs: `15.00 USD`, `9.00 EUR / 3 months`.
    fn price(&self, product: &Product) -> String {
        let Some(recurring) = product.recurring else {
            return product.price.to_string();
        };
        let key = match recurring.interval {
            Interval::Day => "price.day",
            Interval::Week => "price.week",
            Interval::Month => "price.month",
            Interval::Year => "price.year",
        };
        let interval = self.texts.counted(key, recurring.interval_count);
        format!("{} / {interval}", product.price)
    }

    /// What it costs and how it comes; why not, if it cannot be bought.
    pub(super) fn offer(&self, product: &Product) -> String {
        let said = |class: &str, text: &str| format!("<p class=\"{class}\">{}</p>", escaped(text));
        let plus = product.tax_behavior == Some(TaxBehavior::Exclusive) && for_sale(product);
        let plus = match plus {
            true => {
                let words = self.texts.with("price.plus_tax", &[]);
                format!("<span class=\"tax\">{}</span>", escaped(&words))
            }
            false => String::new(),
        };
        let price = escaped(&self.price(product));
        let mut offer = format!("<p class=\"price\">{price}{plus}</p>");
        if product.shipped && for_sale(product) {
            let key = match product.recurring {
                Some(_) => "price.shipped_included",
                None => "price.shipped",
            };
            offer.push_str(&said("line-detail", &self.texts.with(key, &[])));
        }
        if let Some(file) = product.file.as_ref().filter(|_| for_sale(product)) {
            let words = match file.size.map(bytes) {
                Some(size) => self.texts.with("price.download_size", &[("size", &size)]),
                None => self.texts.with("price.download", &[]),
            };
            offer.push_str(&said("line-detail", &words));
        }
        offer
    }

    /// The place where a script puts what it takes to buy it.
    pub(super) fn buying(&self, product: &Product) -> String {
        let why = match product.stock {
            Some(0) if product.active => "stock.sold_out",
            _ => "stock.unavailable",
        };
        match for_sale(product) {
            true => "<div class=\"buying\"></div>".to_owned(),
            false => {
                let why = escaped(&self.texts.with(why, &[]));
                format!("<p class=\"unavailable\">{why}</p>")
            }
        }
    }
}

fn for_sale(product: &Product) -> bool {
    product.active && product.stock != Some(0)
}

/// The page's file; `None` if hosts would hide it.
pub(super) fn path(product: &Product) -> Option<String> {
    let id = product.id.as_str();
    (!id.starts_with('.')).then(|| format!("p/{id}.html"))
}

/// A picture, or the neutral one that the site has.
pub(super) fn picture(address: Option<&String>, alt: &str, lazy: bool, up: &str) -> String {
    let neutral = format!("{up}images/placeholder.svg");
    let address = escaped(address.unwrap_or(&neutral));
    let lazy = if lazy { " loading=\"lazy\"" } else { "" };
    format!(
        "<img src=\"{address}\" alt=\"{}\" width=\"400\" height=\"300\"{lazy}>",
        escaped(alt)
    )
}

/// The page of one product. `template` is `product.html` in the shop's language.
pub(super) fn page(template: &str, shelf: &Shelf<'_>, product: &Product) -> anyhow::Result<String> {
    let page = html::deeper(template)?;
    let title = escaped(&shelf.titled(&product.name));
    let page = html::filled(&page, "<title data-title=\"product.title\">", "<", &title)?;
    let page = html::filled(
        &page,
        "<h1 data-text=\"product.heading\">",
        "<",
        &escaped(&product.name),
    )?;
    // The script must not put the general words back.
    let page = html::replaced(&page, " data-title=\"product.title\"", "")?;
    let page = html::replaced(&page, " data-text=\"product.heading\"", "")?;
    let page = html::before(&page, "  </head>", &head(shelf, product)?)?;
    let content = format!(
        "<div id=\"content\" data-product=\"{}\">{}</div>",
        escaped(product.id.as_str()),
        content(shelf, product)
    );
    html::replaced(&page, "<div id=\"content\"></div>", &content)
}

/// What search engines and link previews read.
fn head(shelf: &Shelf<'_>, product: &Product) -> anyhow::Result<String> {
    let url = match path(product) {
        Some(path) => format!("{}/{path}", shelf.url),
        None => shelf.url.to_owned(),
    };
    let mut lines = Vec::new();
    let mut meta = |kind: &str, name: &str, content: &str| {
        let content = escaped(content);
        lines.push(format!("<meta {kind}=\"{name}\" content=\"{content}\">"));
    };
    let summary = summary(&product.description);
    if !summary.is_empty() {
        meta("name", "description", &summary);
        meta("property", "og:description", &summary);
    }
    meta("property", "og:type", "product");
    meta("property", "og:site_name", shelf.config.name());
    meta("property", "og:title", &product.name);
    meta("property", "og:url", &url);
    for image in &product.images {
        meta("property", "og:image", image);
    }
    meta(
        "property",
        "product:price:amount",
        &product.price.major_units(),
    );
    let currency = product.price.currency.as_str().to_uppercase();
    meta("property", "product:price:currency", &currency);
    if product.images.is_empty() {
        meta("name", "twitter:card", "summary");
    } else {
        meta("name", "twitter:card", "summary_large_image");
    }
    if !product.active {
        meta("name", "robots", "noindex");
    }
    lines.push(format!(
        "<link rel=\"canonical\" href=\"{}\">",
        escaped(&url)
    ));
    lines.push(json_ld::script(product, &url)?);
    Ok(lines.iter().map(|line| format!("    {line}\n")).collect())
}

/// The first words of a description, in one line.
fn summary(description: &str) -> String {
    let mut summary = String::new();
    for word in description.split_whitespace() {
        let more = summary.chars().count().saturating_add(word.chars().count());
        if more >= 160 {
            return summary + " …";
        }
        if !summary.is_empty() {
            summary.push(' ');
        }
        summary.push_str(word);
    }
    summary
}

/// What the script will show, as far as it is known beforehand.
fn content(shelf: &Shelf<'_>, product: &Product) -> String {
    let large = picture(product.images.first(), &product.name, false, "../");
    let all = product.images.len();
    let small = (1_usize..).zip(&product.images).map(|(number, image)| {
        let (number, of) = (number.to_string(), all.to_string());
        let label = [("number", number.as_str()), ("of", of.as_str())];
        let label = escaped(&shelf.texts.with("product.picture", &label));
        let current = if number == "1" {
            " aria-current=\"true\""
        } else {
            ""
        };
        format!(
            "<li><a href=\"{}\" aria-label=\"{label}\"{current}>{}</a></li>",
            escaped(image),
            picture(Some(image), "", true, "../")
        )
    });
    let small = match all {
        0 | 1 => String::new(),
        _ => format!(
            "<ul class=\"thumbnails\" role=\"list\">{}</ul>",
            small.collect::<String>()
        ),
    };
    let choices = product.options.iter().map(|(name, value)| {
        let (name, value) = (escaped(name), escaped(value));
        format!(
            "<div class=\"choice\"><p class=\"choice-name\">{name}</p><ul role=\"list\"><li><span \
             class=\"value\" aria-current=\"true\">{value}</span></li></ul></div>"
        )
    });
    let variants = match &product.group {
        Some(_) => format!(
            "<div class=\"variants\">{}</div>",
            choices.collect::<String>()
        ),
        None => String::new(),
    };
    let paragraphs = product.description.lines().map(str::trim);
    let paragraphs = paragraphs.filter(|text| !text.is_empty());
    let description =
        paragraphs.map(|text| format!("<p class=\"description\">{}</p>", escaped(text)));
    format!(
        "<div class=\"product\"><div class=\"gallery\">{large}{small}</div><div \
         class=\"product-text\">{}{variants}{}{}</div></div>",
        shelf.offer(product),
        shelf.buying(product),
        description.collect::<String>()
    )
}
