//! What a shop says of an invoice, at first or later.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::checkout::tax::Rate;
use crate::description::Description;
use crate::engine::resource::Metadata;
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::payment::method::PaymentMethod;
use crate::wire::errors::ApiError;
use crate::wire::params::{MetadataUpdate, Params, set};
use crate::wire::values;

/// What an invoice shows as it is given, and does not look at.
const HELD: &[&str] = &[
    "account_tax_ids",
    "custom_fields",
    "effective_at",
    "payment_settings",
    "rendering",
    "shipping_details",
];

/// What a shop says of an invoice.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// Whether Stripe finalizes and collects it by itself.
    pub(crate) auto_advance: bool,
    pub(crate) collection: Collection,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) default_source: Option<String>,
    pub(crate) default_tax_rates: Vec<Rate>,
    pub(crate) automatic_tax: bool,
    pub(crate) description: Option<String>,
    pub(crate) footer: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) metadata: Metadata,
    /// By the names of the invoice's fields.
    pub(crate) held: Map<String, Value>,
}

/// How the money comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Collection {
    /// With the payment method that is known.
    #[default]
    ChargeAutomatically,
    /// The customer gets the invoice, and has so long to pay it.
    SendInvoice(Due),
}

/// When an invoice that is sent has to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Due {
    /// So many days after it is finalized.
    Days(i64),
    At(Timestamp),
}

impl Due {
    /// The moment, if the invoice is finalized now.
    pub(crate) fn after(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Days(days) => now.saturating_add(days.saturating_mul(DAY)),
            Self::At(moment) => moment,
        }
    }
}

impl Collection {
    /// Whether the customer gets the invoice, and pays it themselves.
    pub(crate) fn is_sent(self) -> bool {
        matches!(self, Self::SendInvoice(_))
    }

    /// Stripe's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ChargeAutomatically => "charge_automatically",
            Self::SendInvoice(_) => "send_invoice",
        }
    }
}

/// A change of an invoice's terms; a new invoice changes those that nobody has stated.
#[derive(Debug)]
pub(crate) struct NewTerms {
    auto_advance: Option<bool>,
    collection_method: Option<String>,
    days_until_due: Option<i64>,
    due_date: Option<Timestamp>,
    defaults: NewDefaults,
    description: Option<String>,
    footer: Option<String>,
    statement_descriptor: Option<String>,
    metadata: MetadataUpdate,
    held: Map<String, Value>,
}

impl NewTerms {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let held = held(params, HELD)?;
        Ok(Self {
            auto_advance: params.boolean("auto_advance")?,
            collection_method: params.choice(
                "collection_method",
                &["charge_automatically", "send_invoice"],
            )?,
            days_until_due: params.integer_within("days_until_due", 0, 3_650)?,
            due_date: params.integer("due_date")?,
            defaults: NewDefaults::read(params)?,
            description: params.maybe_empty_text("description", 1_500)?,
            footer: params.maybe_empty_text("footer", 5_000)?,
            statement_descriptor: params.maybe_empty_text("statement_descriptor", 22)?,
            metadata: params.metadata_update("metadata")?,
            held,
        })
    }

    /// Whether more is to be changed than may be once the invoice is final.
    pub(crate) fn of_a_draft(&self) -> Option<&'static str> {
        let of_a_draft = [
            ("automatic_tax", self.defaults.automatic_tax.is_some()),
            ("collection_method", self.collection_method.is_some()),
            ("custom_fields", self.held.contains_key("custom_fields")),
            ("days_until_due", self.days_until_due.is_some()),
            ("default_tax_rates", self.defaults.tax_rates.is_some()),
            ("description", self.description.is_some()),
            ("due_date", self.due_date.is_some()),
            ("effective_at", self.held.contains_key("effective_at")),
            ("footer", self.footer.is_some()),
            ("statement_descriptor", self.statement_descriptor.is_some()),
        ];
        let given = of_a_draft.into_iter().find(|(_, given)| *given);
        given.map(|(field, _)| field)
    }

    /// Makes the change to the terms of this customer's invoice.
    pub(crate) fn apply(
        self,
        transaction: &Transaction<'_>,
        customer: &str,
        terms: &mut Terms,
    ) -> Result<(), ApiError> {
        self.set_collection(transaction, terms)?;
        let defaults = Defaults {
            payment_method: &mut terms.default_payment_method,
            source: &mut terms.default_source,
            tax_rates: &mut terms.default_tax_rates,
            automatic_tax: &mut terms.automatic_tax,
        };
        self.defaults.apply(transaction, customer, defaults)?;
        terms.auto_advance = self.auto_advance.unwrap_or(terms.auto_advance);
        set(&mut terms.description, self.description);
        set(&mut terms.footer, self.footer);
        set(&mut terms.statement_descriptor, self.statement_descriptor);
        self.metadata.apply(&mut terms.metadata)?;
        hold(&mut terms.held, "invoice", self.held);
        Ok(())
    }

    fn set_collection(
        &self,
        transaction: &Transaction<'_>,
        terms: &mut Terms,
    ) -> Result<(), ApiError> {
        let sends = match self.collection_method.as_deref() {
            Some(method) => method == "send_invoice",
            None => matches!(terms.collection, Collection::SendInvoice(_)),
        };
        let due = match (self.days_until_due, self.due_date) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "You may only specify one of these parameters: days_until_due, due_date.",
                )
                .param("due_date"));
            }
            (Some(days), None) => Some(("days_until_due", Due::Days(days))),
            (None, Some(at)) if at < transaction.now => {
                return Err(ApiError::invalid("due_date must be in the future.").param("due_date"));
            }
            (None, Some(at)) => Some(("due_date", Due::At(at))),
            (None, None) => None,
        };
        terms.collection = match (sends, due, terms.collection) {
            (false, Some((field, _)), _) => {
                return Err(ApiError::invalid(format!(
                    "You may only specify {field} when the collection_method is send_invoice."
                ))
                .param(field));
            }
            (false, None, _) => Collection::ChargeAutomatically,
            (true, Some((_, due)), _) => Collection::SendInvoice(due),
            (true, None, Collection::SendInvoice(due)) => Collection::SendInvoice(due),
            (true, None, Collection::ChargeAutomatically) => {
                return Err(ApiError::invalid(
                    "If invoices are sent, you must specify one of these parameters: \
                     days_until_due, due_date.",
                )
                .param("days_until_due"));
            }
        };
        Ok(())
    }
}

/// What an invoice, or each of a subscription's, is paid with and taxed at, unless something says
/// otherwise.
#[derive(Debug)]
pub(crate) struct Defaults<'t> {
    pub(crate) payment_method: &'t mut Option<String>,
    pub(crate) source: &'t mut Option<String>,
    pub(crate) tax_rates: &'t mut Vec<Rate>,
    pub(crate) automatic_tax: &'t mut bool,
}

/// A change of that.
#[derive(Debug)]
pub(crate) struct NewDefaults {
    payment_method: Option<String>,
    source: Option<String>,
    /// An empty list takes them away.
    tax_rates: Option<Vec<String>>,
    automatic_tax: Option<bool>,
}

impl NewDefaults {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let mut automatic_tax = params.object("automatic_tax")?;
        let enabled = automatic_tax.boolean("enabled")?;
        automatic_tax.finish()?;
        Ok(Self {
            payment_method: params.maybe_empty_text("default_payment_method", 5_000)?,
            source: params.maybe_empty_text("default_source", 5_000)?,
            tax_rates: rates(params, "default_tax_rates")?,
            automatic_tax: enabled,
        })
    }

    /// Makes the change to what is this customer's.
    pub(crate) fn apply(
        self,
        transaction: &Transaction<'_>,
        customer: &str,
        defaults: Defaults<'_>,
    ) -> Result<(), ApiError> {
        for (param, given, field) in [
            (
                "default_payment_method",
                self.payment_method,
                defaults.payment_method,
            ),
            ("default_source", self.source, defaults.source),
        ] {
            check_method(transaction, given.as_deref(), customer, param)?;
            set(field, given);
        }
        if let Some(ids) = self.tax_rates {
            *defaults.tax_rates = stored_rates(transaction, &ids, "default_tax_rates")?;
        }
        *defaults.automatic_tax = self.automatic_tax.unwrap_or(*defaults.automatic_tax);
        Ok(())
    }
}

/// Takes the fields out that are shown as they are given.
pub(crate) fn held(
    params: &mut Params,
    fields: &[&'static str],
) -> Result<Map<String, Value>, ApiError> {
    let mut held = Map::new();
    for field in fields {
        let given = params.take(field)?;
        held.extend(given.map(|given| ((*field).to_owned(), given)));
    }
    Ok(held)
}

/// Holds what is given of such fields from now on, as an object of this kind shows it.
pub(crate) fn hold(held: &mut Map<String, Value>, kind: &str, given: Map<String, Value>) {
    let described = Description::newest().object(kind);
    for (field, given) in given {
        if let Some(described) = described.and_then(|fields| fields.get(&field)) {
            let before = held.get(&field).filter(|it| it.is_object());
            let value = values::value(&described.shape, &given, before);
            held.insert(field, value);
        }
    }
}

/// Refuses to pay with what is not the customer's. Nothing, or an empty text, pays nothing.
pub(crate) fn check_method(
    transaction: &Transaction<'_>,
    id: Option<&str>,
    customer: &str,
    param: &str,
) -> Result<(), ApiError> {
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Ok(());
    };
    let method = transaction.get::<PaymentMethod>(id)?;
    let method = method.ok_or_else(|| ApiError::no_such_param("PaymentMethod", id, param))?;
    match method.customer().is_some_and(|it| **it == *customer) {
        true => Ok(()),
        false => Err(ApiError::invalid(format!(
            "The customer does not have a payment method with the ID {id}. The payment method must be \
             attached to the customer."
        ))
        .code("resource_missing")
        .param(param)),
    }
}

/// Reads a list of tax rates; an empty text wants none.
pub(crate) fn rates(params: &mut Params, field: &str) -> Result<Option<Vec<String>>, ApiError> {
    if params.is_empty_text(field) {
        params.maybe_empty_text(field, 0)?;
        return Ok(Some(Vec::new()));
    }
    let ids = params.texts(field)?;
    Ok((!ids.is_empty()).then_some(ids))
}

/// The tax rates with these ids.
pub(crate) fn stored_rates(
    transaction: &Transaction<'_>,
    ids: &[String],
    param: &str,
) -> Result<Vec<Rate>, ApiError> {
    let rates = ids
        .iter()
        .map(|id| match transaction.shown_of("tax_rate", id)? {
            Some(Value::Object(rate)) => Ok(Rate::stored(rate)),
            _ => Err(ApiError::no_such_param("tax rate", id, param)),
        });
    rates.collect()
}
