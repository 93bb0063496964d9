//! The page that lists the products, and what tells search engines where all pages are.

use std::collections::BTreeSet;

use shared::product::Product;

use super::html::{self, escaped};
use super::product_page::{self, Shelf, picture};

/// As many as the script asks for at first, `listProducts` in `api.js`, so that nothing moves when
/// its answer takes their place.
const FIRST: usize = 12;

/// Pictures that are in sight at once on most screens.
const IN_SIGHT: usize = 3;

/// `index.html` with the first products in it.
pub(super) fn page(template: &str, shelf: &Shelf<'_>) -> anyhow::Result<String> {
    let first = shelf.products.get(..FIRST).unwrap_or(shelf.products);
    let mut groups = BTreeSet::new();
    // Of a group's variants, one stands for all.
    let shown = first.iter().filter(|product| {
        product
            .group
            .as_ref()
            .is_none_or(|group| groups.insert(group))
    });
    let cards: String = shown
        .enumerate()
        .map(|(place, product)| card(shelf, product, place >= IN_SIGHT))
        .collect();
    let mut head = format!(
        "    <link rel=\"canonical\" href=\"{}\">\n",
        escaped(&format!("{}/", shelf.url))
    );
    for (name, content) in [
        ("og:type", Some("website")),
        ("og:site_name", Some(shelf.config.name())),
        ("og:title", shelf.config.text_of("tagline")),
        ("og:description", shelf.config.text_of("intro")),
    ] {
        if let Some(content) = content {
            let content = escaped(content);
            head.push_str(&format!(
                "    <meta property=\"{name}\" content=\"{content}\">\n"
            ));
        }
    }
    let page = html::before(template, "  </head>", &head)?;
    let page = match shelf.config.text_of("intro") {
        Some(intro) => {
            let start = "<meta name=\"description\" content=\"";
            html::filled(&page, start, "\"", &escaped(intro))?
        }
        None => page,
    };
    if cards.is_empty() {
        return Ok(page);
    }
    let content = format!(
        "<div id=\"content\">{}<ul class=\"cards\" role=\"list\">{cards}</ul></div>",
        categories(shelf, first)
    );
    html::replaced(&page, "<div id=\"content\"></div>", &content)
}

fn card(shelf: &Shelf<'_>, product: &Product, lazy: bool) -> String {
    let id = escaped(product.id.as_str());
    let page = product_page::path(product).unwrap_or_else(|| format!("product.html?id={id}"));
    let names: Vec<_> = product.options.keys().map(String::as_str).collect();
    let choices = match names.is_empty() {
        true => String::new(),
        false => {
            let names = names.join(", ");
            let choices = shelf.texts.with("product.more", &[("options", &names)]);
            format!("<p class=\"line-detail\">{}</p>", escaped(&choices))
        }
    };
    format!(
        "<li class=\"card\" id=\"product-{id}\">{}<div class=\"card-text\"><h2><a \
         href=\"{page}\">{}</a></h2><p class=\"description\">{}</p>{choices}{}</div>{}</li>",
        picture(product.images.first(), "", lazy, ""),
        escaped(&product.name),
        escaped(&product.description),
        shelf.offer(product),
        shelf.buying(product)
    )
}

/// In the seller's order, then those of the first products.
fn categories(shelf: &Shelf<'_>, first: &[Product]) -> String {
    let mut names = shelf.config.categories();
    let own: BTreeSet<_> = first
        .iter()
        .filter_map(|product| product.category.as_deref())
        .collect();
    for name in own {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return String::new();
    }
    let links: String = names
        .into_iter()
        .map(|name| {
            let mut address = url::form_urlencoded::Serializer::new(String::new());
            address.append_pair("category", name);
            let address = escaped(&format!("index.html?{}", address.finish()));
            format!("<a href=\"{address}\">{}</a>", escaped(name))
        })
        .collect();
    format!(
        "<nav class=\"categories\" aria-label=\"{}\"><a href=\"index.html\" aria-current=\"page\">{}</a>{links}</nav>",
        escaped(&shelf.texts.with("products.categories", &[])),
        escaped(&shelf.texts.with("products.all", &[]))
    )
}

/// Where the pages are that strangers may find: <https://www.sitemaps.org/protocol.html>.
pub(super) fn sitemap(shelf: &Shelf<'_>) -> String {
    let products = shelf.products.iter().filter(|product| product.active);
    let pages = products.filter_map(product_page::path);
    let entries: String = std::iter::once(String::new())
        .chain(pages)
        .map(|path| {
            let address = escaped(&format!("{}/{path}", shelf.url));
            format!("  <url><loc>{address}</loc></url>\n")
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset \
         xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n{entries}</urlset>\n"
    )
}

/// Everything may be read; what is a buyer's own is not there without a script anyway.
pub(super) fn robots(url: &str) -> String {
    format!("User-agent: *\nAllow: /\n\nSitemap: {url}/sitemap.xml\n")
}
