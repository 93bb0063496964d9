//! What can be done to the Stripe stand-in from the page; what its control API does over HTTP.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use stand_in::{ControlError, DisputeStatus, PlannedFault, RefundStep, StandIn};

/// What is below `/_local/stripe`.
pub(super) fn router(stand_in: StandIn) -> Router {
    Router::new()
        .route("/deliveries", get(deliveries))
        .route("/deliveries/{action}", post(hold_or_release))
        .route("/events/{id}/{action}", post(resend_or_discard))
        .route("/sessions/{id}/{outcome}", post(end_delayed_payment))
        .route("/refunds/{id}/{step}", post(advance_refund))
        .route("/disputes/{id}/{status}", post(advance_dispute))
        .route("/clock", get(clock).post(advance))
        .route("/faults", get(faults).post(plan_fault).delete(clear_faults))
        .with_state(stand_in)
}

type Controlled<T> = Result<T, ControlError>;

const DONE: StatusCode = StatusCode::NO_CONTENT;

/// Newest first, and whether new ones are held back.
async fn deliveries(State(stand_in): State<StandIn>) -> Controlled<Response> {
    let held = stand_in.holds_deliveries().await?;
    let deliveries = stand_in.deliveries().await?;
    Ok(Json(json!({ "held": held, "deliveries": deliveries })).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Holding {
    Hold,
    Release,
}

async fn hold_or_release(
    State(stand_in): State<StandIn>,
    Path(action): Path<Holding>,
) -> Controlled<StatusCode> {
    let held = matches!(action, Holding::Hold);
    stand_in.hold_deliveries(held).await?;
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Handling {
    Resend,
    Discard,
}

async fn resend_or_discard(
    State(stand_in): State<StandIn>,
    Path((event, action)): Path<(String, Handling)>,
) -> Controlled<StatusCode> {
    match action {
        Handling::Resend => stand_in.resend(&event).await?,
        Handling::Discard => stand_in.discard(&event).await?,
    }
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum BankAnswer {
    Succeed,
    Fail,
}

async fn end_delayed_payment(
    State(stand_in): State<StandIn>,
    Path((session, outcome)): Path<(String, BankAnswer)>,
) -> Controlled<StatusCode> {
    match outcome {
        BankAnswer::Succeed => stand_in.succeed(&session).await?,
        BankAnswer::Fail => stand_in.fail(&session).await?,
    }
    Ok(DONE)
}

async fn advance_refund(
    State(stand_in): State<StandIn>,
    Path((refund, step)): Path<(String, RefundStep)>,
) -> Controlled<StatusCode> {
    stand_in.advance_refund(&refund, step).await?;
    Ok(DONE)
}

async fn advance_dispute(
    State(stand_in): State<StandIn>,
    Path((dispute, status)): Path<(String, DisputeStatus)>,
) -> Controlled<StatusCode> {
    stand_in.advance_dispute(&dispute, status).await?;
    Ok(DONE)
}

/// How far it is ahead of this machine's clock, which the page can read by itself.
async fn clock(State(stand_in): State<StandIn>) -> Controlled<Response> {
    let ahead = stand_in.clock().await?.ahead;
    Ok(Json(json!({ "ahead": ahead })).into_response())
}

#[derive(Deserialize)]
struct Advance {
    seconds: i64,
}

async fn advance(
    State(stand_in): State<StandIn>,
    Form(Advance { seconds }): Form<Advance>,
) -> Controlled<Response> {
    Ok(Json(stand_in.advance_clock(seconds).await?).into_response())
}

async fn faults(State(stand_in): State<StandIn>) -> Json<Vec<PlannedFault>> {
    Json(stand_in.faults())
}

async fn plan_fault(
    State(stand_in): State<StandIn>,
    Json(fault): Json<PlannedFault>,
) -> Controlled<Response> {
    Ok((StatusCode::CREATED, Json(stand_in.plan_fault(fault)?)).into_response())
}

async fn clear_faults(State(stand_in): State<StandIn>) -> StatusCode {
    stand_in.clear_faults();
    DONE
}
