//! `/microdeposits/{intent}` and `/mandates/{mandate}`: where the owner of a bank account shows that it is
//! theirs, and reads what they have agreed to.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use http::StatusCode;
use serde::Deserialize;

use crate::browser::{self, Owner};
use crate::engine::transaction::Transaction;
use crate::payment::action::Action;
use crate::payment::confirmation::Outcome;
use crate::payment::intent::{IntentState, PaymentIntent};
use crate::payment::mandate::{Mandate, Uses};
use crate::payment::microdeposit::{Heard, Told};
use crate::payment::setup::SetUp;
use crate::payment::setup_intent::{SetupIntent, SetupState};
use crate::payment::{setup, slow};
use crate::stand_in::StandIn;

#[derive(Template)]
#[template(path = "verification.html", config = "askama.toml")]
struct Page {
    shop: String,
    view: View,
}

/// What there is to see.
enum View {
    Ask {
        intent: String,
        problem: Option<&'static str>,
    },
    Mandate {
        id: String,
        scheme: &'static str,
        /// The one amount that may be taken; nothing if there may be many.
        once: Option<String>,
    },
    Verified,
    Over,
    Nothing,
}

/// What the owner of an account has read on their statement.
#[derive(Deserialize)]
struct Typed {
    descriptor_code: String,
}

pub(crate) fn routes() -> Router<StandIn> {
    Router::new()
        .route("/microdeposits/{intent}", get(ask).post(hear))
        .route("/mandates/{mandate}", get(mandate))
}

/// Shows what a transaction finds.
async fn show(
    Owner(account, cause): Owner,
    find: impl FnOnce(&Transaction<'_>) -> anyhow::Result<View> + Send + 'static,
) -> Response {
    let shop = account.0.settings.business_name.clone();
    match account.transact(cause, find).await {
        Ok(view) => {
            let status = match view {
                View::Nothing => StatusCode::NOT_FOUND,
                View::Ask {
                    problem: Some(_), ..
                } => StatusCode::UNPROCESSABLE_ENTITY,
                _ => StatusCode::OK,
            };
            browser::page(status, &Page { shop, view })
        }
        Err(error) => browser::failed(&error),
    }
}

async fn ask(owner: Owner, Path(id): Path<String>) -> Response {
    show(owner, move |transaction| {
        let waits = match transaction.get::<PaymentIntent>(&id)? {
            Some(intent) => matches!(
                intent.state,
                IntentState::RequiresAction(Action::VerifyAccount(_))
            ),
            None => transaction
                .get::<SetupIntent>(&id)?
                .is_some_and(|intent| matches!(intent.state, SetupState::VerifiesAccount(_))),
        };
        Ok(match waits {
            true => View::Ask {
                intent: id,
                problem: None,
            },
            false => View::Nothing,
        })
    })
    .await
}

async fn hear(owner: Owner, Path(id): Path<String>, Form(typed): Form<Typed>) -> Response {
    let told = Told::Code(typed.descriptor_code.trim().to_uppercase());
    show(owner, move |transaction| {
        let heard = if let Some(mut intent) = transaction.get::<PaymentIntent>(&id)? {
            let heard = slow::verify_account(transaction, &mut intent, &told)?;
            heard.map(|it| it.map(|outcome| !matches!(outcome, Outcome::Refused(_))))
        } else if let Some(mut intent) = transaction.get::<SetupIntent>(&id)? {
            let heard = setup::verify_account(transaction, &mut intent, &told)?;
            heard.map(|it| it.map(|outcome| !matches!(outcome, SetUp::Refused(_))))
        } else {
            return Ok(View::Nothing);
        };
        Ok(match heard {
            Err(_) => View::Nothing,
            Ok(Heard::Answered(true)) => View::Verified,
            Ok(Heard::Answered(false)) => View::Over,
            Ok(Heard::Wrong(failure)) => View::Ask {
                intent: id,
                problem: Some(failure.message),
            },
        })
    })
    .await
}

async fn mandate(owner: Owner, Path(id): Path<String>) -> Response {
    show(owner, move |transaction| {
        Ok(match transaction.get::<Mandate>(&id)? {
            Some(mandate) => View::Mandate {
                id,
                scheme: mandate.scheme.name(),
                once: match mandate.uses {
                    Uses::Many => None,
                    Uses::One { amount, currency } => Some(currency.display(amount)),
                },
            },
            None => View::Nothing,
        })
    })
    .await
}
