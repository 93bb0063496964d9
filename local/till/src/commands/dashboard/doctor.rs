//! What `till doctor` finds, when somebody asks.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use shared::clock::rfc3339;
use tokio::sync::Mutex;
use window::routes::{Trouble, fresh};

use crate::commands::doctor::examine;
use crate::commands::operator::Operator;

/// Who asks, and what was found the last time.
type Practice = Arc<(Operator, Mutex<Value>)>;

pub(super) fn routes(operator: Operator) -> Router {
    let not_asked = json!({ "findings": [] });
    let practice = Arc::new((operator, Mutex::new(not_asked)));
    Router::new()
        .route("/doctor.json", get(last))
        .route("/doctor", post(ask))
        .with_state(practice)
}

async fn last(State(practice): State<Practice>) -> Result<Response, Trouble> {
    let (_, found) = &*practice;
    fresh(&*found.lock().await)
}

/// Whoever asks while it is being found out waits for that, and asks once more.
async fn ask(State(practice): State<Practice>) -> Result<Response, Trouble> {
    let (operator, found) = &*practice;
    let mut found = found.lock().await;
    let shop = operator.shop().await?;
    let report = examine(&shop).await?;
    *found = json!({ "at": rfc3339(shop.now()), "findings": report.findings });
    fresh(&*found)
}
