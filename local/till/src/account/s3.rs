//! Objects in S3, or in what stands in for it: put there, and looked for.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use shared::aws::bucket::Bucket;
use shared::config::Environment;
use shared::https;

/// How long an upload may take: a gigabyte at 5 megabits a second.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// The largest answer read: a description of an error.
const LARGEST_ANSWER: usize = 64 * 1024;

/// S3, as the shop's operator calls it.
#[derive(Clone)]
pub(crate) struct S3 {
    http: https::Client,
    /// When signatures say they were made: the shop's time, by which those of a shop on this machine
    /// are checked.
    now: i64,
}

/// What S3 says instead of an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum S3Error {
    /// Such as `AccessDenied`.
    #[error("S3 answers {status} {code}")]
    Refused { status: StatusCode, code: String },
    #[error("S3 is out of reach: {0}")]
    Unreachable(String),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// What is to be put.
pub(crate) struct Upload<'a> {
    pub(crate) address: String,
    pub(crate) content: Bytes,
    pub(crate) media_type: &'a str,
    pub(crate) cache_control: &'a str,
}

impl S3 {
    pub(crate) fn of(environment: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            http: environment.network().client()?,
            now: environment.clock().now(),
        })
    }

    /// Puts an object; whatever had its key is replaced.
    pub(crate) async fn put(&self, bucket: &Bucket, upload: Upload<'_>) -> Result<(), S3Error> {
        let put = Request::put(upload.address)
            .header(header::CONTENT_TYPE, upload.media_type)
            .header(header::CACHE_CONTROL, upload.cache_control)
            .body(upload.content);
        let answer = self.call(bucket, put).await?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(refused(&answer)),
        }
    }

    /// How many bytes an object has; `None` if it is not there.
    pub(crate) async fn size(
        &self,
        bucket: &Bucket,
        address: String,
    ) -> Result<Option<u64>, S3Error> {
        let head = Request::head(address).body(Bytes::new());
        let answer = self.call(bucket, head).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                let length = answer.headers().get(header::CONTENT_LENGTH);
                let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
                Ok(Some(length.context("S3 does not say how large it is")?))
            }
            _ => Err(refused(&answer)),
        }
    }

    async fn call(
        &self,
        bucket: &Bucket,
        request: Result<Request<Bytes>, http::Error>,
    ) -> Result<Response<Bytes>, S3Error> {
        let request = request.context("the request cannot be made")?;
        let request = bucket.signed(request, self.now);
        let request = request.map_err(anyhow::Error::from)?;
        let out_of_reach = |why: &dyn std::fmt::Display| S3Error::Unreachable(why.to_string());
        let answered = tokio::time::timeout(PATIENCE, async {
            let answer = self.http.request(request).await;
            let (head, body) = answer.map_err(|error| out_of_reach(&error))?.into_parts();
            let body = Limited::new(body, LARGEST_ANSWER).collect().await;
            let body = body.map_err(|_| out_of_reach(&"the answer broke off"))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        });
        let late = |_| Err(out_of_reach(&"no answer within half an hour"));
        answered.await.unwrap_or_else(late)
    }
}

/// What its XML says.
fn refused(answer: &Response<Bytes>) -> S3Error {
    let text = String::from_utf8_lossy(answer.body());
    let part = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (part, _) = rest.split_once(&format!("</{name}>"))?;
        Some(part.to_owned())
    };
    let code = part("Code").unwrap_or_default();
    let message = part("Message");
    S3Error::Refused {
        status: answer.status(),
        code: message.map_or(code.clone(), |message| format!("{code}: {message}")),
    }
}
