//! The static site, served from its folder as a static host would.

use std::path::{Component, Path, PathBuf};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use sha2::{Digest as _, Sha256};

/// The file at `path` in the folder `site`; `None` if there is none to show.
pub(super) async fn file(
    site: &Path,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    let path = located(site, path)?;
    let content = tokio::fs::read(&path).await.ok()?;
    let etag = format!("\"{}\"", hex::encode(Sha256::digest(&content).get(..16)?));
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|known| {
        known
            .to_str()
            .is_ok_and(|known| known.split(',').any(|known| known.trim() == etag))
    });
    let response = Response::builder()
        .header(header::ETAG, etag)
        // Browsers always ask again, so that an edit shows on the next reload.
        .header(header::CACHE_CONTROL, "no-cache")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if known {
        return response
            .status(StatusCode::NOT_MODIFIED)
            .body(Body::empty())
            .ok();
    }
    let response = response
        .header(header::CONTENT_TYPE, content_type(&path))
        .header(header::CONTENT_LENGTH, content.len());
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(content)
    };
    response.body(body).ok()
}

/// What a static host shows for a missing file: the site's own 404 page, if it has one.
pub(super) async fn no_such_page(site: &Path, method: &Method) -> Option<Response<Body>> {
    let mut page = file(site, method, "/404.html", &HeaderMap::new()).await?;
    *page.status_mut() = StatusCode::NOT_FOUND;
    page.headers_mut().remove(header::ETAG);
    Some(page)
}

/// The path on disk; nothing outside the folder, nothing hidden.
fn located(site: &Path, path: &str) -> Option<PathBuf> {
    let relative = path.strip_prefix('/')?;
    let relative = if relative.is_empty() || relative.ends_with('/') {
        format!("{relative}index.html")
    } else {
        relative.to_owned()
    };
    let plain = Path::new(&relative)
        .components()
        .all(|component| match component {
            Component::Normal(name) => !name.to_string_lossy().starts_with('.'),
            _ => false,
        });
    // The names of a site's files need no escapes, and refusing escapes keeps tricks out.
    if !plain || relative.contains(['%', '\\', '\0']) {
        return None;
    }
    let site = site.canonicalize().ok()?;
    let file = site.join(relative).canonicalize().ok()?;
    (file.starts_with(&site) && file.is_file()).then_some(file)
}

fn content_type(path: &Path) -> &'static str {
    match path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
    {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "avif" => "image/avif",
        "gif" => "image/gif",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
