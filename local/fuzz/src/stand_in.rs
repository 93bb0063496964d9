//! The stand-in's API, asked in a row. A request is a line with its method and path, and below it its body; `{1}` stands
//! for the id in the first answer. A body that begins with `--` is multipart/form-data, and its first line the boundary.

use std::cell::RefCell;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::Value;
use stand_in::{Config, MachineTime, OtherKeys, Seed, StandIn};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use crate::row;

const KEY: &str = "sk_test_fuzz";

/// More in a row finds nothing new.
const MOST_REQUESTS: usize = 12;

/// How many inputs one account sees before another takes its place: it keeps all that they make.
const INPUTS: u32 = 200;

struct Api {
    runtime: Runtime,
    stand_in: StandIn,
    inputs: u32,
}

thread_local! {
    static API: RefCell<Option<Api>> = const { RefCell::new(None) };
}

/// Every request is answered with an object or with an error that names itself, and none with a failure of the
/// stand-in's own.
pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    API.with_borrow_mut(|api| {
        let mut young = api
            .take()
            .filter(|api| api.inputs < INPUTS)
            .unwrap_or_else(Api::open);
        young.inputs = young.inputs.saturating_add(1);
        row::ask(&text, MOST_REQUESTS, |request| {
            let answer = young.ask(request);
            Some(answer.get("id")?.as_str()?.to_owned())
        });
        *api = Some(young);
    });
}

impl Api {
    fn open() -> Self {
        let config = Config {
            database: None,
            public_url: "http://127.0.0.1:4242/".parse().expect("a URL"),
            fixed_url: true,
            host_names: Vec::new(),
            business_name: "Till".to_owned(),
            secret_key: KEY.to_owned(),
            other_keys: OtherKeys::Refused,
            webhook: None,
            seed: Seed::default(),
            machine: MachineTime::default(),
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let stand_in = runtime.block_on(async { StandIn::open(config) });
        Self {
            runtime,
            stand_in: stand_in.expect("a stand-in in memory"),
            inputs: 0,
        }
    }

    /// The answer, after checking what is true of every answer.
    fn ask(&self, text: &str) -> Value {
        let (line, body) = text.split_once('\n').unwrap_or((text, ""));
        let (method, path) = line.split_once(' ').unwrap_or(("GET", line));
        let form = match body.strip_prefix("--").and_then(|rest| rest.lines().next()) {
            Some(boundary) => format!("multipart/form-data; boundary={boundary}"),
            None => "application/x-www-form-urlencoded".to_owned(),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/{}", path.trim_start_matches("/v1/")))
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", form)
            .body(Body::from(body.to_owned()));
        // Not every text can be part of a request.
        let Ok(request) = request else {
            return Value::Null;
        };
        let (status, body) = self.runtime.block_on(async {
            let answer = self.stand_in.router().oneshot(request).await;
            let (parts, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
            let body = to_bytes(body, usize::MAX).await;
            (parts.status, body.expect("an answer that is whole"))
        });
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{text}");
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            // All but files and PDFs are JSON, and those have no id.
            return answer;
        }
        assert!(answer["error"]["message"].is_string(), "{text}\n{answer}");
        answer
    }
}
