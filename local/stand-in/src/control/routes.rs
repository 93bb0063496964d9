//! The control API over HTTP. The stand-in has it at `/_stripe`, the shop's dashboard at
//! `/_local/stripe`. Parameters come as a form, answers are JSON.
//!
//! | request | does |
//! | --- | --- |
//! | `GET /deliveries` `[limit=]` | lists webhook deliveries with every try, newest first, and says whether they are held back |
//! | `POST /deliveries/hold`, `…/release` | holds all deliveries back, lets them go |
//! | `POST /events/{id}/resend` | delivers an event again, even while others are held |
//! | `POST /events/{id}/discard` | drops an event that is not delivered yet |
//! | `POST /sessions/{id}/succeed`, `…/fail` | ends a delayed payment |
//! | `POST /payment_intents/{id}/succeed`, `…/fail` | the same, of an intent |
//! | `POST /payment_intents/{id}/authenticate` `outcome=succeed\|fail` | does what the buyer does on the 3D Secure page; `/setup_intents/{id}/authenticate`, too |
//! | `POST /refunds/{id}/succeed`, `…/fail`, `…/require_action`, `…/cancel` | moves a refund on |
//! | `POST /charges/{id}/dispute` `[kind=chargeback\|inquiry\|prevented] [reason=] [amount=]` | begins a dispute, also a second one |
//! | `POST /disputes/{id}/{status}` | moves a dispute on: `needs_response` makes a chargeback of an inquiry; `won` comes late after `lost` |
//! | `GET /clock` | tells the time |
//! | `POST /clock` `advance=<span>` | moves time forward, by `90`, `90s`, `30m`, `3h`, `1d`, `2w`, `1mo` or `1y`, and tells what happened on the way |
//! | `GET /billing` | tells what becomes of a subscription when every retry of a payment has failed |
//! | `POST /billing` `after_retries=cancel\|mark_unpaid\|leave_past_due` | says what is to become of it |
//! | `POST /faults` `[fault=] [path=] [method=] [type=] [status=] [delay_ms=] [times=]` | plans a fault: see [`faults`](crate::engine::faults) |
//! | `POST /reset` | makes the account as it was when it was new: nothing but what it was seeded with |
//! | `POST /seed` | makes the calls of a file of fixtures, sent as JSON |
//! | `POST /snapshots` `name=` | keeps a copy of everything in memory, under this name |
//! | `GET /snapshots`, `DELETE /snapshots/{name}` | lists the copies, forgets one |
//! | `POST /snapshots/{name}/restore` | brings back what was copied |
//! | `GET /faults`, `DELETE /faults` | lists the faults still to come, takes them away |

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{delete, get, post};
use axum::{Form, Json, Router};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::account::object::Account;
use crate::control::bank::{Authentication, NewDispute, RefundStep};
use crate::control::deliveries::Deliveries;
use crate::control::span::Span;
use crate::control::world::{Billing, Clock, Moved};
use crate::control::{ControlError, Controlled};
use crate::dispute::object::DisputeStatus;
use crate::engine::faults::PlannedFault;
use crate::refund::object::RefundStatus;
use crate::seed::Seed;
use crate::stand_in::{StandIn, WrongKey};
use crate::wire::keys;

pub(crate) fn routes() -> Router<StandIn> {
    Router::new()
        .route("/deliveries", get(deliveries))
        .route("/deliveries/hold", post(hold))
        .route("/deliveries/release", post(release))
        .route("/events/{id}/resend", post(resend))
        .route("/events/{id}/discard", post(discard))
        .route("/sessions/{id}/succeed", post(succeed))
        .route("/sessions/{id}/fail", post(fail))
        .route("/payment_intents/{id}/succeed", post(succeed))
        .route("/payment_intents/{id}/fail", post(fail))
        .route("/payment_intents/{id}/authenticate", post(authenticate))
        .route("/setup_intents/{id}/authenticate", post(authenticate))
        .route("/refunds/{id}/{step}", post(advance_refund))
        .route("/charges/{id}/dispute", post(dispute))
        .route("/disputes/{id}/{status}", post(advance_dispute))
        .route("/clock", get(tell_time).post(move_time))
        .route("/billing", get(billing).post(set_billing))
        .route("/reset", post(reset))
        .route("/seed", post(seed))
        .route("/snapshots", get(snapshots).post(take_snapshot))
        .route("/snapshots/{name}", delete(forget_snapshot))
        .route("/snapshots/{name}/restore", post(restore_snapshot))
        .route("/faults", get(faults).post(plan_fault).delete(clear_faults))
}

#[derive(Deserialize)]
struct Newest {
    limit: Option<u32>,
}

async fn deliveries(
    account: Account,
    Given(Newest { limit }): Given<Newest>,
) -> Controlled<Json<Deliveries>> {
    account.deliveries(limit).await.map(Json)
}

async fn hold(account: Account) -> Controlled<Json<Value>> {
    account.hold_deliveries(true).await?;
    Ok(Json(json!({ "held": true })))
}

async fn release(account: Account) -> Controlled<Json<Value>> {
    account.hold_deliveries(false).await?;
    Ok(Json(json!({ "held": false })))
}

async fn resend(account: Account, Path(id): Path<String>) -> Controlled<Json<Value>> {
    account.resend(&id).await?;
    Ok(Json(json!({ "resent": id })))
}

async fn discard(account: Account, Path(id): Path<String>) -> Controlled<Json<Value>> {
    account.discard(&id).await?;
    Ok(Json(json!({ "discarded": id })))
}

async fn succeed(
    account: Account,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Controlled<Response> {
    account.succeed(&id).await?;
    Ok(settled(&headers, &id, "succeeded"))
}

async fn fail(
    account: Account,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Controlled<Response> {
    account.fail(&id).await?;
    Ok(settled(&headers, &id, "failed"))
}

/// JSON for programs; a person who pressed the payment page's button goes back there.
fn settled(headers: &HeaderMap, id: &str, outcome: &str) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        return Redirect::to(&format!("/pay/{id}")).into_response();
    }
    let what = match id.starts_with("pi_") {
        true => "payment_intent",
        false => "session",
    };
    Json(json!({ what: id, "payment": outcome })).into_response()
}

#[derive(Deserialize)]
struct Authenticated {
    outcome: Authentication,
}

async fn authenticate(
    account: Account,
    Path(id): Path<String>,
    Given(Authenticated { outcome }): Given<Authenticated>,
) -> Controlled<Json<Value>> {
    account.authenticate(&id, outcome).await?;
    Ok(Json(json!({ "intent": id, "outcome": outcome })))
}

async fn advance_refund(
    account: Account,
    Place((id, step)): Place<(String, RefundStep)>,
) -> Controlled<Json<Value>> {
    account.advance_refund(&id, step).await?;
    Ok(Json(
        json!({ "refund": id, "status": RefundStatus::from(step) }),
    ))
}

async fn dispute(
    account: Account,
    Path(id): Path<String>,
    Given(claim): Given<NewDispute>,
) -> Controlled<Json<Value>> {
    let dispute = account.dispute(&id, claim).await?;
    Ok(Json(json!({ "dispute": dispute })))
}

async fn advance_dispute(
    account: Account,
    Place((id, status)): Place<(String, DisputeStatus)>,
) -> Controlled<Json<Value>> {
    account.advance_dispute(&id, status).await?;
    Ok(Json(json!({ "dispute": id, "status": status })))
}

async fn tell_time(account: Account) -> Controlled<Json<Clock>> {
    account.clock().await.map(Json)
}

#[derive(Deserialize)]
struct Advance {
    advance: Span,
}

async fn move_time(
    account: Account,
    Given(Advance { advance }): Given<Advance>,
) -> Controlled<Json<Moved>> {
    account.advance_clock(advance).await.map(Json)
}

async fn billing(account: Account) -> Controlled<Json<Billing>> {
    account.billing().await.map(Json)
}

async fn set_billing(
    account: Account,
    Given(billing): Given<Billing>,
) -> Controlled<Json<Billing>> {
    account.set_billing(billing).await.map(Json)
}

async fn plan_fault(
    account: Account,
    Given(fault): Given<PlannedFault>,
) -> Controlled<Json<PlannedFault>> {
    account.plan_fault(fault).map(Json)
}

async fn faults(account: Account) -> Json<Vec<PlannedFault>> {
    Json(account.faults())
}

async fn clear_faults(account: Account) -> Json<Vec<PlannedFault>> {
    account.clear_faults();
    Json(account.faults())
}

async fn reset(account: Account) -> Controlled<Json<Value>> {
    account.reset().await?;
    Ok(Json(json!({ "reset": true })))
}

async fn seed(account: Account, Json(seed): Json<Seed>) -> Controlled<Json<Value>> {
    account.sow(seed).await?;
    Ok(Json(json!({ "seeded": true })))
}

async fn snapshots(account: Account) -> Json<Vec<String>> {
    Json(account.0.snapshots.names())
}

#[derive(Deserialize)]
struct NewSnapshot {
    name: String,
}

async fn take_snapshot(
    account: Account,
    Given(NewSnapshot { name }): Given<NewSnapshot>,
) -> Controlled<Json<Value>> {
    account.take_snapshot(&name).await?;
    Ok(Json(json!({ "snapshot": name })))
}

async fn restore_snapshot(account: Account, Path(name): Path<String>) -> Controlled<Json<Value>> {
    account.restore_snapshot(&name).await?;
    Ok(Json(json!({ "restored": name })))
}

async fn forget_snapshot(account: Account, Path(name): Path<String>) -> Controlled<Json<Value>> {
    account.forget_snapshot(&name)?;
    Ok(Json(json!({ "forgotten": name })))
}

/// The form of a request. Nothing has to be sent if nothing has to be said.
struct Given<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Given<T> {
    type Rejection = ControlError;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, ControlError> {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = request.headers_mut();
        headers.entry(header::CONTENT_TYPE).or_insert(form);
        match Form::from_request(request, state).await {
            Ok(Form(form)) => Ok(Self(form)),
            Err(refused) => Err(without(
                &refused.body_text(),
                "Failed to deserialize form body: ",
            )),
        }
    }
}

/// What a path names.
struct Place<T>(T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Place<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ControlError> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(place)) => Ok(Self(place)),
            Err(refused) => Err(without(&refused.body_text(), "Invalid URL: ")),
        }
    }
}

/// A refusal, without how its library begins it.
fn without(says: &str, beginning: &str) -> ControlError {
    ControlError::Refused(says.strip_prefix(beginning).unwrap_or(says).to_owned())
}

/// The account whose secret key the request carries; the default one if it has none.
impl FromRequestParts<StandIn> for Account {
    type Rejection = ControlError;

    async fn from_request_parts(
        parts: &mut Parts,
        stand_in: &StandIn,
    ) -> Result<Self, ControlError> {
        let Some(key) = keys::given(&parts.headers) else {
            return Ok(stand_in.default_account().clone());
        };
        stand_in.account(&key)?.map_err(|WrongKey| {
            ControlError::Refused(format!("no account has the key {}", keys::redacted(&key)))
        })
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = format!("{self:#}"), "the Stripe stand-in failed");
        }
        (
            status,
            Json(json!({ "error": { "message": self.to_string() } })),
        )
            .into_response()
    }
}
