//! `/3ds/{intent}`: where a buyer's bank asks who they are. The buyer completes it, fails it, or walks
//! away; then they are back at the shop.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use http::StatusCode;
use serde::Deserialize;

use crate::billing;
use crate::browser::{self, Owner};
use crate::checkout;
use crate::checkout::object::{Session, SessionStatus};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::action::{Challenge, come_back};
use crate::payment::intent::{IntentState, PaymentIntent, WrongState};
use crate::payment::method::{Means, PaymentMethod};
use crate::payment::setup_intent::{SetupIntent, SetupState};
use crate::payment::testing::three_d_secure::Challenged;
use crate::stand_in::StandIn;

#[derive(Template)]
#[template(path = "challenge.html", config = "askama.toml")]
struct Page {
    title: &'static str,
    /// What the control API calls the likes of it.
    collection: &'static str,
    view: View,
}

/// What there is to see.
enum View {
    Ask {
        id: String,
        shop: String,
        /// What is to be paid; nothing if a card is to be kept.
        what: Option<String>,
        card: String,
    },
    Done {
        passed: bool,
    },
    /// It is over already.
    Over {
        good: bool,
        became: &'static str,
        why: String,
    },
    Nothing,
}

/// What the buyer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Complete,
    Fail,
    /// To the payment it is a failure.
    Cancel,
}

#[derive(Deserialize)]
struct Submission {
    outcome: Answer,
}

/// An intent that waits for its buyer.
enum Waiting {
    Payment(Box<PaymentIntent>, Challenge),
    Setup(Box<SetupIntent>, Challenge),
}

pub(crate) fn routes() -> Router<StandIn> {
    Router::new().route("/3ds/{intent}", get(show).post(submit))
}

impl Waiting {
    fn find(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<Option<Self>> {
        if let Some(intent) = transaction.get::<PaymentIntent>(id)? {
            let challenge = intent.challenge().cloned();
            return Ok(challenge.map(|challenge| Self::Payment(Box::new(intent), challenge)));
        }
        Ok(match transaction.get::<SetupIntent>(id)? {
            Some(intent) => match intent.state.clone() {
                SetupState::RequiresAction(challenge) => {
                    Some(Self::Setup(Box::new(intent), challenge))
                }
                _ => None,
            },
            None => None,
        })
    }

    fn page(self, transaction: &Transaction<'_>, shop: String) -> anyhow::Result<Page> {
        let (collection, id, what, method) = match self {
            Self::Payment(intent, _) => (
                "payment_intents",
                intent.id.to_string(),
                Some(intent.currency.display(intent.amount)),
                intent.payment_method,
            ),
            Self::Setup(intent, _) => (
                "setup_intents",
                intent.id.to_string(),
                None,
                intent.payment_method,
            ),
        };
        let method = match method {
            Some(method) => Some(transaction.existing::<PaymentMethod>(&method)?.means),
            None => None,
        };
        let card = match method {
            Some(Means::Card(card)) => {
                format!("{} •••• {}", card.test.brand.legacy(), card.test.last4())
            }
            _ => String::new(),
        };
        Ok(Page {
            title: "Confirm that it is you",
            collection,
            view: View::Ask {
                id,
                shop,
                what,
                card,
            },
        })
    }
}

impl Page {
    fn nothing() -> Self {
        Self {
            title: "Nothing to confirm",
            collection: "",
            view: View::Nothing,
        }
    }

    fn answer(&self) -> Response {
        let status = match self.view {
            View::Nothing => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        };
        browser::page(status, self)
    }
}

/// What has become of an intent that no longer waits.
fn over(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<Page> {
    let (good, became, error) = if let Some(intent) = transaction.get::<PaymentIntent>(id)? {
        let error = intent.last_payment_error;
        match intent.state {
            IntentState::Succeeded { .. } => (true, "This payment has succeeded", None),
            IntentState::RequiresCapture { .. } => (true, "This payment is authorized", None),
            IntentState::Processing(_) => (true, "This payment is under way", None),
            IntentState::RequiresConfirmation {
                authenticated: true,
            } => (true, "Your bank has told the shop", None),
            IntentState::Canceled { .. } => (false, "This payment was canceled", None),
            _ if error.is_some() => (false, "This payment did not go through", error),
            _ => return Ok(Page::nothing()),
        }
    } else if let Some(intent) = transaction.get::<SetupIntent>(id)? {
        let error = intent.last_setup_error;
        match intent.state {
            SetupState::Succeeded => (true, "Your card is kept for later payments", None),
            SetupState::Canceled { .. } => (false, "The shop no longer asks for this", None),
            _ if error.is_some() => (false, "Your card was not kept", error),
            _ => return Ok(Page::nothing()),
        }
    } else {
        return Ok(Page::nothing());
    };
    let why = error.map(|error| error.message().to_owned());
    Ok(Page {
        title: became,
        collection: "",
        view: View::Over {
            good,
            became,
            why: why.unwrap_or_default(),
        },
    })
}

async fn show(Owner(account, cause): Owner, Path(id): Path<String>) -> Response {
    let shop = account.0.settings.business_name.clone();
    let page = account
        .transact(cause, move |transaction| {
            match Waiting::find(transaction, &id)? {
                Some(waiting) => waiting.page(transaction, shop),
                None => over(transaction, &id),
            }
        })
        .await;
    match page {
        Ok(page) => page.answer(),
        Err(error) => browser::failed(&error),
    }
}

/// Where the buyer goes next.
enum Next {
    To(String),
    Stay(bool),
    /// It was over before.
    Nowhere(Page),
}

async fn submit(
    Owner(account, cause): Owner,
    Path(id): Path<String>,
    Form(Submission { outcome }): Form<Submission>,
) -> Response {
    let challenged = match outcome {
        Answer::Complete => Challenged::Passed,
        Answer::Fail => Challenged::Failed,
        Answer::Cancel => Challenged::Canceled,
    };
    let whose = id.clone();
    let next = account
        .transact_in_time_of(&whose, cause, move |transaction| {
            answer(transaction, &id, challenged)
        })
        .await;
    match next {
        Ok(Next::To(url)) => browser::redirect(&url),
        Ok(Next::Stay(passed)) => Page {
            title: "Thank you",
            collection: "",
            view: View::Done { passed },
        }
        .answer(),
        Ok(Next::Nowhere(page)) => page.answer(),
        Err(error) => browser::failed(&error),
    }
}

fn answer(transaction: &Transaction<'_>, id: &str, challenged: Challenged) -> anyhow::Result<Next> {
    Ok(match Waiting::find(transaction, id)? {
        None => Next::Nowhere(over(transaction, id)?),
        Some(Waiting::Payment(mut intent, challenge)) => {
            match billing::authenticate(transaction, &mut intent, challenged)? {
                Err(WrongState) => Next::Nowhere(over(transaction, id)?),
                Ok(Some(session)) => Next::To(after_checkout(&session)),
                Ok(None) => {
                    // The bank has asked, and the issuer may still have said no.
                    let went_on = intent.last_payment_error.is_none();
                    let url = challenge.return_url.map(|url| {
                        let (kind, secret) = (PaymentIntent::KIND, &intent.client_secret);
                        come_back(&url, kind, &intent.id, secret, went_on)
                    });
                    url.map_or(Next::Stay(went_on), Next::To)
                }
            }
        }
        Some(Waiting::Setup(mut intent, challenge)) => {
            match checkout::life::authenticate_setup(transaction, &mut intent, challenged)? {
                Err(WrongState) => Next::Nowhere(over(transaction, id)?),
                Ok(Some(session)) => Next::To(after_checkout(&session)),
                Ok(None) => {
                    let done = intent.state == SetupState::Succeeded;
                    let url = challenge.return_url.map(|url| {
                        let (kind, secret) = (SetupIntent::KIND, &intent.client_secret);
                        come_back(&url, kind, &intent.id, secret, done)
                    });
                    url.map_or(Next::Stay(done), Next::To)
                }
            }
        }
    })
}

/// A complete session leads back to its shop, an open one to its page, which says what was wrong.
fn after_checkout(session: &Session) -> String {
    match session.status {
        SessionStatus::Complete => session.completed_url(),
        SessionStatus::Open | SessionStatus::Expired => session.url.clone(),
    }
}
