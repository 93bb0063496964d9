//! Who may use the payment page and the control API. Neither asks for a key, and both listen on
//! loopback, where any web page in the developer's browser can knock.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};
use url::{Host, Url};

use crate::stand_in::{Config, StandIn};

/// Passes on only what was meant for this address (a name that resolves to loopback is not it) and
/// what no other site's page has sent.
pub(crate) async fn only_from_here(
    State(stand_in): State<StandIn>,
    request: Request,
    next: Next,
) -> Response {
    let config = &stand_in.0.config;
    match check(
        request.method(),
        request.headers(),
        &config.public_url,
        &config.host_names,
    ) {
        Ok(()) => next.run(request).await,
        Err(reason) => (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response(),
    }
}

fn check(
    method: &Method,
    headers: &HeaderMap,
    url: &Url,
    host_names: &[String],
) -> Result<(), String> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = header(header::HOST).unwrap_or_default();
    let Some(at) = same_place(url, host, host_names) else {
        return Err(format!("This is {url}, not {host:?}."));
    };
    let reads = method == Method::GET || method == Method::HEAD;
    match header(header::ORIGIN) {
        Some(origin) if !reads && origin != at.origin().ascii_serialization() => {
            Err(format!("Pages from {origin} may not do this."))
        }
        _ => Ok(()),
    }
}

/// The address of pages for whoever has sent a request: the stand-in's own under the name that they
/// know it by. Nothing if that is no name of the stand-in's, or if its pages have a fixed address.
pub(crate) fn site_asked(config: &Config, headers: &HeaderMap) -> Option<String> {
    if config.fixed_url {
        return None;
    }
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let asked = same_place(&config.public_url, host, &config.host_names)?;
    Some(asked.as_str().trim_end_matches('/').to_owned())
}

/// The stand-in's URL as the request names it, if it names the stand-in: `url` itself, or another
/// known name at the same port.
fn same_place(url: &Url, host: &str, host_names: &[String]) -> Option<Url> {
    let asked = Url::parse(&format!("{}://{host}/", url.scheme())).ok()?;
    let name = asked.host_str()?;
    let known = Some(name) == url.host_str()
        || (is_loopback(url) && is_loopback(&asked))
        || host_names.iter().any(|it| it == name);
    let same_port = asked.port_or_known_default() == url.port_or_known_default();
    (known && same_port && asked.username().is_empty()).then_some(asked)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(method: Method, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        headers.extend(origin.map(|origin| (header::ORIGIN, origin.parse().unwrap())));
        check(
            &method,
            &headers,
            &Url::parse("http://127.0.0.1:3001/").unwrap(),
            &["stripe".to_owned()],
        )
        .is_ok()
    }

    #[test]
    fn only_its_own_names_at_its_port_are_meant() {
        for host in [
            "127.0.0.1:3001",
            "localhost:3001",
            "[::1]:3001",
            "stripe:3001",
        ] {
            assert!(allowed(Method::GET, host, None), "{host}");
        }
        for host in [
            "",
            "127.0.0.1",
            "localhost",
            "localhost:3000",
            "stripe",
            "rebound.example:3001",
            "127.0.0.1:3000",
        ] {
            assert!(!allowed(Method::GET, host, None), "{host}");
        }
    }

    #[test]
    fn other_origins_may_look_but_not_post() {
        let post = |origin| allowed(Method::POST, "127.0.0.1:3001", origin);
        assert!(post(None) && post(Some("http://127.0.0.1:3001")));
        for origin in [
            "null",
            "http://127.0.0.1:3000",
            "https://127.0.0.1:3001",
            "http://evil.example",
        ] {
            assert!(!post(Some(origin)), "{origin}");
            assert!(allowed(Method::GET, "127.0.0.1:3001", Some(origin)));
        }
    }
}
