//! When Stripe was last asked about something because its buyer looked at it.

use super::{StoreError, Tables, keys::key_of, number, tables::Table, text, unless_refused};
use crate::{config::ConfigError, purchase::Subject};

/// The rows in the purchases table.
#[derive(Clone, Debug)]
pub struct Looks {
    table: Table,
}

const LOOK: &str = "look";

impl Looks {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// Whether Stripe may be asked about `subject` because somebody is looking at it: once every
    /// `seconds`, however many people look.
    pub async fn claim(
        &self,
        subject: Subject,
        now: i64,
        seconds: i64,
    ) -> Result<bool, StoreError> {
        const DAY: i64 = 24 * 3600;
        let call = self
            .table
            .client
            .put_item()
            .table_name(&self.table.name)
            .item("pk", text(key_of(&subject).0))
            .item("sk", text(LOOK))
            .item("looked_at", number(now))
            .item("ttl", number(now.saturating_add(DAY)))
            .condition_expression("attribute_not_exists(pk) OR looked_at <= :before")
            .expression_attribute_values(":before", number(now.saturating_sub(seconds)));
        Ok(unless_refused("PutItem", call.send().await)?.is_some())
    }
}
