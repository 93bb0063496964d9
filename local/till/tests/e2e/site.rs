//! `till site`.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::operator::Operator;

const NAME: &str = "</title><script>alert(1)</script> \"Ada's\" & Söhne";

fn hostile() -> Value {
    json!([
        {
            "id": "hostile", "name": NAME, "description": "One.\n\n<img src=x onerror=alert(2)>",
            "images": ["https://img.example/1.png?a=1&b='2'", "https://img.example/2.png"],
            "price": { "amount": 1800, "currency": "jpy" }, "category": "<b>Bold</b>",
            "group": "odd", "options": { "si\"ze": "<M>" },
        },
        { "id": ".hidden", "name": "Hidden", "price": { "amount": 100, "currency": "usd" } },
        { "id": "Gone.v2", "name": "Gone", "price": { "amount": 100, "currency": "usd" }, "active": false },
    ])
}

/// The site of this repository; the shop under test has a folder of its own.
fn original() -> PathBuf {
    testing::repository().site
}

/// A site that was built for this shop.
struct Site {
    folder: PathBuf,
}

impl Site {
    async fn built(operator: &Operator, more: &[&str], code: i32) -> (Self, Value) {
        let folder = operator.file("built");
        let command = ["site", "build", "--out", folder.to_str().unwrap(), "--json"];
        let source = original();
        let source = match more.contains(&"--site") {
            true => vec![],
            false => vec!["--site", source.to_str().unwrap()],
        };
        let said = operator.till(&[&command[..], &source, more].concat());
        let said = said.await;
        let said = said.expect(code).json();
        (Self { folder }, said)
    }

    fn read(&self, path: &str) -> String {
        let path = self.folder.join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {}", path.display()))
    }

    fn has(&self, path: &str) -> bool {
        self.folder.join(path).exists()
    }
}

/// What is between the first `start` and the next `end`.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start} in {page}"));
    rest.split_once(end).unwrap().0
}

#[tokio::test]
async fn every_product_has_a_page_that_says_what_it_is_without_a_script() {
    let operator = Operator::new().await;
    let at = ["--url", "https://shop.example.com/"];
    let (site, said) = Site::built(&operator, &at, 0).await;
    assert_eq!(said["url"], "https://shop.example.com");
    let all = operator.shop.products("").await.json();
    let all = all["products"].as_array().unwrap();
    assert_eq!(said["products"], all.len());

    let page = site.read("p/sample-mug.html");
    assert!(page.contains("<title>Stoneware mug · Till</title>"));
    assert!(page.contains("<h1>Stoneware mug</h1>"));
    assert!(page.contains("<p class=\"price\">15.00 USD</p>"));
    let url = "https://shop.example.com/p/sample-mug.html";
    assert!(page.contains(&format!("<link rel=\"canonical\" href=\"{url}\">")));
    assert!(page.contains(&format!("<meta property=\"og:url\" content=\"{url}\">")));
    assert!(page.contains("<meta property=\"product:price:amount\" content=\"15.00\">"));
    let picture = all.iter().find(|it| it["id"] == "sample-mug").unwrap()["images"][0].clone();
    let picture = picture.as_str().unwrap();
    assert!(page.contains(&format!(
        "<meta property=\"og:image\" content=\"{picture}\">"
    )));
    assert!(page.contains(&format!("<img src=\"{picture}\" alt=\"Stoneware mug\"")));
    let data = between(&page, "<script type=\"application/ld+json\">", "</script>");
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["offers"]["price"], "15.00");

    // It is a folder deeper than the page it was made from, and its links still lead somewhere.
    for (mark, end) in [("href=\"../", "\""), ("src=\"../", "\"")] {
        for rest in page.split(mark).skip(1) {
            let path = rest.split_once(end).unwrap().0;
            let path = path.split('?').next().unwrap();
            assert!(site.has(path), "{path}");
        }
    }
    assert!(page.contains("<link rel=\"modulepreload\" href=\"../js/till.js\">"));
}

#[tokio::test]
async fn search_engines_are_told_of_what_is_for_sale_and_of_nothing_else() {
    let operator = Operator::new().await;
    let (site, _) = Site::built(&operator, &["--url", "https://shop.example.com"], 0).await;
    let sitemap = site.read("sitemap.xml");
    for path in ["", "p/sample-mug.html", "p/sample-notebook-red.html"] {
        let entry = format!("<loc>https://shop.example.com/{path}</loc>");
        assert!(sitemap.contains(&entry), "{sitemap}");
    }
    assert!(
        !sitemap.contains("sample-stickers"),
        "they are not for sale"
    );
    let stickers = site.read("p/sample-stickers.html");
    assert!(stickers.contains("<meta name=\"robots\" content=\"noindex\">"));
    assert!(stickers.contains("https://schema.org/Discontinued"));
    let robots = site.read("robots.txt");
    assert!(robots.ends_with("Sitemap: https://shop.example.com/sitemap.xml\n"));
    for page in ["cart.html", "purchases.html", "success.html"] {
        assert!(site.read(page).contains("content=\"noindex\""), "{page}");
    }
}

#[tokio::test]
async fn whatever_a_product_is_called_its_page_shows_it_as_text() {
    let operator = Operator::new().await;
    let file = operator.write("odd.json", &hostile().to_string());
    operator
        .till(&["products", "import", &file, "--yes"])
        .await
        .expect(0);
    let (site, said) = Site::built(&operator, &[], 3).await;
    assert_eq!(said["without_page"], json!([".hidden"]));
    assert!(!site.has("p/.hidden.html"));

    let safe =
        "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt; &quot;Ada&#39;s&quot; &amp; Söhne";
    let page = site.read("p/hostile.html");
    assert!(page.contains(&format!("<title>{safe} · Till</title>")));
    assert!(page.contains(&format!("<h1>{safe}</h1>")));
    assert!(page.contains(&format!("alt=\"{safe}\"")));
    assert!(page.contains("<p class=\"description\">&lt;img src=x onerror=alert(2)&gt;</p>"));
    assert!(page.contains("src=\"https://img.example/1.png?a=1&amp;b=&#39;2&#39;\""));
    assert!(page.contains("<p class=\"choice-name\">si&quot;ze</p>"));
    assert!(page.contains("aria-current=\"true\">&lt;M&gt;</span>"));
    assert!(page.contains("content=\"1800\""), "yen have no decimals");
    let data = between(&page, "<script type=\"application/ld+json\">", "</script>");
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["name"], NAME);
    let index = site.read("index.html");
    assert!(index.contains(&format!("<a href=\"p/hostile.html\">{safe}</a>")));
    assert!(index.contains(
        "<a href=\"index.html?category=%3Cb%3EBold%3C%2Fb%3E\">&lt;b&gt;Bold&lt;/b&gt;</a>"
    ));
    assert!(index.contains("<p class=\"line-detail\">To choose: si&quot;ze</p>"));
    for page in [&page, &index] {
        assert!(!page.contains("<script>") && !page.contains("<img src=x"));
    }
    assert!(
        site.read("p/Gone.v2.html")
            .contains("Not available at the moment")
    );
}

#[tokio::test]
async fn the_pages_speak_the_sellers_words_in_the_shops_first_language() {
    let operator = Operator::new().await;
    let source = operator.file("mine");
    copy(&original(), &source);
    let config = json!({
        "name": "Becher & Co", "tagline": { "en": "Mugs", "de": "Becher" }, "languages": ["de", "en"],
        "contact": "post@example.com",
    });
    std::fs::write(source.join("config.json"), config.to_string()).unwrap();
    let (site, _) = Site::built(&operator, &["--site", source.to_str().unwrap()], 0).await;

    let index = site.read("index.html");
    assert!(index.contains("<html lang=\"de\">"));
    assert!(
        index.contains("<title data-title=\"products.title\">Produkte · Becher &amp; Co</title>")
    );
    assert!(index.contains("<h1 data-shop=\"tagline\">Becher</h1>"));
    assert!(index.contains("data-text=\"page.purchases\">Käufe</a>"));
    let coffee = site.read("p/sample-coffee.html");
    assert!(coffee.contains("<p class=\"price\">19.00 USD / Monat</p>"));
    assert!(coffee.contains("<title>Coffee box · Becher &amp; Co</title>"));

    let told: Value = serde_json::from_str(&site.read("config.json")).unwrap();
    assert_eq!(told["product_pages"], true);
    assert_eq!(told["contact"], "post@example.com");
    let shop: Value = operator.shop.get("/config.json").await.json();
    for name in ["api", "issuer", "client_id"] {
        assert_eq!(told[name], shop[name], "{name}");
    }
    assert!(site.has("js/till.js") && !site.has("js/till.d.ts"));
}

#[tokio::test]
async fn a_site_is_replaced_after_a_yes_and_nothing_else_is() {
    let operator = Operator::new().await;
    let (site, _) = Site::built(&operator, &[], 0).await;
    let off = operator.till(&["products", "set", "sample-mug", "name=Tall mug"]);
    off.await.expect(0);
    let out = site.folder.to_str().unwrap();
    let unasked = operator
        .till(&[
            "site",
            "build",
            "--out",
            out,
            "--site",
            original().to_str().unwrap(),
        ])
        .await;
    unasked.expect(1).complains("exists already. Replace it?");
    assert!(site.read("p/sample-mug.html").contains("Stoneware mug"));
    std::fs::write(site.folder.join("p/sold-years-ago.html"), "").unwrap();
    let (site, _) = Site::built(&operator, &["--yes"], 0).await;
    assert!(site.read("p/sample-mug.html").contains("Tall mug"));
    assert!(!site.has("p/sold-years-ago.html"));

    let photos = operator.file("photos");
    std::fs::create_dir(&photos).unwrap();
    std::fs::write(photos.join("ada.jpg"), "").unwrap();
    let out = photos.to_str().unwrap();
    let refused = operator
        .till(&[
            "site",
            "build",
            "--out",
            out,
            "--yes",
            "--site",
            original().to_str().unwrap(),
        ])
        .await;
    refused
        .expect(1)
        .complains("something else in it than a site that was built");
    assert!(photos.join("ada.jpg").exists());
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(path, to).unwrap();
        }
    }
}
