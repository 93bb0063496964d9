//! What a portal's configuration lets customers do.

use serde_json::Value;

use crate::engine::transaction::Transaction;

/// The kind of the portal's configurations.
pub(super) const CONFIGURATION: &str = "billing_portal.configuration";

/// A configuration as the API shows it.
#[derive(Debug)]
pub(super) struct Settings(Value);

/// How customers may end a subscription.
#[derive(Debug)]
pub(super) struct Canceling {
    pub(super) at_once: bool,
    pub(super) gives_back: bool,
    pub(super) bills_now: bool,
    /// What a customer may choose as the reason, if they are asked.
    pub(super) reasons: Option<Vec<String>>,
}

/// How customers may change a subscription.
#[derive(Debug)]
pub(super) struct Updating {
    pub(super) price: bool,
    pub(super) quantity: bool,
    pub(super) prices: Vec<String>,
    pub(super) proration: String,
    pub(super) begins_anew: bool,
    pub(super) ends_trial: bool,
}

impl Settings {
    /// The configuration with this id.
    pub(super) fn of(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<Option<Self>> {
        Ok(transaction.shown_of(CONFIGURATION, id)?.map(Self))
    }

    /// The one that is used where none is named.
    pub(super) fn default_id(transaction: &Transaction<'_>) -> anyhow::Result<Option<String>> {
        let all = transaction.shown_having(CONFIGURATION, "object", CONFIGURATION)?;
        let default = all
            .iter()
            .find(|it| it.get("is_default") == Some(&Value::Bool(true)));
        let id = default.and_then(|it| it.get("id")?.as_str());
        Ok(id.map(str::to_owned))
    }

    pub(super) fn is_active(&self) -> bool {
        self.0.get("active") == Some(&Value::Bool(true))
    }

    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer)?.as_str()
    }

    fn is(&self, pointer: &str) -> bool {
        self.0.pointer(pointer) == Some(&Value::Bool(true))
    }

    fn texts(&self, pointer: &str) -> Vec<String> {
        let texts = self.0.pointer(pointer).and_then(Value::as_array);
        let texts = texts.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// What customers may change of themselves.
    pub(super) fn customer_updates(&self) -> Vec<String> {
        match self.is("/features/customer_update/enabled") {
            true => self.texts("/features/customer_update/allowed_updates"),
            false => Vec::new(),
        }
    }

    pub(super) fn shows_invoices(&self) -> bool {
        self.is("/features/invoice_history/enabled")
    }

    pub(super) fn updates_methods(&self) -> bool {
        self.is("/features/payment_method_update/enabled")
    }

    pub(super) fn canceling(&self) -> Option<Canceling> {
        if !self.is("/features/subscription_cancel/enabled") {
            return None;
        }
        let at_once = self.text("/features/subscription_cancel/mode") == Some("immediately");
        let proration = self.text("/features/subscription_cancel/proration_behavior");
        let asks = self.is("/features/subscription_cancel/cancellation_reason/enabled");
        let reasons = self.texts("/features/subscription_cancel/cancellation_reason/options");
        Some(Canceling {
            at_once,
            gives_back: matches!(proration, Some("create_prorations" | "always_invoice")),
            bills_now: proration == Some("always_invoice"),
            reasons: asks.then_some(reasons),
        })
    }

    pub(super) fn updating(&self) -> Option<Updating> {
        if !self.is("/features/subscription_update/enabled") {
            return None;
        }
        let allowed = self.texts("/features/subscription_update/default_allowed_updates");
        let allows = |what: &str| allowed.iter().any(|it| it == what);
        let products = self.0.pointer("/features/subscription_update/products");
        let products = products.and_then(Value::as_array).into_iter().flatten();
        let prices = products.filter_map(|product| product.get("prices")?.as_array());
        let prices = prices.flatten().filter_map(Value::as_str);
        let text = |field: &str| self.text(&format!("/features/subscription_update/{field}"));
        Some(Updating {
            price: allows("price"),
            quantity: allows("quantity"),
            prices: prices.map(str::to_owned).collect(),
            proration: text("proration_behavior").unwrap_or("none").to_owned(),
            begins_anew: text("billing_cycle_anchor") == Some("now"),
            ends_trial: text("trial_update_behavior") != Some("continue_trial"),
        })
    }
}
