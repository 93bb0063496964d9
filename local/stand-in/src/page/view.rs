//! What the payment page shows.

use askama::Template;
use serde_json::Value;

use super::typed::{Problem, Typed, collects_shipping, needs_billing, shipping_countries};
use crate::checkout::cards;
use crate::checkout::customer::saved;
use crate::checkout::object::{Discount, Session};
use crate::checkout::rules::is_color;
use crate::description::{Description, Shape};
use crate::engine::ids::SessionId;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::bank::Scheme;
use crate::payment::method::{Means, PaymentMethod};
use crate::payment::voucher::Voucher;
use crate::promotion;
use crate::promotion::object::{Coupon, PromotionCode};

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
        success_url: String,
        state: Completion,
    },
    Expired {
        back: Option<String>,
        recovery: Option<String>,
    },
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
    lines: Vec<LineView>,
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
    ship_to: Option<Vec<String>>,
    shipping_options: Vec<ShippingView>,
    billing: Billing,
    countries: Vec<String>,
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

struct LineView {
    name: String,
    description: Option<String>,
    image: Option<String>,
    quantity: i64,
    each: String,
    amount: String,
    /// The field of the quantity, and its bounds.
    adjusts: Option<(String, i64, i64)>,
}

struct DiscountView {
    /// What the buyer can take away again.
    removable: bool,
    title: String,
    /// Such as `10% off`.
    name: String,
    amount: String,
}

struct ShippingView {
    rate: String,
    name: String,
    takes: Option<String>,
    amount: String,
    chosen: bool,
}

struct NameView {
    field: &'static str,
    label: &'static str,
    optional: bool,
}

/// One of the shop's own fields.
struct FieldView {
    name: String,
    label: String,
    kind: String,
    optional: bool,
    default: String,
    /// What there is to choose from, with its label.
    options: Vec<(String, String)>,
}

struct SavedView {
    id: String,
    name: String,
}

/// What the shop says at some places.
struct Texts {
    submit: Option<String>,
    shipping: Option<String>,
    terms: String,
    after: Option<String>,
}

impl Page {
    pub(super) fn unknown() -> Self {
        Self {
            title: "Nothing here",
            view: View::Unknown,
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
        let display_name = session.asked_at("/branding_settings/display_name");
        let fixed_email = match &session.customer {
            Some(_) => session.collected.email.clone(),
            None => None,
        };
        Ok(Self {
            shop: display_name
                .and_then(Value::as_str)
                .unwrap_or(shop)
                .to_owned(),
            branding: branding(session),
            sets_up: session.is_for_setup(),
            lines: lines(session),
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
            free: totals.total == 0 && !session.is_for_setup(),
            fixed_email,
            ship_to: shipping_countries(session).map(owned),
            shipping_options: shipping_options(session),
            billing: Billing::of(session),
            countries: countries(),
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
            bank_debit: session.bank_debit().map(debit_name),
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

    fn everywhere(&self) -> &[String] {
        &self.countries
    }

    fn card_hints(&self) -> &'static [cards::Group] {
        cards::HINTS
    }

    fn problem_in(&self, field: &str) -> Option<&str> {
        let problem = self.problems.iter().find(|it| it.field == field)?;
        Some(&problem.message)
    }

    /// The first thing that is wrong, but not with a promotion code, which is told where that is typed.
    fn first_problem(&self) -> Option<&str> {
        let problem = self.problems.first()?;
        (problem.field != "promotion_code").then_some(problem.message.as_str())
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

fn lines(session: &Session) -> Vec<LineView> {
    let money = |amount| session.currency.display(amount);
    let lines = session.line_items.iter().map(|line| LineView {
        name: line.name.clone(),
        description: line.description.clone(),
        image: line.image.clone(),
        quantity: line.quantity,
        each: money(line.unit_amount),
        amount: money(line.amount()),
        adjusts: line
            .adjustable
            .map(|(fewest, most)| (format!("quantity[{}]", line.id), fewest, most)),
    });
    lines.collect()
}

fn codes_to_try(transaction: &Transaction<'_>) -> anyhow::Result<Vec<(String, String)>> {
    let codes = promotion::life::to_try(transaction)?
        .into_iter()
        .map(|code| {
            let coupon: Coupon = transaction.existing(&code.coupon)?;
            Ok((code.code, coupon.name.unwrap_or(coupon.id)))
        });
    codes.collect()
}

fn shipping_options(session: &Session) -> Vec<ShippingView> {
    let options = session.shipping_options.iter().map(|option| ShippingView {
        rate: option.rate.clone(),
        name: option.name.clone(),
        takes: option.takes.clone(),
        amount: match option.amount {
            0 => "Free".to_owned(),
            amount => session.currency.display(amount),
        },
        chosen: session.shipping.as_ref() == Some(&option.rate),
    });
    options.collect()
}

fn names(session: &Session) -> Vec<NameView> {
    let names = [
        ("individual", "individual_name", "Full name"),
        ("business", "business_name", "Business name"),
    ];
    let asked = names
        .into_iter()
        .filter(|(kind, ..)| session.asks_for(&format!("/name_collection/{kind}/enabled")));
    asked
        .map(|(kind, field, label)| NameView {
            field,
            label,
            optional: session.asks_for(&format!("/name_collection/{kind}/optional")),
        })
        .collect()
}

fn fields(session: &Session) -> Vec<FieldView> {
    let fields = session.asked.get("custom_fields").and_then(Value::as_array);
    let shown = fields.into_iter().flatten().map(|field| {
        let text = |at: &str| {
            let text = field.pointer(at).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let kind = text("/type");
        let options = field.pointer("/dropdown/options").and_then(Value::as_array);
        let options = options.into_iter().flatten().map(|option| {
            let part = |name: &str| option.get(name).and_then(Value::as_str).unwrap_or_default();
            (part("value").to_owned(), part("label").to_owned())
        });
        FieldView {
            name: format!("custom_fields[{}]", text("/key")),
            label: text("/label/custom"),
            optional: field.get("optional") == Some(&Value::Bool(true)),
            default: text(&format!("/{kind}/default_value")),
            options: options.collect(),
            kind,
        }
    });
    shown.collect()
}

fn asks_consent(session: &Session, what: &str, how: &str) -> bool {
    let asked = session.asked_at(&format!("/consent_collection/{what}"));
    asked.is_some_and(|asked| asked == how)
}

fn debit_name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Ach => "US bank account",
        Scheme::Sepa => "SEPA Direct Debit",
        Scheme::Bacs => "Bacs Direct Debit",
    }
}

fn button(session: &Session, total: &str) -> String {
    let verb = match session.asked_text("submit_type") {
        Some("book") => "Book",
        Some("donate") => "Donate",
        _ => "Pay",
    };
    match (session.is_for_setup(), session.amount_total()) {
        (true, _) => "Save payment method".to_owned(),
        (false, 0) => "Complete purchase".to_owned(),
        (false, _) => format!("{verb} {total}"),
    }
}

/// Such as `VAT 19% included`.
fn tax_name(rate: &serde_json::Map<String, Value>) -> String {
    let name = rate.get("display_name").and_then(Value::as_str);
    let percentage = rate
        .get("percentage")
        .map(Value::to_string)
        .unwrap_or_default();
    let percentage = match percentage.contains('.') {
        true => percentage.trim_end_matches('0').trim_end_matches('.'),
        false => &percentage,
    };
    let included = match rate.get("inclusive") {
        Some(Value::Bool(true)) => " included",
        _ => "",
    };
    format!("{} {percentage}%{included}", name.unwrap_or("Tax"))
}

/// The colors and corners that the shop wants. What they are was checked when it said so.
fn branding(session: &Session) -> String {
    let text = |name: &str| {
        let given = session.asked_at(&format!("/branding_settings/{name}"));
        given.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let color = |name: &str, property: &str| match text(name) {
        color if is_color(&color) => format!("--{property}: {color}; "),
        _ => String::new(),
    };
    let corners = match text("border_style").as_str() {
        "rectangular" => "--corner: 0; ",
        "pill" => "--corner: 1.5rem; ",
        _ => "",
    };
    let (ground, button) = ("background_color", "button_color");
    format!(
        "{}{}{corners}",
        color(ground, "shop-ground"),
        color(button, "accent")
    )
}

/// Where Stripe ships, which is nearly everywhere.
fn countries() -> Vec<String> {
    let create = Description::newest().operation("POST", "/v1/checkout/sessions");
    let collection = create.and_then(|it| it.operation.params.get("shipping_address_collection"));
    let allowed = match collection.map(|field| field.shape) {
        Some(Shape::Object(fields)) => fields.get("allowed_countries"),
        _ => None,
    };
    match allowed.map(|field| field.shape) {
        Some(Shape::Array(element)) => match *element {
            Shape::Enum(values) => owned(values.into_iter().filter(|it| it.len() == 2).collect()),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

impl Texts {
    fn of(session: &Session, shop: &str) -> Self {
        let text = |place: &str| {
            let text = session.asked_at(&format!("/custom_text/{place}/message"));
            text.and_then(Value::as_str).map(str::to_owned)
        };
        let agree = || format!("I agree to {shop}'s terms of service");
        Self {
            submit: text("submit"),
            shipping: text("shipping_address"),
            terms: text("terms_of_service_acceptance").unwrap_or_else(agree),
            after: text("after_submit"),
        }
    }
}

impl SavedView {
    fn of(method: &PaymentMethod) -> Self {
        let name = match &method.means {
            Means::Card(card) => {
                let brand = card.test.brand.legacy();
                format!("{brand} •••• {}", card.test.last4())
            }
            other => other.name().replace('_', " "),
        };
        Self {
            id: method.id().to_owned(),
            name,
        }
    }
}

impl DiscountView {
    fn of(
        transaction: &Transaction<'_>,
        session: &Session,
        discount: &Discount,
    ) -> anyhow::Result<Self> {
        let coupon: Coupon = transaction.existing(&discount.coupon)?;
        let name = coupon.name.unwrap_or(coupon.id);
        let code = match &discount.promotion_code {
            Some(code) => Some(transaction.existing::<PromotionCode>(code)?.code),
            None => None,
        };
        Ok(Self {
            removable: session.accepts_codes(),
            title: code.unwrap_or_else(|| "Discount".to_owned()),
            name,
            amount: session.currency.display(discount.amount),
        })
    }
}
