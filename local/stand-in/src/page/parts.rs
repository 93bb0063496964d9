//! The parts of the payment page's form.

use serde_json::Value;

use crate::account::amount::Amount;
use crate::checkout::object::{Discount, Session};
use crate::checkout::rules::is_color;
use crate::engine::resource::Object as _;
use crate::engine::time::DAY;
use crate::engine::transaction::Transaction;
use crate::payment::method::{Means, PaymentMethod};
use crate::promotion;
use crate::promotion::object::{Coupon, PromotionCode};

pub(super) struct LineView {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) image: Option<String>,
    pub(super) quantity: i64,
    pub(super) each: String,
    pub(super) amount: String,
    /// How often it is paid, and how much, as in `Billed every month` or `Then $9.00 / month`.
    pub(super) recurs: Option<String>,
    /// The field of the quantity, and its bounds.
    pub(super) adjusts: Option<(String, i64, i64)>,
}

pub(super) struct DiscountView {
    /// What the buyer can take away again.
    pub(super) removable: bool,
    pub(super) title: String,
    /// Such as `10% off`.
    pub(super) name: String,
    pub(super) amount: String,
}

pub(super) struct ShippingView {
    pub(super) rate: String,
    pub(super) name: String,
    pub(super) takes: Option<String>,
    pub(super) amount: String,
    pub(super) chosen: bool,
}

pub(super) struct NameView {
    pub(super) field: &'static str,
    pub(super) label: &'static str,
    pub(super) optional: bool,
}

/// One of the shop's own fields.
pub(super) struct FieldView {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: String,
    pub(super) optional: bool,
    pub(super) default: String,
    /// What there is to choose from, with its label.
    pub(super) options: Vec<(String, String)>,
}

pub(super) struct SavedView {
    pub(super) id: String,
    pub(super) name: String,
}

/// What the shop says at some places.
pub(super) struct Texts {
    pub(super) submit: Option<String>,
    pub(super) shipping: Option<String>,
    pub(super) terms: String,
    pub(super) after: Option<String>,
}

pub(super) fn lines(session: &Session) -> Vec<LineView> {
    let money = |amount| session.currency.display(amount);
    let lines = session.line_items.iter().map(|line| LineView {
        name: line.name.clone(),
        description: line.description.clone(),
        image: line.image.clone(),
        quantity: line.quantity,
        each: money(line.unit_amount),
        amount: money(line.amount()),
        recurs: line.recurring.as_ref().map(|price| {
            let every = price.every();
            let then = money(line.full_amount());
            match (line.is_on_trial, every.starts_with("every ")) {
                (true, false) => format!("Then {then} / {every}"),
                (true, true) => format!("Then {then} {every}"),
                (false, false) => format!("Billed every {every}"),
                (false, true) => format!("Billed {every}"),
            }
        }),
        adjusts: line
            .adjustable
            .map(|(fewest, most)| (format!("quantity[{}]", line.id), fewest, most)),
    });
    lines.collect()
}

/// What is above the total: what it is for, and from when on more is due.
pub(super) fn heading(session: &Session) -> String {
    match trial_days(session) {
        Some(1) => "1 day free, due today".to_owned(),
        Some(days) => format!("{days} days free, due today"),
        None if session.is_for_subscription() => "Due today".to_owned(),
        None => "Total due".to_owned(),
    }
}

/// How many days a subscription is free at first.
fn trial_days(session: &Session) -> Option<i64> {
    let trial = session.subscribes.as_ref()?.trial?;
    let seconds = trial.until(session.created).saturating_sub(session.created);
    Some(seconds.div_euclid(DAY))
}

pub(super) fn codes_to_try(transaction: &Transaction<'_>) -> anyhow::Result<Vec<(String, String)>> {
    let codes = promotion::life::to_try(transaction)?
        .into_iter()
        .map(|code| {
            // The code of a deleted coupon gives nothing.
            let coupon = transaction.get::<Coupon>(&code.coupon)?;
            Ok(coupon.map(|coupon| {
                (
                    code.code,
                    coupon.name.unwrap_or_else(|| coupon.id.to_string()),
                )
            }))
        })
        .filter_map(Result::transpose);
    codes.collect()
}

pub(super) fn shipping_options(session: &Session) -> Vec<ShippingView> {
    let options = session.shipping_options.iter().map(|option| ShippingView {
        rate: option.rate.clone(),
        name: option.name.clone(),
        takes: option.takes.clone(),
        amount: match option.amount {
            Amount::ZERO => "Free".to_owned(),
            amount => session.currency.display(amount),
        },
        chosen: session.shipping.as_ref() == Some(&option.rate),
    });
    options.collect()
}

pub(super) fn names(session: &Session) -> Vec<NameView> {
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

pub(super) fn fields(session: &Session) -> Vec<FieldView> {
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

pub(super) fn asks_consent(session: &Session, what: &str, how: &str) -> bool {
    let asked = session.asked_at(&format!("/consent_collection/{what}"));
    asked.is_some_and(|asked| asked == how)
}

pub(super) fn button(session: &Session, total: &str) -> String {
    let verb = match session.asked_text("submit_type") {
        Some("book") => "Book",
        Some("donate") => "Donate",
        _ => "Pay",
    };
    match (session.is_for_setup(), session.amount_total()) {
        (true, _) => "Save payment method".to_owned(),
        (false, Amount::ZERO) if trial_days(session).is_some() => "Start trial".to_owned(),
        (false, _) if session.is_for_subscription() => "Subscribe".to_owned(),
        (false, Amount::ZERO) => "Complete purchase".to_owned(),
        (false, _) => format!("{verb} {total}"),
    }
}

/// Such as `VAT 19% included`.
pub(super) fn tax_name(rate: &serde_json::Map<String, Value>) -> String {
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
pub(super) fn branding(session: &Session) -> String {
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

impl Texts {
    pub(super) fn of(session: &Session, shop: &str) -> Self {
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
    pub(super) fn of(method: &PaymentMethod) -> Self {
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
    pub(super) fn of(
        transaction: &Transaction<'_>,
        session: &Session,
        discount: &Discount,
    ) -> anyhow::Result<Self> {
        // A deleted coupon goes by its id.
        let coupon = transaction.get::<Coupon>(&discount.coupon)?;
        let name = coupon.and_then(|coupon| coupon.name);
        let name = name.unwrap_or_else(|| discount.coupon.to_string());
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
