//! Connections that are opened before there is anything to say, so that whoever has something to say
//! first need not wait two round trips for TCP and TLS.

use std::{
    error::Error,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Authority};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::{task::JoinHandle, time::Instant};
use tower_service::Service;

use crate::starting::work_is_asked_for;

type Hosts = HttpsConnector<HttpConnector>;

/// Connects to hosts, or passes on a connection that was opened early.
#[derive(Clone)]
pub(super) struct Connector {
    hosts: Hosts,
    /// How long an early connection is kept.
    kept: Duration,
    early: Arc<Mutex<Vec<Early>>>,
}

type Connection = <Hosts as Service<Uri>>::Response;

type Connected = Result<Connection, Box<dyn Error + Send + Sync>>;

/// A connection that is open, or about to be.
struct Early {
    host: Authority,
    begun: Instant,
    opening: JoinHandle<Connected>,
}

impl Connector {
    pub(super) fn new(hosts: Hosts, kept: Duration) -> Self {
        Self {
            hosts,
            kept,
            early: Arc::default(),
        }
    }

    /// Begins to connect to the host of this address once the function has asked for work: addresses,
    /// keys and greetings are then worked out while Lambda looks for it.
    pub(super) fn open(&self, address: Uri) {
        let Some(host) = address.authority().cloned() else {
            return;
        };
        let mut hosts = self.hosts.clone();
        let opening = tokio::spawn(async move {
            work_is_asked_for().await;
            hosts.call(address).await
        });
        let early = Early {
            host,
            begun: Instant::now(),
            opening,
        };
        let mut waiting = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(early);
    }

    /// The connection that was opened to this host, if it can still be open.
    fn take(&self, host: Option<&Authority>) -> Option<JoinHandle<Connected>> {
        let mut waiting = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|early| early.begun.elapsed() < self.kept);
        let place = waiting.iter().position(|early| Some(&early.host) == host)?;
        Some(waiting.swap_remove(place).opening)
    }
}

impl Service<Uri> for Connector {
    type Response = Connection;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Connected> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.hosts.poll_ready(context)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let Some(early) = self.take(address.authority()) else {
            return self.hosts.call(address);
        };
        let mut hosts = self.hosts.clone();
        Box::pin(async move {
            match early.await {
                Ok(Ok(connection)) => Ok(connection),
                // Perhaps it is only now that the host can be reached.
                _ => hosts.call(address).await,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn listening() -> (TcpListener, Uri) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        (listener, address.parse().unwrap())
    }

    fn hosts() -> Hosts {
        let mut hosts = HttpConnector::new();
        hosts.enforce_http(false);
        hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .unwrap()
            .https_or_http()
            .enable_http1()
            .wrap_connector(hosts)
    }

    #[tokio::test]
    async fn an_early_connection_is_used_once_and_not_after_its_time() {
        let (_listener, address) = listening();
        for (kept, taken) in [
            (Duration::from_secs(50), [true, false]),
            (Duration::ZERO, [false, false]),
        ] {
            let connector = Connector::new(hosts(), kept);
            connector.open(address.clone());
            let found = [(); 2].map(|()| connector.take(address.authority()).is_some());
            assert_eq!(found, taken, "{kept:?}");
        }
    }

    #[tokio::test]
    async fn a_function_asks_for_work_before_an_early_connection_is_begun() {
        let (listener, address) = listening();
        listener.set_nonblocking(true).unwrap();
        let connector = Connector::new(hosts(), Duration::from_secs(50));
        connector.open(address);
        for _ in 0..2 {
            tokio::task::yield_now().await;
        }
        assert!(listener.accept().is_err(), "it has begun");
        while listener.accept().is_err() {
            tokio::task::yield_now().await;
        }
    }
}
