//! The window: a person's view into an account, at `/_stripe/window`.
//!
//! | path | shows |
//! | --- | --- |
//! | `/{account}/requests`, `…/{id}` | the API calls with their answers; one of them |
//! | `/{account}/objects`, `…/{id}` | the objects by kind; one of them, and what happened to it |
//! | `/{account}/events`, `…/{id}` | the events; one of them with every try to deliver it |
//! | `/{account}/switches` | clock, deliveries, faults, snapshots, reset |
//! | `/{account}/search?q=` | the thing with that id, or all that mention the words |
//! | `/objects/{id}` | leads to an object, in whichever account it is |
//! | `/{account}/live` | tells an open page that there may be something new |
//!
//! Pages are HTML made here and work without JavaScript. With it, a page that hears of news fetches
//! itself again and takes over what is different.

mod assets;
mod choice;
mod curl;
mod events;
mod frame;
mod json;
mod live;
mod objects;
pub(crate) mod place;
mod requests;
mod scan;
mod search;
mod summary;
mod switches;
mod terms;
mod trouble;

use axum::Router;
use axum::extract::{Path, State};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, header};

use crate::stand_in::StandIn;
use crate::window::frame::View;
use crate::window::place::PATH;
use crate::window::trouble::Trouble;

pub(crate) fn routes() -> Router<StandIn> {
    let account = Router::new()
        .route("/", get(requests_first))
        .route("/requests", get(requests::list))
        .route("/requests/{id}", get(requests::show))
        .route("/objects", get(objects::list))
        .route("/objects/{id}", get(objects::show))
        .route("/events", get(events::list))
        .route("/events/{id}", get(events::show))
        .route("/events/{id}/resend", post(events::resend))
        .route("/events/{id}/discard", post(events::discard))
        .route("/search", get(search::search))
        .route("/live", get(live::news))
        .merge(switches::routes())
        .fallback(nothing_here);
    Router::new()
        .route(PATH, get(enter))
        .route("/_stripe", get(enter))
        .route("/_stripe/", get(enter))
        .route(&format!("{PATH}/"), get(enter))
        .route(&format!("{PATH}/assets/{{name}}"), get(assets::asset))
        .route(&format!("{PATH}/objects/{{id}}"), get(to_object))
        .nest(&format!("{PATH}/{{account}}"), account)
        .layer(map_response(guard))
}

/// Whether a person with a browser asks, rather than a program.
pub(crate) fn is_for_a_browser(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    accept
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Leads to the default account.
pub(crate) async fn enter(State(stand_in): State<StandIn>) -> Redirect {
    let account = &stand_in.default_account().0.id;
    Redirect::to(&format!("{PATH}/{account}/requests"))
}

async fn to_object(
    State(stand_in): State<StandIn>,
    Path(id): Path<String>,
) -> Result<Redirect, Trouble> {
    let owner = stand_in.owner(&id).await?;
    let account = owner.as_ref().unwrap_or_else(|| stand_in.default_account());
    let id = url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>();
    Ok(Redirect::to(&format!(
        "{PATH}/{}/objects/{id}",
        account.0.id
    )))
}

async fn requests_first(view: View) -> Redirect {
    Redirect::to(&format!("{}/requests", view.base()))
}

async fn nothing_here(view: View) -> Trouble {
    Trouble::NoSuch {
        kind: "page",
        id: String::new(),
        back: view.base(),
    }
}

/// What strangers wrote is shown on these pages: nothing but the window's own script runs, and no
/// other site has a page in a frame.
async fn guard(response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                          connect-src 'self'; img-src data:; form-action 'self'; \
                          frame-ancestors 'none'; base-uri 'none'";
    let mut response = response.into_response();
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
