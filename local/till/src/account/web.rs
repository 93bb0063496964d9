//! HTTPS for the operator's commands: to Stripe, to AWS, and to the shop's own addresses.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Limited};
use shared::{aws, https};
use url::Url;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(4);

/// The largest answer read.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// A client. Clones share connections.
#[derive(Clone)]
pub(crate) struct Web {
    http: https::Client,
    /// What stands in for AWS.
    aws: Option<Url>,
}

/// Nobody answered.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreachable(String);

impl Web {
    /// `aws` is `AWS_ENDPOINT_URL`: calls for AWS's own hosts, function URLs and HTTP APIs among
    /// them, then go there.
    pub(crate) fn new(aws: Option<&str>) -> anyhow::Result<Self> {
        let aws = aws.map(Url::parse).transpose();
        Ok(Self {
            http: https::Client::new(CONNECT)?,
            aws: aws.context("AWS_ENDPOINT_URL is not a URL")?,
        })
    }

    /// The connections alone, for whoever speaks to one place only.
    pub(crate) fn http(&self) -> https::Client {
        self.http.clone()
    }

    /// `GET url`, whatever is answered.
    pub(crate) async fn get(&self, url: &str) -> Result<Response<Bytes>, Unreachable> {
        let request = Request::get(url).body(Bytes::new());
        let request = request.map_err(|_| Unreachable(format!("{url} is not an address")))?;
        self.send(request).await
    }

    /// Sends the request and reads the whole answer, whatever its status.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Unreachable> {
        let request = self.redirect(request)?;
        let answered = tokio::time::timeout(PATIENCE, async {
            let answer = self.http.request(request).await;
            let answer = answer.map_err(|error| Unreachable(error.to_string()))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LARGEST_ANSWER).collect().await;
            let body = body.map_err(|_| Unreachable("the answer broke off".into()))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        });
        let late = || Unreachable(format!("no answer within {} seconds", PATIENCE.as_secs()));
        answered.await.unwrap_or_else(|_| Err(late()))
    }

    /// Whatever stands in for AWS knows the hosts it stands in for by their names.
    fn redirect(&self, mut request: Request<Bytes>) -> Result<Request<Bytes>, Unreachable> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        // Stand-ins have domains of their own below these.
        let shops_own = [".execute-api.", ".lambda-url."];
        let of_aws = aws::call::is_host(&host) || shops_own.iter().any(|part| host.contains(part));
        let Some(aws) = self.aws.as_ref().filter(|_| of_aws) else {
            return Ok(request);
        };
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let there = format!("{}{path}", aws.as_str().trim_end_matches('/'));
        let wrong = |_| Unreachable(format!("{there} is not an address"));
        *request.uri_mut() = there.parse::<Uri>().map_err(wrong)?;
        if let Ok(host) = HeaderValue::from_str(&host) {
            request.headers_mut().entry(header::HOST).or_insert(host);
        }
        Ok(request)
    }
}
