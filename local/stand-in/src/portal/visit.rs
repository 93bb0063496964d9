//! A customer's visit to their portal: what it needs to know, what they may do there, and the pages it
//! leads to.

use axum::response::Response;
use http::StatusCode;

use crate::browser::{self, Owner};
use crate::engine::transaction::Transaction;
use crate::payment::method::PaymentMethod;
use crate::portal::session::{After, PortalSession, Task};
use crate::portal::settings::{Canceling, Settings, Updating};
use crate::portal::view::{self, CardForm, Details, Home, Page, View};
use crate::subscription::object::Subscription;

/// What a visit needs to know.
pub(super) struct Visit<'v> {
    pub(super) transaction: &'v Transaction<'v>,
    shop: &'v str,
    pub(super) session: PortalSession,
    pub(super) settings: Settings,
}

/// What follows a visit.
pub(super) enum Next {
    To(String),
    Page(StatusCode, Box<Page>),
}

/// Lets a visit to a session take place, unless that is over.
pub(super) async fn visit(
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

impl Visit<'_> {
    fn base(&self) -> String {
        format!("/portal/{}", self.session.id)
    }

    pub(super) fn page(&self, status: StatusCode, title: &str, view: View) -> Next {
        let page = Page {
            title: format!("{title} – {}", self.shop),
            base: self.base(),
            shop: self.shop.to_owned(),
            view,
        };
        Next::Page(status, Box::new(page))
    }

    pub(super) fn nothing(&self) -> Next {
        self.page(StatusCode::NOT_FOUND, "Nothing here", View::Nothing)
    }

    pub(super) fn home(&self) -> anyhow::Result<Home> {
        Home::of(self.transaction, &self.session, &self.settings)
    }

    pub(super) fn home_with(&self, problem: String) -> anyhow::Result<Next> {
        let mut home = self.home()?;
        home.problem = Some(problem);
        let view = View::Home(Box::new(home));
        Ok(self.page(StatusCode::CONFLICT, "Your plans and payments", view))
    }

    /// Where the customer does what they came for, as long as that is to be done.
    pub(super) fn pending_task(&self) -> Option<String> {
        let flow = self.session.flow.as_ref().filter(|flow| !flow.is_done)?;
        let page = match &flow.task {
            Task::PaymentMethodUpdate => "payment_methods".to_owned(),
            Task::SubscriptionCancel(id) => format!("subscriptions/{id}/cancel"),
            Task::SubscriptionUpdate(id) => format!("subscriptions/{id}/update"),
        };
        Some(format!("{}/{page}", self.base()))
    }

    /// Something is done: on to where that leads.
    pub(super) fn done(&mut self, what: &str) -> anyhow::Result<Next> {
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
    pub(super) fn subscription(&self, id: &str) -> anyhow::Result<Option<Subscription>> {
        let found = self.transaction.get::<Subscription>(id)?;
        let theirs = found.filter(|it| it.customer == self.session.customer);
        Ok(theirs.filter(|it| !it.status.is_over()))
    }

    pub(super) fn cancelable(&self, id: &str) -> anyhow::Result<Option<(Subscription, Canceling)>> {
        let found = self.subscription(id)?;
        let free = found.filter(|it| it.ends_at().is_none() && it.schedule.is_none());
        Ok(free.zip(self.settings.canceling()))
    }

    pub(super) fn updatable(&self, id: &str) -> anyhow::Result<Option<(Subscription, Updating)>> {
        let found = self.subscription(id)?.zip(self.settings.updating());
        Ok(found.filter(|(subscription, how)| view::may_update(subscription, how)))
    }

    /// The payment method with this id, if this customer keeps it and may change that.
    pub(super) fn method(&self, id: &str) -> anyhow::Result<Option<PaymentMethod>> {
        let found = self.transaction.get::<PaymentMethod>(id)?;
        let theirs = found.filter(|it| it.customer() == Some(&self.session.customer));
        Ok(theirs.filter(|_| self.settings.updates_methods()))
    }

    pub(super) fn cancel_page(
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

    pub(super) fn update_page(
        &self,
        status: StatusCode,
        subscription: &Subscription,
        how: &Updating,
        typed: Option<&str>,
        problem: Option<String>,
    ) -> anyhow::Result<Next> {
        let mut prices = view::choices(self.transaction, subscription, how)?;
        if let Some(typed) = typed.filter(|it| prices.iter().any(|(id, ..)| id == it)) {
            for (id, _, _, chosen) in &mut prices {
                *chosen = id == typed;
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

    pub(super) fn card_page(&self, status: StatusCode, form: CardForm) -> Next {
        self.page(status, "Add a payment method", View::Card(form))
    }

    /// What the customer may change of themselves, as it is.
    pub(super) fn details(&self) -> anyhow::Result<Option<Details>> {
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
