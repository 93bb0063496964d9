//! HTTPS for all of Till's calls: pooled connections, and the root certificates compiled in. AWS's
//! default client reads the system's certificates file by file, which takes up most of a function's
//! start.

mod early;

use std::{error::Error, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

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
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client as PooledClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use self::early::Connector;

/// How long a function waits for a connection.
pub(crate) const CONNECT: Duration = Duration::from_secs(2);

/// How long an unused connection is kept: a little less than Stripe and DynamoDB keep theirs.
const IDLE: Duration = Duration::from_secs(50);

/// The body of an answer: from the wire, or from whoever answers in place of a host.
pub type AnswerBody = Either<Incoming, Full<Bytes>>;

/// Whoever answers in place of the hosts.
type Answering = dyn Fn(Request<Bytes>) -> Answered + Send + Sync;

/// What becomes of a call that somebody else answers.
pub type Answered = Pin<Box<dyn Future<Output = Result<Response<Bytes>, CallError>> + Send>>;

/// A client for all hosts. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client(Way);

#[derive(Clone)]
enum Way {
    Wire(Arc<Wire>),
    Answering(Arc<Answering>),
}

struct Wire {
    pool: PooledClient<Connector, Full<Bytes>>,
    connector: Connector,
}

/// TLS cannot be used, so there are no calls.
#[derive(Debug, thiserror::Error)]
#[error("TLS: {0}")]
pub struct NoTls(#[from] rustls::Error);

/// Why a call has no answer, in the words of the innermost error: the outer ones say only that
/// something failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There was no connection, so nobody got the request.
    #[error("{0}")]
    Unreachable(String),
    /// The connection broke; the request may have been carried out.
    #[error("{0}")]
    Broken(String),
}

impl Client {
    /// A client with a time limit for connecting. Plain `http://` works, too, because a stand-in on
    /// this machine has no certificate.
    pub fn new(connect: Duration) -> Result<Self, NoTls> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(connect));
        tcp.set_nodelay(true);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let connector = Connector::new(connector, IDLE);
        let pool = PooledClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector.clone());
        Ok(Self(Way::Wire(Arc::new(Wire { pool, connector }))))
    }

    /// One for which `answer` answers every request.
    pub(crate) fn answered_by(
        answer: impl Fn(Request<Bytes>) -> Answered + Send + Sync + 'static,
    ) -> Self {
        Self(Way::Answering(Arc::new(answer)))
    }

    /// Begins to open a connection to the host of this address, so that the next request for it
    /// has less to wait for. Nothing is said if that fails: the request will.
    pub(crate) fn open(&self, address: &str) {
        if let Way::Wire(wire) = &self.0
            && let Ok(address) = address.parse::<Uri>()
        {
            wire.connector.open(address);
        }
    }

    /// Sends the request and returns as soon as the answer begins.
    pub async fn request(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<AnswerBody>, CallError> {
        match &self.0 {
            Way::Wire(wire) => {
                let answer = wire.pool.request(request.map(Full::new)).await;
                let answer = answer.map_err(|error| match error.is_connect() {
                    true => CallError::Unreachable(cause(&error)),
                    false => CallError::Broken(cause(&error)),
                })?;
                Ok(answer.map(Either::Left))
            }
            Way::Answering(answering) => {
                let answer = answering(request).await?;
                Ok(answer.map(|body| Either::Right(Full::new(body))))
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl HttpClient for Client {
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

impl SdkConnector for Client {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(ConnectorError::user)?;
            let request = Request::from_parts(head, body.to_bytes());
            // So that the SDK retries, however the connection failed.
            let answer = client.request(request).await;
            let answer = answer.map_err(|error| ConnectorError::io(error.into()))?;
            let answer = answer.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(answer).map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

fn cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{SocketAddr, TcpListener},
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Answers whatever it is asked; counts its connections.
    fn host(address: SocketAddr) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let connections = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&connections);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    let mut connection = connection.unwrap();
                    while connection.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                        let answer = "HTTP/1.1 204 No Content\r\n\r\n";
                        connection.write_all(answer.as_bytes()).unwrap();
                    }
                });
            }
        });
        (url, connections)
    }

    async fn ask(client: &Client, url: &str) -> u16 {
        let request = Request::get(url).body(Bytes::new()).unwrap();
        client.request(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn the_first_call_goes_over_the_connection_that_was_opened_early() {
        let (url, connections) = host(([127, 0, 0, 1], 0).into());
        let client = Client::new(CONNECT).unwrap();
        client.open(&url);
        while connections.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..3 {
            assert_eq!(ask(&client, &url).await, 204);
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_host_that_could_not_be_reached_early_is_tried_again() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let client = Client::new(CONNECT).unwrap();
        client.open(&format!("http://{address}/"));
        // Nobody listens yet.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let (url, connections) = host(address);
        assert_eq!(ask(&client, &url).await, 204);
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn an_early_connection_of_another_host_is_left_alone() {
        let (one, connections) = host(([127, 0, 0, 1], 0).into());
        let (other, others) = host(([127, 0, 0, 1], 0).into());
        let client = Client::new(CONNECT).unwrap();
        client.open(&one);
        assert_eq!(ask(&client, &other).await, 204);
        assert_eq!(ask(&client, &one).await, 204);
        let both = [connections, others].map(|it| it.load(Ordering::SeqCst));
        assert_eq!(both, [1, 1]);
    }
}
