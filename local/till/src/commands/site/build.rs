//! `till site build`: a copy of the site that has a page for each product.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use shared::product::Product;
use template::project::Project;
use url::Url;

use super::config::Config;
use super::folder::Folder;
use super::html;
use super::listing;
use super::modules;
use super::product_page::{self, Shelf};
use super::texts::Texts;
use crate::commands::console::{Consent, bad, count, note};
use crate::commands::exit::Exit;
use crate::commands::operator::Operator;
use crate::commands::products::all;

pub(super) const ABOUT: &str = "\
Write a copy of the site that has a page for each product.

The pages come with the product's name, price, description and pictures, with what search engines and
link previews read, and in the shop's first language; a script then makes them as current as the
others. The copy also has a sitemap.xml, a robots.txt and a config.json that leads to the shop. Any
static host can serve it. Run this again when products were added or have changed; until then a page
shows at first what it said when it was written.

--url is needed if the site is not where the shop expects it: search engines want complete addresses.";

#[derive(Args)]
pub(in crate::commands) struct Build {
    /// The folder to write
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The site to copy [default: the folder `site` of the checkout]
    #[arg(long, value_name = "FOLDER")]
    site: Option<PathBuf>,
    /// Where it will be [default: where the shop says its site is]
    #[arg(long)]
    url: Option<Url>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

/// What was written.
#[derive(Serialize)]
struct Built {
    folder: String,
    url: String,
    products: usize,
    /// Products whose id is not the name of a file that every host serves.
    without_page: Vec<String>,
}

impl Build {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let source = match self.site.clone() {
            Some(site) => site,
            None => Project::find()?.site,
        };
        let folder = Folder::between(&source, &self.out)?;
        let shop = self.operator.shop().await?;
        let config = Config::of(&shop, &folder.read("config.json")?)?;
        let url = match &self.url {
            Some(url) => address(url)?,
            None => shop.environment.site_url()?,
        };
        let products = all(&shop.shelf()?).await?;
        if folder.is_there() {
            let name = folder.name();
            self.consent
                .ask(&format!("{name} exists already. Replace it?"))?;
        }
        let built = write(&folder, &config, &products, url)?;
        folder.put_in_place()?;
        for id in &built.without_page {
            note(&bad(&format!(
                "{id} has no page of its own: a file cannot be called like that everywhere, so it is shown \
                 by product.html"
            )));
        }
        self.operator.show(&built, || {
            format!(
                "{} written to {}, for {}\n",
                count(built.products, "product"),
                built.folder,
                built.url
            )
        })?;
        Ok(match built.without_page.is_empty() {
            true => Exit::Done,
            false => Exit::Found,
        })
    }
}

/// `https://shop.example.com`, without what the pages' own paths begin with.
fn address(url: &Url) -> anyhow::Result<String> {
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
        bail!("--url {url} is not the address of a site: use https://shop.example.com");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Writes all files beside where they are to be.
fn write(
    folder: &Folder,
    config: &Config,
    products: &[Product],
    url: String,
) -> anyhow::Result<Built> {
    let texts = Texts::parse(&folder.read(&format!("texts/{}.js", config.language))?)
        .with_context(|| format!("the words of the site, texts/{}.js", config.language))?;
    folder.copy()?;
    let shelf = Shelf {
        config,
        texts: &texts,
        products,
        url: &url,
    };
    let mut without_page = Vec::new();
    let template = page(folder, &shelf, "product.html")?;
    for product in products {
        match product_page::path(product) {
            Some(path) => folder.write(&path, &product_page::page(&template, &shelf, product)?)?,
            None => without_page.push(product.id.to_string()),
        }
    }
    for name in folder.pages()? {
        let text = match name.as_str() {
            "index.html" => listing::page(&page(folder, &shelf, &name)?, &shelf)?,
            _ => page(folder, &shelf, &name)?,
        };
        folder.write(&name, &text)?;
    }
    folder.write("config.json", &config.text()?)?;
    folder.write("sitemap.xml", &listing::sitemap(&shelf))?;
    folder.write("robots.txt", &listing::robots(&url))?;
    Ok(Built {
        folder: folder.name(),
        products: products.len().saturating_sub(without_page.len()),
        url,
        without_page,
    })
}

/// One of the site's own pages in the shop's first language, with hints that let a browser fetch all
/// it needs at once.
fn page(folder: &Folder, shelf: &Shelf<'_>, name: &str) -> anyhow::Result<String> {
    let text = folder.read(name)?;
    let spoken = html::speak(&text, &shelf.config.language, |word| shelf.said(word))
        .with_context(|| name.to_owned())?;
    modules::preloaded(&spoken, |path| folder.read(path)).with_context(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_at_an_address_that_browsers_can_open() {
        let at = |url: &str| address(&url.parse().unwrap()).ok();
        assert_eq!(
            at("https://shop.example.com/").as_deref(),
            Some("https://shop.example.com")
        );
        assert_eq!(
            at("https://example.com/shop").as_deref(),
            Some("https://example.com/shop")
        );
        assert_eq!(at("ftp://example.com/"), None);
        assert_eq!(at("https://example.com/?a=b"), None);
    }
}
