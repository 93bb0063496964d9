//! The HTTP API: it answers whom it should, and only them.

use futures::FutureExt as _;
use http::StatusCode;

use super::check::{Ask, Check};
use super::patient::Patient;
use super::report::Finding;

const API: &str = "HTTP API";

pub(super) const CHECK: Check = Check {
    title: API,
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

async fn check(patient: &Patient) -> Vec<Finding> {
    let api = patient.api_url.trim_end_matches('/');
    let products = format!("{api}/products?limit=1");
    let purchases = format!("{api}/purchases");
    let (products, purchases) =
        futures::join!(patient.web.get(&products), patient.web.get(&purchases));
    let (products, purchases) = match (products, purchases) {
        (Ok(products), Ok(purchases)) => (products.status(), purchases.status()),
        (Err(error), _) | (_, Err(error)) => {
            return vec![Finding::fail(
                API,
                format!("{api} cannot be reached: {error}"),
                patient.revive(),
            )];
        }
    };
    vec![if products != StatusCode::OK {
        Finding::fail(
            API,
            format!("GET /products answers {products}"),
            patient.logs("catalog"),
        )
    } else if purchases != StatusCode::UNAUTHORIZED {
        Finding::fail(
            API,
            format!("GET /purchases without a token answers {purchases}, not 401"),
            patient.logs("purchases"),
        )
    } else {
        Finding::ok(
            API,
            "shows products to anybody, and purchases only to buyers who are signed in",
        )
    }]
}
