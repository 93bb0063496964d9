//! The page of a deployed shop, with the sections that only such a shop has.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use shared::mode::Mode;
use window::page::{Page, asset, assets};
use window::routes::Trouble;

use crate::commands::shop::{Shop, Stack};

const SCRIPTS: [(&str, &str); 3] = [
    ("/alarms.js", include_str!("../../../assets/alarms.js")),
    ("/doctor.js", include_str!("../../../assets/doctor.js")),
    ("/stack.js", include_str!("../../../assets/stack.js")),
];

const SECTIONS: &str = include_str!("../../../assets/sections.html");

/// What it is to look like.
pub(super) fn of(shop: &Shop, stack: &Stack) -> Page {
    let mode = match shop.mode {
        Mode::Test => "test mode",
        Mode::Live => "LIVE · real money",
    };
    Page {
        title: stack.name.clone(),
        badge: format!("{} · {mode} · {}", stack.name, stack.region),
        live: shop.mode == Mode::Live,
        base: "",
        script: "stack.js",
        reads_shop: true,
        stand_in: false,
        objects: None,
        dashboard: Some(stripes(shop.mode).to_owned()),
        guarded: true,
        slow: true,
        site: shop.environment.site_url().ok(),
        links: vec![
            ("Alarms", "#alarms".to_owned()),
            ("Doctor", "#doctor".to_owned()),
        ],
        sections: SECTIONS.to_owned(),
    }
}

/// Stripe's own Dashboard of the account.
fn stripes(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "https://dashboard.stripe.com/test",
        Mode::Live => "https://dashboard.stripe.com",
    }
}

/// The page and all it loads.
pub(super) fn routes(page: Page) -> Router {
    let scripts = SCRIPTS.into_iter();
    let scripts = scripts.fold(Router::new(), |router, (path, content)| {
        let script = async move || asset("text/javascript; charset=utf-8", content);
        router.route(path, get(script))
    });
    Router::new()
        .route("/", get(show))
        .with_state(Arc::new(page))
        .merge(assets())
        .merge(scripts)
}

async fn show(State(page): State<Arc<Page>>) -> Result<Response, Trouble> {
    page.show()
}
