//! Runs a function as deployed, behind the Runtime API, for the tests of the HTTP functions.
//!
//! One small server plays Lambda, which hands out invocations and takes answers, and also what the
//! function calls: DynamoDB and Stripe, which answer everything with `{}`.

// Helpers of tests may panic like tests; clippy.toml exempts only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

/// A running function, which is killed when this is dropped.
pub struct Function {
    process: Child,
    invocations: Sender<String>,
    answers: Receiver<Result<Value, String>>,
    log: Option<JoinHandle<String>>,
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Function {
    /// Starts the binary with the variables that the template gives functions, and `more`.
    pub fn start(binary: &str, more: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let url = format!("http://{address}");
        let (invocations, waiting) = channel();
        let (answered, answers) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (waiting, answered) = (Arc::clone(&waiting), answered.clone());
                std::thread::spawn(move || serve(stream, &waiting, &answered));
            }
        });
        let mut process = Command::new(binary)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "function"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "local"),
                ("AWS_SECRET_ACCESS_KEY", "local"),
                ("AWS_ENDPOINT_URL", &url),
                ("STRIPE_API_BASE", &url),
                ("STRIPE_SECRET_KEY", "sk_test_local"),
                ("STRIPE_WEBHOOK_SECRETS", "whsec_local"),
                ("TILL_MODE", "test"),
                ("TILL_STACK", "till"),
                ("SITE_URL", "https://shop.example.com"),
                ("PRODUCTS_TABLE", "products"),
                ("FILES_BUCKET", "files"),
                ("PURCHASES_TABLE", "purchases"),
                ("OUTBOX_TABLE", "outbox"),
                ("MAX_OPEN_PURCHASES", "10"),
                ("MAX_RESERVED_PIECES", "20"),
            ])
            .envs(more.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = process.stdout.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            lines.read_to_string(&mut log).unwrap();
            log
        });
        Self {
            process,
            invocations,
            answers,
            log: Some(log),
        }
    }

    /// The answer, or what the function reported instead, which Lambda counts as an error.
    pub fn invoke(&self, payload: &Value) -> Result<Value, String> {
        self.invoke_text(payload.to_string())
    }

    /// The same with JSON that a `Value` cannot represent.
    pub fn invoke_text(&self, payload: String) -> Result<Value, String> {
        self.invocations.send(payload).unwrap();
        match self.answers.recv_timeout(Duration::from_secs(60)) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err("no answer".to_owned()),
            Err(RecvTimeoutError::Disconnected) => Err("the function is gone".to_owned()),
        }
    }

    /// Ends it and returns everything it has logged.
    pub fn end(mut self) -> String {
        self.process.kill().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

/// Serves one connection of the function.
fn serve(
    stream: TcpStream,
    waiting: &Mutex<Receiver<String>>,
    answered: &Sender<Result<Value, String>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some((path, body)) = request(&mut reader) {
        let (status, head, answer) = if path.ends_with("/invocation/next") {
            let Ok(payload) = waiting.lock().unwrap().recv() else {
                return;
            };
            let head = "lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
                        lambda-runtime-deadline-ms: 4102444800000\r\n\
                        lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:1:function:f\r\n";
            (200, head, payload)
        } else if path.starts_with("/2018-06-01/runtime/") {
            let text = String::from_utf8_lossy(&body).into_owned();
            let report = match path.ends_with("/response") {
                true => serde_json::from_slice(&body).map_err(|_| text),
                false => Err(text),
            };
            let _ = answered.send(report);
            (202, "", String::new())
        } else {
            (200, "content-type: application/json\r\n", "{}".to_owned())
        };
        let length = answer.len();
        let answer =
            format!("HTTP/1.1 {status} OK\r\n{head}content-length: {length}\r\n\r\n{answer}");
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A request's path and body; `None` if the connection is closed.
fn request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        match line.split_once(':') {
            None => break,
            Some(("content-length", value)) => length = value.trim().parse().ok()?,
            Some(("transfer-encoding", value)) => chunked = value.trim() == "chunked",
            Some(_) => {}
        }
    }
    let mut body = Vec::new();
    if !chunked {
        reader.take(length).read_to_end(&mut body).ok()?;
        return Some((path, body));
    }
    loop {
        let mut size = String::new();
        reader.read_line(&mut size).ok()?;
        let size = u64::from_str_radix(size.trim(), 16).ok()?;
        reader.by_ref().take(size).read_to_end(&mut body).ok()?;
        reader.read_line(&mut String::new()).ok()?;
        if size == 0 {
            return Some((path, body));
        }
    }
}

/// Sends the function payloads that are almost those in `samples`. Each must be answered, and
/// without a 5xx unless the samples themselves get one.
pub fn any_payload_gets_an_answer(binary: &str, samples: &[&str]) {
    let function = Function::start(binary, &[]);
    let samples = samples
        .iter()
        .map(|sample| serde_json::from_str::<Value>(sample).unwrap());
    let samples: Vec<_> = samples.collect();
    for sample in &samples {
        let answer = function.invoke(sample).unwrap();
        assert!(answer["statusCode"].is_u64(), "{answer}");
    }
    for payload in [
        "null",
        "[]",
        "{}",
        "7",
        r#""\ud800""#,
        r#"{"requestContext":{"http":{"method":"GET"}},"rawPath":"\udc00"}"#,
        r#"{"body":{},"headers":[],"requestContext":{"http":{"method":"POST"},"authorizer":[]}}"#,
        r#"{"httpMethod":"GET","path":"/","headers":null}"#,
    ] {
        let answer = function.invoke_text(payload.to_owned()).unwrap();
        let status = answer["statusCode"].as_u64().unwrap();
        assert!(status < 500, "{payload}: {answer}");
    }
    let mutated = proptest::sample::select(samples).prop_flat_map(|sample| {
        proptest::collection::vec(mutation(), 1..4).prop_map(move |mutations| {
            let mut payload = sample.clone();
            for (pointer, value) in mutations {
                put(&mut payload, pointer, value);
            }
            payload
        })
    });
    let config = Config {
        cases: 600,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&mutated, |payload| {
        let answer = function.invoke(&payload);
        let answer = answer.map_err(TestCaseError::fail)?;
        prop_assert!(answer["statusCode"].is_u64(), "{answer}");
        prop_assert!(answer["headers"]["content-type"].is_string() || answer["body"] == "");
        Ok(())
    });
    outcome.unwrap();
}

/// A member of the payload, and its new value; `None` removes it.
fn mutation() -> impl Strategy<Value = (&'static str, Option<Value>)> {
    let member = proptest::sample::select(vec![
        "/version",
        "/routeKey",
        "/rawPath",
        "/rawQueryString",
        "/queryStringParameters",
        "/cookies",
        "/headers",
        "/headers/host",
        "/headers/x-forwarded-proto",
        "/headers/x-forwarded-port",
        "/headers/accept-language",
        "/headers/idempotency-key",
        "/headers/if-none-match",
        "/headers/stripe-signature",
        "/headers/\u{1b}[2J",
        "/pathParameters",
        "/pathParameters/id",
        "/stageVariables",
        "/requestContext",
        "/requestContext/stage",
        "/requestContext/domainName",
        "/requestContext/requestId",
        "/requestContext/timeEpoch",
        "/requestContext/http",
        "/requestContext/http/method",
        "/requestContext/http/path",
        "/requestContext/authorizer",
        "/requestContext/authorizer/jwt/claims",
        "/requestContext/authorizer/jwt/claims/sub",
        "/requestContext/authorizer/jwt/claims/email_verified",
        "/requestContext/authorizer/jwt/scopes",
        "/body",
        "/isBase64Encoded",
    ]);
    let text = prop_oneof![
        3 => proptest::sample::select(vec![
            "", "q=a b", "limit=+5", "limit=%2B5&limit=1", "cursor=\"<>", "a\rb\n", "/a b/\"<%zz", "::", "/",
            "http,https", "a b", "[::1", "\u{202e}\u{0}", "POST", "GET", "P O", "***", "e30=", "{", "\"",
            "{\"items\":[{\"product_id\":\"a\",\"quantity\":1}]}",
        ]).prop_map(str::to_owned),
        2 => "\\PC{0,40}",
        1 => "(?s).{0,40}",
    ];
    let value = prop_oneof![
        6 => text.prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(json!([])),
        1 => Just(json!({})),
        1 => Just(json!(["a", 1, null])),
        1 => Just(json!({ "a": 1, "b": ["c"], "": "d e" })),
    ];
    (member, proptest::option::weighted(0.8, value))
}

fn put(payload: &mut Value, pointer: &str, value: Option<Value>) {
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        return;
    };
    let mut object = payload;
    for step in parent.split('/').skip(1) {
        let Some(members) = object.as_object_mut() else {
            return;
        };
        object = members
            .entry(step)
            .or_insert_with(|| Value::Object(Map::new()));
    }
    let Some(members) = object.as_object_mut() else {
        return;
    };
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
}

/// A sample with some of its members changed.
pub fn changed(sample: &str, members: &BTreeMap<&str, Value>) -> Value {
    let mut payload = serde_json::from_str(sample).unwrap();
    for (pointer, value) in members {
        put(&mut payload, pointer, Some(value.clone()));
    }
    payload
}
