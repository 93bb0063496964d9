//! What the payment page shows.

use askama::Template;
use serde_json::Value;

use super::countries::{COUNTRIES, Country, named};
use super::parts::{
    DiscountView, FieldView, LineView, NameView, SavedView, ShippingView, Texts, asks_consent,
    branding, button, codes_to_try, fields, heading, lines, names, shipping_options, tax_name,
};
use super::typed::{Problem, Typed, collects_shipping, needs_billing, shipping_countries};
use crate::checkout::cards;
use crate::checkout::customer::saved;
use crate::checkout::link::Closed;
use crate::checkout::object::Session;
use crate::engine::ids::SessionId;
use crate::engine::transaction::Transaction;
use crate::payment::bank::Scheme;
use crate::payment::voucher::Voucher;

#[derive(Template)]
#[template(path = "page/page.html", config = "askama.toml")]
pub(super) struct Page {
    pub(super) title: &'static str,
    pub(super) view: View,
}

/// What there is to see.
pub(super) enum View {
    Form(Box<PaymentForm>),
    Complete {
        session: SessionId,
        /// Where the shop goes on, if it does.
        back: Option<String>,
        /// What the shop says.
        message: Option<String>,
        state: Completion,
    },
    Expired {
        back: Option<String>,
        recovery: Option<String>,
    },
    /// A payment link that sells nothing, and why.
    Closed(String),
    Unknown,
}

/// How a completed session stands.
#[derive(PartialEq, Eq)]
pub(super) enum Completion {
    Paid,
    SetUp,
    Processing,
    /// The buyer has not paid with their voucher.
    Voucher {
        name: &'static str,
        total: String,
    },
    Failed,
}

pub(super) struct PaymentForm {
    session: SessionId,
    shop: String,
    /// Declarations for the page's style that the shop has asked for.
    branding: String,
    sets_up: bool,
    /// The card is kept for later payments.
    keeps: bool,
    lines: Vec<LineView>,
    /// What stands above the total.
    heading: String,
    total: String,
    subtotal: Option<String>,
    shipping_cost: Option<String>,
    taxes: Vec<(String, String)>,
    /// Automatic tax does not know yet where the buyer is.
    awaits_tax: bool,
    /// Whether the shop takes promotion codes.
    takes_codes: bool,
    /// Codes to try, and what they take off.
    codes: Vec<(String, String)>,
    discount: Option<DiscountView>,
    back: Option<String>,
    /// A total of zero needs no payment method.
    free: bool,
    fixed_email: Option<String>,
    ship_to: Option<Vec<Country>>,
    shipping_options: Vec<ShippingView>,
    billing: Billing,
    countries: &'static [Country],
    phone: bool,
    names: Vec<NameView>,
    fields: Vec<FieldView>,
    terms: bool,
    news: bool,
    offers_save: bool,
    texts: Texts,
    takes_card: bool,
    saved: Vec<SavedView>,
    bank_debit: Option<&'static str>,
    /// The name of the voucher on offer.
    voucher: Option<&'static str>,
    button: String,
    typed: Typed,
    problems: Vec<Problem>,
}

/// How much of a billing address is asked for.
#[derive(PartialEq, Eq)]
pub(super) enum Billing {
    /// The country and the postal code, for whoever likes.
    Short,
    Whole,
    /// It is where the goods go, unless the buyer says otherwise.
    LikeShipping,
    None,
}

impl Page {
    pub(super) fn unknown() -> Self {
        Self {
            title: "Nothing here",
            view: View::Unknown,
        }
    }

    pub(super) fn closed(closed: Closed) -> Self {
        let why = match closed {
            Closed::Unknown => return Self::unknown(),
            Closed::Inactive(message) => {
                message.unwrap_or_else(|| "The link is no longer active.".to_owned())
            }
            Closed::Refused(error) => error.message().to_owned(),
        };
        Self {
            title: "Link deactivated",
            view: View::Closed(why),
        }
    }

    pub(super) fn form(
        transaction: &Transaction<'_>,
        shop: &str,
        session: &Session,
        typed: Typed,
        problems: Vec<Problem>,
    ) -> anyhow::Result<Self> {
        let form = PaymentForm::of(transaction, shop, session, typed, problems)?;
        Ok(Self {
            title: "Checkout",
            view: View::Form(Box::new(form)),
        })
    }
}

impl PaymentForm {
    fn of(
        transaction: &Transaction<'_>,
        shop: &str,
        session: &Session,
        typed: Typed,
        problems: Vec<Problem>,
    ) -> anyhow::Result<Self> {
        let money = |amount| session.currency.display(amount);
        let totals = session.totals();
        let discount = match &session.discount {
            Some(discount) => Some(DiscountView::of(transaction, session, discount)?),
            None => None,
        };
        let taxes: Vec<_> = totals
            .taxes()
            .iter()
            .map(|tax| (tax_name(&tax.rate.shown), money(tax.amount)))
            .collect();
        let adds_up =
            discount.is_some() || !taxes.is_empty() || session.chosen_shipping().is_some();
        let email = session.collected.email.clone();
        let fixed_email = session.customer.as_ref().and(email);
        Ok(Self {
            shop: name_of(shop, session),
            branding: branding(session),
            sets_up: session.is_for_setup(),
            keeps: session.is_for_setup() || session.is_for_subscription(),
            lines: lines(session),
            heading: heading(session),
            total: money(totals.total),
            subtotal: adds_up.then(|| money(session.subtotal())),
            shipping_cost: session.chosen_shipping().map(|it| money(it.amount)),
            awaits_tax: session.asks_for("/automatic_tax/enabled")
                && session.tax_country().is_none(),
            taxes,
            takes_codes: session.accepts_codes() && session.discount.is_none(),
            codes: codes_to_try(transaction)?,
            discount,
            back: session.asked_text("cancel_url").map(str::to_owned),
            free: !session.needs_method(),
            fixed_email,
            ship_to: shipping_countries(session).map(|codes| named(&codes)),
            shipping_options: shipping_options(session),
            billing: Billing::of(session),
            countries: &COUNTRIES,
            phone: session.asks_for("/phone_number_collection/enabled"),
            names: names(session),
            fields: fields(session),
            terms: asks_consent(session, "terms_of_service", "required"),
            news: asks_consent(session, "promotions", "auto"),
            offers_save: session
                .asked_at("/saved_payment_method_options/payment_method_save")
                .is_some_and(|it| it == "enabled"),
            texts: Texts::of(session, shop),
            takes_card: session.offers("card"),
            saved: saved(transaction, session)?
                .iter()
                .map(SavedView::of)
                .collect(),
            bank_debit: session.bank_debit().map(Scheme::name),
            voucher: session
                .voucher()
                .filter(|_| !session.is_for_setup())
                .map(Voucher::name),
            button: button(session, &money(totals.total)),
            session: session.id.clone(),
            typed,
            problems,
        })
    }

    fn everywhere(&self) -> &'static [Country] {
        self.countries
    }

    fn card_hints(&self) -> impl Iterator<Item = &'static cards::Group> {
        cards::hints(self.keeps)
    }

    fn problem_in(&self, field: &str) -> Option<&str> {
        let problem = self.problems.iter().find(|it| it.field == field)?;
        Some(&problem.message)
    }

    /// What is wrong with no field in particular. The rest is told where it is typed, and only there.
    fn problem_of_all(&self) -> Option<&str> {
        let problem = self.problems.first()?;
        let is_of_all = match problem.field.as_str() {
            "total" => true,
            // A saved card has no field for its number.
            "card_number" => !self.chosen("card"),
            _ => false,
        };
        is_of_all.then_some(problem.message.as_str())
    }

    fn has_choice(&self) -> bool {
        self.bank_debit.is_some() || self.voucher.is_some() || !self.saved.is_empty()
    }

    /// What stands in one of the shop's own fields.
    fn shows<'f>(&'f self, field: &'f FieldView) -> &'f str {
        match self.typed.get(&field.name) {
            "" if self.problems.is_empty() => &field.default,
            typed => typed,
        }
    }

    /// Whether what is typed changes the total.
    fn reprices(&self) -> bool {
        let adjusts = self.lines.iter().any(|line| line.adjusts.is_some());
        adjusts || self.shipping_options.len() > 1 || self.awaits_tax || !self.taxes.is_empty()
    }

    fn chosen(&self, method: &str) -> bool {
        match self.typed.get("method") {
            "" => match (self.saved.first(), self.takes_card) {
                (Some(first), _) => first.id == method,
                (None, true) => method == "card",
                (None, false) if self.bank_debit.is_some() => method == "bank_debit",
                (None, false) => method == "voucher",
            },
            chosen => chosen == method,
        }
    }

    /// What is wrong with a field, for whoever cannot see it.
    fn marks(&self, field: &str) -> String {
        match self.problems.iter().position(|it| it.field == field) {
            Some(0) => {
                format!(" aria-invalid=\"true\" aria-describedby=\"{field}_problem\" autofocus")
            }
            Some(_) => format!(" aria-invalid=\"true\" aria-describedby=\"{field}_problem\""),
            None => String::new(),
        }
    }
}

/// What the shop calls itself on this page.
fn name_of(shop: &str, session: &Session) -> String {
    let wanted = session.asked_at("/branding_settings/display_name");
    wanted.and_then(Value::as_str).unwrap_or(shop).to_owned()
}

impl Billing {
    fn of(session: &Session) -> Self {
        match (needs_billing(session), collects_shipping(session)) {
            (_, true) => Self::LikeShipping,
            (true, false) => Self::Whole,
            (false, false) if session.offers("card") => Self::Short,
            (false, false) => Self::None,
        }
    }
}
