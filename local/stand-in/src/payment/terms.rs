//! The parameters that say what a payment intent is to be.

use serde_json::{Map, Value};

use crate::description::Description;
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::transaction::Transaction;
use crate::payment::billing::Shipping;
use crate::payment::customer;
use crate::payment::intent::{
    CaptureMethod, ConfirmationMethod, Methods, PaymentIntent, Terms, Usage,
};
use crate::payment::testing::three_d_secure::Request;
use crate::wire::errors::ApiError;
use crate::wire::params::{MetadataUpdate, Params, set};
use crate::wire::values;

/// The types of payment methods that there are here.
const TYPES: &[&str] = &[
    "card",
    "sepa_debit",
    "us_bank_account",
    "bacs_debit",
    "oxxo",
    "boleto",
    "konbini",
    "multibanco",
    "customer_balance",
    // Accepted, since integrations list it; there is no Link here to pay with.
    "link",
];

/// A change of an intent's terms; a new intent changes those that nobody has stated.
#[derive(Debug)]
pub(crate) struct NewTerms {
    description: Option<String>,
    metadata: MetadataUpdate,
    customer: Option<String>,
    methods: Option<Methods>,
    capture_method: Option<CaptureMethod>,
    confirmation_method: Option<ConfirmationMethod>,
    /// `Some(None)` takes it away.
    setup_future_usage: Option<Option<Usage>>,
    receipt_email: Option<String>,
    shipping: Option<Option<Shipping>>,
    statement_descriptor: Option<String>,
    statement_descriptor_suffix: Option<String>,
    transfer_group: Option<String>,
    options: Option<Value>,
}

impl NewTerms {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let shipping = match params.is_text("shipping") {
            true => params.maybe_empty_text("shipping", 0)?.map(|_| None),
            false => match params.optional_object("shipping")? {
                Some(shipping) => Some(Some(Shipping::read(shipping)?)),
                None => None,
            },
        };
        let given = params.take("payment_method_options")?;
        Ok(Self {
            description: params.maybe_empty_text("description", 1_000)?,
            metadata: params.metadata_update("metadata")?,
            customer: params.text("customer")?,
            methods: methods(params)?,
            capture_method: capture_method(params)?,
            confirmation_method: confirmation_method(params)?,
            setup_future_usage: usage(params, "setup_future_usage")?,
            receipt_email: match params.is_empty_text("receipt_email") {
                true => params.maybe_empty_text("receipt_email", 0)?,
                false => params.email("receipt_email")?,
            },
            shipping,
            statement_descriptor: descriptor(params, "statement_descriptor")?,
            statement_descriptor_suffix: descriptor(params, "statement_descriptor_suffix")?,
            transfer_group: params.short_text("transfer_group", 5_000)?,
            options: given,
        })
    }

    /// What the change says of the payment itself, rather than about it: by parameter, and whether it is
    /// given.
    pub(crate) fn of_the_payment(&self) -> [(&'static str, bool); 5] {
        [
            ("customer", self.customer.is_some()),
            ("payment_method_types", self.methods.is_some()),
            ("capture_method", self.capture_method.is_some()),
            ("confirmation_method", self.confirmation_method.is_some()),
            ("setup_future_usage", self.setup_future_usage.is_some()),
        ]
    }

    pub(crate) fn says_where_to_ship(&self) -> bool {
        self.shipping.is_some()
    }

    /// Refuses that a browser ships elsewhere than the shop's server has said.
    pub(crate) fn check_shipping(&self, terms: &Terms) -> Result<(), ApiError> {
        let is_known = terms.shipping.is_some() && !terms.shipping_from_browser;
        let is_other = |new: &Option<Shipping>| *new != terms.shipping;
        match is_known && self.shipping.as_ref().is_some_and(is_other) {
            true => Err(ApiError::invalid(
                "The shipping information on this PaymentIntent was last set with a secret key and \
                 therefore cannot be changed with a publishable key. Please use your secret key \
                 instead.",
            )
            .code("payment_intent_invalid_parameter")
            .param("shipping")),
            false => Ok(()),
        }
    }

    /// Makes the change.
    pub(crate) fn apply(
        self,
        transaction: &Transaction<'_>,
        terms: &mut Terms,
    ) -> Result<(), ApiError> {
        if let Some(customer) = &self.customer {
            let customer = customer::named(transaction, customer)?;
            let had = terms.customer.replace(customer);
            if had.is_some() && had != terms.customer {
                return Err(ApiError::invalid(
                    "You cannot modify `customer` on a PaymentIntent once it already has been set. To \
                     fulfill a payment with a different Customer, cancel this PaymentIntent and create \
                     a new one.",
                )
                .param("customer"));
            }
        }
        set(&mut terms.description, self.description);
        self.metadata.apply(&mut terms.metadata)?;
        terms.methods = self.methods.unwrap_or_else(|| terms.methods.clone());
        terms.capture_method = self.capture_method.unwrap_or(terms.capture_method);
        terms.confirmation_method = self
            .confirmation_method
            .unwrap_or(terms.confirmation_method);
        terms.setup_future_usage = self.setup_future_usage.unwrap_or(terms.setup_future_usage);
        set(&mut terms.receipt_email, self.receipt_email);
        if let Some(shipping) = self.shipping {
            terms.shipping = shipping;
            terms.shipping_from_browser = false;
        }
        set(&mut terms.statement_descriptor, self.statement_descriptor);
        set(
            &mut terms.statement_descriptor_suffix,
            self.statement_descriptor_suffix,
        );
        set(&mut terms.transfer_group, self.transfer_group);
        let before = std::mem::take(&mut terms.payment_method_options);
        terms.payment_method_options = options(PaymentIntent::KIND, self.options, before);
        Ok(())
    }

    /// The terms of a new intent.
    pub(crate) fn begin(self, transaction: &Transaction<'_>) -> Result<Terms, ApiError> {
        let mut terms = Terms {
            metadata: Metadata::new(),
            ..Terms::default()
        };
        self.apply(transaction, &mut terms)?;
        Ok(terms)
    }
}

/// The options of an intent of this kind, once `given` is set among them.
pub(crate) fn options(
    kind: &str,
    given: Option<Value>,
    before: Map<String, Value>,
) -> Map<String, Value> {
    let described = Description::newest().object(kind);
    let field = described.and_then(|fields| fields.get("payment_method_options"));
    match (field, given) {
        (Some(field), Some(given)) => {
            let before = Value::Object(before);
            match values::value(&field.shape, &given, Some(&before)) {
                Value::Object(options) => options,
                _ => Map::new(),
            }
        }
        _ => before,
    }
}

/// Whether the options ask for 3D Secure.
pub(crate) fn three_d_secure(options: &Map<String, Value>) -> Request {
    let card = options.get("card");
    match card.and_then(|card| card.get("request_three_d_secure")?.as_str()) {
        Some("any") => Request::Any,
        Some("challenge") => Request::Challenge,
        _ => Request::Automatic,
    }
}

/// Reads which types of payment methods are to be taken.
pub(crate) fn methods(params: &mut Params) -> Result<Option<Methods>, ApiError> {
    let types = params.texts("payment_method_types")?;
    let automatic = params.optional_object("automatic_payment_methods")?;
    if let Some(unknown) = types.iter().find(|it| !TYPES.contains(&it.as_str())) {
        return Err(ApiError::invalid(format!(
            "The payment method type {unknown:?} is invalid, or not one that the stand-in \
             implements. Those are {}.",
            TYPES.join(", ")
        ))
        .param("payment_method_types"));
    }
    let Some(mut automatic) = automatic else {
        return Ok((!types.is_empty()).then_some(Methods::Listed(types)));
    };
    let enabled = automatic.boolean("enabled")?.unwrap_or(true);
    let redirects = automatic.choice("allow_redirects", &["always", "never"])?;
    automatic.finish()?;
    match (enabled, types.is_empty()) {
        (true, false) => Err(ApiError::invalid(
            "You may only specify one of these parameters: automatic_payment_methods, \
             payment_method_types.",
        )
        .param("payment_method_types")),
        (true, true) => Ok(Some(Methods::Automatic {
            redirects: redirects.as_deref() != Some("never"),
        })),
        (false, true) => Ok(Some(Methods::Listed(vec!["card".to_owned()]))),
        (false, false) => Ok(Some(Methods::Listed(types))),
    }
}

fn capture_method(params: &mut Params) -> Result<Option<CaptureMethod>, ApiError> {
    let choices = ["automatic", "automatic_async", "manual"];
    let chosen = params.choice("capture_method", &choices)?;
    Ok(chosen.map(|it| match it.as_str() {
        "manual" => CaptureMethod::Manual,
        "automatic" => CaptureMethod::Automatic,
        _ => CaptureMethod::AutomaticAsync,
    }))
}

fn confirmation_method(params: &mut Params) -> Result<Option<ConfirmationMethod>, ApiError> {
    let chosen = params.choice("confirmation_method", &["automatic", "manual"])?;
    Ok(chosen.map(|it| match it.as_str() {
        "manual" => ConfirmationMethod::Manual,
        _ => ConfirmationMethod::Automatic,
    }))
}

/// Reads how a payment method is to be used again; an empty text takes that away.
pub(crate) fn usage(params: &mut Params, field: &str) -> Result<Option<Option<Usage>>, ApiError> {
    if params.is_empty_text(field) {
        return Ok(params.maybe_empty_text(field, 0)?.map(|_| None));
    }
    let chosen = params.choice(field, &["off_session", "on_session"])?;
    Ok(chosen.map(|it| {
        Some(match it.as_str() {
            "on_session" => Usage::OnSession,
            _ => Usage::OffSession,
        })
    }))
}

/// What stands on the buyer's statement: 22 characters, of which banks cannot print all.
fn descriptor(params: &mut Params, field: &str) -> Result<Option<String>, ApiError> {
    let text = params.maybe_empty_text(field, 22)?;
    match &text {
        Some(text) if text.contains(['<', '>', '\\', '\'', '"', '*']) => {
            Err(ApiError::invalid(format!(
                "The {} contains one or more of these characters, which are not allowed: <>\\'\"*",
                field.replace('_', " ")
            ))
            .param(params.name(field)))
        }
        Some(text) if !text.is_empty() && !text.chars().any(char::is_alphabetic) => {
            Err(ApiError::invalid(format!(
                "The {} must contain at least one letter.",
                field.replace('_', " ")
            ))
            .param(params.name(field)))
        }
        _ => Ok(text),
    }
}
