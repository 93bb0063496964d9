//! `/portal/{session}`: the portal's pages. They stand in for Stripe's hosted ones, so customers find
//! and do there what those would let them.

use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::browser::{self, Owner};
use crate::checkout::cards::{self, Mistyped};
use crate::engine::transaction::Transaction;
use crate::payment::method::PaymentMethod;
use crate::plain;
use crate::portal::actions::{self, Kept};
use crate::portal::session::{After, PortalSession, Task};
use crate::portal::settings::{Canceling, Settings, Updating};
use crate::portal::view::{self, CardForm, Details, Home, Page, View};
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

/// What a visit needs to know.
struct Visit<'v> {
    transaction: &'v Transaction<'v>,
    shop: &'v str,
    session: PortalSession,
    settings: Settings,
}

/// What follows a visit.
enum Next {
    To(String),
    Page(StatusCode, Box<Page>),
}

/// Lets a visit to a session take place, unless that is over.
async fn visit(
    Owner(account, cause): Owner,
    id: String,
    then: impl FnOnce(&mut Visit<'_>) -> anyhow::Result<Next> + Send + 'static,
) -> Response {
    let shop = account.0.settings.business_name.clone();
    let whose = id.clone();
    let next = account
        .transact_in_time_of(&whose, cause, move |transaction| {
            let bare = |status, title: &str, view| {
                let page = Page {
                    title: title.to_owned(),
                    base: String::new(),
                    shop: shop.clone(),
                    view,
                };
                anyhow::Ok(Next::Page(status, Box::new(page)))
            };
            let Some(mut session) = transaction.get::<PortalSession>(&id)? else {
                return bare(StatusCode::NOT_FOUND, "Nothing here", View::Nothing);
            };
            let settings = Settings::of(transaction, &session.configuration)?;
            let customer = transaction.shown_of("customer", &session.customer)?;
            let is_there = customer.is_some_and(|it| it.get("deleted").is_none());
            let (Some(settings), true, false) =
                (settings, is_there, session.is_over(transaction.account_now))
            else {
                return bare(StatusCode::GONE, "This page has expired", View::Over);
            };
            if session.visit(transaction.account_now) {
                transaction.put(&session)?;
            }
            then(&mut Visit {
                transaction,
                shop: &shop,
                session,
                settings,
            })
        })
        .await;
    match next {
        Ok(Next::Page(status, page)) => browser::page(status, &*page),
        Ok(Next::To(url)) => browser::redirect(&url),
        Err(error) => browser::failed(&error),
    }
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
            visit.update_page(status, &again, &how, Some(&typed), Some(message))
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

impl Visit<'_> {
    fn base(&self) -> String {
        format!("/portal/{}", self.session.id)
    }

    fn page(&self, status: StatusCode, title: &str, view: View) -> Next {
        let page = Page {
            title: format!("{title} – {}", self.shop),
            base: self.base(),
            shop: self.shop.to_owned(),
            view,
        };
        Next::Page(status, Box::new(page))
    }

    fn nothing(&self) -> Next {
        self.page(StatusCode::NOT_FOUND, "Nothing here", View::Nothing)
    }

    fn home(&self) -> anyhow::Result<Home> {
        Home::of(self.transaction, &self.session, &self.settings)
    }

    fn home_with(&self, problem: String) -> anyhow::Result<Next> {
        let mut home = self.home()?;
        home.problem = Some(problem);
        let view = View::Home(Box::new(home));
        Ok(self.page(StatusCode::CONFLICT, "Your plans and payments", view))
    }

    /// Where the customer does what they came for, as long as that is to be done.
    fn pending_task(&self) -> Option<String> {
        let flow = self.session.flow.as_ref().filter(|flow| !flow.is_done)?;
        let page = match &flow.task {
            Task::PaymentMethodUpdate => "payment_methods".to_owned(),
            Task::SubscriptionCancel(id) => format!("subscriptions/{id}/cancel"),
            Task::SubscriptionUpdate(id) => format!("subscriptions/{id}/update"),
        };
        Some(format!("{}/{page}", self.base()))
    }

    /// Something is done: on to where that leads.
    fn done(&mut self, what: &str) -> anyhow::Result<Next> {
        let home = format!("{}?done={what}", self.base());
        let Some(flow) = self.session.flow.as_mut().filter(|flow| !flow.is_done) else {
            return Ok(Next::To(home));
        };
        flow.is_done = true;
        let after = flow.after.clone();
        self.transaction.put(&self.session)?;
        Ok(match after {
            After::Homepage => Next::To(home),
            After::Redirect(url) => Next::To(url),
            After::Confirmation(message) => {
                let message = message.unwrap_or_else(|| "Your change has been made.".to_owned());
                let back = self.session.return_url.clone();
                self.page(StatusCode::OK, "Done", View::Done { message, back })
            }
        })
    }

    /// The subscription with this id, if it is this customer's and not over.
    fn subscription(&self, id: &str) -> anyhow::Result<Option<Subscription>> {
        let found = self.transaction.get::<Subscription>(id)?;
        let theirs = found.filter(|it| it.customer == self.session.customer);
        Ok(theirs.filter(|it| !it.status.is_over()))
    }

    fn cancelable(&self, id: &str) -> anyhow::Result<Option<(Subscription, Canceling)>> {
        let found = self.subscription(id)?;
        let free = found.filter(|it| it.ends_at().is_none() && it.schedule.is_none());
        Ok(free.zip(self.settings.canceling()))
    }

    fn updatable(&self, id: &str) -> anyhow::Result<Option<(Subscription, Updating)>> {
        let found = self.subscription(id)?.zip(self.settings.updating());
        Ok(found.filter(|(subscription, how)| view::may_update(subscription, how)))
    }

    /// The payment method with this id, if this customer keeps it and may change that.
    fn method(&self, id: &str) -> anyhow::Result<Option<PaymentMethod>> {
        let found = self.transaction.get::<PaymentMethod>(id)?;
        let theirs = found.filter(|it| it.customer() == Some(&self.session.customer));
        Ok(theirs.filter(|_| self.settings.updates_methods()))
    }

    fn cancel_page(
        &self,
        subscription: &Subscription,
        how: &Canceling,
        problem: Option<String>,
    ) -> Next {
        let status = match problem {
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        let view = View::Cancel(view::Cancel {
            id: subscription.id.to_string(),
            name: view::name_of(subscription),
            price: view::price_of(subscription),
            then: match how.at_once {
                true => "It ends at once.".to_owned(),
                false => format!(
                    "It stays available until the end of your billing period on {}.",
                    view::day(subscription.period.end)
                ),
            },
            reasons: how.reasons.as_deref().map(view::reasons),
            problem,
        });
        self.page(status, "Cancel your plan", view)
    }

    fn update_page(
        &self,
        status: StatusCode,
        subscription: &Subscription,
        how: &Updating,
        typed: Option<&Typed>,
        problem: Option<String>,
    ) -> anyhow::Result<Next> {
        let mut prices = view::choices(self.transaction, subscription, how)?;
        if let Some(typed) = typed.filter(|it| prices.iter().any(|(id, ..)| *id == it.price)) {
            for (id, _, _, chosen) in &mut prices {
                *chosen = *id == typed.price;
            }
        }
        let quantity = subscription.items.first().map(|item| item.quantity);
        let view = View::Update(view::Update {
            id: subscription.id.to_string(),
            current: format!(
                "{}, {}",
                view::name_of(subscription),
                view::price_of(subscription)
            ),
            prices,
            quantity: quantity.filter(|_| how.quantity),
            how: view::how_it_is_paid(how),
            problem,
        });
        Ok(self.page(status, "Update your plan", view))
    }

    fn card_page(&self, status: StatusCode, form: CardForm) -> Next {
        self.page(status, "Add a payment method", View::Card(form))
    }

    /// What the customer may change of themselves, as it is.
    fn details(&self) -> anyhow::Result<Option<Details>> {
        const FIELDS: [(&str, &str, &str, &str); 8] = [
            ("name", "name", "Name", "name"),
            ("email", "email", "Email", "email"),
            ("phone", "phone", "Phone number", "tel"),
            ("address", "address_line1", "Address", "address-line1"),
            (
                "address",
                "address_line2",
                "Apartment, floor",
                "address-line2",
            ),
            (
                "address",
                "address_postal_code",
                "Postal code",
                "postal-code",
            ),
            ("address", "address_city", "City", "address-level2"),
            (
                "address",
                "address_state",
                "State, region",
                "address-level1",
            ),
        ];
        let allowed = self.settings.customer_updates();
        let may = |what: &str| allowed.iter().any(|it| it == what);
        let customer = self
            .transaction
            .shown_of("customer", &self.session.customer)?;
        let text = |pointer: String| {
            let text = customer
                .as_ref()
                .and_then(|it| it.pointer(&pointer)?.as_str());
            text.unwrap_or_default().to_owned()
        };
        let fields = FIELDS.iter().filter(|(what, ..)| may(what));
        let fields: Vec<_> = fields
            .map(|(_, name, label, complete)| {
                let pointer = format!("/{}", name.replacen("address_", "address/", 1));
                (*name, *label, text(pointer), *complete)
            })
            .collect();
        Ok((!fields.is_empty()).then(|| Details {
            fields,
            country: may("address").then(|| text("/address/country".to_owned())),
            problem: None,
        }))
    }
}
