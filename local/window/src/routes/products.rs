//! What is for sale, and what was sold.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use serde_json::json;
use shared::product::Product;

use super::answer::{Trouble, fresh};
use super::window::Window;

pub(super) fn routes(window: Window) -> Router {
    Router::new()
        .route("/products.json", get(list))
        .route("/sales.json", get(sales))
        .with_state(window)
}

/// The most that DynamoDB is asked for at once.
const PAGE: i32 = 100;

/// Every product there is, those that are not for sale included.
async fn list(State(window): State<Window>) -> Result<Response, Trouble> {
    #[derive(Serialize)]
    struct Priced {
        #[serde(flatten)]
        product: Product,
        /// `19.00 USD / month`
        price_in_words: String,
    }
    let shelf = window.seen().await.shop.shelf()?;
    let mut products = Vec::new();
    let mut after = None;
    loop {
        let page = shelf.list(PAGE, after.as_ref()).await?;
        products.extend(page.products.into_iter().map(|product| Priced {
            price_in_words: product.price_in_words(),
            product,
        }));
        after = page.next;
        if after.is_none() {
            return fresh(&json!({ "products": products }));
        }
    }
}

/// How much was sold, day by day.
async fn sales(State(window): State<Window>) -> Result<Response, Trouble> {
    let overview = window.overview().await?;
    fresh(&json!({
        "sales": overview.sales,
        "read": window.read(&overview),
    }))
}
