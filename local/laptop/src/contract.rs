//! The HTTP contract, `functions/openapi.yaml`: as JSON for programs at `/openapi.json`, and as a
//! page for people at `/openapi`.
//!
//! It is compiled in, like the functions that keep to it. [`mod@page`] is what the page shows; it is
//! made of what `schema` makes of schemas and `prose` of descriptions.

mod page;
mod prose;
mod schema;

use std::sync::Arc;

use anyhow::Context as _;
use askama::Template as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use serde_norway::{Mapping, Value};

use self::page::ContractPage;

const CONTRACT: &str = include_str!("../../../functions/openapi.yaml");

/// The contract as it is written, its members in their order.
pub fn document() -> anyhow::Result<Value> {
    serde_norway::from_str(CONTRACT).context("functions/openapi.yaml is not YAML")
}

/// Shows the contract of the shop at this address.
pub(crate) fn router(shop: &str) -> Router {
    Router::new()
        .route("/openapi.json", get(json))
        .route("/openapi", get(page))
        .with_state(Arc::from(shop))
}

/// For this shop alone, because programs call the first server that they find.
fn of_shop(shop: &str) -> anyhow::Result<Value> {
    let mut document = document()?;
    let server = Mapping::from_iter([
        ("url".into(), shop.into()),
        ("description".into(), "The shop on this machine.".into()),
    ]);
    let members = document.as_mapping_mut();
    let members = members.context("functions/openapi.yaml is not a mapping")?;
    members.insert("servers".into(), Value::Sequence(vec![server.into()]));
    Ok(document)
}

async fn json(State(shop): State<Arc<str>>) -> Response {
    let text = of_shop(&shop).and_then(|document| Ok(serde_json::to_string_pretty(&document)?));
    match text {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, text).into_response()
        }
        Err(error) => failure(&error),
    }
}

async fn page(State(shop): State<Arc<str>>) -> Response {
    let policy = "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; \
                  base-uri 'none'";
    let page = document().map(|document| ContractPage::of(&document, &shop).render());
    match page {
        Ok(Ok(page)) => {
            let headers = [
                (header::CONTENT_SECURITY_POLICY, policy),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, Html(page)).into_response()
        }
        Ok(Err(error)) => failure(&error.into()),
        Err(error) => failure(&error),
    }
}

fn failure(error: &anyhow::Error) -> Response {
    tracing::error!("the contract cannot be shown: {error:#}");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
