//! The stack's alarms, as they are now.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;
use window::routes::{Trouble, fresh};

use crate::commands::alarms;
use crate::commands::operator::Operator;

pub(super) fn routes(operator: Operator) -> Router {
    Router::new()
        .route("/alarms.json", get(list))
        .with_state(operator)
}

async fn list(State(operator): State<Operator>) -> Result<Response, Trouble> {
    let shop = operator.shop().await?;
    let alarms = match &shop.stack {
        Some(stack) => alarms::of(stack).await?,
        None => Vec::new(),
    };
    fresh(&json!({ "alarms": alarms }))
}
