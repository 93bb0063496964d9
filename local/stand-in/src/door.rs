//! Who may use the payment page and the control API. Neither asks for a key, and both listen on
//! loopback, where any web page in the developer's browser can knock.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};
use url::Url;

use crate::stand_in::StandIn;

/// Passes on only what was meant for this address (a name that resolves to loopback is not it) and
/// what no other site's page has sent.
pub(crate) async fn only_from_here(
    State(stand_in): State<StandIn>,
    request: Request,
    next: Next,
) -> Response {
    let url = &stand_in.0.config.public_url;
    match check(request.method(), request.headers(), url) {
        Ok(()) => next.run(request).await,
        Err(reason) => (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response(),
    }
}

fn check(method: &Method, headers: &HeaderMap, url: &Url) -> Result<(), String> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = header(header::HOST).unwrap_or_default();
    if !is_authority_of(host, url) {
        return Err(format!("This is {url}, not {host:?}."));
    }
    let reads = method == Method::GET || method == Method::HEAD;
    match header(header::ORIGIN) {
        Some(origin) if !reads && origin != url.origin().ascii_serialization() => {
            Err(format!("Pages from {origin} may not do this."))
        }
        _ => Ok(()),
    }
}

fn is_authority_of(host: &str, url: &Url) -> bool {
    let Some(name) = url.host_str() else {
        return false;
    };
    match url.port() {
        Some(port) => host == format!("{name}:{port}"),
        // The scheme's own port may be left out.
        None => {
            host == name
                || Some(host)
                    == url
                        .port_or_known_default()
                        .map(|port| format!("{name}:{port}"))
                        .as_deref()
        }
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
        )
        .is_ok()
    }

    #[test]
    fn only_the_exact_address_is_meant() {
        assert!(allowed(Method::GET, "127.0.0.1:3001", None));
        for host in [
            "",
            "127.0.0.1",
            "localhost:3001",
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
