//! Sessions of the billing portal.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::description::complete;
use crate::engine::ids::CustomerId;
use crate::engine::resource::Object;
use crate::engine::time::{HOUR, Timestamp};
use crate::engine::transaction::Transaction;

/// How long a session waits for its customer, and how long it lasts after each visit: Stripe's page
/// "Integrate the customer portal with the API".
const WAITS: Timestamp = 5 * 60;
const LASTS: Timestamp = HOUR;

/// One visit of a customer to the portal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PortalSession {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) customer: CustomerId,
    pub(crate) configuration: String,
    pub(crate) flow: Option<Flow>,
    pub(crate) locale: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) url: String,
    /// By the account's own clock, whichever clock its customer lives by.
    good_until: Timestamp,
}

/// The one thing that a customer comes to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Flow {
    pub(crate) task: Task,
    pub(crate) after: After,
    /// It has been done.
    pub(crate) is_done: bool,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    PaymentMethodUpdate,
    SubscriptionCancel(String),
    SubscriptionUpdate(String),
}

/// Where the customer goes once it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum After {
    Homepage,
    Redirect(String),
    Confirmation(Option<String>),
}

impl PortalSession {
    /// A session that waits for its customer from now on.
    pub(crate) fn of(
        id: String,
        transaction: &Transaction<'_>,
        customer: CustomerId,
        configuration: String,
    ) -> Self {
        Self {
            url: format!("{}/portal/{id}", transaction.site()),
            id,
            created: transaction.now,
            customer,
            configuration,
            flow: None,
            locale: None,
            return_url: None,
            good_until: transaction.account_now.saturating_add(WAITS),
        }
    }

    /// Whether it is over by now, by the account's clock.
    pub(crate) fn is_over(&self, account_now: Timestamp) -> bool {
        self.good_until <= account_now
    }

    /// Somebody is there. Whether that is worth keeping: not at every look.
    pub(crate) fn visit(&mut self, account_now: Timestamp) -> bool {
        let until = account_now.saturating_add(LASTS);
        let gains = until.saturating_sub(self.good_until) >= 60;
        if gains {
            self.good_until = until;
        }
        gains
    }
}

impl Flow {
    fn shown(&self) -> Value {
        let (kind, of) = match &self.task {
            Task::PaymentMethodUpdate => ("payment_method_update", None),
            Task::SubscriptionCancel(id) => ("subscription_cancel", Some(id)),
            Task::SubscriptionUpdate(id) => ("subscription_update", Some(id)),
        };
        let (after, message, url) = match &self.after {
            After::Homepage => ("portal_homepage", None, None),
            After::Redirect(url) => ("redirect", None, Some(json!({ "return_url": url }))),
            After::Confirmation(message) => (
                "hosted_confirmation",
                Some(json!({ "custom_message": message })),
                None,
            ),
        };
        let of_kind = |wanted: &str| of.filter(|_| kind == wanted);
        json!({
            "after_completion": {
                "hosted_confirmation": message,
                "redirect": url,
                "type": after,
            },
            "customer_update": null,
            "subscription_cancel": of_kind("subscription_cancel")
                .map(|id| json!({ "retention": null, "subscription": id })),
            "subscription_pause": null,
            "subscription_update": of_kind("subscription_update")
                .map(|id| json!({ "subscription": id })),
            "subscription_update_confirm": null,
            "type": kind,
        })
    }
}

impl Object for PortalSession {
    const KIND: &'static str = "billing_portal.session";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "configuration": self.configuration,
            "created": self.created,
            "customer": self.customer,
            "flow": self.flow.as_ref().map(Flow::shown),
            "livemode": false,
            "locale": self.locale,
            "return_url": self.return_url,
            "url": self.url,
        });
        complete(Self::KIND, answer)
    }
}
