//! What `stripe logs tail` tells of a request, and of which requests.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::engine::time::Timestamp;

/// A request to the API that was let in and answered.
#[derive(Debug)]
pub(crate) struct AnsweredRequest {
    pub(crate) id: String,
    method: String,
    path: String,
    status: u16,
    /// The answer's `error`.
    error: Value,
}

impl AnsweredRequest {
    /// The request as it is logged. None if it is the CLI's own business.
    pub(crate) fn of(
        id: &str,
        method: &Method,
        path: &str,
        status: StatusCode,
        body: &str,
    ) -> Option<Self> {
        if path.starts_with("/v1/stripecli/") {
            return None;
        }
        let mut error = Value::Null;
        if !status.is_success()
            && let Ok(mut body) = serde_json::from_str::<Value>(body)
            && let Some(found) = body.get_mut("error")
        {
            error = found.take();
        }
        Some(Self {
            id: id.to_owned(),
            method: method.as_str().to_owned(),
            path: path.to_owned(),
            status: status.as_u16(),
            error,
        })
    }

    /// As the CLI reads it.
    pub(crate) fn payload(&self, created_at: Timestamp) -> Value {
        let detail = |field: &str| self.error.get(field).and_then(Value::as_str).unwrap_or("");
        json!({
            "created_at": created_at,
            "error": {
                "charge": detail("charge"),
                "code": detail("code"),
                "decline_code": detail("decline_code"),
                "error_insight": "",
                "message": detail("message"),
                "param": detail("param"),
                "type": detail("type"),
            },
            "livemode": false,
            "method": self.method,
            "request_id": self.id,
            "status": self.status,
            "url": self.path,
        })
    }
}

/// Which requests are told of: the `--filter-…` options of `stripe logs tail`. One that is left out
/// lets everything through; of several values, any will do.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Filters {
    /// About connected accounts, of which the stand-in has none: it changes nothing.
    filter_account: Vec<String>,
    filter_http_method: Vec<String>,
    filter_request_path: Vec<String>,
    /// `SUCCEEDED` or `FAILED`.
    filter_request_status: Vec<String>,
    /// `API` or `DASHBOARD`; there is no dashboard that makes requests.
    filter_source: Vec<String>,
    filter_status_code: Vec<String>,
    /// `200` stands for all of 2xx.
    filter_status_code_type: Vec<String>,
}

impl Filters {
    /// The CLI warns that this changes nothing.
    pub(crate) fn name_accounts(&self) -> bool {
        !self.filter_account.is_empty()
    }

    pub(crate) fn pass(&self, request: &AnsweredRequest) -> bool {
        let is = |wanted: &[String], value: &str| {
            wanted.is_empty() || wanted.iter().any(|it| it.eq_ignore_ascii_case(value))
        };
        let of_hundred = request.status / 100;
        let outcome = if of_hundred == 2 {
            "succeeded"
        } else {
            "failed"
        };
        is(&self.filter_http_method, &request.method)
            && is(&self.filter_request_path, &request.path)
            && is(&self.filter_request_status, outcome)
            && is(&self.filter_source, "api")
            && is(&self.filter_status_code, &request.status.to_string())
            && is(&self.filter_status_code_type, &format!("{of_hundred}00"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &str = r#"{"error": {"type": "card_error", "code": "card_declined"}}"#;

    fn request(method: Method, path: &str, status: u16) -> Option<AnsweredRequest> {
        let status = StatusCode::from_u16(status).unwrap();
        AnsweredRequest::of("req_1", &method, path, status, REFUSED)
    }

    #[test]
    fn what_the_cli_needs_for_itself_is_not_logged() {
        assert!(request(Method::POST, "/v1/stripecli/sessions", 200).is_none());
    }

    #[test]
    fn a_failure_is_told_with_its_error() {
        let failed = request(Method::POST, "/v1/charges", 402).unwrap();
        let payload = failed.payload(1_764_000_000);
        assert_eq!(payload["error"]["code"], "card_declined");
        assert_eq!(payload["error"]["param"], "");
        let taken = request(Method::POST, "/v1/charges", 200).unwrap();
        assert_eq!(taken.payload(0)["error"]["code"], "");
    }

    #[test]
    fn every_filter_that_is_given_has_to_fit() {
        let failed = request(Method::POST, "/v1/charges", 402).unwrap();
        let passes = |filters: Value| {
            let filters: Filters = serde_json::from_value(filters).unwrap();
            filters.pass(&failed)
        };
        for (filter, fits, does_not) in [
            ("filter_http_method", "POST", "GET"),
            ("filter_request_path", "/v1/charges", "/v1/charges/ch_1"),
            ("filter_request_status", "FAILED", "SUCCEEDED"),
            ("filter_source", "API", "DASHBOARD"),
            ("filter_status_code", "402", "400"),
            ("filter_status_code_type", "400", "200"),
        ] {
            assert!(passes(json!({ filter: [fits] })), "{filter}");
            assert!(passes(json!({ filter: [does_not, fits] })), "{filter}");
            assert!(!passes(json!({ filter: [does_not] })), "{filter}");
        }
        assert!(passes(json!({ "filter_account": ["connect_in"] })));
        let both = json!({ "filter_http_method": ["POST"], "filter_status_code": ["200"] });
        assert!(!passes(both));
    }
}
