//! The shop's own port: the site, the HTTP API as API Gateway would serve it, the functions' URLs,
//! and `/_local`.
//!
//! Requests become the same JSON that deployed functions get, and go through the same parser.

mod event;
mod routes;
mod site;

use std::collections::BTreeMap;
use std::mem;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use serde_json::json;
use template::{Cors, Route, Template};
use url::Url;

use self::event::Entry;
use crate::functions::{Deployment, Failure};
use crate::identity::Identity;

/// The largest body that an HTTP API accepts.
const API_BODY_LIMIT: usize = 10 * 1024 * 1024;
/// The largest body that a function URL accepts.
const FUNCTION_URL_BODY_LIMIT: usize = 6 * 1024 * 1024;
/// How long an HTTP API waits for a function, whatever the function's own limit.
const API_PATIENCE: Duration = Duration::from_secs(30);

/// What answers on the shop's port.
pub(crate) struct Gateway {
    /// `http://127.0.0.1:3000`.
    pub(crate) url: String,
    /// The folder with the site's files, and the one with the pictures that were uploaded.
    pub(crate) site: [PathBuf; 2],
    pub(crate) deployment: Arc<Deployment>,
    /// Who signs tokens.
    pub(crate) identity: Arc<Identity>,
    /// The HTTP API's routes.
    pub(crate) routes: Vec<Route>,
    /// Which other origins may call the HTTP API.
    pub(crate) cors: Option<Cors>,
    /// Functions with a URL of their own, by the path that stands for it here.
    pub(crate) function_urls: BTreeMap<String, String>,
}

impl Gateway {
    /// Takes routes, CORS and function URLs out of the template.
    pub(crate) fn new(
        url: String,
        site: [PathBuf; 2],
        template: &mut Template,
        deployment: Arc<Deployment>,
        identity: Arc<Identity>,
    ) -> Self {
        let function_urls = mem::take(&mut template.function_urls)
            .into_iter()
            .map(|id| (function_url_path(&id), id))
            .collect();
        let routes = mem::take(&mut template.routes);
        let mut cors = template.cors.take();
        // The template knows only one site, but the pages on this port must work beside another.
        if let Some(cors) = &mut cors
            && !cors.origins.contains(&url)
        {
            cors.origins.push(url.clone());
        }
        Self {
            url,
            site,
            deployment,
            identity,
            routes,
            cors,
            function_urls,
        }
    }

    /// Everything but `/_local`.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/config.json", get(config))
            .fallback(dispatch)
            .with_state(Arc::new(self))
    }
}

/// `WebhookFunction` is at `/webhook`: locally its URL is not a host of its own.
pub(crate) fn function_url_path(id: &str) -> String {
    format!(
        "/{}",
        id.strip_suffix("Function")
            .unwrap_or(id)
            .to_ascii_lowercase()
    )
}

/// What the site's own file says, and where the site finds this API and this sign-in.
async fn config(State(gateway): State<Arc<Gateway>>) -> Response {
    let fresh = [(header::CACHE_CONTROL, "no-cache")];
    let file = tokio::fs::read(gateway.folder().join("config.json")).await;
    let file = file.unwrap_or_else(|_| b"{}".to_vec());
    let Ok(mut config) = serde_json::from_slice::<serde_json::Map<_, _>>(&file) else {
        // The site says what is wrong with it, here as on any host.
        return (fresh, file).into_response();
    };
    config
        .entry("contact")
        .or_insert_with(|| "shop@example.com".into());
    for (name, value) in [
        ("api", gateway.url.as_str()),
        ("issuer", gateway.identity.issuer()),
        ("client_id", gateway.identity.client_id()),
    ] {
        config.insert(name.to_owned(), value.into());
    }
    (fresh, axum::Json(config)).into_response()
}

async fn dispatch(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let path = request.uri().path();
    // Deployed, any path leads to the function; here, at least a trailing slash is ignored.
    let url_path = path.strip_suffix('/').unwrap_or(path);
    if let Some(function) = gateway.function_urls.get(url_path) {
        return gateway.function_url(function, caller, request).await;
    }
    if routes::has_path(&gateway.routes, path) {
        return gateway.api(caller, request).await;
    }
    gateway.site(request).await
}

impl Gateway {
    async fn api(&self, caller: SocketAddr, request: Request) -> Response {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut response = match (&self.cors, request.method()) {
            (Some(cors), &Method::OPTIONS) if origin.is_some() => preflight(cors),
            _ => self.routed(caller, request).await,
        };
        if let (Some(cors), Some(origin)) = (&self.cors, origin)
            && !allow_origin(cors, &origin, response.headers_mut())
        {
            // The page learns nothing, and says that the shop cannot be reached.
            let origin = origin
                .to_str()
                .ok()
                .and_then(|origin| Url::parse(origin).ok());
            let origin = origin.map_or("another origin".to_owned(), |origin| {
                origin.origin().ascii_serialization()
            });
            tracing::warn!(
                "a page at {origin} may not call the API: if it is the shop's front end, name it with --site"
            );
        }
        response
    }

    async fn routed(&self, caller: SocketAddr, request: Request) -> Response {
        let found = routes::find(&self.routes, request.method(), request.uri().path());
        let Some((route, parameters)) = found else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let claims = if route.signed_in {
            match self.identity.authorize(request.headers()) {
                Ok(claims) => Some(claims),
                Err(challenge) => return unauthorized(&challenge),
            }
        } else {
            None
        };
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, API_BODY_LIMIT).await else {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let key = format!("{} {}", route.method, route.path);
        let entry = Entry::Route {
            key,
            parameters,
            claims: claims.as_ref(),
        };
        let (id, payload) = event::payload(&parts, &body, caller, &entry);
        let answer =
            tokio::time::timeout(API_PATIENCE, self.invoke(&route.function, &payload)).await;
        let mut response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => {
                tracing::error!(request_id = id, "{failure}");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Err(_) => {
                tracing::error!(request_id = id, "{} did not answer in time", route.function);
                message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("apigw-requestid", id);
        }
        response
    }

    async fn function_url(&self, function: &str, caller: SocketAddr, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, FUNCTION_URL_BODY_LIMIT).await else {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let (id, payload) = event::payload(&parts, &body, caller, &Entry::FunctionUrl);
        match self.invoke(function, &payload).await {
            Ok(response) => response,
            Err(failure) => {
                tracing::error!(request_id = id, "{failure}");
                (StatusCode::BAD_GATEWAY, "Internal Server Error").into_response()
            }
        }
    }

    /// Calls the function with the JSON that it would get deployed.
    async fn invoke(
        &self,
        function: &str,
        payload: &serde_json::Value,
    ) -> Result<Response, Failure> {
        let answer = match shared::http::request(&payload.to_string()) {
            Ok(request) => self.deployment.answer(function, request).await?,
            Err(problem) => problem.into_response(""),
        };
        let (parts, body) = answer.into_parts();
        let body = match body {
            lambda_http::Body::Text(text) => Body::from(text),
            lambda_http::Body::Binary(bytes) => Body::from(Bytes::from(bytes)),
            _ => Body::empty(),
        };
        Ok(Response::from_parts(parts, body))
    }

    /// Whether the path is below the API, a function or `/_local`, where the site has no pages.
    fn is_for_programs(&self, path: &str) -> bool {
        let first = |path: &str| path.split('/').nth(1).map(str::to_owned);
        let routes = self.routes.iter().map(|route| &route.path);
        let mut all = routes
            .chain(self.function_urls.keys())
            .map(|path| first(path));
        first(path).as_deref() == Some("_local") || all.any(|of| of == first(path))
    }

    /// The folder with the site's files.
    fn folder(&self) -> &Path {
        let [site, _] = &self.site;
        site
    }

    /// A file of the site, or else a picture that was uploaded.
    async fn file(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        for folder in &self.site {
            let file = site::file(folder, method, path, headers).await;
            if file.is_some() {
                return file;
            }
        }
        None
    }

    async fn site(&self, request: Request) -> Response {
        let method = request.method();
        let (path, headers) = (request.uri().path(), request.headers());
        if !matches!(*method, Method::GET | Method::HEAD) || self.is_for_programs(path) {
            return message(StatusCode::NOT_FOUND, "Not Found");
        }
        let Some(file) = self.file(method, path, headers).await else {
            let page = site::no_such_page(self.folder(), method).await;
            return page.unwrap_or_else(|| message(StatusCode::NOT_FOUND, "Not Found"));
        };
        // Browsers use one origin, because tokens and carts of 127.0.0.1 are not those of
        // localhost.
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        if host.is_some_and(|host| host.starts_with("localhost:")) {
            let target = request
                .uri()
                .path_and_query()
                .map_or("/", |target| target.as_str());
            return Redirect::temporary(&format!("{}{target}", self.url)).into_response();
        }
        file
    }
}

/// An error as API Gateway words them.
fn message(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message }))).into_response()
}

fn unauthorized(challenge: &str) -> Response {
    let mut response = message(StatusCode::UNAUTHORIZED, "Unauthorized");
    if let Ok(challenge) = HeaderValue::from_str(challenge) {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn preflight(cors: &Cors) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let mut set = |name, values: &[String]| {
        if let Ok(value) = HeaderValue::from_str(&values.join(","))
            && !values.is_empty()
        {
            headers.insert(name, value);
        }
    };
    set(header::ACCESS_CONTROL_ALLOW_METHODS, &cors.methods);
    set(header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers);
    set(
        header::ACCESS_CONTROL_MAX_AGE,
        &cors
            .max_age
            .map(|age| age.to_string())
            .into_iter()
            .collect::<Vec<_>>(),
    );
    response
}

/// Whether pages of that origin may read the answer; sets the headers that tell their browser.
fn allow_origin(cors: &Cors, origin: &HeaderValue, headers: &mut HeaderMap) -> bool {
    let any = cors.origins.iter().any(|allowed| allowed == "*");
    if any {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
    } else if cors
        .origins
        .iter()
        .any(|allowed| allowed.as_bytes() == origin.as_bytes())
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    } else {
        // As at API Gateway, an origin that is not allowed gets no CORS headers at all.
        headers.remove(header::ACCESS_CONTROL_ALLOW_METHODS);
        headers.remove(header::ACCESS_CONTROL_ALLOW_HEADERS);
        headers.remove(header::ACCESS_CONTROL_MAX_AGE);
        return false;
    }
    if let Ok(expose) = HeaderValue::from_str(&cors.expose.join(","))
        && !cors.expose.is_empty()
    {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, expose);
    }
    true
}
