//! `/pay/{session}`: where buyers pay. It stands in for Stripe's hosted page, so it shows what that
//! would say, and beside it what a developer needs: the test cards, and how a delayed payment ends.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use http::StatusCode;
use serde::Deserialize;

use crate::browser::{self, Owner};
use crate::checkout::cards::{self, Mistyped};
use crate::checkout::life::Paid;
use crate::checkout::object::{Discount, PaymentStatus, Session, SessionStatus};
use crate::checkout::{self};
use crate::engine::database::Transaction;
use crate::engine::ids::SessionId;
use crate::engine::resource::Cause;
use crate::engine::time::Timestamp;
use crate::payment::bank::BankDebit;
use crate::payment::billing::BillingDetails;
use crate::payment::intent::{PaymentIntent, WrongState};
use crate::payment::method::{Means, PaymentMethod};
use crate::payment::voucher::Voucher;
use crate::promotion;
use crate::promotion::life::NoDiscount;
use crate::promotion::object::{Coupon, PromotionCode};
use crate::stand_in::StandIn;
use crate::wire::params::is_email;

#[derive(Template)]
#[template(path = "page.html", config = "askama.toml")]
struct Page {
    title: &'static str,
    view: View,
}

/// What there is to see.
enum View {
    Form(Box<PaymentForm>),
    Complete {
        session: SessionId,
        success_url: String,
        state: Completion,
    },
    Expired {
        back: Option<String>,
    },
    Unknown,
}

/// How a completed session stands.
#[derive(PartialEq, Eq)]
enum Completion {
    Paid,
    Processing,
    /// The buyer has not paid with their voucher.
    Voucher {
        name: &'static str,
        total: String,
    },
    Failed,
}

struct PaymentForm {
    session: SessionId,
    lines: Vec<LineView>,
    total: String,
    subtotal: String,
    /// Whether the shop takes promotion codes.
    takes_codes: bool,
    /// Codes to try, and what they take off.
    codes: Vec<(String, String)>,
    discount: Option<DiscountView>,
    back: Option<String>,
    /// A total of zero needs no payment method.
    free: bool,
    offers_bank_debit: bool,
    /// The name of the voucher on offer.
    voucher: Option<&'static str>,
    typed: Submission,
    problem: Option<Problem>,
}

struct LineView {
    name: String,
    description: Option<String>,
    quantity: i64,
    each: String,
    amount: String,
}

struct DiscountView {
    code: String,
    /// Such as `10% off`.
    name: String,
    amount: String,
}

/// What is wrong, and in which field; nothing typed is wrong with a declined card.
struct Problem {
    field: &'static str,
    message: String,
}

impl From<Mistyped> for Problem {
    fn from(Mistyped { field, message }: Mistyped) -> Self {
        Self {
            field,
            message: message.to_owned(),
        }
    }
}

/// What the buyer submits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Submission {
    email: String,
    method: String,
    card_number: String,
    exp: String,
    cvc: String,
    /// Taken before paying, so that a script needs one request.
    promotion_code: String,
    /// The buyer wants no discount any more.
    remove_code: Option<String>,
}

pub(crate) fn routes() -> Router<StandIn> {
    Router::new()
        .route("/pay/{session}", get(show).post(submit))
        .route("/pay/{session}/code", post(change_code))
}

async fn show(Owner(account): Owner, Path(id): Path<String>) -> Response {
    let page = account
        .transact(Cause::default(), move |transaction| {
            match transaction.get::<Session>(&id)? {
                Some(session) => overview(transaction, session),
                None => anyhow::Ok(Page::unknown()),
            }
        })
        .await;
    match page {
        Ok(page) => page.answer(),
        Err(error) => browser::failed(&error),
    }
}

async fn submit(
    Owner(account): Owner,
    Path(id): Path<String>,
    Form(typed): Form<Submission>,
) -> Response {
    let outcome = account
        .transact(Cause::default(), move |transaction| {
            pay(transaction, &id, typed)
        })
        .await;
    match outcome {
        Ok(Outcome::Page(status, page)) => (status, page.answer()).into_response(),
        Ok(Outcome::GoTo(url)) => browser::redirect(&url),
        Err(error) => browser::failed(&error),
    }
}

async fn change_code(
    Owner(account): Owner,
    Path(id): Path<String>,
    Form(typed): Form<Submission>,
) -> Response {
    let outcome = account
        .transact(Cause::default(), move |transaction| {
            let Some(mut session) = transaction.get::<Session>(&id)? else {
                return Ok(Outcome::Page(StatusCode::NOT_FOUND, Page::unknown()));
            };
            if session.status != SessionStatus::Open {
                return after(transaction, session);
            }
            take_code(
                transaction,
                &mut session,
                typed,
                |transaction, session, typed| {
                    let page = Page::form(transaction, session, typed, None)?;
                    Ok(Outcome::Page(StatusCode::OK, page))
                },
            )
        })
        .await;
    match outcome {
        Ok(Outcome::Page(status, page)) => (status, page.answer()).into_response(),
        Ok(Outcome::GoTo(url)) => browser::redirect(&url),
        Err(error) => browser::failed(&error),
    }
}

/// Takes the promotion code that was typed, or gives one back, and goes on if that is in order.
fn take_code(
    transaction: &Transaction<'_>,
    session: &mut Session,
    mut typed: Submission,
    go_on: impl FnOnce(&Transaction<'_>, &mut Session, Submission) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let code = typed.promotion_code.trim().to_owned();
    let refused = if typed.remove_code.is_some() {
        promotion::life::remove(transaction, session)?;
        None
    } else if code.is_empty() {
        None
    } else if session.allow_promotion_codes != Some(true) {
        Some("This shop does not accept promotion codes.".to_owned())
    } else {
        let taken = promotion::life::apply(transaction, session, &code)?;
        taken.err().map(|why| excuse(&why, session))
    };
    match refused {
        None => {
            typed.promotion_code.clear();
            go_on(transaction, session, typed)
        }
        Some(message) => {
            let problem = Problem {
                field: "promotion_code",
                message,
            };
            let page = Page::form(transaction, session, typed, Some(problem))?;
            Ok(Outcome::Page(StatusCode::UNPROCESSABLE_ENTITY, page))
        }
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
            "This code leaves less than the smallest amount that can be charged.".to_owned()
        }
    }
}

/// What follows a submission.
enum Outcome {
    GoTo(String),
    Page(StatusCode, Page),
}

fn pay(transaction: &Transaction<'_>, id: &str, typed: Submission) -> anyhow::Result<Outcome> {
    let Some(mut session) = transaction.get::<Session>(id)? else {
        return Ok(Outcome::Page(StatusCode::NOT_FOUND, Page::unknown()));
    };
    if session.status != SessionStatus::Open {
        return after(transaction, session);
    }
    take_code(transaction, &mut session, typed, pay_open)
}

fn pay_open(
    transaction: &Transaction<'_>,
    session: &mut Session,
    typed: Submission,
) -> anyhow::Result<Outcome> {
    let (email, payment) = match typed.read(session, transaction.now) {
        Ok(read) => read,
        Err(problem) => {
            let page = Page::form(transaction, session, typed, Some(problem))?;
            return Ok(Outcome::Page(StatusCode::UNPROCESSABLE_ENTITY, page));
        }
    };
    let paid = match payment {
        Some(means) => {
            let billing = BillingDetails::of_email(email);
            let mut method = PaymentMethod::new(means, billing, transaction.now);
            transaction.put(&method)?;
            checkout::life::pay(transaction, session, &mut method)?
        }
        None => checkout::life::pay_nothing(transaction, session, email)?,
    };
    match paid {
        Ok(Paid::Complete) | Err(WrongState) => after(transaction, session.clone()),
        Ok(Paid::Challenged(page)) => Ok(Outcome::GoTo(page)),
        Ok(Paid::Declined(error)) => {
            let problem = Problem {
                field: "card_number",
                message: error.message().to_owned(),
            };
            let page = Page::form(transaction, session, typed, Some(problem))?;
            Ok(Outcome::Page(StatusCode::PAYMENT_REQUIRED, page))
        }
    }
}

/// A paid session leads back to the shop, also when its form comes a second time.
fn after(transaction: &Transaction<'_>, session: Session) -> anyhow::Result<Outcome> {
    match session.status {
        SessionStatus::Complete => Ok(Outcome::GoTo(session.completed_url())),
        SessionStatus::Open | SessionStatus::Expired => Ok(Outcome::Page(
            StatusCode::CONFLICT,
            overview(transaction, session)?,
        )),
    }
}

impl Submission {
    /// The buyer's address, and what they pay with if there is something to pay.
    fn read(&self, session: &Session, now: Timestamp) -> Result<(String, Option<Means>), Problem> {
        let email = self.email.trim();
        if !is_email(email) {
            let message = match email {
                "" => "Enter an email address.",
                _ => "Your email address is incomplete.",
            };
            return Err(Problem {
                field: "email",
                message: message.to_owned(),
            });
        }
        if session.amount_total == 0 {
            return Ok((email.to_owned(), None));
        }
        let payment = match self.method.as_str() {
            "bank_debit" => {
                let scheme = session.bank_debit();
                scheme.map(|scheme| Means::BankDebit(BankDebit::by_hand(scheme)))
            }
            "voucher" => session.voucher().map(Means::Voucher),
            "card" | "" => {
                let card = cards::read(&self.card_number, &self.exp, &self.cvc, now)?;
                Some(Means::Card(card))
            }
            _ => None,
        };
        let Some(payment) = payment else {
            return Err(Problem {
                field: "method",
                message: "This payment method is not available here.".to_owned(),
            });
        };
        Ok((email.to_owned(), Some(payment)))
    }
}

/// The page of a session as it stands.
fn overview(transaction: &Transaction<'_>, session: Session) -> anyhow::Result<Page> {
    Ok(match session.status {
        SessionStatus::Open => {
            let email = session.customer_email.clone().unwrap_or_default();
            let typed = Submission {
                email,
                ..Submission::default()
            };
            // Whoever comes back from their bank without a payment reads why.
            let problem = last_problem(transaction, &session)?;
            Page::form(transaction, &session, typed, problem)?
        }
        SessionStatus::Expired => Page {
            title: "Session expired",
            view: View::Expired {
                back: session.cancel_url,
            },
        },
        SessionStatus::Complete => {
            let pending = checkout::life::pending_payment(transaction, &session)?;
            let voucher = pending.as_ref().map(PaymentIntent::voucher);
            let (title, state) = match session.payment_status {
                PaymentStatus::Unpaid => match voucher {
                    Some(Some(voucher)) => {
                        let name = voucher.name();
                        let total = session.currency.display(session.amount_total);
                        ("Voucher", Completion::Voucher { name, total })
                    }
                    Some(None) => ("Payment processing", Completion::Processing),
                    None => ("Payment failed", Completion::Failed),
                },
                PaymentStatus::Paid | PaymentStatus::NoPaymentRequired => {
                    ("Payment complete", Completion::Paid)
                }
            };
            let success_url = session.completed_url();
            Page {
                title,
                view: View::Complete {
                    session: session.id,
                    success_url,
                    state,
                },
            }
        }
    })
}

/// What became of the last try to pay a session that is open.
fn last_problem(
    transaction: &Transaction<'_>,
    session: &Session,
) -> anyhow::Result<Option<Problem>> {
    let Some(id) = &session.payment_intent else {
        return Ok(None);
    };
    let intent: PaymentIntent = transaction.existing(id)?;
    Ok(intent.last_payment_error.map(|error| Problem {
        field: "card_number",
        message: error.message().to_owned(),
    }))
}

impl Page {
    fn unknown() -> Self {
        Self {
            title: "Nothing here",
            view: View::Unknown,
        }
    }

    fn form(
        transaction: &Transaction<'_>,
        session: &Session,
        typed: Submission,
        problem: Option<Problem>,
    ) -> anyhow::Result<Self> {
        let discount = match &session.discount {
            Some(discount) => Some(DiscountView::of(transaction, session, discount)?),
            None => None,
        };
        let codes = promotion::life::to_try(transaction)?
            .into_iter()
            .map(|code| {
                let coupon: Coupon = transaction.existing(&code.coupon)?;
                Ok((code.code, coupon.name.unwrap_or(coupon.id)))
            });
        let codes = codes.collect::<anyhow::Result<_>>()?;
        let money = |amount| session.currency.display(amount);
        let lines = session.line_items.iter().map(|line| LineView {
            name: line.name.clone(),
            description: line.description.clone(),
            quantity: line.quantity,
            each: money(line.unit_amount),
            amount: money(line.amount),
        });
        let form = PaymentForm {
            session: session.id.clone(),
            lines: lines.collect(),
            total: money(session.amount_total),
            subtotal: money(session.subtotal()),
            takes_codes: session.allow_promotion_codes == Some(true),
            codes,
            discount,
            back: session.cancel_url.clone(),
            free: session.amount_total == 0,
            offers_bank_debit: session.bank_debit().is_some(),
            voucher: session.voucher().map(Voucher::name),
            typed,
            problem,
        };
        Ok(Self {
            title: "Checkout",
            view: View::Form(Box::new(form)),
        })
    }

    fn answer(&self) -> Response {
        let status = match self.view {
            View::Unknown => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        };
        browser::page(status, self)
    }
}

impl DiscountView {
    fn of(
        transaction: &Transaction<'_>,
        session: &Session,
        discount: &Discount,
    ) -> anyhow::Result<Self> {
        let code: PromotionCode = transaction.existing(&discount.promotion_code)?;
        let coupon: Coupon = transaction.existing(&discount.coupon)?;
        Ok(Self {
            code: code.code,
            name: coupon.name.unwrap_or(coupon.id),
            amount: session.currency.display(discount.amount),
        })
    }
}

impl PaymentForm {
    fn card_hints(&self) -> &'static [cards::Group] {
        cards::HINTS
    }

    fn problem_in(&self, field: &str) -> Option<&str> {
        let problem = self
            .problem
            .as_ref()
            .filter(|problem| problem.field == field)?;
        Some(&problem.message)
    }

    /// Whatever is wrong but not with a promotion code, which is told where that is typed.
    fn problem_with_paying(&self) -> Option<&str> {
        let problem = self.problem.as_ref()?;
        (problem.field != "promotion_code").then_some(problem.message.as_str())
    }

    fn pays_by_voucher(&self) -> bool {
        self.voucher.is_some() && self.typed.method == "voucher"
    }

    fn pays_by_bank(&self) -> bool {
        self.offers_bank_debit && self.typed.method == "bank_debit"
    }
}
