//! A store of secrets: another engine's, or a small server's that counts how often it is asked and can
//! be told to fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use http::StatusCode;
use reqwest::Client;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::Environment;
use uuid::Uuid;
use webhook::Webhook;

use super::WEBHOOK_SECRETS;

/// What the small server keeps, and what it is told to do.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) readings: usize,
    pub(super) delay: Duration,
    pub(super) fails: bool,
}

/// A store of secrets, with names of this test's own.
pub(super) struct Store {
    kind: &'static str,
    endpoint: String,
    here: Option<Arc<Mutex<Kept>>>,
    suffix: String,
    http: Client,
}

impl Store {
    /// The other engine if there is one.
    pub(super) async fn any(kind: &'static str) -> Self {
        let engine = std::env::var("AWS_ENDPOINT_URL");
        match engine.ok().filter(|url| !url.trim().is_empty()) {
            Some(endpoint) => Self::at(kind, endpoint, None),
            None => Self::here(kind).await,
        }
    }

    /// The one that counts and fails.
    pub(super) async fn here(kind: &'static str) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self::at(kind, endpoint, Some(kept))
    }

    fn at(kind: &'static str, endpoint: String, here: Option<Arc<Mutex<Kept>>>) -> Self {
        Self {
            kind,
            endpoint,
            here,
            suffix: Uuid::new_v4().simple().to_string(),
            http: Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub(super) fn name(&self, variable: &str) -> String {
        format!("/till/{variable}-{}", self.suffix)
    }

    /// Stores a secret, or replaces it.
    pub(super) async fn put(&self, variable: &str, value: &str) {
        let name = self.name(variable);
        if let Some(here) = &self.here {
            here.lock().unwrap().secrets.insert(name, value.to_owned());
            return;
        }
        let done = if self.kind == "ssm" {
            let parameter =
                json!({"Name": name, "Value": value, "Type": "SecureString", "Overwrite": true});
            self.call("AmazonSSM.PutParameter", &parameter).await
        } else {
            let fresh = json!({"Name": name, "SecretString": value});
            let replaced = json!({"SecretId": name, "SecretString": value});
            self.call("secretsmanager.CreateSecret", &fresh).await
                || self.call("secretsmanager.PutSecretValue", &replaced).await
        };
        assert!(done, "{} does not take {name}", self.endpoint);
    }

    async fn call(&self, target: &str, body: &Value) -> bool {
        let service = if self.kind == "ssm" {
            "ssm"
        } else {
            "secretsmanager"
        };
        let scope = format!("local/20260101/us-east-1/{service}/aws4_request");
        let request = self
            .http
            .post(&self.endpoint)
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.1")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
            .body(body.to_string());
        request.send().await.unwrap().status().is_success()
    }

    /// The server here; what it counts and what it is told.
    #[track_caller]
    pub(super) fn told(&self, tell: impl FnOnce(&mut Kept)) {
        tell(&mut self.here.as_ref().unwrap().lock().unwrap());
    }

    #[track_caller]
    pub(super) fn readings(&self) -> usize {
        self.here.as_ref().unwrap().lock().unwrap().readings
    }

    /// The variables that lead a function to a secret in this store.
    pub(super) fn variables(&self, variable: &str) -> BTreeMap<String, String> {
        let own = match self.kind {
            "ssm" => "AWS_ENDPOINT_URL_SSM",
            _ => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        };
        BTreeMap::from([
            (variable.to_owned(), String::new()),
            (format!("{variable}_PARAMETER"), self.name(variable)),
            ("SECRETS_STORE".to_owned(), self.kind.to_owned()),
            (own.to_owned(), self.endpoint.clone()),
        ])
    }

    /// A webhook function with its secrets here.
    pub(super) async fn webhook(&self) -> Result<Webhook, String> {
        let function = Webhook::new(&self.environment(WEBHOOK_SECRETS), Clock::default()).await;
        function.map_err(|error| error.to_string())
    }

    /// A function's environment, with one secret here.
    pub(super) fn environment(&self, variable: &str) -> Environment {
        let mut variables = self.variables(variable);
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_REGION", "us-east-1"),
            // Nothing in these tests gets as far as a table or Stripe.
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
            ("PRODUCTS_TABLE", "products"),
            ("PURCHASES_TABLE", "purchases"),
            ("OUTBOX_TABLE", "outbox"),
            ("STRIPE_SECRET_KEY", "sk_test_local"),
            ("TILL_MODE", "test"),
            ("TILL_STACK", "till"),
        ] {
            let value = || value.to_owned();
            variables.entry(name.to_owned()).or_insert_with(value);
        }
        Environment::from(variables)
    }
}

/// Parameter Store and Secrets Manager, as far as reading goes.
async fn answer(
    State(kept): State<Arc<Mutex<Kept>>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap();
    let signed = header("authorization");
    assert!(
        signed.starts_with("AWS4-HMAC-SHA256 Credential=local/"),
        "{signed}"
    );
    let asked: Value = serde_json::from_str(&body).unwrap();
    let (service, name) = match header("x-amz-target") {
        "AmazonSSM.GetParameter" => {
            assert_eq!(asked["WithDecryption"], true);
            ("ssm", &asked["Name"])
        }
        "secretsmanager.GetSecretValue" => ("secretsmanager", &asked["SecretId"]),
        other => panic!("nobody should ask {other}"),
    };
    assert!(signed.contains(&format!("/us-east-1/{service}/aws4_request")));
    let (delay, fails, secret) = {
        let mut kept = kept.lock().unwrap();
        kept.readings = kept.readings.saturating_add(1);
        let secret = kept.secrets.get(name.as_str().unwrap()).cloned();
        (kept.delay, kept.fails, secret)
    };
    tokio::time::sleep(delay).await;
    let (status, answer) = match secret {
        _ if fails => (400, json!({"__type": "AccessDeniedException"})),
        Some(secret) if service == "ssm" => (200, json!({"Parameter": {"Value": secret}})),
        Some(secret) => (200, json!({"SecretString": secret})),
        None if service == "ssm" => (400, json!({"__type": "com.amazonaws#ParameterNotFound"})),
        None => (400, json!({"__type": "ResourceNotFoundException"})),
    };
    (StatusCode::from_u16(status).unwrap(), answer.to_string())
}
