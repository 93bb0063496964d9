//! `/v1/stripecli/sessions` and `/v1/events/:id/retry`. They are in no API reference: only the CLI
//! calls them.

use serde_json::json;
use url::Url;

use crate::cli::listeners::{PATH, Wants};
use crate::cli::request_log::Filters;
use crate::engine::resource::{API_VERSION, Object as _};
use crate::webhook::endpoint::WebhookEndpoint;
use crate::webhook::event::Event;
use crate::webhook::resend::resend_to;
use crate::wire::answer::{Asked, Route, Settings, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// Seconds after which the CLI connects anew. On one machine a connection does not wear out.
const RECONNECT_DELAY: u32 = 24 * 3_600;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    let (settings, host) = (asked.settings, asked.host);
    Some(match (asked.method, asked.path) {
        ("POST", ["stripecli", "sessions"]) => {
            Box::new(move |params| begin_session(params, settings, host))
        }
        ("POST", ["events", id, "retry"]) => Box::new(move |params| retry(id, params, settings)),
        _ => return None,
    })
}

fn begin_session<'r>(
    mut params: Params,
    settings: &'r Settings,
    host: Option<&'r str>,
) -> Result<Work<'r>, ApiError> {
    let (wants, feature) = wants(&mut params)?;
    let names_accounts = matches!(&wants, Wants::Requests(filters) if filters.name_accounts());
    // The Dashboard would show these.
    for shown in ["device_name", "forward_to_url", "forward_connect_to_url"] {
        params.text(shown)?;
    }
    for shown in ["forward_thin_to_url", "forward_thin_connect_to_url"] {
        params.text(shown)?;
    }
    params.finish()?;
    Ok(Box::new(move |_| {
        let session = settings
            .listeners
            .begin(wants)
            .ok_or_else(ApiError::too_many_listeners)?;
        Ok(json!({
            "default_version": API_VERSION,
            "device_token": "",
            "display_connect_filter_warning": names_accounts,
            "latest_version": API_VERSION,
            "reconnect_delay": RECONNECT_DELAY,
            "secret": settings.listeners.secret(),
            "websocket_authorized_feature": feature,
            "websocket_id": session.id,
            "websocket_url": websocket_url(settings, host),
        }))
    }))
}

fn wants(params: &mut Params) -> Result<(Wants, &'static str), ApiError> {
    let features = params.texts("websocket_features")?;
    let known = ["webhooks", "v2_events", "request_logs"];
    if let Some(feature) = features.iter().find(|it| !known.contains(&it.as_str())) {
        return Err(
            ApiError::invalid(format!("No such feature: {feature}")).param("websocket_features")
        );
    }
    let asked_for = |feature: &str| features.iter().any(|it| it == feature);
    if asked_for("request_logs") {
        let filters = match params.text("filters")? {
            Some(filters) => serde_json::from_str(&filters).map_err(|error| {
                ApiError::invalid(format!("Invalid filters: {error}")).param("filters")
            })?,
            None => Filters::default(),
        };
        return Ok((Wants::Requests(filters), "request_logs"));
    }
    match () {
        () if asked_for("webhooks") => Ok((Wants::Events, "webhooks")),
        () if asked_for("v2_events") => Ok((Wants::ThinEvents, "v2_events")),
        () => Err(ApiError::missing("websocket_features")),
    }
}

/// At the address by which the caller has reached the stand-in, which need not be the one that
/// browsers use.
fn websocket_url(settings: &Settings, host: Option<&str>) -> String {
    let mut url = settings.public_url.clone();
    if let Some(host) = host
        && let Ok(asked) = Url::parse(&format!("{}://{host}/", url.scheme()))
    {
        url = asked;
    }
    url.set_path(PATH);
    // From http to ws, from https to wss.
    url.as_str().replacen("http", "ws", 1)
}

fn retry<'r>(
    id: &'r str,
    mut params: Params,
    settings: &'r Settings,
) -> Result<Work<'r>, ApiError> {
    let endpoint = params.text("webhook_endpoint")?;
    let to_listeners = params.boolean("for_stripecli")?.unwrap_or(false);
    if let Some(account) = params.text("account")?
        && account != settings.account.as_str()
    {
        return Err(ApiError::no_such("account", &account).param("account"));
    }
    params.finish()?;
    if endpoint.is_none() && !to_listeners {
        return Err(ApiError::missing("webhook_endpoint"));
    }
    Ok(Box::new(move |transaction| {
        let event = transaction
            .get::<Event>(id)?
            .ok_or_else(|| ApiError::no_such(Event::KIND, id).param("id"))?;
        if let Some(endpoint) = &endpoint {
            let endpoint = transaction
                .get::<WebhookEndpoint>(endpoint)?
                .ok_or_else(|| {
                    ApiError::no_such("webhook endpoint", endpoint).param("webhook_endpoint")
                })?;
            resend_to(transaction, &event, &endpoint.id)?;
        }
        if to_listeners {
            settings.listeners.resend(&event.id);
        }
        let event: Event = transaction.existing(&event.id)?;
        Ok(event.answer())
    }))
}
