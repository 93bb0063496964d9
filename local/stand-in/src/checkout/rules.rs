//! What Stripe says to a new session that cannot be, and what the stand-in does not do.

use serde_json::{Map, Value};

use crate::checkout::line::LineItem;
use crate::checkout::object::Mode;
use crate::subscription::price::{Price, check_distinct};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// Parameters of which the stand-in has no effect.
const NOT_HERE: &[&str] = &[
    "customer_account",
    "optional_items",
    "payment_method_configuration",
    "permissions",
];

pub(super) fn mode(params: &mut Params) -> Result<Mode, ApiError> {
    let modes = ["payment", "setup", "subscription"];
    match params
        .choice("mode", &modes)
        .required(params, "mode")?
        .as_str()
    {
        "setup" => Ok(Mode::Setup),
        "subscription" => Ok(Mode::Subscription),
        _ => Ok(Mode::Payment),
    }
}

/// Refuses what the stand-in does not do, and what belongs to another mode.
pub(super) fn refuse(params: &mut Params, mode: Mode) -> Result<(), ApiError> {
    let left = params.left();
    let given = |name: &&&str| left.iter().any(|it| it == **name);
    if let Some(name) = NOT_HERE.iter().find(given) {
        return Err(ApiError::unsupported(name));
    }
    let of_subscriptions = ["subscription_data", "payment_method_collection"];
    if let Some(name) = of_subscriptions.iter().find(given)
        && mode != Mode::Subscription
    {
        return Err(ApiError::invalid(format!(
            "You can only use `{name}` in `subscription` mode."
        ))
        .param(*name));
    }
    let of_payment = [
        "payment_intent_data",
        "discounts",
        "shipping_options",
        "allow_promotion_codes",
        "submit_type",
        "invoice_creation",
        "automatic_tax",
    ];
    let of_setup = ["setup_intent_data"];
    let (misplaced, modes) = match mode {
        Mode::Setup => (
            of_payment.iter().find(given),
            "`payment` and `subscription` mode",
        ),
        Mode::Payment => (of_setup.iter().find(given), "`setup` mode"),
        Mode::Subscription => {
            let of_others = [
                "payment_intent_data",
                "setup_intent_data",
                "shipping_options",
                "customer_creation",
                "invoice_creation",
            ];
            let found = of_others
                .into_iter()
                .find(|name| left.iter().any(|it| it == name));
            return match found {
                Some(name) => Err(ApiError::invalid(format!(
                    "You can not pass `{name}` in `subscription` mode."
                ))
                .param(name)),
                None => refuse_embedding(params),
            };
        }
    };
    match misplaced {
        Some(name) => {
            Err(ApiError::invalid(format!("You can only use `{name}` in {modes}.")).param(*name))
        }
        None => refuse_embedding(params),
    }
}

/// Refuses prices that recur where nothing does, and lines of which none does where something must.
pub(super) fn check_recurring(items: &[LineItem], mode: Mode) -> Result<(), ApiError> {
    let mut recurring = items.iter().enumerate().filter_map(|(position, item)| {
        item.recurring
            .as_ref()
            .map(|price| (position, price.interval))
    });
    let refuse = |message: &str, param: String| Err(ApiError::invalid(message).param(param));
    match (mode, recurring.next()) {
        (Mode::Subscription, None) => refuse(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            "line_items".to_owned(),
        ),
        (Mode::Subscription, Some((_, first))) => match recurring.find(|(_, it)| *it != first) {
            Some((position, _)) => refuse(
                "Checkout does not support multiple prices with different billing intervals.",
                format!("line_items[{position}]"),
            ),
            None => {
                let prices = items.iter().filter_map(|item| item.recurring.as_ref());
                check_distinct(prices.map(Price::id)).map_err(|error| error.param("line_items"))
            }
        },
        (Mode::Payment | Mode::Setup, Some((position, _))) => refuse(
            "You specified `payment` mode but passed a recurring price. Either switch to \
             `subscription` mode or use only one-time prices.",
            format!("line_items[{position}][price]"),
        ),
        (Mode::Payment | Mode::Setup, None) => Ok(()),
    }
}

/// A page within the shop's own needs Stripe's script, which is not here.
fn refuse_embedding(params: &mut Params) -> Result<(), ApiError> {
    if let Some(mode) = params.text("ui_mode")?
        && !matches!(mode.as_str(), "hosted" | "hosted_page")
    {
        return Err(ApiError::invalid(format!(
            "The stand-in has no Stripe.js, so no sessions with ui_mode={mode}: it has \
             ui_mode=hosted_page (earlier called hosted)."
        ))
        .code("parameter_unsupported")
        .param("ui_mode"));
    }
    for name in ["return_url", "redirect_on_completion"] {
        if params.text(name)?.is_some() {
            return Err(ApiError::invalid(format!(
                "You can not pass `{name}` when `ui_mode` is `hosted_page`."
            ))
            .param(name));
        }
    }
    Ok(())
}

/// What of a customer is to follow what the buyer tells.
pub(super) fn customer_update(
    params: &mut Params,
    has_customer: bool,
) -> Result<Vec<String>, ApiError> {
    let Some(mut update) = params.optional_object("customer_update")? else {
        return Ok(Vec::new());
    };
    if !has_customer {
        return Err(
            ApiError::invalid("`customer_update` can only be used with `customer`.")
                .param("customer_update"),
        );
    }
    let mut follows = Vec::new();
    for part in ["address", "name", "shipping"] {
        if update.text(part)?.as_deref() == Some("auto") {
            follows.push(part.to_owned());
        }
    }
    update.finish()?;
    Ok(follows)
}

/// Checks what stands in texts, in Stripe's order of complaint.
pub(super) fn check_texts(mut params: Params) -> Result<(), ApiError> {
    params.url("success_url").required(&params, "success_url")?;
    params.url("cancel_url")?;
    params.short_text("client_reference_id", 200)?;
    params.email("customer_email")?;
    params.metadata("metadata")?;
    params.short_text("integration_identifier", 200)?;
    check_custom_text(params.object("custom_text")?)?;
    check_branding(params.object("branding_settings")?)?;
    let mut invoice = params.object("invoice_creation")?;
    let mut data = invoice.object("invoice_data")?;
    if data.optional_object("issuer")?.is_some() {
        return Err(ApiError::unsupported(
            "invoice_creation[invoice_data][issuer]",
        ));
    }
    let mut managed = params.object("managed_payments")?;
    if managed.boolean("enabled")? == Some(true) {
        return Err(ApiError::unsupported("managed_payments[enabled]"));
    }
    let mut tax_ids = params.object("tax_id_collection")?;
    if tax_ids.boolean("enabled")? == Some(true) {
        return Err(ApiError::unsupported("tax_id_collection[enabled]"));
    }
    let mut tax = params.object("automatic_tax")?;
    if tax.optional_object("liability")?.is_some() {
        return Err(ApiError::unsupported("automatic_tax[liability]"));
    }
    let fields = params.objects("custom_fields")?;
    if fields.len() > 3 {
        return Err(
            ApiError::invalid("Array custom_fields exceeded maximum 3 allowed elements.")
                .param("custom_fields"),
        );
    }
    fields.into_iter().try_for_each(check_custom_field)
}

fn check_custom_text(mut texts: Params) -> Result<(), ApiError> {
    for place in [
        "after_submit",
        "shipping_address",
        "submit",
        "terms_of_service_acceptance",
    ] {
        if !texts.is_text(place) {
            texts.object(place)?.short_text("message", 1_200)?;
        }
    }
    Ok(())
}

fn check_branding(mut branding: Params) -> Result<(), ApiError> {
    for name in ["icon", "logo"] {
        if branding.optional_object(name)?.is_some() {
            return Err(ApiError::unsupported(&branding.name(name)));
        }
    }
    for name in ["background_color", "button_color"] {
        let color = branding.maybe_empty_text(name, 7)?;
        if color.is_some_and(|color| !color.is_empty() && !is_color(&color)) {
            return Err(
                ApiError::invalid("Colors must be hexadecimal, such as #1c2433.")
                    .param(branding.name(name)),
            );
        }
    }
    Ok(())
}

/// Whether a text is a color such as `#1c2433`.
pub(crate) fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| {
        matches!(digits.len(), 3 | 6) && digits.bytes().all(|it| it.is_ascii_hexdigit())
    })
}

fn check_custom_field(mut field: Params) -> Result<(), ApiError> {
    let key = field.short_text("key", 200).required(&field, "key")?;
    if !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(ApiError::invalid(format!(
            "Custom field keys must be alphanumeric, which {key:?} is not."
        ))
        .param(field.name("key")));
    }
    let mut label = field.object("label")?;
    label.short_text("custom", 50).required(&label, "custom")?;
    let kind = field.text("type").required(&field, "type")?;
    if kind == "dropdown" {
        let mut dropdown = field.object("dropdown")?;
        let options = dropdown.objects("options")?;
        if options.is_empty() {
            return Err(ApiError::missing(&field.name("dropdown[options]")));
        }
        if options.len() > 200 {
            return Err(
                ApiError::invalid("Array options exceeded maximum 200 allowed elements.")
                    .param(dropdown.name("options")),
            );
        }
    }
    Ok(())
}

/// What cannot be asked for together.
pub(super) fn check(
    asked: &Map<String, Value>,
    has_customer: bool,
    has_discount: bool,
) -> Result<(), ApiError> {
    let only_one = |one: &str, other: &str| {
        Err(ApiError::invalid(format!(
            "You may only specify one of these parameters: {one}, {other}."
        ))
        .param(one))
    };
    if has_customer && asked.contains_key("customer_email") {
        return only_one("customer", "customer_email");
    }
    if has_discount && asked.contains_key("allow_promotion_codes") {
        return only_one("allow_promotion_codes", "discounts");
    }
    let creates = asked.get("customer_creation").and_then(Value::as_str);
    if has_customer && creates.is_some() {
        return only_one("customer", "customer_creation");
    }
    let saved = asked.get("saved_payment_method_options");
    let saves = saved.and_then(|it| it.get("payment_method_save")?.as_str());
    if saves == Some("enabled") && !has_customer && creates != Some("always") {
        return Err(ApiError::invalid(
            "`saved_payment_method_options[payment_method_save]` needs a customer: pass `customer`, or \
             `customer_creation=always`.",
        )
        .param("saved_payment_method_options[payment_method_save]"));
    }
    Ok(())
}
