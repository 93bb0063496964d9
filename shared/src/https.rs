//! HTTPS for all of Till's calls: pooled connections, and the root certificates compiled in. AWS's
//! default client reads the system's certificates file by file, which takes up most of a function's
//! start.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector as SdkConnector, HttpConnectorFuture, HttpConnectorSettings,
        SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client as PooledClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use crate::{
    config::ConfigError,
    network::{Answering, CallError, Network},
};

/// How long a function waits for a connection.
pub(crate) const CONNECT: Duration = Duration::from_secs(2);

/// How long an unused connection is kept: a little less than Stripe and DynamoDB keep theirs.
const IDLE: Duration = Duration::from_secs(50);

/// The body of an answer: from the wire, or from whoever answers in place of a host.
pub type AnswerBody = Either<Incoming, Full<Bytes>>;

/// A client for requests with the body `B`. Cheap to clone; clones share connections.
pub struct Client<B>(Way<B>);

enum Way<B> {
    Wire(PooledClient<HttpsConnector<HttpConnector>, B>),
    Answering(Arc<Answering>),
}

/// Whether a body can be cloned does not matter.
impl<B> Clone for Client<B> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Way::Wire(pool) => Way::Wire(pool.clone()),
            Way::Answering(answering) => Way::Answering(Arc::clone(answering)),
        })
    }
}

impl<B> Client<B>
where
    B: Body<Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
    B::Data: Send,
{
    /// A client with a time limit for connecting. Plain `http://` works, too, because a stand-in on
    /// this machine has no certificate.
    pub fn new(network: &Network, connect: Duration) -> Result<Self, ConfigError> {
        if let Some(answering) = network.answering() {
            return Ok(Self(Way::Answering(answering)));
        }
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(connect));
        tcp.set_nodelay(true);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .map_err(|error| ConfigError::Wrong {
                name: "TLS",
                wrong: error.to_string(),
            })?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self(Way::Wire(
            PooledClient::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build(connector),
        )))
    }

    /// Sends the request and returns as soon as the answer begins.
    pub async fn request(&self, request: Request<B>) -> Result<Response<AnswerBody>, CallError> {
        match &self.0 {
            Way::Wire(pool) => {
                let answer = pool.request(request).await.map_err(|error| {
                    if error.is_connect() {
                        CallError::Unreachable(cause(&error))
                    } else {
                        CallError::Broken(cause(&error))
                    }
                })?;
                Ok(answer.map(Either::Left))
            }
            Way::Answering(answering) => {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map_err(|error| {
                    let error: Box<dyn Error + Send + Sync> = error.into();
                    CallError::Broken(error.to_string())
                })?;
                let answer = answering(Request::from_parts(head, body.to_bytes())).await?;
                Ok(answer.map(|body| Either::Right(Full::new(body))))
            }
        }
    }
}

/// The same for the AWS SDK.
#[derive(Clone)]
pub struct ForSdk(Client<SdkBody>);

impl ForSdk {
    /// A client with connections of its own.
    pub fn new(network: &Network) -> Result<Self, ConfigError> {
        Client::new(network, CONNECT).map(Self)
    }
}

impl fmt::Debug for ForSdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForSdk")
    }
}

impl HttpClient for ForSdk {
    /// The SDK's settings are ignored: it enforces the time limit for a whole try itself, and our
    /// own limit for connecting applies.
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl SdkConnector for ForSdk {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            // So that the SDK retries, however the connection failed.
            let answer = client.request(request).await;
            let answer = answer.map_err(|error| ConnectorError::io(error.into()))?;
            let answer = answer.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(answer).map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
