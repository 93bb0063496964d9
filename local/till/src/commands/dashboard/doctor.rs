//! What `till doctor` finds, when somebody asks.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use shared::clock::rfc3339;
use tokio::sync::{Mutex, RwLock};
use window::routes::{Trouble, fresh};

use crate::commands::doctor::examine;
use crate::commands::operator::Operator;

/// Who examines, one at a time, and what was found the last time.
struct Practice {
    operator: Operator,
    busy: Mutex<()>,
    found: RwLock<Value>,
}

pub(super) fn routes(operator: Operator) -> Router {
    let practice = Practice {
        operator,
        busy: Mutex::default(),
        found: RwLock::new(json!({ "findings": [] })),
    };
    Router::new()
        .route("/doctor.json", get(last))
        .route("/doctor", post(ask))
        .with_state(Arc::new(practice))
}

async fn last(State(practice): State<Arc<Practice>>) -> Result<Response, Trouble> {
    fresh(&*practice.found.read().await)
}

async fn ask(State(practice): State<Arc<Practice>>) -> Result<Response, Trouble> {
    let _busy = practice.busy.lock().await;
    let shop = practice.operator.shop().await?;
    let report = examine(&shop).await?;
    let found = json!({ "at": rfc3339(shop.now()), "findings": report.findings });
    practice.found.write().await.clone_from(&found);
    fresh(&found)
}
