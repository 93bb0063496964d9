//! Balance settings: how soon payments are available, and what payouts are called.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::description::complete;
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;

/// It is kept under an id that the API does not show.
const ID: &str = "balance_settings";

/// How long payments are on their way to an account in the United States, in days: the least, and the most
/// that an account can ask for.
pub(crate) const LEAST_DELAY: i64 = 2;
pub(crate) const MOST_DELAY: i64 = 31;

/// What an account has set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct BalanceSettings {
    pub(crate) created: Timestamp,
    /// In days, if it is not the least.
    pub(crate) delay: Option<i64>,
    /// What statements call payouts that have no word of their own for it.
    pub(crate) statement_descriptor: Option<String>,
}

impl BalanceSettings {
    /// Those of an account; what it has not set is as Stripe sets it.
    pub(crate) fn of(transaction: &Transaction<'_>) -> anyhow::Result<Self> {
        Ok(transaction.get(ID)?.unwrap_or_default())
    }

    /// How many days payments are on their way.
    pub(crate) fn delay(&self) -> i64 {
        self.delay.unwrap_or(LEAST_DELAY)
    }
}

impl Object for BalanceSettings {
    const KIND: &'static str = "balance_settings";

    fn id(&self) -> &str {
        ID
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let mut timing = json!({ "delay_days": self.delay(), "start_of_day": null });
        if let (Some(delay), Value::Object(timing)) = (self.delay, &mut timing) {
            timing.insert("delay_days_override".to_owned(), json!(delay));
        }
        let answer = json!({
            "object": Self::KIND,
            "payments": {
                "debit_negative_balances": false,
                "payouts": {
                    "automatic_transfer_rules_by_currency": null,
                    "minimum_balance_by_currency": null,
                    "schedule": { "interval": "manual" },
                    "statement_descriptor": self.statement_descriptor,
                    "status": "enabled",
                },
                "settlement_timing": timing,
            },
        });
        complete(Self::KIND, answer)
    }
}
