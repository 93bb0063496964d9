//! What is sold.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::money::{Money, MoneyError};

mod file;
mod placement;
mod recurring;
mod shortage;
mod tax;

pub use file::{FileName, NotAFileName, ProductFile};
pub use placement::{Options, PlacementError};
pub use recurring::{Interval, Recurring, RecurringError};
pub use shortage::{Short, Shortage, Supply, ends_shortage};
pub use tax::{NotATaxBehavior, NotATaxCode, TaxBehavior, TaxCode};

/// A product's id, chosen by the seller: 1 to 64 ASCII letters, digits, `-`, `_` or `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductId(String);

/// Not a product id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a product id is 1 to 64 letters, digits, -, _ or .")]
pub struct NotAProductId;

impl ProductId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProductId {
    type Err = NotAProductId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAProductId)
        }
    }
}

impl TryFrom<String> for ProductId {
    type Error = NotAProductId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ProductId> for String {
    fn from(id: ProductId) -> Self {
        id.0
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing for sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The key of the product everywhere.
    pub id: ProductId,
    /// What buyers read on the site, on the payment page and in mails.
    pub name: String,
    /// A sentence or two.
    #[serde(default)]
    pub description: String,
    /// Absolute addresses of pictures, the best one first.
    #[serde(default)]
    pub images: Vec<String>,
    /// The price of one piece; of what recurs, for each time.
    pub price: Money,
    /// How often it is paid for, if that is more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurring: Option<Recurring>,
    /// Whether it is sent by post, so that buyers have to say where they live.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shipped: bool,
    /// The group whose variants it is one of, such as all sizes and colors of one shirt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What tells it from the others of its group.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
    /// What buyers look for it under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What its buyers may download.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ProductFile>,
    /// Which tax is due on it; `None` for what the account at Stripe says of all its products.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<TaxCode>,
    /// Whether that tax is in the price; `None` for what the account says of all its prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_behavior: Option<TaxBehavior>,
    /// Whether it can be bought.
    pub active: bool,
    /// How many are left to sell; `None` if it never runs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<u32>,
    /// At how many left, or fewer, the seller is told that it is running out; `None` to be told
    /// only when none is left. Buyers never see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock: Option<u32>,
}

/// Why a product cannot be added to the shop.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProductError {
    /// Stripe shows the name; it takes up to 250 characters and wants at least one.
    #[error("name: 1 to 250 characters")]
    Name,
    /// Longer than a payment page shows.
    #[error("description: at most 1000 characters")]
    Description,
    /// Stripe accepts eight pictures per product.
    #[error("images: at most 8")]
    Images,
    /// Not an address that a browser would fetch, or longer than Stripe accepts.
    #[error("images: {0:?} is not the address of a picture: https://…, at most 2048 characters")]
    Image(String),
    /// The site's content security policy allows no unencrypted pictures.
    #[error("images: {0:?} would not be shown by the site: it must be https")]
    Unencrypted(String),
    /// A page could not show it like that.
    #[error(transparent)]
    Placement(#[from] PlacementError),
    /// A price Stripe would not charge.
    #[error("price: {0}")]
    Price(#[from] MoneyError),
    /// Stripe would not repeat it like that.
    #[error("recurring: {0}")]
    Recurring(#[from] RecurringError),
    /// Each renewal would need another piece, and nobody can promise today that there will be one.
    #[error("stock: what is paid for again and again cannot be limited")]
    RecurringStock,
    /// That is the case without it.
    #[error("low_stock: 1 or more, because you are told anyway when none is left")]
    LowStock,
    /// Whoever has downloaded it once keeps it, so paying again would be for nothing.
    #[error(
        "file: what is paid for again and again is not a file to keep; sell the file by itself, or \
         hand out what changes to those whom GET /entitlements names"
    )]
    RecurringFile,
    /// In an address, browsers take such a name for a step up or down.
    #[error("file: a product called {0} cannot have one, because no link could lead to it")]
    FileOfDots(ProductId),
}

/// Where a product is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// On the internet.
    Deployed,
    /// On this machine, whose own pictures may be http://.
    Local,
}

impl Product {
    /// Checks what Stripe requires, before the product is stored rather than when somebody buys it.
    pub fn check(&self) -> Result<(), ProductError> {
        if self.name.trim().is_empty() || self.name.chars().count() > 250 {
            return Err(ProductError::Name);
        }
        if self.description.chars().count() > 1000 {
            return Err(ProductError::Description);
        }
        if self.images.len() > 8 {
            return Err(ProductError::Images);
        }
        let (group, category) = (self.group.as_deref(), self.category.as_deref());
        placement::check(group, &self.options, category)?;
        if let Some(recurring) = self.recurring {
            recurring.check()?;
            if self.stock.is_some() {
                return Err(ProductError::RecurringStock);
            }
            if self.file.is_some() {
                return Err(ProductError::RecurringFile);
            }
        }
        if self.file.is_some() && matches!(self.id.as_str(), "." | "..") {
            return Err(ProductError::FileOfDots(self.id.clone()));
        }
        if self.low_stock == Some(0) {
            return Err(ProductError::LowStock);
        }
        Ok(self.price.check_price()?)
    }

    /// What it costs, in words: `15.00 USD`, `9.00 EUR / month`.
    pub fn price_in_words(&self) -> String {
        match self.recurring {
            Some(recurring) => format!("{} / {recurring}", self.price),
            None => self.price.to_string(),
        }
    }

    /// Checks that browsers, and pages of `site`, can show its pictures.
    pub fn check_images(&self, site: Site) -> Result<(), ProductError> {
        self.images
            .iter()
            .try_for_each(|image| check_image(image, site))
    }
}

fn check_image(image: &str, site: Site) -> Result<(), ProductError> {
    let wrong = || ProductError::Image(image.chars().take(100).collect());
    // Parsing would drop blanks and slashes and convert backslashes, but it is the text that is
    // stored.
    let clean = image.len() <= 2048 && image.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let rest = image
        .strip_prefix("https://")
        .or(image.strip_prefix("http://"));
    if !clean || rest.is_none_or(|rest| rest.starts_with('/')) {
        return Err(wrong());
    }
    let url = Url::parse(image).map_err(|_| wrong())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong());
    }
    let at_home = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || (site == Site::Local && at_home) {
        Ok(())
    } else {
        Err(ProductError::Unencrypted(image.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_recurs_has_no_stock_and_no_file_and_keeps_to_stripes_limits() {
        let box_of_beans = |recurring: &str, more: &str| {
            let text = format!(
                r#"{{"id":"beans","name":"Beans","price":{{"amount":900,"currency":"eur"}},
                "active":true,"recurring":{recurring}{more}}}"#
            );
            serde_json::from_str::<Product>(&text).unwrap()
        };
        let monthly = box_of_beans(r#"{"interval":"month","trial_days":14}"#, "");
        assert_eq!(monthly.check(), Ok(()));
        assert_eq!(monthly.price_in_words(), "9.00 EUR / month");
        let limited = box_of_beans(r#"{"interval":"month"}"#, r#","stock":5"#);
        assert_eq!(limited.check(), Err(ProductError::RecurringStock));
        let file = r#","file":{"name":"beans.pdf"}"#;
        let recurring_file = box_of_beans(r#"{"interval":"month"}"#, file).check();
        assert_eq!(recurring_file, Err(ProductError::RecurringFile));
        let rare = box_of_beans(r#"{"interval":"year","interval_count":4}"#, "");
        let refused = RecurringError::TooFarApart(4);
        assert_eq!(rare.check(), Err(ProductError::Recurring(refused)));
        let once: Product = serde_json::from_str(
            r#"{"id":"mug","name":"Mug","price":{"amount":1500,"currency":"usd"},"active":true}"#,
        )
        .unwrap();
        assert_eq!(once.price_in_words(), "15.00 USD");
    }

    #[test]
    fn a_picture_is_an_address_that_the_site_may_show() {
        for image in [
            "https://img.example.com/mug.png",
            "https://img.example.com:8443/a%20b.png?w=1&h=2",
            "https://xn--bcher-kva.example/1",
        ] {
            assert_eq!(check_image(image, Site::Deployed), Ok(()), "{image}");
        }
        for image in [
            "",
            "mug.png",
            "//img.example.com/mug.png",
            "https://",
            "https:///mug.png",
            "https:img.example.com",
            "https://img.example.com/a b",
            "https://img.example.com/\u{202e}gnp",
            "https://img.example.com/\n",
            "https://img.example.com\\mug.png",
            "https://exa<mple.com/",
            "https://img.example.com:99999/",
            "https://[::1/",
            "https://ada:secret@img.example.com/",
            "javascript:alert(1)",
            "data:image/png;base64,AA==",
        ] {
            let refused = check_image(image, Site::Local);
            assert!(matches!(refused, Err(ProductError::Image(_))), "{image}");
        }
        for (image, local) in [
            ("http://img.example.com/mug.png", false),
            ("http://localhost.example.com/mug.png", false),
            ("http://127.0.0.1:3000/images/mug.svg", true),
            ("http://localhost:3000/images/mug.svg", true),
        ] {
            assert_eq!(check_image(image, Site::Local).is_ok(), local, "{image}");
            let deployed = check_image(image, Site::Deployed);
            assert!(
                matches!(deployed, Err(ProductError::Unencrypted(_))),
                "{image}"
            );
        }
    }
}
