//! What can be done to the stand-in itself: its clock, its bad days, its beginnings.

use askama::Template;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;

use crate::control::{Clock, ControlError, Span};
use crate::engine::faults::PlannedFault;
use crate::stand_in::StandIn;
use crate::window::frame::{Frame, Moment, Section, View};
use crate::window::trouble::Trouble;

#[derive(Template)]
#[template(path = "window/switches.html", config = "askama.toml")]
struct Page {
    frame: Frame,
    now: Moment,
    faults: Vec<FaultView>,
    snapshots: Vec<String>,
    address: String,
    api_version: &'static str,
}

/// A fault in words.
struct FaultView {
    fault: &'static str,
    /// What it waits for.
    at: String,
    /// How often.
    times: String,
}

pub(super) fn routes() -> Router<StandIn> {
    Router::new()
        .route("/switches", get(show))
        .route("/deliveries/hold", post(hold))
        .route("/deliveries/release", post(release))
        .route("/clock", post(move_time))
        .route("/faults", post(plan_fault))
        .route("/faults/clear", post(clear_faults))
        .route("/snapshots", post(take_snapshot))
        .route("/snapshots/restore", post(restore_snapshot))
        .route("/snapshots/forget", post(forget_snapshot))
        .route("/reset", post(reset))
}

async fn show(view: View) -> Result<Html<String>, Trouble> {
    let Clock { now, .. } = view.account.clock().await?;
    let faults = view.account.faults().into_iter();
    let page = Page {
        frame: view.frame(Section::Switches, "").await?,
        now: Moment::of(now),
        faults: faults.map(FaultView::of).collect(),
        snapshots: view.account.0.snapshots.names(),
        address: view.address(),
        api_version: crate::engine::resource::API_VERSION,
    };
    Ok(Html(page.render()?))
}

impl FaultView {
    fn of(planned: PlannedFault) -> Self {
        let at = match (&planned.method, &planned.path, &planned.event_type) {
            (None, None, None) => "anything that fits".to_owned(),
            (method, path, event_type) => [method, path, event_type]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" "),
        };
        let mut details = Vec::new();
        details.extend(planned.status.map(|status| format!("answers {status}")));
        details.extend(planned.delay_ms.map(|delay| format!("{delay} ms late")));
        details.push(match planned.times {
            0 => "until cleared".to_owned(),
            1 => "once".to_owned(),
            times => format!("{times} times"),
        });
        Self {
            fault: planned.fault.map_or("", |fault| fault.as_str()),
            at,
            times: details.join(", "),
        }
    }
}

async fn hold(view: View) -> Result<Redirect, Trouble> {
    view.account.hold_deliveries(true).await?;
    Ok(view.back_to("events"))
}

async fn release(view: View) -> Result<Redirect, Trouble> {
    view.account.hold_deliveries(false).await?;
    Ok(view.back_to("events"))
}

/// So many of a unit of time: `m`, `h`, `d`, `mo`.
#[derive(Deserialize)]
struct Advance {
    count: i64,
    unit: String,
}

async fn move_time(
    view: View,
    Form(Advance { count, unit }): Form<Advance>,
) -> Result<Redirect, Trouble> {
    let span = format!("{count}{unit}").parse::<Span>();
    let span = span.map_err(ControlError::Refused)?;
    view.account.advance_clock(span).await?;
    Ok(view.back_to("switches"))
}

/// A fault as the page's form has it: a field that is empty says nothing.
#[derive(Deserialize)]
struct FaultForm {
    fault: String,
    at: String,
    status: String,
    delay_ms: String,
    times: String,
}

async fn plan_fault(view: View, Form(form): Form<FaultForm>) -> Result<Redirect, Trouble> {
    let (method, path, event_type) = match form.at.split_whitespace().collect::<Vec<_>>()[..] {
        [] => (None, None, None),
        [path] if path.starts_with('/') => (None, Some(path), None),
        [event_type] => (None, None, Some(event_type)),
        [method, path, ..] => (Some(method), Some(path), None),
    };
    let words = [
        ("fault", Some(form.fault.as_str())),
        ("method", method),
        ("path", path),
        ("type", event_type),
    ];
    let mut fields = serde_json::Map::new();
    for (name, word) in words {
        fields.extend(word.map(|word| (name.to_owned(), word.into())));
    }
    for (name, typed) in [
        ("status", &form.status),
        ("delay_ms", &form.delay_ms),
        ("times", &form.times),
    ] {
        let typed = typed.trim();
        if !typed.is_empty() {
            let number = typed.parse::<u64>();
            let number =
                number.map_err(|_| refused(format!("{name} must be a number, not {typed}")))?;
            fields.insert(name.to_owned(), number.into());
        }
    }
    let planned = serde_json::from_value(fields.into())
        .map_err(|error| refused(format!("this is not a fault: {error}")))?;
    view.account.plan_fault(planned)?;
    Ok(view.back_to("switches"))
}

fn refused(why: String) -> Trouble {
    Trouble::Refused(crate::control::ControlError::Refused(why))
}

async fn clear_faults(view: View) -> Redirect {
    view.account.clear_faults();
    view.back_to("switches")
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

async fn take_snapshot(view: View, Form(Named { name }): Form<Named>) -> Result<Redirect, Trouble> {
    view.account.take_snapshot(name.trim()).await?;
    Ok(view.back_to("switches"))
}

async fn restore_snapshot(
    view: View,
    Form(Named { name }): Form<Named>,
) -> Result<Redirect, Trouble> {
    view.account.restore_snapshot(&name).await?;
    Ok(view.back_to("switches"))
}

async fn forget_snapshot(
    view: View,
    Form(Named { name }): Form<Named>,
) -> Result<Redirect, Trouble> {
    view.account.forget_snapshot(&name)?;
    Ok(view.back_to("switches"))
}

async fn reset(view: View) -> Result<Redirect, Trouble> {
    view.account
        .reset()
        .await
        .map_err(crate::control::ControlError::from)?;
    Ok(view.back_to("switches"))
}
