//! Doors that only this machine can use: listeners on 127.0.0.1, and the checks that keep web
//! pages from elsewhere out of them. Programs in this machine's containers may use two of them.

use std::fmt;
use std::future::Future;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The name that containers have for the machine they run on.
const HOST_OF_CONTAINERS: &str = "host.docker.internal";

/// A listener that does not serve yet, so that others can be told its address first.
pub struct Door {
    listener: TcpListener,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The same port on a bridge to containers.
    bridge: Option<TcpListener>,
    names: Names,
}

impl Door {
    /// Listens on `port` (0: any that is free); `option` is what chooses another port.
    pub async fn open(port: u16, option: &str) -> anyhow::Result<Self> {
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => listener,
            Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
                "{option} {port} is in use: stop the other program, or choose another port with {option}"
            ),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot listen on port {port}"));
            }
        };
        let address = listener.local_addr()?;
        let port = address.port();
        Ok(Self {
            listener,
            address,
            bridge: None,
            names: Names {
                here: vec![format!("127.0.0.1:{port}"), format!("localhost:{port}")],
                containers: Vec::new(),
            },
        })
    }

    /// Answers to this name as well. Browsers resolve all names that end in `.localhost` to this machine
    /// (RFC 6761), and keep the cookies of each apart.
    #[must_use]
    pub fn also_named(mut self, name: &str) -> Self {
        let port = self.address.port();
        self.names.here.push(format!("{name}:{port}"));
        self
    }

    /// Admits programs that run in containers. Docker Desktop leads them to this machine's
    /// loopback; Docker on Linux leads them to its bridge, so the door has to listen there, too.
    pub(crate) async fn for_containers(mut self, bridge: Option<Ipv4Addr>) -> anyhow::Result<Self> {
        let port = self.address.port();
        let names = &mut self.names.containers;
        names.push(format!("{HOST_OF_CONTAINERS}:{port}"));
        if let Some(bridge) = bridge {
            names.push(format!("{bridge}:{port}"));
            self.bridge = Some(listen_on_bridge(bridge, port).await?);
        }
        Ok(self)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:3000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers requests with this door's name in `Host`, until shut down.
    pub async fn serve(self, router: Router, shutdown: Shutdown) {
        let names = Arc::new(self.names);
        let router = router.layer(middleware::from_fn(move |request: Request, next: Next| {
            let names = Arc::clone(&names);
            async move {
                if names.admit(request.headers()) {
                    next.run(request).await
                } else {
                    // A page elsewhere may make its own name point here (DNS rebinding).
                    let why = format!("this server answers only to {names}\n");
                    (StatusCode::MISDIRECTED_REQUEST, why).into_response()
                }
            }
        }));
        let here = serve_on(self.listener, router.clone(), shutdown.clone());
        match self.bridge {
            Some(bridge) => {
                tokio::join!(here, serve_on(bridge, router, shutdown));
            }
            None => here.await,
        }
    }
}

async fn listen_on_bridge(bridge: Ipv4Addr, port: u16) -> anyhow::Result<TcpListener> {
    if !bridge.is_private() && !bridge.is_loopback() {
        bail!(
            "--bridge {bridge} would open the tables to more than this machine: \
             give the address of Docker's bridge, 172.17.0.1 unless you changed it"
        );
    }
    match TcpListener::bind((bridge, port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => bail!(
            "--bridge {bridge} is not an address of this machine: \
             `ip address show docker0` shows Docker's, and Docker Desktop needs no --bridge"
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on {bridge}:{port}")),
    }
}

async fn serve_on(listener: TcpListener, router: Router, shutdown: Shutdown) {
    let served = axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(shutdown.requested());
    if let Err(error) = served.await {
        tracing::error!(%error, "stopped listening");
    }
}

/// The names in `Host` under which a door answers.
struct Names {
    /// By browsers and programs on this machine.
    here: Vec<String>,
    /// By programs in containers.
    containers: Vec<String>,
}

impl Names {
    fn admit(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let Some(host) = hosts.next() else {
            return false;
        };
        let is_host = |name: &String| name.as_bytes() == host.as_bytes();
        let admitted = self.here.iter().any(is_host)
            || self.containers.iter().any(is_host) && !is_from_a_browser(headers);
        admitted && hosts.next().is_none()
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.here.join(" and "))?;
        if !self.containers.is_empty() {
            let names = self.containers.join(" and ");
            write!(f, ", and to programs in containers as {names}")?;
        }
        Ok(())
    }
}

/// Whoever answers this machine's DNS queries can make `host.docker.internal` lead anywhere: first
/// to a page, and then here. But browsers do not run in containers, and every browser sends at
/// least one of these headers, which no page can prevent.
fn is_from_a_browser(headers: &HeaderMap) -> bool {
    const TELLTALE: [HeaderName; 3] = [
        header::ORIGIN,
        header::ACCEPT_LANGUAGE,
        HeaderName::from_static("sec-fetch-mode"),
    ];
    TELLTALE.iter().any(|name| headers.contains_key(name))
}

/// Refuses a request from a page of another origin. Browsers name the page's origin, programs do
/// not.
pub async fn refuse_other_origins(request: Request, next: Next) -> Response {
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
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// The sender, which requests the stop, and the receiver.
    pub fn channel() -> (watch::Sender<bool>, Self) {
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
