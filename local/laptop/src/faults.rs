//! Bad days for AWS, on demand: answers that DynamoDB and SES can give, but an engine on a laptop
//! never would.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::database::at;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Too many requests.
    Throttle,
    /// Somebody else's transaction has the item.
    Conflict,
    /// The operation is carried out, but the answer is lost.
    TimeoutAfter,
    /// A failure inside AWS.
    Error,
    /// SES rejects the message.
    Rejected,
    /// The sender's address or domain is not verified, or not any more.
    Unverified,
    /// AWS has paused the account's sending.
    Paused,
    /// The caller lacks the permission.
    Denied,
    /// The service is unavailable.
    Down,
}

/// The armed faults, which wait for their operation.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<Armed>>>);

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Armed {
    /// The operation's name, or `*` for any.
    operation: String,
    fault: Fault,
    /// How many requests it affects, including an SDK's own retries: one by default; 0 means all,
    /// until it is cleared.
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

impl Faults {
    /// What should go wrong with this request. Each call uses up one of the fault's times.
    pub(crate) fn strike(&self, operation: &str) -> Option<Fault> {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = armed
            .iter()
            .position(|armed| armed.operation == operation || armed.operation == "*")?;
        let hit = armed.get_mut(at)?;
        let fault = hit.fault;
        match hit.times {
            0 => {}
            1 => {
                armed.remove(at);
            }
            times => hit.times = times.saturating_sub(1),
        }
        Some(fault)
    }

    /// `GET` lists them, `POST` adds one, `DELETE` clears them all.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/", get(list).post(arm).delete(clear))
            .with_state(self.clone())
    }

    fn all(&self) -> Vec<Armed> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn list(State(faults): State<Faults>) -> Json<Vec<Armed>> {
    Json(faults.all())
}

async fn arm(State(faults): State<Faults>, body: String) -> Response {
    match serde_json::from_str::<Armed>(&body) {
        Ok(armed) => {
            faults
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(armed);
            (StatusCode::CREATED, Json(faults.all())).into_response()
        }
        Err(error) => {
            let example =
                json!({ "operation": "TransactWriteItems", "fault": "conflict", "times": 1 });
            let why = format!("this is not a fault: {error}; send, for example, {example}\n");
            (StatusCode::BAD_REQUEST, why).into_response()
        }
    }
}

async fn clear(State(faults): State<Faults>) -> StatusCode {
    faults
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clear();
    StatusCode::NO_CONTENT
}

/// The status and body DynamoDB would answer with.
pub(crate) fn dynamodb_answer(fault: Fault, operation: &str, input: &Value) -> (StatusCode, Value) {
    let service = |name: &str| format!("com.amazonaws.dynamodb.v20120810#{name}");
    match fault {
        Fault::Denied => (
            StatusCode::BAD_REQUEST,
            json!({
                "__type": "com.amazon.coral.service#AccessDeniedException",
                "Message": format!("User is not authorized to perform: dynamodb:{operation}"),
            }),
        ),
        Fault::Throttle | Fault::Rejected | Fault::Unverified | Fault::Paused => (
            StatusCode::BAD_REQUEST,
            json!({
                "__type": service("ProvisionedThroughputExceededException"),
                "message": "The level of configured provisioned throughput for the table was \
                    exceeded. Consider increasing your provisioning level with the UpdateTable API.",
            }),
        ),
        Fault::Conflict if operation == "TransactWriteItems" => {
            let items = at(input, "/TransactItems").as_array().map_or(1, Vec::len);
            // The first item is the one in conflict.
            let codes: Vec<_> = (0..items)
                .map(|item| {
                    if item == 0 {
                        "TransactionConflict"
                    } else {
                        "None"
                    }
                })
                .collect();
            let reasons: Vec<_> = codes
                .iter()
                .map(|code| match *code {
                    "None" => json!({ "Code": code }),
                    _ => json!({ "Code": code, "Message": "Transaction is ongoing for the item" }),
                })
                .collect();
            let message = format!(
                "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                codes.join(", ")
            );
            let body = json!({
                "__type": service("TransactionCanceledException"),
                "Message": message,
                "CancellationReasons": reasons,
            });
            (StatusCode::BAD_REQUEST, body)
        }
        Fault::Conflict => (
            StatusCode::BAD_REQUEST,
            json!({
                "__type": service("TransactionConflictException"),
                "message": "Transaction is ongoing for the item",
            }),
        ),
        Fault::Error | Fault::TimeoutAfter => (
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({ "__type": service("InternalServerError"), "message": "Internal server error" }),
        ),
        Fault::Down => (
            StatusCode::SERVICE_UNAVAILABLE,
            json!({
                "__type": "com.amazon.coral.availability#ServiceUnavailableException",
                "message": "Service unavailable",
            }),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armed(faults: &Faults, operation: &str, fault: Fault, times: u32) {
        faults.0.lock().unwrap().push(Armed {
            operation: operation.into(),
            fault,
            times,
        });
    }

    #[test]
    fn a_fault_strikes_its_operation_as_often_as_asked() {
        let faults = Faults::default();
        armed(&faults, "PutItem", Fault::Throttle, 2);
        assert_eq!(faults.strike("GetItem"), None);
        assert_eq!(faults.strike("PutItem"), Some(Fault::Throttle));
        assert_eq!(faults.strike("PutItem"), Some(Fault::Throttle));
        assert_eq!(faults.strike("PutItem"), None);
        assert!(faults.all().is_empty());
    }

    #[test]
    fn a_fault_without_end_strikes_until_it_is_cleared() {
        let faults = Faults::default();
        armed(&faults, "*", Fault::Down, 0);
        for operation in ["PutItem", "SendEmail", "Query"] {
            assert_eq!(faults.strike(operation), Some(Fault::Down));
        }
    }

    #[test]
    fn a_fault_without_a_number_strikes_once() {
        let plan = json!({ "operation": "PutItem", "fault": "down" });
        let plan: Armed = serde_json::from_value(plan).unwrap();
        assert_eq!(plan.times, 1);
    }

    #[test]
    fn a_cancelled_transaction_has_a_reason_for_each_of_its_items() {
        let input = json!({ "TransactItems": [{}, {}, {}] });
        let (status, body) = dynamodb_answer(Fault::Conflict, "TransactWriteItems", &input);
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let reasons = body["CancellationReasons"].as_array().unwrap();
        let codes: Vec<_> = reasons
            .iter()
            .map(|reason| reason["Code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, ["TransactionConflict", "None", "None"]);
    }
}
