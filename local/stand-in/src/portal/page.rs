//! `/portal/{session}`: the portal's pages. They stand in for Stripe's hosted ones, so customers find
//! and do there what those would let them.

use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::browser::Owner;
use crate::checkout::cards::{self, Mistyped};
use crate::plain;
use crate::portal::actions::{self, Kept};
use crate::portal::view::{self, CardForm, View};
use crate::portal::visit::{Next, Visit, visit};
use crate::stand_in::StandIn;
use crate::subscription::object::Subscription;
use crate::wire::errors::ApiError;
use crate::wire::params::is_email;

pub(crate) fn routes() -> Router<StandIn> {
    Router::new()
        .route("/portal/{session}", get(show))
        .route(
            "/portal/{session}/subscriptions/{id}/cancel",
            get(ask_to_cancel).post(cancel),
        )
        .route("/portal/{session}/subscriptions/{id}/renew", post(renew))
        .route(
            "/portal/{session}/subscriptions/{id}/update",
            get(choose).post(update),
        )
        .route(
            "/portal/{session}/payment_methods",
            get(ask_for_card).post(add),
        )
        .route(
            "/portal/{session}/payment_methods/{id}/default",
            post(make_default),
        )
        .route(
            "/portal/{session}/payment_methods/{id}/remove",
            post(remove),
        )
        .route("/portal/{session}/details", get(ask_for_details).post(tell))
}

/// What a customer submits.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    feedback: String,
    comment: String,
    price: String,
    quantity: String,
    card_number: String,
    exp: String,
    cvc: String,
}

/// What the page says once something is done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct News {
    done: String,
    redirect_status: String,
}

async fn show(owner: Owner, Path(id): Path<String>, Query(news): Query<News>) -> Response {
    visit(owner, id, move |visit| {
        if let Some(task) = visit.pending_task() {
            return Ok(Next::To(task));
        }
        let mut home = visit.home()?;
        home.notice = match (news.done.as_str(), news.redirect_status.as_str()) {
            ("canceled", _) => Some("Your plan has been canceled."),
            ("renewed", _) => Some("Your plan goes on."),
            ("updated", _) => Some("Your plan has been changed."),
            ("added", _) | (_, "succeeded") => Some("Your payment method has been added."),
            ("default", _) => Some("Your default payment method has been changed."),
            ("removed", _) => Some("Your payment method has been removed."),
            ("told", _) => Some("Your details have been saved."),
            _ => None,
        };
        if news.redirect_status == "failed" {
            home.problem = Some("Your bank did not confirm this card. Try another one.".to_owned());
        }
        Ok(visit.page(
            StatusCode::OK,
            "Your plans and payments",
            View::Home(Box::new(home)),
        ))
    })
    .await
}

async fn ask_to_cancel(owner: Owner, Path((id, of)): Path<(String, String)>) -> Response {
    visit(owner, id, move |visit| match visit.cancelable(&of)? {
        Some((subscription, how)) => Ok(visit.cancel_page(&subscription, &how, None)),
        None => Ok(visit.nothing()),
    })
    .await
}

async fn cancel(
    owner: Owner,
    Path((id, of)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    visit(owner, id, move |visit| {
        let Some((subscription, how)) = visit.cancelable(&of)? else {
            return Ok(visit.nothing());
        };
        let offered = how.reasons.as_deref().unwrap_or_default();
        let chosen = offered.contains(&typed.feedback);
        let feedback = if chosen { typed.feedback.as_str() } else { "" };
        let comment = if how.reasons.is_some() {
            typed.comment.as_str()
        } else {
            ""
        };
        let again = subscription.clone();
        match actions::cancel(visit.transaction, subscription, &how, feedback, comment) {
            Ok(()) => visit.done("canceled"),
            Err(error) => Ok(visit.cancel_page(&again, &how, Some(told(error)?))),
        }
    })
    .await
}

async fn renew(owner: Owner, Path((id, of)): Path<(String, String)>) -> Response {
    visit(owner, id, move |visit| {
        let subscription = visit.subscription(&of)?;
        let may = |it: &Subscription| it.cancellation.at_period_end && it.schedule.is_none();
        match subscription.filter(|it| may(it) && visit.settings.canceling().is_some()) {
            Some(subscription) => match actions::renew(visit.transaction, subscription) {
                Ok(()) => visit.done("renewed"),
                Err(error) => visit.home_with(told(error)?),
            },
            None => Ok(visit.nothing()),
        }
    })
    .await
}

async fn choose(owner: Owner, Path((id, of)): Path<(String, String)>) -> Response {
    visit(owner, id, move |visit| match visit.updatable(&of)? {
        Some((subscription, how)) => {
            visit.update_page(StatusCode::OK, &subscription, &how, None, None)
        }
        None => Ok(visit.nothing()),
    })
    .await
}

async fn update(
    owner: Owner,
    Path((id, of)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Response {
    visit(owner, id, move |visit| {
        let Some((subscription, how)) = visit.updatable(&of)? else {
            return Ok(visit.nothing());
        };
        let again = subscription.clone();
        let refuse = |visit: &Visit<'_>, message: String| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            visit.update_page(status, &again, &how, Some(&typed.price), Some(message))
        };
        let choices = view::choices(visit.transaction, &subscription, &how)?;
        let chosen = choices
            .iter()
            .find(|(id, _, _, is_current)| match typed.price.as_str() {
                "" => *is_current,
                price => price == id,
            });
        let Some((price, ..)) = chosen else {
            return refuse(visit, "Choose one of these plans.".to_owned());
        };
        let quantity = match how.quantity && !typed.quantity.is_empty() {
            false => None,
            true => match typed.quantity.trim().parse::<i64>() {
                Ok(quantity) if (1..=999_999).contains(&quantity) => Some(quantity),
                _ => return refuse(visit, "Enter a quantity of 1 or more.".to_owned()),
            },
        };
        match actions::update(visit.transaction, subscription, &how, price, quantity) {
            Ok(()) => visit.done("updated"),
            Err(error) => refuse(visit, told(error)?),
        }
    })
    .await
}

async fn ask_for_card(owner: Owner, Path(id): Path<String>) -> Response {
    visit(owner, id, |visit| match visit.settings.updates_methods() {
        true => Ok(visit.card_page(StatusCode::OK, CardForm::default())),
        false => Ok(visit.nothing()),
    })
    .await
}

async fn add(owner: Owner, Path(id): Path<String>, Form(typed): Form<Typed>) -> Response {
    visit(owner, id, move |visit| {
        if !visit.settings.updates_methods() {
            return Ok(visit.nothing());
        }
        let (transaction, now) = (visit.transaction, visit.transaction.now);
        let problem = match cards::read(&typed.card_number, &typed.exp, &typed.cvc, now) {
            Err(mistyped) => mistyped,
            Ok(card) => match actions::keep_card(transaction, &visit.session, card)? {
                Kept::Done => return visit.done("added"),
                Kept::Challenged(page) => return Ok(Next::To(page)),
                Kept::Refused(message) => Mistyped {
                    field: "card_number",
                    message: message.into(),
                },
            },
        };
        let form = CardForm {
            number: typed.card_number,
            expiry: typed.exp,
            problem: Some(problem),
        };
        Ok(visit.card_page(StatusCode::UNPROCESSABLE_ENTITY, form))
    })
    .await
}

async fn make_default(owner: Owner, Path((id, of)): Path<(String, String)>) -> Response {
    visit(owner, id, move |visit| match visit.method(&of)? {
        Some(method) => {
            actions::make_default(visit.transaction, &visit.session, &method)?;
            visit.done("default")
        }
        None => Ok(visit.nothing()),
    })
    .await
}

async fn remove(owner: Owner, Path((id, of)): Path<(String, String)>) -> Response {
    visit(owner, id, move |visit| {
        let Some(method) = visit.method(&of)? else {
            return Ok(visit.nothing());
        };
        let home = visit.home()?;
        let shown = home.methods.iter().flatten().find(|it| it.id == of);
        if shown.is_none_or(|it| !it.may_remove) {
            let why = "Your plans are paid with this. Make another one the default first.";
            return visit.home_with(why.to_owned());
        }
        actions::remove(visit.transaction, method)?;
        visit.done("removed")
    })
    .await
}

async fn ask_for_details(owner: Owner, Path(id): Path<String>) -> Response {
    visit(owner, id, |visit| match visit.details()? {
        Some(details) => {
            let view = View::Details(details);
            Ok(visit.page(StatusCode::OK, "Your details", view))
        }
        None => Ok(visit.nothing()),
    })
    .await
}

async fn tell(
    owner: Owner,
    Path(id): Path<String>,
    Form(typed): Form<Vec<(String, String)>>,
) -> Response {
    visit(owner, id, move |visit| {
        let Some(mut details) = visit.details()? else {
            return Ok(visit.nothing());
        };
        let given = |name: &str| {
            let found = typed.iter().find(|(given, _)| given == name);
            found.map(|(_, text)| text.trim().to_owned())
        };
        let mut told = Map::new();
        let mut address = Map::new();
        for (name, _, value, _) in &mut details.fields {
            let Some(text) = given(name) else { continue };
            value.clone_from(&text);
            match name.strip_prefix("address_") {
                Some(part) => address.insert(part.to_owned(), json!(text)),
                None => told.insert((*name).to_owned(), json!(text)),
            };
        }
        if let (Some(country), Some(text)) = (&mut details.country, given("address_country")) {
            country.clone_from(&text);
            address.insert("country".to_owned(), json!(text));
        }
        if !address.is_empty() {
            told.insert("address".to_owned(), Value::Object(address));
        }
        let email = told.get("email").and_then(Value::as_str);
        if email.is_some_and(|email| !is_email(email)) {
            details.problem = Some("Enter an email address, such as you@example.com.".to_owned());
            let view = View::Details(details);
            return Ok(visit.page(StatusCode::UNPROCESSABLE_ENTITY, "Your details", view));
        }
        match plain::update(visit.transaction, "customer", &visit.session.customer, told) {
            Ok(_) => visit.done("told"),
            Err(error) => visit.home_with(error.message().to_owned()),
        }
    })
    .await
}

/// What a customer reads of a refusal; a failure of the stand-in itself stays one.
fn told(error: ApiError) -> anyhow::Result<String> {
    match error.status.is_server_error() {
        true => Err(anyhow::anyhow!("{}", error.message())),
        false => Ok(error.message().to_owned()),
    }
}
