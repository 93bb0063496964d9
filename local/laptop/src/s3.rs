//! S3, as far as the shop uses it: objects that are put whole, and read whole or in part by whoever
//! has a link. Signatures are checked, so a link that S3 would refuse is refused here.

mod objects;
mod range;
mod refusal;
mod signature;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use percent_encoding::percent_decode_str;
use shared::clock::Clock;
use uuid::Uuid;

pub(crate) use self::objects::Objects;
use self::objects::{Object, Unstored};
use self::range::{Part, wanted};
use self::refusal::Refusal;
use self::signature::Signature;

/// What is behind the routes.
#[derive(Clone)]
pub(crate) struct S3 {
    pub(crate) objects: Arc<Objects>,
    /// The shop's, by which its functions sign.
    pub(crate) clock: Clock,
}

impl S3 {
    /// `/<bucket>/<key>`: S3's addresses with the bucket in the path.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/{bucket}/{*key}", any(object))
            .with_state(self)
    }

    async fn answer(&self, request: Request) -> Result<Response, Refusal> {
        let (request, body) = request.into_parts();
        let (bucket, key) = place(request.uri.path())?;
        let signature = Signature::of(&request)?;
        signature.check(&request, self.clock.now())?;
        match request.method {
            Method::GET | Method::HEAD => {
                let object = self.objects.open(&bucket, &key).await?;
                read(object, &request).await
            }
            Method::PUT => {
                let length = length(&request.headers)?;
                let expected = (signature.payload(), length);
                let body = body.into_data_stream();
                let etag = self.objects.put(&bucket, &key, body, expected).await?;
                Ok(([(header::ETAG, etag)], ()).into_response())
            }
            _ => Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            )),
        }
    }
}

async fn object(State(s3): State<S3>, request: Request) -> Response {
    let id = Uuid::now_v7().simple().to_string();
    let is_head = request.method() == Method::HEAD;
    let mut response = match s3.answer(request).await {
        Ok(response) => response,
        // There is nothing to read in an answer to HEAD.
        Err(refusal) if is_head => refusal.status.into_response(),
        Err(Refusal {
            status,
            code,
            message,
        }) => {
            let xml = [(header::CONTENT_TYPE, "application/xml")];
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
                 <Message>{message}</Message><RequestId>{id}</RequestId></Error>"
            );
            (status, xml, body).into_response()
        }
    };
    if let Ok(id) = id.parse() {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    response
}

/// The bucket and the key.
fn place(path: &str) -> Result<(String, String), Refusal> {
    let decoded = percent_decode_str(path).decode_utf8().ok();
    let place = decoded.as_deref().and_then(|path| {
        let (bucket, key) = path.strip_prefix('/')?.split_once('/')?;
        Some((bucket.to_owned(), key.to_owned()))
    });
    place.ok_or_else(|| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "InvalidURI",
            "Couldn't parse the specified URI.",
        )
    })
}

fn length(headers: &HeaderMap) -> Result<u64, Refusal> {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    length.ok_or_else(|| {
        Refusal::new(
            StatusCode::LENGTH_REQUIRED,
            "MissingContentLength",
            "You must provide the Content-Length HTTP header.",
        )
    })
}

/// The object, or the part of it that is asked for, with the headers that the link replaces.
async fn read(object: Object, request: &Parts) -> Result<Response, Refusal> {
    let size = object.size;
    let range = request.headers.get(header::RANGE);
    let part = wanted(range.and_then(|range| range.to_str().ok()), size)?;
    let mut response = Response::builder()
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, object.etag())
        .header(header::CONTENT_LENGTH, part.length());
    let query = request.uri.query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes());
    let mut content_type = "binary/octet-stream".to_owned();
    for (name, value) in query {
        match name.as_ref() {
            "response-content-type" => content_type = value.into_owned(),
            "response-content-disposition" => {
                response = response.header(header::CONTENT_DISPOSITION, value.as_ref());
            }
            _ => {}
        }
    }
    response = response.header(header::CONTENT_TYPE, content_type);
    response = match part {
        Part::Whole(_) => response,
        Part::Some { first, last } => response.status(StatusCode::PARTIAL_CONTENT).header(
            header::CONTENT_RANGE,
            format!("bytes {first}-{last}/{size}"),
        ),
    };
    let body = match request.method {
        Method::HEAD => Body::empty(),
        _ => Body::from_stream(object.bytes(part.first(), part.length()).await?),
    };
    response.body(body).map_err(|_| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "InvalidArgument",
            "A header in the query is not one.",
        )
    })
}

impl From<Unstored> for Refusal {
    fn from(unstored: Unstored) -> Self {
        match unstored {
            Unstored::NoBucket => Self::new(
                StatusCode::NOT_FOUND,
                "NoSuchBucket",
                "The specified bucket does not exist",
            ),
            Unstored::NoKey => Self::new(
                StatusCode::NOT_FOUND,
                "NoSuchKey",
                "The specified key does not exist.",
            ),
            Unstored::NotAKey => Self::new(
                StatusCode::BAD_REQUEST,
                "InvalidArgument",
                "The key cannot be the name of a file on this machine.",
            ),
            Unstored::OtherBytes => Self::new(
                StatusCode::BAD_REQUEST,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
            Unstored::BrokenOff => Self::new(
                StatusCode::BAD_REQUEST,
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP header",
            ),
            Unstored::Failed(error) => {
                tracing::error!(%error, "an object cannot be kept or read");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "InternalError",
                    "We encountered an internal error. Please try again.",
                )
            }
        }
    }
}
