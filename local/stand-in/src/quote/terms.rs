//! What a shop says of a quote, at first or later.

use serde::{Deserialize, Serialize};

use crate::checkout::tax::Rate;
use crate::engine::ids::CustomerId;
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::invoice::terms::{rates, stored_rates};
use crate::payment::customer;
use crate::wire::errors::ApiError;
use crate::wire::params::{MetadataUpdate, Params, set};

/// What a shop says of a quote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) customer: Option<CustomerId>,
    pub(crate) collection_method: String,
    pub(crate) days_until_due: Option<i64>,
    pub(crate) default_tax_rates: Vec<Rate>,
    pub(crate) description: Option<String>,
    pub(crate) header: Option<String>,
    pub(crate) footer: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) subscription: SubscriptionData,
}

/// What it says of the subscription that the quote becomes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SubscriptionData {
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) trial_period_days: Option<i64>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            customer: None,
            collection_method: "charge_automatically".to_owned(),
            days_until_due: None,
            default_tax_rates: Vec::new(),
            description: None,
            header: None,
            footer: None,
            metadata: Metadata::new(),
            subscription: SubscriptionData::default(),
        }
    }
}

/// A change of a quote's terms; a new quote changes those that nobody has stated.
#[derive(Debug)]
pub(crate) struct NewTerms {
    customer: Option<String>,
    collection_method: Option<String>,
    days_until_due: Option<i64>,
    default_tax_rates: Option<Vec<String>>,
    description: Option<String>,
    header: Option<String>,
    footer: Option<String>,
    metadata: MetadataUpdate,
    of_subscription: Option<String>,
    subscription_metadata: MetadataUpdate,
    trial_period_days: Option<i64>,
}

impl NewTerms {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let mut settings = params.object("invoice_settings")?;
        let days_until_due = settings.integer_within("days_until_due", 0, 3_650)?;
        settings.finish()?;
        let mut subscription = params.object("subscription_data")?;
        let of_subscription = subscription.maybe_empty_text("description", 500)?;
        let subscription_metadata = subscription.metadata_update("metadata")?;
        let trial_period_days = subscription.integer_within("trial_period_days", 1, 730)?;
        subscription.finish()?;
        let methods = ["charge_automatically", "send_invoice"];
        Ok(Self {
            customer: params.text("customer")?,
            collection_method: params.choice("collection_method", &methods)?,
            days_until_due,
            default_tax_rates: rates(params, "default_tax_rates")?,
            description: params.maybe_empty_text("description", 500)?,
            header: params.maybe_empty_text("header", 50)?,
            footer: params.maybe_empty_text("footer", 500)?,
            metadata: params.metadata_update("metadata")?,
            of_subscription,
            subscription_metadata,
            trial_period_days,
        })
    }

    /// Makes the change.
    pub(crate) fn apply(
        self,
        transaction: &Transaction<'_>,
        terms: &mut Terms,
    ) -> Result<(), ApiError> {
        if let Some(customer) = &self.customer {
            terms.customer = Some(customer::named(transaction, customer)?);
        }
        if let Some(ids) = self.default_tax_rates {
            terms.default_tax_rates = stored_rates(transaction, &ids, "default_tax_rates")?;
        }
        if let Some(method) = self.collection_method {
            terms.collection_method = method;
        }
        terms.days_until_due = self.days_until_due.or(terms.days_until_due);
        set(&mut terms.description, self.description);
        set(&mut terms.header, self.header);
        set(&mut terms.footer, self.footer);
        self.metadata.apply(&mut terms.metadata)?;
        let subscription = &mut terms.subscription;
        set(&mut subscription.description, self.of_subscription);
        self.subscription_metadata
            .apply(&mut subscription.metadata)?;
        subscription.trial_period_days = self.trial_period_days.or(subscription.trial_period_days);
        match (terms.collection_method.as_str(), terms.days_until_due) {
            ("charge_automatically", Some(_)) => Err(ApiError::invalid(
                "You may only specify days_until_due when the collection_method is send_invoice.",
            )
            .param("invoice_settings[days_until_due]")),
            _ => Ok(()),
        }
    }
}
