//! HTTPS for all of Till's calls: pooled connections, and the root certificates compiled in. AWS's
//! default client reads the system's certificates file by file, which takes up most of a function's
//! start.

use std::{fmt, time::Duration};

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
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client as PooledClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use crate::config::ConfigError;

/// A pooled client for requests with the body `B`. Cheap to clone; clones share connections.
pub type Client<B> = PooledClient<HttpsConnector<HttpConnector>, B>;

/// How long a function waits for a connection.
pub(crate) const CONNECT: Duration = Duration::from_secs(2);

/// How long an unused connection is kept: a little less than Stripe and DynamoDB keep theirs.
const IDLE: Duration = Duration::from_secs(50);

/// A client with a time limit for connecting. Plain `http://` works, too, because a stand-in on
/// this machine has no certificate.
pub fn client<B>(connect: Duration) -> Result<Client<B>, ConfigError>
where
    B: http_body::Body + Send,
    B::Data: Send,
{
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
    Ok(PooledClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .build(connector))
}

/// The same for the AWS SDK.
#[derive(Clone)]
pub struct ForSdk(Client<SdkBody>);

impl ForSdk {
    /// A client with connections of its own.
    pub fn new() -> Result<Self, ConfigError> {
        client(CONNECT).map(Self)
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

/// Why a call failed, in the words of the innermost error: the outer ones say only that something
/// did.
pub fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
