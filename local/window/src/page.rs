//! The page that shows it, with its scripts and its style.

use askama::Template;
use axum::Router;
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;

use crate::routes::Trouble;

/// The page, which differs a little from place to place.
#[derive(Template)]
#[template(path = "page.html")]
pub struct Page {
    /// What the window is called: `Till on this machine`, or the stack.
    pub title: String,
    /// What stands beside the name.
    pub badge: String,
    /// Whether real money moves.
    pub live: bool,
    /// The path below which it is served, without a slash at its end: `/_local`.
    pub base: &'static str,
    /// The script that shows its sections, below `base`.
    pub script: &'static str,
    /// Whether the shop's tables can be read, for all sections but its own.
    pub reads_shop: bool,
    /// Whether banks and Stripe do what is pressed here.
    pub stand_in: bool,
    /// Where Stripe shows an object, up to its id.
    pub objects: Option<String>,
    /// Stripe's own Dashboard of the account: `https://dashboard.stripe.com/test`. Ids lead there if there is no
    /// `objects`.
    pub dashboard: Option<String>,
    /// Whether only requests with this window's cookie are answered, so that a command line needs it, too.
    pub guarded: bool,
    /// Whether reading costs something, so that the page looks rarely, and says when a list was read.
    pub slow: bool,
    /// Where buyers buy, if it is known.
    pub site: Option<String>,
    /// Further links of the bar: text and address.
    pub links: Vec<(&'static str, String)>,
    /// Sections that only this place has, as HTML.
    pub sections: String,
}

impl Page {
    /// As a browser gets it: nothing can run in it but its own scripts.
    pub fn show(&self) -> Result<Response, Trouble> {
        let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      frame-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; \
                      form-action 'none'";
        let page = self.render().map_err(anyhow::Error::from)?;
        let headers = [
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::CACHE_CONTROL, "no-store"),
        ];
        Ok((headers, Html(page)).into_response())
    }
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

const ASSETS: [(&str, &str, &str); 19] = [
    ("/address.js", SCRIPT, include_str!("../assets/address.js")),
    ("/content.js", SCRIPT, include_str!("../assets/content.js")),
    ("/mails.js", SCRIPT, include_str!("../assets/mails.js")),
    ("/page.js", SCRIPT, include_str!("../assets/page.js")),
    ("/parked.js", SCRIPT, include_str!("../assets/parked.js")),
    (
        "/products.js",
        SCRIPT,
        include_str!("../assets/products.js"),
    ),
    (
        "/purchases.js",
        SCRIPT,
        include_str!("../assets/purchases.js"),
    ),
    ("/reader.js", SCRIPT, include_str!("../assets/reader.js")),
    ("/refund.js", SCRIPT, include_str!("../assets/refund.js")),
    ("/sales.js", SCRIPT, include_str!("../assets/sales.js")),
    ("/search.js", SCRIPT, include_str!("../assets/search.js")),
    ("/shelf.js", SCRIPT, include_str!("../assets/shelf.js")),
    ("/source.js", SCRIPT, include_str!("../assets/source.js")),
    ("/story.js", SCRIPT, include_str!("../assets/story.js")),
    ("/stripe.js", SCRIPT, include_str!("../assets/stripe.js")),
    (
        "/subscriptions.js",
        SCRIPT,
        include_str!("../assets/subscriptions.js"),
    ),
    (
        "/timeline.js",
        SCRIPT,
        include_str!("../assets/timeline.js"),
    ),
    ("/unsent.js", SCRIPT, include_str!("../assets/unsent.js")),
    (
        "/style.css",
        "text/css; charset=utf-8",
        include_str!("../assets/style.css"),
    ),
];

/// All of them, relative to where the page is served.
pub fn assets() -> Router {
    let all = ASSETS.into_iter();
    all.fold(Router::new(), |router, (path, content_type, content)| {
        router.route(path, get(async move || asset(content_type, content)))
    })
}

/// Something that never changes while the program runs.
pub fn asset(content_type: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::Page;
    use askama::Template as _;

    fn page(live: bool) -> String {
        let page = Page {
            title: "shop".to_owned(),
            badge: "shop".to_owned(),
            live,
            base: "",
            script: "stack.js",
            reads_shop: true,
            stand_in: false,
            objects: None,
            dashboard: Some("https://dashboard.stripe.com".to_owned()),
            guarded: true,
            slow: true,
            site: None,
            links: Vec::new(),
            sections: String::new(),
        };
        page.render().unwrap()
    }

    #[test]
    fn where_real_money_moves_the_page_says_so_in_words() {
        assert!(page(true).contains("<strong>LIVE</strong> Real money moves here."));
        assert!(!page(false).contains("LIVE"));
    }

    #[test]
    fn the_page_of_a_deployed_shop_looks_rarely_and_leads_to_stripes_dashboard() {
        let page = page(true);
        for said in [
            "data-reads=\"when-asked\"",
            "data-guarded=\"true\"",
            "data-stand-in=\"false\"",
            "data-dashboard=\"https://dashboard.stripe.com\"",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
    }
}
