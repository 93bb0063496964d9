//! The local shop's sign-in, asked in a row: a request is a line with its method and path, and below it the form. `{1}`
//! stands for the code that the first answer sends the browser back with. All of the input is tried as an `Authorization` header, too.

use std::cell::RefCell;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use laptop::environment::Addresses;
use laptop::identity::Identity;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;
use url::Url;

use crate::row;

/// More in a row finds nothing new.
const MOST_REQUESTS: usize = 6;

const SHOP: &str = "http://127.0.0.1:3000";
const SITE: &str = "http://localhost:5173";

struct Provider {
    runtime: Runtime,
    identity: Arc<Identity>,
}

thread_local! {
    static PROVIDER: RefCell<Option<Provider>> = const { RefCell::new(None) };
}

/// No text that was not made by the provider is a token, and each that it makes is; nobody is sent to anybody else's
/// page; and nothing fails.
pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    PROVIDER.with_borrow_mut(|provider| {
        let provider = provider.get_or_insert_with(Provider::open);
        if let Ok(bearer) = HeaderValue::from_bytes(data) {
            assert!(!provider.admits(bearer), "{text} is a token");
        }
        row::ask(&text, MOST_REQUESTS, |request| provider.ask(request));
    });
}

impl Provider {
    fn open() -> Self {
        let addresses = Addresses {
            shop: SHOP.to_owned(),
            site: SITE.to_owned(),
            stripe: None,
            aws: "http://127.0.0.1:9".to_owned(),
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        Self {
            runtime: runtime.expect("a runtime"),
            identity: Identity::open(&addresses, None).expect("a provider that keeps nothing"),
        }
    }

    fn admits(&self, bearer: HeaderValue) -> bool {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
        self.identity.authorize(&headers).is_ok()
    }

    /// The code in the answer, if there is one, after checking what is true of every answer.
    fn ask(&self, text: &str) -> Option<String> {
        let (line, form) = text.split_once('\n').unwrap_or((text, ""));
        let (method, path) = line.split_once(' ').unwrap_or(("GET", line));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:3000")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            // Not every text can be part of a request.
            .ok()?;
        let (head, body) = self.runtime.block_on(async {
            let answer = self.identity.router().oneshot(request).await;
            let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
            let body = to_bytes(body, usize::MAX).await;
            (head, body.expect("an answer that is whole"))
        });
        assert_ne!(head.status, StatusCode::INTERNAL_SERVER_ERROR, "{text}");
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        for name in ["access_token", "id_token"] {
            if let Some(token) = answer[name].as_str() {
                let bearer = HeaderValue::try_from(format!("Bearer {token}"));
                assert!(self.admits(bearer.expect("a token is plain")), "{text}");
                assert_eq!(head.headers[header::CACHE_CONTROL], "no-store", "{text}");
            }
        }
        let to = head.headers.get(header::LOCATION)?;
        let to = to.to_str().ok().and_then(|to| Url::parse(to).ok());
        let to = to.unwrap_or_else(|| panic!("{text}: {head:?} leads nowhere"));
        let origin = to.origin().ascii_serialization();
        assert!([SHOP, SITE].contains(&&*origin), "{text} leads to {to}");
        let code = to.query_pairs().find(|(name, _)| name == "code");
        code.map(|(_, code)| code.into_owned())
    }
}
