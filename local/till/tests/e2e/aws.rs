//! An AWS account with the stack `till-eu`, as its operator sees it: CloudFormation, Parameter
//! Store and S3 are played here, and DynamoDB is a shop's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::operator::Operator;

/// What AWS knows in this test.
#[derive(Clone)]
pub(crate) struct Account {
    /// Where DynamoDB is.
    dynamodb: String,
    /// CloudFormation's description of the stack `till-eu`.
    stack: String,
    /// Parameter Store.
    pub(crate) parameters: Arc<Mutex<BTreeMap<String, Parameter>>>,
    /// What was put into S3, by its path, bucket and all.
    pub(crate) objects: Arc<Mutex<BTreeMap<String, Object>>>,
}

/// An object, with the headers that it came with.
pub(crate) type Object = (HeaderMap, Bytes);

/// One of its parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameter {
    pub(crate) value: String,
    /// Its `till_stack`.
    pub(crate) tag: Option<String>,
}

impl Account {
    pub(crate) fn new(
        operator: &Operator,
        parameters: &[(&str, &str)],
        outputs: &[(&str, String)],
    ) -> Self {
        let [.., aws] = operator.shop.ports();
        let member = |kind: &str, name: &str, value: &str| {
            format!(
                "<member><{kind}Key>{name}</{kind}Key><{kind}Value>{value}</{kind}Value></member>"
            )
        };
        let parameters = parameters.iter().map(|(n, v)| member("Parameter", n, v));
        let outputs = outputs.iter().map(|(n, v)| member("Output", n, v));
        let stack = format!(
            "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
             <DescribeStacksResult><Stacks><member><StackName>till-eu</StackName>\
             <StackId>arn:aws:cloudformation:eu-central-1:123456789012:stack/till-eu/1</StackId>\
             <StackStatus>UPDATE_COMPLETE</StackStatus>\
             <CreationTime>2026-01-01T00:00:00Z</CreationTime>\
             <Parameters>{}</Parameters><Outputs>{}</Outputs>\
             </member></Stacks></DescribeStacksResult></DescribeStacksResponse>",
            parameters.collect::<String>(),
            outputs.collect::<String>(),
        );
        Self {
            dynamodb: format!("http://127.0.0.1:{aws}"),
            stack,
            parameters: Arc::default(),
            objects: Arc::default(),
        }
    }

    /// What Parameter Store answers.
    fn parameter_store(&self, operation: &str, body: &[u8]) -> (StatusCode, String) {
        let input: Value = serde_json::from_slice(body).unwrap();
        let name = input.get("Name").or_else(|| input.get("ResourceId"));
        let name = name.unwrap().as_str().unwrap();
        let mut parameters = self.parameters.lock().unwrap();
        let known = parameters.get(name);
        let unknown = |code: &str| (StatusCode::BAD_REQUEST, json!({ "__type": code }));
        let (status, answer) = match (operation, known) {
            ("GetParameter", None) => unknown("ParameterNotFound"),
            ("GetParameter", Some(Parameter { value, .. })) => {
                let parameter = json!({ "Value": value, "Type": "SecureString" });
                (StatusCode::OK, json!({ "Parameter": parameter }))
            }
            ("PutParameter", _) => {
                let value = input["Value"].as_str().unwrap().to_owned();
                parameters.entry(name.to_owned()).or_default().value = value;
                (StatusCode::OK, json!({ "Version": 1 }))
            }
            (_, None) => unknown("InvalidResourceId"),
            ("ListTagsForResource", Some(Parameter { tag, .. })) => {
                let tags = tag.iter();
                let tags = tags.map(|tag| json!({ "Key": "till_stack", "Value": tag }));
                (
                    StatusCode::OK,
                    json!({ "TagList": tags.collect::<Vec<_>>() }),
                )
            }
            ("AddTagsToResource", Some(_)) => {
                let tag = input["Tags"][0]["Value"].as_str().unwrap().to_owned();
                parameters.get_mut(name).unwrap().tag = Some(tag);
                (StatusCode::OK, json!({}))
            }
            other => panic!("{other:?}"),
        };
        (status, answer.to_string())
    }

    /// What S3 answers, if the request is signed.
    fn s3(&self, method: &Method, path: &str, headers: HeaderMap, body: Bytes) -> StatusCode {
        let signed = headers["authorization"].to_str().unwrap();
        assert!(signed.contains("/eu-central-1/s3/aws4_request"), "{signed}");
        let mut objects = self.objects.lock().unwrap();
        match *method {
            Method::PUT => {
                objects.insert(path.to_owned(), (headers, body));
                StatusCode::OK
            }
            Method::HEAD if objects.contains_key(path) => StatusCode::OK,
            Method::HEAD => StatusCode::NOT_FOUND,
            _ => panic!("{method} {path}"),
        }
    }

    pub(crate) async fn listen(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }
}

async fn answer(
    State(account): State<Account>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if uri.path() != "/" {
        let status = account.s3(&method, uri.path(), headers, body);
        return status.into_response();
    }
    let target = headers.get("x-amz-target").map(|it| it.to_str().unwrap());
    if let Some(operation) = target.and_then(|target| target.strip_prefix("AmazonSSM.")) {
        return account.parameter_store(operation, &body).into_response();
    }
    if target.is_some() {
        let call = reqwest::Client::new().post(&account.dynamodb).body(body);
        let call = ["x-amz-target", "content-type", "x-amz-date"]
            .iter()
            .fold(call, |call, name| call.header(*name, &headers[*name]))
            // The shop's tables are in a region and an account of its own.
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 \
                 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=00",
            );
        let answer = call.send().await.unwrap();
        let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
        return (status, answer.bytes().await.unwrap()).into_response();
    }
    let body = String::from_utf8(body.to_vec()).unwrap();
    if !body.contains("Action=DescribeStacks") {
        // Whoever operates a shop may not look at everything in the account.
        let denied = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                      <Message>You are not authorized</Message></Error></ErrorResponse>";
        let xml = [(header::CONTENT_TYPE, "text/xml")];
        return (StatusCode::FORBIDDEN, xml, denied).into_response();
    }
    let xml = [(header::CONTENT_TYPE, "text/xml")];
    if body.contains("StackName=till-eu") {
        return (xml, account.stack).into_response();
    }
    let unknown = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
                   <Message>Stack with id nothing does not exist</Message></Error></ErrorResponse>";
    (StatusCode::BAD_REQUEST, xml, unknown).into_response()
}
