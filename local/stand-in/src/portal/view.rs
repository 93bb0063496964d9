//! What the portal's pages show.

use askama::Template;
use serde_json::Value;
use time::OffsetDateTime;

use crate::checkout::cards::{self, Group, Mistyped};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice::object::{Invoice, Status as InvoiceStatus};
use crate::page::countries::{COUNTRIES, Country};
use crate::payment::method::{Means, PaymentMethod};
use crate::portal::actions::{default_method, living};
use crate::portal::session::PortalSession;
use crate::portal::settings::{Settings, Updating};
use crate::subscription::object::{Status, Subscription};
use crate::subscription::price::Price;

/// More than anybody reads.
const MOST_INVOICES: usize = 24;

#[derive(Template)]
#[template(path = "portal/page.html", config = "askama.toml")]
pub(super) struct Page {
    pub(super) title: String,
    /// Of the session: what its pages' addresses begin with.
    pub(super) base: String,
    pub(super) shop: String,
    pub(super) view: View,
}

pub(super) enum View {
    /// There is no such session, or nothing of that kind is this customer's.
    Nothing,
    /// The session is over.
    Over,
    /// What a customer came for is done.
    Done {
        message: String,
        back: Option<String>,
    },
    Home(Box<Home>),
    Cancel(Cancel),
    Update(Update),
    Card(CardForm),
    Details(Details),
}

pub(super) struct Home {
    pub(super) headline: Option<String>,
    pub(super) back: Option<String>,
    pub(super) notice: Option<&'static str>,
    pub(super) problem: Option<String>,
    pub(super) plans: Vec<Plan>,
    pub(super) methods: Option<Vec<Method>>,
    pub(super) details: Vec<(&'static str, String)>,
    pub(super) may_edit: bool,
    pub(super) invoices: Option<Vec<InvoiceRow>>,
    pub(super) privacy: Option<String>,
    pub(super) terms: Option<String>,
}

pub(super) struct Plan {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) price: String,
    /// Such as `Past due`.
    pub(super) state: Option<&'static str>,
    pub(super) next: Option<String>,
    pub(super) pays_with: Option<String>,
    pub(super) may_update: bool,
    pub(super) may_cancel: bool,
    pub(super) may_renew: bool,
}

pub(super) struct Method {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) expires: Option<String>,
    pub(super) is_default: bool,
    pub(super) may_remove: bool,
}

pub(super) struct InvoiceRow {
    pub(super) day: String,
    pub(super) amount: String,
    pub(super) state: &'static str,
    pub(super) what: String,
    pub(super) url: String,
}

pub(super) struct Cancel {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) price: String,
    /// What becomes of it.
    pub(super) then: String,
    pub(super) reasons: Option<Vec<(String, &'static str)>>,
    pub(super) problem: Option<String>,
}

pub(super) struct Update {
    pub(super) id: String,
    pub(super) current: String,
    /// Id, name, price, and whether it is chosen.
    pub(super) prices: Vec<(String, String, String, bool)>,
    pub(super) quantity: Option<i64>,
    pub(super) how: &'static str,
    pub(super) problem: Option<String>,
}

#[derive(Default)]
pub(super) struct CardForm {
    pub(super) number: String,
    pub(super) expiry: String,
    pub(super) problem: Option<Mistyped>,
}

#[derive(Default)]
pub(super) struct Details {
    /// Name, label, what it holds, and how a browser completes it.
    pub(super) fields: Vec<(&'static str, &'static str, String, &'static str)>,
    pub(super) country: Option<String>,
    pub(super) problem: Option<String>,
}

impl CardForm {
    pub(super) fn marks(&self, field: &str) -> bool {
        self.problem.as_ref().is_some_and(|it| it.field == field)
    }

    /// Cards to try.
    pub(super) fn hints(&self) -> impl Iterator<Item = &'static Group> {
        cards::hints(true)
    }
}

impl Details {
    pub(super) fn countries(&self) -> &'static [Country] {
        &COUNTRIES
    }
}

impl Home {
    pub(super) fn of(
        transaction: &Transaction<'_>,
        session: &PortalSession,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let customer = transaction.shown_of("customer", &session.customer)?;
        let customer = customer.unwrap_or_default();
        let default = default_method(transaction, &session.customer)?;
        let methods: Vec<PaymentMethod> = transaction.having("customer", &session.customer)?;
        let plans = living(transaction, &session.customer)?;
        let text = |pointer| settings.text(pointer).map(str::to_owned);
        Ok(Self {
            headline: text("/business_profile/headline"),
            back: session.return_url.clone(),
            notice: None,
            problem: None,
            plans: plans
                .iter()
                .map(|it| Plan::of(it, settings, &methods, default.as_deref()))
                .collect(),
            methods: settings.updates_methods().then(|| {
                let of = |it: &PaymentMethod| Method::of(it, default.as_deref(), &plans);
                methods.iter().rev().map(of).collect()
            }),
            details: known_details(&customer),
            may_edit: !settings.customer_updates().is_empty(),
            invoices: match settings.shows_invoices() {
                true => Some(invoices(transaction, &session.customer)?),
                false => None,
            },
            privacy: text("/business_profile/privacy_policy_url"),
            terms: text("/business_profile/terms_of_service_url"),
        })
    }
}

impl Plan {
    fn of(
        subscription: &Subscription,
        settings: &Settings,
        methods: &[PaymentMethod],
        default: Option<&str>,
    ) -> Self {
        let end = day(subscription.period.end);
        let ends = subscription.ends_at().map(day);
        let (state, next) = match (subscription.status, &ends) {
            (Status::Paused, _) => (Some("Paused"), None),
            (Status::Incomplete { .. }, _) => (
                Some("Incomplete"),
                Some("Waits for its first payment.".to_owned()),
            ),
            (_, Some(at)) => (
                Some("Cancels soon"),
                Some(format!("Your plan will be canceled on {at}.")),
            ),
            (Status::Trialing, _) => (
                Some("Trial"),
                Some(format!("Your trial ends on {end}. Then your plan begins.")),
            ),
            (Status::PastDue, _) => (Some("Past due"), Some(format!("Renews on {end}."))),
            (Status::Unpaid, _) => (Some("Unpaid"), None),
            _ => (None, Some(format!("Renews on {end}."))),
        };
        let pays = pays_for(subscription, default);
        let pays = methods.iter().find(|it| Some(&*it.id) == pays);
        let is_free = subscription.schedule.is_none();
        Self {
            id: subscription.id.to_string(),
            name: name_of(subscription),
            price: price_of(subscription),
            state,
            next,
            pays_with: pays.map(method_name),
            may_update: settings
                .updating()
                .is_some_and(|it| may_update(subscription, &it)),
            may_cancel: settings.canceling().is_some() && ends.is_none() && is_free,
            may_renew: settings.canceling().is_some()
                && subscription.cancellation.at_period_end
                && is_free,
        }
    }
}

/// Whether a customer may change this plan: Stripe leaves those of several prices alone, and those that
/// a schedule has plans for.
pub(super) fn may_update(subscription: &Subscription, how: &Updating) -> bool {
    let is_billed = matches!(subscription.status, Status::Active | Status::Trialing);
    let goes_on = subscription.ends_at().is_none() && subscription.schedule.is_none();
    is_billed && goes_on && subscription.items.len() == 1 && (how.price || how.quantity)
}

impl Method {
    fn of(method: &PaymentMethod, default: Option<&str>, plans: &[Subscription]) -> Self {
        let is_default = default == Some(&*method.id);
        let pays = |plan: &Subscription| pays_for(plan, default) == Some(&*method.id);
        Self {
            id: method.id.to_string(),
            name: method_name(method),
            expires: match &method.means {
                Means::Card(card) => {
                    Some(format!("Expires {:02} / {}", card.exp_month, card.exp_year))
                }
                _ => None,
            },
            is_default,
            may_remove: !plans.iter().any(|plan| is_default || pays(plan)),
        }
    }
}

/// The payment method by which a plan is paid: its own, or the customer's default.
fn pays_for<'s>(plan: &'s Subscription, default: Option<&'s str>) -> Option<&'s str> {
    plan.terms.default_payment_method.as_deref().or(default)
}

/// As in `Visa •••• 4242`.
fn method_name(method: &PaymentMethod) -> String {
    match &method.means {
        Means::Card(card) => {
            format!("{} •••• {}", card.test.brand.legacy(), card.test.last4())
        }
        other => {
            let name = other.name().replace('_', " ");
            let mut letters = name.chars();
            let first = letters.next().map(|it| it.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
    }
}

/// What a subscription is for.
pub(super) fn name_of(subscription: &Subscription) -> String {
    let names = subscription.items.iter().map(|item| match item.quantity {
        1 => item.name.clone(),
        quantity => format!("{} × {quantity}", item.name),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// As in `$10.00 per month`.
pub(super) fn price_of(subscription: &Subscription) -> String {
    let amount = subscription.currency.display(subscription.amount());
    let first = subscription.items.first();
    first.map_or_else(String::new, |item| {
        format!("{amount} {}", every(&item.price))
    })
}

fn every(price: &Price) -> String {
    match price.interval.count {
        1 => format!("per {}", price.every()),
        _ => price.every(),
    }
}

/// What a customer may change to: id, name, price, and whether it is what they have.
pub(super) fn choices(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
    how: &Updating,
) -> anyhow::Result<Vec<(String, String, String, bool)>> {
    let current = subscription.items.first().map(|item| item.price.id());
    let mut ids: Vec<&str> = how.prices.iter().map(String::as_str).collect();
    if let Some(own) = current.filter(|own| !ids.contains(own)) {
        ids.insert(0, own);
    }
    let mut choices = Vec::new();
    for id in ids
        .into_iter()
        .filter(|id| how.price || Some(*id) == current)
    {
        let Some(whole) = transaction.whole("price", id)? else {
            continue;
        };
        let Ok(price) = Price::of(&whole) else {
            continue;
        };
        let is_current = current == Some(id);
        let is_on_offer = whole.get("active") == Some(&Value::Bool(true));
        if price.currency != subscription.currency || !(is_on_offer || is_current) {
            continue;
        }
        let product = whole
            .get("product")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let product = transaction.shown_of("product", product)?;
        let name = product.as_ref().and_then(|it| it.get("name")?.as_str());
        let cost = price.currency.display(price.amount(1));
        let text = format!("{cost} {}", every(&price));
        choices.push((
            id.to_owned(),
            name.unwrap_or("Plan").to_owned(),
            text,
            is_current,
        ));
    }
    Ok(choices)
}

fn invoices(transaction: &Transaction<'_>, customer: &str) -> anyhow::Result<Vec<InvoiceRow>> {
    let all: Vec<Invoice> = transaction.having("customer", customer)?;
    let rows = all.iter().rev().filter(|it| !it.is_draft());
    let rows = rows.take(MOST_INVOICES).map(|invoice| {
        let what = invoice
            .lines
            .first()
            .and_then(|line| line.content.description.clone());
        let url = invoice.finalized.as_ref().map(|it| it.url.clone());
        InvoiceRow {
            day: day(invoice.transitions.finalized_at.unwrap_or(invoice.created)),
            amount: invoice.currency.display(invoice.totals().total),
            state: match invoice.status {
                InvoiceStatus::Draft { .. } => "Draft",
                InvoiceStatus::Open { .. } => "Open",
                InvoiceStatus::Paid => "Paid",
                InvoiceStatus::Uncollectible => "Uncollectible",
                InvoiceStatus::Void => "Void",
            },
            what: what.unwrap_or_else(|| invoice.number.clone().unwrap_or_default()),
            url: url.unwrap_or_default(),
        }
    });
    Ok(rows.collect())
}

/// What is known of a customer, as they read it.
fn known_details(customer: &Value) -> Vec<(&'static str, String)> {
    let text = |pointer: &str| {
        let text = customer.pointer(pointer).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let parts = ["line1", "line2", "postal_code", "city", "state"];
    let mut address: Vec<&str> = parts
        .iter()
        .filter_map(|part| text(&format!("/address/{part}")))
        .collect();
    let country = text("/address/country");
    address.extend(country.map(|code| {
        let known = COUNTRIES.iter().find(|(known, _)| *known == code);
        known.map_or(code, |(_, name)| *name)
    }));
    let address = address.join(", ");
    [
        ("Name", text("/name").map(str::to_owned)),
        ("Email", text("/email").map(str::to_owned)),
        ("Phone", text("/phone").map(str::to_owned)),
        ("Address", Some(address).filter(|it| !it.is_empty())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// The reasons that a customer may choose from, in words.
pub(super) fn reasons(options: &[String]) -> Vec<(String, &'static str)> {
    const WORDS: [(&str, &str); 8] = [
        ("too_expensive", "It's too expensive"),
        ("missing_features", "Some features are missing"),
        ("switched_service", "I'm switching to something else"),
        ("unused", "I don't use it enough"),
        (
            "customer_service",
            "Customer service was less than expected",
        ),
        ("too_complex", "It's too complicated"),
        ("low_quality", "The quality was less than expected"),
        ("other", "Another reason"),
    ];
    let named = |option: &String| {
        let known = WORDS.iter().find(|(name, _)| name == option);
        known.map(|(_, words)| (option.clone(), *words))
    };
    options.iter().filter_map(named).collect()
}

/// How what a change costs is paid.
pub(super) fn how_it_is_paid(how: &Updating) -> &'static str {
    match how.proration.as_str() {
        _ if how.begins_anew => "Your new plan begins today, and is charged now.",
        "always_invoice" => "The difference for the rest of the period is charged now.",
        "create_prorations" => {
            "The difference for the rest of the period comes with your next invoice."
        }
        _ => "The new price applies from your next invoice.",
    }
}

/// Such as `November 26, 2026`.
pub(super) fn day(moment: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(moment)
        .map(|it| format!("{} {}, {}", it.month(), it.day(), it.year()))
        .unwrap_or_default()
}
