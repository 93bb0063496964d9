//! `/_stripe`: what a developer or a test does to the stand-in that no buyer and no shop can do to
//! Stripe. The shop's dashboard calls the same methods in-process.
//!
//! | request | does |
//! | --- | --- |
//! | `GET /_stripe/deliveries` | lists webhook deliveries with every try, newest first |
//! | `POST /_stripe/deliveries/hold`, `…/release` | holds all deliveries back, lets them go |
//! | `POST /_stripe/events/{id}/resend` | delivers an event again, even while others are held |
//! | `POST /_stripe/events/{id}/discard` | drops an event that is not delivered yet |
//! | `POST /_stripe/sessions/{id}/succeed`, `…/fail` | ends a delayed payment |
//! | `GET /_stripe/clock` | tells the time |
//! | `POST /_stripe/clock` `advance=<seconds>` | moves time forward |
//! | `POST /_stripe/faults` `[path=] [status=] [delay_ms=] [times=]` | spoils the next API calls |

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::StandIn;
use super::api::Fault;
use super::cards::Decline;
use super::checkout::{self, WrongState};
use super::clock;
use super::database::{Cause, Object as _, Transaction};
use super::delivery::{self, Delivery};
use super::objects::Session;

/// Far enough for everything that takes time.
const MOST_SECONDS: i64 = 366 * clock::DAY;

/// The stand-in's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Clock {
    /// Seconds since 1970.
    pub now: i64,
    /// Of these, how many the machine's own clock has not seen.
    pub ahead: i64,
}

/// Why a command is not obeyed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The event or session does not exist.
    #[error("no such {kind}: '{id}'")]
    NoSuch {
        /// What it should have been.
        kind: &'static str,
        /// What was asked for.
        id: String,
    },
    /// It cannot be done now.
    #[error("{0}")]
    Refused(String),
    /// The stand-in itself failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

type Controlled<T> = Result<T, ControlError>;

impl StandIn {
    /// All webhook deliveries with every try, newest first.
    pub async fn deliveries(&self) -> Controlled<Vec<Delivery>> {
        let url = self.0.config.webhook_url.to_string();
        self.command(move |transaction| Ok(delivery::all(transaction, &url)?))
            .await
    }

    /// Delivers an event again, even while deliveries are held.
    pub async fn resend(&self, event: &str) -> Controlled<()> {
        let event = event.to_owned();
        self.command(
            move |transaction| match delivery::resend(transaction, &event)? {
                true => Ok(()),
                false => Err(ControlError::NoSuch {
                    kind: "event",
                    id: event,
                }),
            },
        )
        .await
    }

    /// Drops an event that is not delivered yet.
    pub async fn discard(&self, event: &str) -> Controlled<()> {
        let event = event.to_owned();
        self.command(
            move |transaction| match delivery::discard(transaction, &event)? {
                true => Ok(()),
                false => Err(ControlError::NoSuch {
                    kind: "event waiting for delivery",
                    id: event,
                }),
            },
        )
        .await
    }

    /// Holds all deliveries back, or lets them go. Events can then be sent in any order, one by one.
    pub async fn hold_deliveries(&self, held: bool) -> Controlled<()> {
        self.command(move |transaction| Ok(delivery::hold(transaction, held)?))
            .await
    }

    /// The bank has the money of a delayed payment.
    pub async fn succeed(&self, session: &str) -> Controlled<()> {
        self.settle(session, Ok(())).await
    }

    /// The bank refuses a delayed payment.
    pub async fn fail(&self, session: &str) -> Controlled<()> {
        self.settle(session, Err(Decline::by_bank())).await
    }

    /// The stand-in's time.
    pub async fn clock(&self) -> Controlled<Clock> {
        self.command(|transaction| {
            Ok(Clock {
                now: transaction.now,
                ahead: clock::ahead(&transaction.sql)?,
            })
        })
        .await
    }

    /// Moves time forward: sessions expire, tries fall due, keys are forgotten.
    pub async fn advance_clock(&self, seconds: i64) -> Controlled<Clock> {
        if !(0..=MOST_SECONDS).contains(&seconds) {
            let reason = format!("advance must be between 0 and {MOST_SECONDS} seconds");
            return Err(ControlError::Refused(reason));
        }
        self.command(move |transaction| Ok(clock::advance(&transaction.sql, seconds)?))
            .await?;
        // Reading the time lets happen what it has made due.
        self.clock().await
    }

    async fn settle(&self, session: &str, verdict: Result<(), Decline>) -> Controlled<()> {
        let id = session.to_owned();
        self.command(move |transaction| {
            let Some(mut session) = transaction.get::<Session>(&id)? else {
                return Err(ControlError::NoSuch {
                    kind: Session::KIND,
                    id,
                });
            };
            match checkout::settle(transaction, &mut session, verdict)? {
                Ok(()) => Ok(()),
                Err(WrongState) => Err(ControlError::Refused(format!(
                    "{id} has no delayed payment under way: it is {}",
                    session.status.as_str()
                ))),
            }
        })
        .await
    }

    async fn command<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Controlled<T> + Send + 'static,
    ) -> Controlled<T> {
        self.transact(Cause::default(), work).await
    }
}

pub(super) fn routes() -> Router<StandIn> {
    Router::new()
        .route("/_stripe/deliveries", get(deliveries))
        .route("/_stripe/deliveries/hold", post(hold))
        .route("/_stripe/deliveries/release", post(release))
        .route("/_stripe/events/{id}/resend", post(resend))
        .route("/_stripe/events/{id}/discard", post(discard))
        .route("/_stripe/sessions/{id}/succeed", post(succeed))
        .route("/_stripe/sessions/{id}/fail", post(fail))
        .route("/_stripe/clock", get(tell_time).post(move_time))
        .route("/_stripe/faults", post(plan_faults))
}

async fn deliveries(State(stand_in): State<StandIn>) -> Controlled<Json<Vec<Delivery>>> {
    stand_in.deliveries().await.map(Json)
}

async fn hold(State(stand_in): State<StandIn>) -> Controlled<Json<Value>> {
    stand_in.hold_deliveries(true).await?;
    Ok(Json(json!({ "held": true })))
}

async fn release(State(stand_in): State<StandIn>) -> Controlled<Json<Value>> {
    stand_in.hold_deliveries(false).await?;
    Ok(Json(json!({ "held": false })))
}

async fn resend(
    State(stand_in): State<StandIn>,
    Path(id): Path<String>,
) -> Controlled<Json<Value>> {
    stand_in.resend(&id).await?;
    Ok(Json(json!({ "resent": id })))
}

async fn discard(
    State(stand_in): State<StandIn>,
    Path(id): Path<String>,
) -> Controlled<Json<Value>> {
    stand_in.discard(&id).await?;
    Ok(Json(json!({ "discarded": id })))
}

async fn succeed(
    State(stand_in): State<StandIn>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Controlled<Response> {
    stand_in.succeed(&id).await?;
    Ok(settled(&headers, &id, "succeeded"))
}

async fn fail(
    State(stand_in): State<StandIn>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Controlled<Response> {
    stand_in.fail(&id).await?;
    Ok(settled(&headers, &id, "failed"))
}

/// JSON for programs; a person who pressed the payment page's button goes back there.
fn settled(headers: &HeaderMap, session: &str, outcome: &str) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        return Redirect::to(&format!("/pay/{session}")).into_response();
    }
    Json(json!({ "session": session, "payment": outcome })).into_response()
}

async fn tell_time(State(stand_in): State<StandIn>) -> Controlled<Json<Clock>> {
    stand_in.clock().await.map(Json)
}

#[derive(Deserialize)]
struct Advance {
    advance: i64,
}

async fn move_time(
    State(stand_in): State<StandIn>,
    Form(Advance { advance }): Form<Advance>,
) -> Controlled<Json<Clock>> {
    stand_in.advance_clock(advance).await.map(Json)
}

#[derive(Deserialize)]
struct Plan {
    path: Option<String>,
    status: Option<u16>,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

async fn plan_faults(
    State(stand_in): State<StandIn>,
    Form(plan): Form<Plan>,
) -> Controlled<Json<Value>> {
    let status = match plan.status {
        None => None,
        Some(status @ 400..=599) => StatusCode::from_u16(status).ok(),
        Some(status) => {
            return Err(ControlError::Refused(format!(
                "status must be 4xx or 5xx, not {status}"
            )));
        }
    };
    if plan.times > 1_000 {
        return Err(ControlError::Refused(
            "times must be at most 1000".to_owned(),
        ));
    }
    let fault = Fault {
        path: plan.path,
        status,
        delay: Duration::from_millis(plan.delay_ms),
    };
    stand_in.0.faults.plan(&fault, plan.times);
    Ok(Json(json!({ "planned": plan.times })))
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSuch { .. } => StatusCode::NOT_FOUND,
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::Failed(error) => {
                tracing::error!(error = format!("{error:#}"), "the Stripe stand-in failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        (
            status,
            Json(json!({ "error": { "message": self.to_string() } })),
        )
            .into_response()
    }
}
