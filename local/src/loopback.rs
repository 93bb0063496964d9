//! Doors that only this machine can use: listeners on 127.0.0.1, and the checks that keep web
//! pages from elsewhere out of them.

use std::future::Future;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, bail};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A listener that does not serve yet, so that its address can be told to others first.
pub(crate) struct Door {
    listener: TcpListener,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Door {
    /// Listens on `port` (0: any that is free); `option` is what chooses another port.
    pub(crate) async fn open(port: u16, option: &str) -> anyhow::Result<Self> {
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => listener,
            Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
                "port {port} is taken by another program; stop it or choose another with {option}"
            ),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot listen on port {port}"));
            }
        };
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// `http://127.0.0.1:3000`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bare listener, for a server that brings its own loop.
    pub(crate) fn into_listener(self) -> TcpListener {
        self.listener
    }

    /// Answers requests that name this door in `Host`, until shut down.
    pub(crate) async fn serve(self, router: Router, shutdown: Shutdown) {
        let port = self.address.port();
        let router = router.layer(middleware::from_fn(
            move |request: Request, next: Next| async move {
                if names_this_machine(request.headers(), port) {
                    next.run(request).await
                } else {
                    // A page elsewhere may have its own name point here (DNS rebinding).
                    let why = "this server answers as 127.0.0.1 and localhost only\n";
                    (StatusCode::MISDIRECTED_REQUEST, why).into_response()
                }
            },
        ));
        let served = axum::serve(
            self.listener,
            router.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(shutdown.requested());
        if let Err(error) = served.await {
            tracing::error!(%error, port, "stopped listening on port {port}");
        }
    }
}

fn names_this_machine(headers: &HeaderMap, port: u16) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    hosts.next().is_none()
        && host.is_some_and(|host| {
            host == format!("127.0.0.1:{port}") || host == format!("localhost:{port}")
        })
}

/// Lets a request through unless a page from elsewhere makes it: browsers name the page's origin,
/// programs do not.
pub(crate) async fn refuse_other_origins(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let foreign = headers
        .get_all(header::ORIGIN)
        .iter()
        .any(|origin| origin.to_str().ok() != Some(&format!("http://{host}")));
    if foreign {
        let why = "requests from other origins are refused here\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    next.run(request).await
}

/// Resolves when the shop is asked to stop. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// The one who asks, and the ones who are asked.
    pub(crate) fn channel() -> (watch::Sender<bool>, Self) {
        let (ask, asked) = watch::channel(false);
        (ask, Self(asked))
    }

    /// Whether the shop is asked to stop.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when the shop is asked to stop, or is gone.
    pub(crate) fn requested(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut asked = self.0.clone();
        async move {
            // An error means the sender is gone, and with it the shop.
            let _ = asked.wait_for(|asked| *asked).await;
        }
    }
}
