//! A small shop around functions of the tests' own, so that only what lies around functions is
//! tested here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use lambda_http::{Body, RequestExt as _, Response};
use laptop::environment::Variables;
use laptop::functions::{Functions, Wiring};
use laptop::shop::{LocalShop, Options};
use serde_json::{Value, json};
use template::project::Project;

pub(crate) const TEMPLATE: &str = include_str!("small_shop/template.yaml");

/// A running shop, its files, and a client that follows no redirects.
pub(crate) struct TestShop {
    pub(crate) shop: LocalShop,
    pub(crate) http: reqwest::Client,
    environments: Environments,
    folder: tempfile::TempDir,
}

impl TestShop {
    /// With functions that answer with what they were asked.
    pub(crate) async fn start() -> Self {
        Self::with(echoing()).await
    }

    pub(crate) async fn with(functions: Functions) -> Self {
        Self::opening(functions, |_| {}).await
    }

    /// With other options.
    pub(crate) async fn opened(change: impl FnOnce(&mut Options)) -> Self {
        Self::opening(echoing(), change).await
    }

    async fn opening(functions: Functions, change: impl FnOnce(&mut Options)) -> Self {
        let folder = project();
        let environments = Environments::default();
        let mut options = options(folder.path(), functions.clone());
        options.wiring = remembering(functions, &environments);
        change(&mut options);
        Self {
            shop: LocalShop::start(options).await.unwrap(),
            http: client(),
            environments,
            folder,
        }
    }

    /// The folder with the shop's files.
    pub(crate) fn project(&self) -> &Path {
        self.folder.path()
    }

    /// What the function was given.
    pub(crate) fn environment(&self, function: &str) -> Variables {
        self.environments.lock().unwrap()[function].clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.shop.url())
    }

    pub(crate) fn aws(&self, path: &str) -> String {
        format!("{}{path}", self.shop.aws_url())
    }

    pub(crate) fn issuer(&self) -> String {
        self.url("/_local/identity")
    }

    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> String {
        let answer = self
            .http
            .post(self.url("/_local/token"))
            .form(form)
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    pub(crate) async fn arm(&self, fault: Value) {
        let answer = self
            .http
            .post(self.aws("/_aws/faults"))
            .json(&fault)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201);
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// Calls DynamoDB as a program without an SDK would.
pub(crate) async fn dynamodb(aws: &str, operation: &str, input: Value) -> Value {
    let answer = client()
        .post(aws)
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20260101T000000Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=00",
        )
        .body(input.to_string())
        .send()
        .await
        .unwrap();
    let (status, answer) = (answer.status(), answer.json().await.unwrap());
    assert!(status.is_success(), "{answer}");
    answer
}

/// A folder with a template and a site.
pub(crate) fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write =
        |path: &str, content: &str| std::fs::write(folder.path().join(path), content).unwrap();
    write("template.yaml", TEMPLATE);
    std::fs::create_dir_all(folder.path().join("site/js")).unwrap();
    write("site/index.html", "<!doctype html><title>Shop</title>");
    write("site/js/buy.js", "export {};");
    write("site/.secret", "hidden");
    write("outside.txt", "outside");
    folder
}

pub(crate) fn options(project: &Path, functions: Functions) -> Options {
    Options::in_memory(Project::at(project).unwrap(), wired(functions))
}

/// What each function was given, by its logical id.
type Environments = Arc<Mutex<BTreeMap<String, Variables>>>;

pub(crate) fn wired(functions: Functions) -> Wiring {
    remembering(functions, &Environments::default())
}

fn remembering(functions: Functions, environments: &Environments) -> Wiring {
    let environments = Arc::clone(environments);
    Arc::new(move |given: BTreeMap<String, Variables>, _| {
        *environments.lock().unwrap() = given;
        let functions = functions.clone();
        Box::pin(async move { Ok(functions) })
    })
}

/// Functions that answer with the request as their code sees it.
pub(crate) fn echoing() -> Functions {
    let functions = [
        "CheckoutFunction",
        "CatalogFunction",
        "PurchasesFunction",
        "WebhookFunction",
    ];
    functions
        .iter()
        .fold(Functions::default(), |functions, id| {
            functions.http(id, echo)
        })
        .event("MailerFunction", |_| async {
            Ok(json!({ "batchItemFailures": [] }))
        })
}

async fn echo(request: lambda_http::Request) -> Response<Body> {
    let claims = request
        .request_context_ref()
        .and_then(|context| match context {
            lambda_http::request::RequestContext::ApiGatewayV2(context) => context
                .authorizer
                .as_ref()?
                .jwt
                .as_ref()
                .map(|jwt| jwt.claims.clone()),
            _ => None,
        });
    let body = shared::http::body(&request, usize::MAX).unwrap();
    let binary = matches!(body, Cow::Owned(_));
    let seen = json!({
        "method": request.method().as_str(),
        "id": request.path_parameters_ref().and_then(|parameters| parameters.first("id")),
        "limit": request.query_string_parameters_ref().and_then(|query| query.first("limit")),
        "claims": claims,
        "body": String::from_utf8_lossy(&body),
        "binary": binary,
    });
    Response::builder()
        .status(201)
        .header("content-type", "application/json")
        .body(seen.to_string().into())
        .unwrap()
}
