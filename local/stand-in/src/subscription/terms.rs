//! What a shop says of a subscription besides what it is for, at first or later.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::checkout::tax::Rate;
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::invoice::terms::{Collection, Defaults, Due, NewDefaults, held, hold};
use crate::wire::errors::ApiError;
use crate::wire::params::{MetadataUpdate, Params, set};

/// What a subscription shows as it is given.
const HELD: &[&str] = &[BILLING_MODE, "invoice_settings", "payment_settings"];

const BILLING_MODE: &str = "billing_mode";

/// What a shop says of a subscription.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) collection: Collection,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) default_source: Option<String>,
    pub(crate) default_tax_rates: Vec<Rate>,
    pub(crate) automatic_tax: bool,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) missing_payment_method: MissingPaymentMethod,
    /// By the names of the subscription's fields.
    pub(crate) held: Map<String, Value>,
}

/// What becomes of a subscription whose trial ends and that has nothing to pay with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MissingPaymentMethod {
    Cancel,
    #[default]
    CreateInvoice,
    Pause,
}

impl Terms {
    /// What of it an invoice is to be made with.
    pub(crate) fn of_invoice(&self) -> crate::invoice::terms::Terms {
        let settings = self.held.get("invoice_settings");
        let setting = |field: &str| settings.and_then(|it| it.get(field));
        let text = |field: &str| setting(field).and_then(Value::as_str).map(str::to_owned);
        let mut held = Map::new();
        for field in ["account_tax_ids", "custom_fields"] {
            let set = setting(field).filter(|it| !it.is_null());
            held.extend(set.map(|set| (field.to_owned(), set.clone())));
        }
        if let Some(Value::Object(settings)) = self.held.get("payment_settings") {
            let mut settings = settings.clone();
            settings.remove("save_default_payment_method");
            settings.insert("default_mandate".to_owned(), Value::Null);
            held.insert("payment_settings".to_owned(), Value::Object(settings));
        }
        crate::invoice::terms::Terms {
            auto_advance: true,
            collection: self.collection,
            default_tax_rates: self.default_tax_rates.clone(),
            automatic_tax: self.automatic_tax,
            description: text("description"),
            footer: text("footer"),
            held,
            ..Default::default()
        }
    }

    /// Whether it is billed in the flexible mode, as it is unless its shop says otherwise.
    pub(crate) fn is_flexible(&self) -> bool {
        billing_mode(self.held.get(BILLING_MODE)).get("type") == Some(&json!("flexible"))
    }

    /// Whether what pays first pays from then on.
    pub(crate) fn saves_method(&self) -> bool {
        let settings = self.held.get("payment_settings");
        let saves = settings.and_then(|it| it.get("save_default_payment_method"));
        saves.is_some_and(|saves| saves == "on_subscription")
    }

    /// The fields of a subscription that tell of it.
    pub(crate) fn shown(&self) -> Map<String, Value> {
        let rates: Vec<_> = self
            .default_tax_rates
            .iter()
            .map(|rate| &rate.shown)
            .collect();
        let days = match self.collection {
            Collection::SendInvoice(Due::Days(days)) => Some(days),
            _ => None,
        };
        let own = [
            (
                "automatic_tax",
                json!({
                    "disabled_reason": null,
                    "enabled": self.automatic_tax,
                    "liability": self.automatic_tax.then(|| json!({ "type": "self" })),
                }),
            ),
            (BILLING_MODE, billing_mode(self.held.get(BILLING_MODE))),
            ("collection_method", json!(self.collection.as_str())),
            ("days_until_due", json!(days)),
            ("default_payment_method", json!(self.default_payment_method)),
            ("default_source", json!(self.default_source)),
            ("default_tax_rates", json!(rates)),
            ("description", json!(self.description)),
            (
                "invoice_settings",
                json!({
                    "account_tax_ids": null,
                    "custom_fields": null,
                    "description": null,
                    "footer": null,
                    "issuer": { "type": "self" },
                }),
            ),
            ("metadata", json!(self.metadata)),
            (
                "payment_settings",
                json!({
                    "payment_method_options": null,
                    "payment_method_types": null,
                    "save_default_payment_method": "off",
                }),
            ),
            (
                "trial_settings",
                json!({
                    "end_behavior": {
                        "billing_cycle_anchor": null,
                        "missing_payment_method": self.missing_payment_method,
                    },
                }),
            ),
        ];
        self.with_what_is_held(Map::from_iter(
            own.map(|(field, value)| (field.to_owned(), value)),
        ))
    }

    /// Fields that are only kept, over those of their names.
    fn with_what_is_held(&self, mut shown: Map<String, Value>) -> Map<String, Value> {
        let held = self.held.iter().filter(|(field, _)| *field != BILLING_MODE);
        for (field, given) in held {
            match (shown.get_mut(field), given) {
                (Some(Value::Object(own)), Value::Object(given)) => {
                    let set = given.iter().filter(|(_, value)| !value.is_null());
                    own.extend(set.map(|(name, value)| (name.clone(), value.clone())));
                }
                _ => {
                    shown.insert(field.clone(), given.clone());
                }
            }
        }
        shown
    }
}

/// A change of a subscription's terms; a new subscription changes those that nobody has stated.
#[derive(Debug)]
pub(crate) struct NewTerms {
    collection_method: Option<String>,
    days_until_due: Option<i64>,
    defaults: NewDefaults,
    description: Option<String>,
    metadata: MetadataUpdate,
    missing_payment_method: Option<MissingPaymentMethod>,
    held: Map<String, Value>,
}

impl NewTerms {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let held = held(params, HELD)?;
        Ok(Self {
            collection_method: params.choice(
                "collection_method",
                &["charge_automatically", "send_invoice"],
            )?,
            days_until_due: params.integer_within("days_until_due", 0, 3_650)?,
            defaults: NewDefaults::read(params)?,
            description: params.maybe_empty_text("description", 500)?,
            metadata: params.metadata_update("metadata")?,
            missing_payment_method: missing_payment_method(params)?,
            held,
        })
    }

    /// Makes the change to the terms of this customer's subscription.
    pub(crate) fn apply(
        self,
        transaction: &Transaction<'_>,
        customer: &str,
        terms: &mut Terms,
    ) -> Result<(), ApiError> {
        terms.collection = self.collection(terms.collection)?;
        let defaults = Defaults {
            payment_method: &mut terms.default_payment_method,
            source: &mut terms.default_source,
            tax_rates: &mut terms.default_tax_rates,
            automatic_tax: &mut terms.automatic_tax,
        };
        self.defaults.apply(transaction, customer, defaults)?;
        set(&mut terms.description, self.description);
        self.metadata.apply(&mut terms.metadata)?;
        terms.missing_payment_method = self
            .missing_payment_method
            .unwrap_or(terms.missing_payment_method);
        hold(&mut terms.held, "subscription", self.held);
        Ok(())
    }

    fn collection(&self, before: Collection) -> Result<Collection, ApiError> {
        let sends = match self.collection_method.as_deref() {
            Some(method) => method == "send_invoice",
            None => before != Collection::ChargeAutomatically,
        };
        match (sends, self.days_until_due, before) {
            (false, Some(_), _) => Err(ApiError::invalid(
                "You can only set days_until_due if collection_method is send_invoice.",
            )
            .param("days_until_due")),
            (false, None, _) => Ok(Collection::ChargeAutomatically),
            (true, Some(days), _) => Ok(Collection::SendInvoice(Due::Days(days))),
            (true, None, Collection::SendInvoice(due)) => Ok(Collection::SendInvoice(due)),
            (true, None, Collection::ChargeAutomatically) => {
                Err(ApiError::missing("days_until_due"))
            }
        }
    }
}

/// A billing mode as the API shows it: the flexible one, unless somebody has asked for the other.
pub(crate) fn billing_mode(asked: Option<&Value>) -> Value {
    let asked = |at: &str| asked.and_then(|it| it.pointer(at)?.as_str());
    match asked("/type") {
        Some("classic") => json!({ "flexible": null, "type": "classic" }),
        _ => {
            let discounts = asked("/flexible/proration_discounts").unwrap_or("included");
            json!({ "flexible": { "proration_discounts": discounts }, "type": "flexible" })
        }
    }
}

fn missing_payment_method(params: &mut Params) -> Result<Option<MissingPaymentMethod>, ApiError> {
    let mut settings = params.object("trial_settings")?;
    let mut behavior = settings.object("end_behavior")?;
    let chosen = behavior.choice(
        "missing_payment_method",
        &["cancel", "create_invoice", "pause"],
    )?;
    behavior.finish()?;
    settings.finish()?;
    Ok(chosen.map(|it| match it.as_str() {
        "cancel" => MissingPaymentMethod::Cancel,
        "pause" => MissingPaymentMethod::Pause,
        _ => MissingPaymentMethod::CreateInvoice,
    }))
}
