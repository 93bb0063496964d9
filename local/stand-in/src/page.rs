//! `/pay/{session}`: where buyers pay. It stands in for Stripe's hosted page, so it asks and shows what
//! that would, and beside it what a developer needs: the test cards, and how a delayed payment ends.

pub(crate) mod countries;
mod parts;
mod typed;
mod view;

use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use http::StatusCode;

use self::typed::{Payment, Problem, Typed, billing_of};
use self::view::{Completion, Page, View};
use crate::browser::{self, Owner};
use crate::checkout;
use crate::checkout::customer::saved;
use crate::checkout::life::Paid;
use crate::checkout::link::{self, Closed, Followed};
use crate::checkout::object::{PaymentStatus, Session, SessionStatus};
use crate::engine::transaction::Transaction;
use crate::payment::intent::{PaymentIntent, WrongState};
use crate::payment::method::PaymentMethod;
use crate::payment::setup_intent::SetupIntent;
use crate::payment::voucher::Voucher;
use crate::promotion;
use crate::promotion::life::NoDiscount;
use crate::stand_in::StandIn;

pub(crate) fn routes() -> Router<StandIn> {
    Router::new()
        .route("/pay/{session}", get(show).post(submit))
        .route("/pay/{session}/code", post(change))
        .route("/pay/{session}/update", post(change))
        .route("/recover/{session}", get(recover))
        .route("/link/{link}", get(follow))
}

/// What the page needs to know besides its session.
struct Visit<'v> {
    transaction: &'v Transaction<'v>,
    shop: &'v str,
}

/// What follows a visit.
enum Outcome {
    GoTo(String),
    Page(StatusCode, Page),
}

/// Lets a visit to a session take place.
async fn visit(
    Owner(account, cause): Owner,
    id: String,
    pay: impl FnOnce(&Visit<'_>, Session) -> anyhow::Result<Outcome> + Send + 'static,
) -> Response {
    let shop = account.0.settings.business_name.clone();
    let whose = id.clone();
    let outcome = account
        .transact_in_time_of(&whose, cause, move |transaction| {
            let visit = Visit {
                transaction,
                shop: &shop,
            };
            match transaction.get::<Session>(&id)? {
                Some(session) => pay(&visit, session),
                None => anyhow::Ok(Outcome::Page(StatusCode::NOT_FOUND, Page::unknown())),
            }
        })
        .await;
    match outcome {
        Ok(Outcome::Page(status, page)) => browser::page(status, &page),
        Ok(Outcome::GoTo(url)) => browser::redirect(&url),
        Err(error) => browser::failed(&error),
    }
}

async fn show(owner: Owner, Path(id): Path<String>) -> Response {
    visit(owner, id, |visit, session| {
        Ok(Outcome::Page(StatusCode::OK, visit.overview(session)?))
    })
    .await
}

async fn submit(owner: Owner, Path(id): Path<String>, Form(typed): Form<Typed>) -> Response {
    visit(owner, id, |visit, mut session| {
        if session.status != SessionStatus::Open {
            return visit.after(session);
        }
        if let Some(closed) = link::closed(visit.transaction, &session)? {
            return Ok(Outcome::Page(StatusCode::GONE, Page::closed(closed)));
        }
        visit.take_code(&mut session, typed, Visit::pay)
    })
    .await
}

/// The buyer has changed what is to be paid: a code, a quantity, the way to ship, their country.
async fn change(owner: Owner, Path(id): Path<String>, Form(typed): Form<Typed>) -> Response {
    visit(owner, id, |visit, mut session| {
        if session.status != SessionStatus::Open {
            return visit.after(session);
        }
        visit.take_code(&mut session, typed, |visit, session, typed| {
            let problems = visit.choose(session, &typed)?;
            visit.form(StatusCode::OK, session, typed, problems)
        })
    })
    .await
}

/// The buyer begins an expired session again.
async fn recover(owner: Owner, Path(id): Path<String>) -> Response {
    visit(
        owner,
        id,
        |visit, session| match checkout::recovery::recover(visit.transaction, &session)? {
            Ok(again) => Ok(Outcome::GoTo(again.url)),
            Err(WrongState) => Ok(Outcome::Page(
                StatusCode::CONFLICT,
                visit.overview(session)?,
            )),
        },
    )
    .await
}

/// Whoever follows a payment link comes to a session of their own.
async fn follow(
    Owner(account, cause): Owner,
    Path(id): Path<String>,
    Query(followed): Query<Followed>,
) -> Response {
    let open = move |transaction: &Transaction<'_>| link::follow(transaction, &id, followed);
    match account.transact(cause, open).await {
        Ok(session) => browser::redirect(&session.url),
        Err(closed) => {
            let status = match closed {
                Closed::Unknown => StatusCode::NOT_FOUND,
                Closed::Refused(ref error) if error.status.is_server_error() => error.status,
                Closed::Inactive(_) | Closed::Refused(_) => StatusCode::GONE,
            };
            browser::page(status, &Page::closed(closed))
        }
    }
}

impl Visit<'_> {
    fn form(
        &self,
        status: StatusCode,
        session: &Session,
        typed: Typed,
        problems: Vec<Problem>,
    ) -> anyhow::Result<Outcome> {
        let page = Page::form(self.transaction, self.shop, session, typed, problems)?;
        Ok(Outcome::Page(status, page))
    }

    /// Takes the promotion code that was typed, or gives one back, and goes on if that is in order.
    fn take_code(
        &self,
        session: &mut Session,
        mut typed: Typed,
        go_on: impl FnOnce(&Self, &mut Session, Typed) -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Outcome> {
        let code = typed.get("promotion_code").to_owned();
        let refused = if typed.has("remove_code") && session.accepts_codes() {
            promotion::life::remove(self.transaction, session)?;
            None
        } else if code.is_empty() {
            None
        } else if !session.accepts_codes() {
            Some("This shop does not accept promotion codes.".to_owned())
        } else {
            let taken = promotion::life::apply(self.transaction, session, &code)?;
            taken.err().map(|why| excuse(&why, session))
        };
        match refused {
            None => {
                typed.clear("promotion_code");
                typed.clear("remove_code");
                go_on(self, session, typed)
            }
            Some(message) => {
                let problem = Problem::new("promotion_code", message);
                self.form(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    session,
                    typed,
                    vec![problem],
                )
            }
        }
    }

    /// Takes what the buyer has chosen.
    fn choose(&self, session: &mut Session, typed: &Typed) -> anyhow::Result<Vec<Problem>> {
        let mut problems = typed.choose(session);
        if !session.sells_something() && !session.is_for_setup() {
            let field = session
                .line_items
                .first()
                .map(|line| format!("quantity[{}]", line.id));
            problems.push(Problem::new(
                field.unwrap_or_default(),
                "Choose at least one.",
            ));
        }
        promotion::life::reckon(self.transaction, session)?;
        session.reckon();
        if problems.is_empty() {
            self.transaction.put(session)?;
        }
        Ok(problems)
    }

    fn pay(&self, session: &mut Session, typed: Typed) -> anyhow::Result<Outcome> {
        let mut problems = self.choose(session, &typed)?;
        let told = typed.tell(session);
        let payment = typed.payment(session, self.transaction.now);
        let (told, payment) = match (told, payment) {
            (Ok(told), Ok(payment)) if problems.is_empty() => (told, payment),
            (told, payment) => {
                problems.extend(told.err().unwrap_or_default());
                problems.extend(payment.err());
                return self.form(StatusCode::UNPROCESSABLE_ENTITY, session, typed, problems);
            }
        };
        // Whoever has seen a total pays that, and no other.
        let total = session.amount_total().to_string();
        if typed.has("total") && typed.get("total") != total {
            let problem =
                Problem::new("total", "The total has changed. Look at it, and pay again.");
            return self.form(StatusCode::CONFLICT, session, typed, vec![problem]);
        }
        session.collected = told;
        let paid = match payment {
            Payment::New(means) => {
                let billing = billing_of(&session.collected);
                let mut method = PaymentMethod::new(means, billing, self.transaction.now);
                self.transaction.put(&method)?;
                checkout::life::pay(self.transaction, session, &mut method)?
            }
            Payment::Saved(id) => {
                let theirs = saved(self.transaction, session)?;
                let Some(mut method) = theirs.into_iter().find(|it| *it.id == id) else {
                    let problem =
                        Problem::new("method", "This payment method is not available here.");
                    return self.form(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        session,
                        typed,
                        vec![problem],
                    );
                };
                checkout::life::pay(self.transaction, session, &mut method)?
            }
            Payment::Nothing => checkout::life::pay_nothing(self.transaction, session)?,
        };
        match paid {
            Ok(Paid::Complete) | Err(WrongState) => self.after(session.clone()),
            Ok(Paid::Challenged(page)) => Ok(Outcome::GoTo(page)),
            Ok(Paid::Declined(error)) => {
                let problem = Problem::new("card_number", error.message());
                self.form(StatusCode::PAYMENT_REQUIRED, session, typed, vec![problem])
            }
        }
    }

    /// A paid session leads back to the shop, also when its form comes a second time.
    fn after(&self, session: Session) -> anyhow::Result<Outcome> {
        match session.status {
            SessionStatus::Complete => Ok(Outcome::GoTo(session.completed_url())),
            SessionStatus::Open | SessionStatus::Expired => {
                Ok(Outcome::Page(StatusCode::CONFLICT, self.overview(session)?))
            }
        }
    }

    /// The page of a session as it stands.
    fn overview(&self, session: Session) -> anyhow::Result<Page> {
        let back = session.asked_text("cancel_url").map(str::to_owned);
        let recovery = session.asked_at("/after_expiration/recovery/url");
        match session.status {
            SessionStatus::Open => {
                let mut typed = Typed::default();
                typed.set("email", session.email().unwrap_or_default());
                // Whoever comes back from their bank without a payment reads why.
                let problem = self.last_problem(&session)?;
                let problems = problem.into_iter().collect();
                Page::form(self.transaction, self.shop, &session, typed, problems)
            }
            SessionStatus::Expired => Ok(Page {
                title: "Session expired",
                view: View::Expired {
                    back,
                    recovery: recovery.and_then(|it| it.as_str()).map(str::to_owned),
                },
            }),
            SessionStatus::Complete => self.completed(session),
        }
    }

    fn completed(&self, session: Session) -> anyhow::Result<Page> {
        let pending = checkout::life::pending_payment(self.transaction, &session)?;
        let voucher = pending.as_ref().map(PaymentIntent::voucher);
        let (title, state) = match (session.payment_status, voucher) {
            _ if session.is_for_setup() => ("Payment method saved", Completion::SetUp),
            (PaymentStatus::Unpaid, Some(Some(voucher))) => {
                let name = Voucher::name(voucher);
                let total = session.currency.display(session.amount_total());
                ("Voucher", Completion::Voucher { name, total })
            }
            (PaymentStatus::Unpaid, Some(None)) => ("Payment processing", Completion::Processing),
            (PaymentStatus::Unpaid, None) if self.is_authorized(&session)? => {
                ("Payment complete", Completion::Paid)
            }
            (PaymentStatus::Unpaid, None) => ("Payment failed", Completion::Failed),
            _ => ("Payment complete", Completion::Paid),
        };
        let message = link::confirmation(self.transaction, &session)?;
        let back = session
            .asked_text("success_url")
            .map(|_| session.completed_url());
        Ok(Page {
            title,
            view: View::Complete {
                back,
                message,
                session: session.id,
                state,
            },
        })
    }

    /// Whether the money of a session is set aside.
    fn is_authorized(&self, session: &Session) -> anyhow::Result<bool> {
        let Some(id) = &session.payment_intent else {
            return Ok(false);
        };
        let intent: PaymentIntent = self.transaction.existing(id)?;
        Ok(matches!(
            intent.state.as_str(),
            "requires_capture" | "succeeded"
        ))
    }

    /// What became of the last try to pay a session that is open.
    fn last_problem(&self, session: &Session) -> anyhow::Result<Option<Problem>> {
        let error = match (&session.payment_intent, &session.setup_intent) {
            (Some(id), _) => {
                self.transaction
                    .existing::<PaymentIntent>(id)?
                    .last_payment_error
            }
            (None, Some(id)) => {
                self.transaction
                    .existing::<SetupIntent>(id)?
                    .last_setup_error
            }
            (None, None) => None,
        };
        Ok(error.map(|error| Problem::new("card_number", error.message())))
    }
}

fn excuse(why: &NoDiscount, session: &Session) -> String {
    match why {
        NoDiscount::Invalid => "This code is invalid.".to_owned(),
        NoDiscount::OtherCurrency => "This code is for another currency.".to_owned(),
        NoDiscount::BelowMinimum(minimum) => {
            let minimum = session.currency.display(*minimum);
            format!("This code is for purchases of {minimum} or more.")
        }
        NoDiscount::TooLittleLeft => {
            "With this code, the total would be less than the smallest amount that can be \
             charged."
                .to_owned()
        }
    }
}
