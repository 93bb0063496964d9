//! Which objects of a kind are wanted, and from where on.

use rusqlite::types::Value as SqlValue;

use crate::engine::links;
use crate::engine::time::Timestamp;

/// Where a page of a list begins, and which way it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cursor {
    OlderThan(i64),
    NewerThan(i64),
}

/// Which objects a list is to show.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(super) conditions: String,
    pub(super) values: Vec<SqlValue>,
}

impl Filter {
    /// Created within these bounds, both included.
    pub(crate) fn created(from: Timestamp, to: Timestamp) -> Self {
        Self::default()
            .and("created >= ?", [SqlValue::Integer(from)])
            .and("created <= ?", [SqlValue::Integer(to)])
    }

    /// With this value in a field, if one is asked for.
    pub(crate) fn having(self, field: &'static str, value: Option<String>) -> Self {
        match value {
            Some(value) => self.equal(field, value.into()),
            None => self,
        }
    }

    /// With this value in a field, which dots may lead to: `customer_details.email`.
    pub(crate) fn equal(self, path: &str, value: SqlValue) -> Self {
        self.compare(path, "=", value)
    }

    /// With one of these values in a field.
    pub(crate) fn one_of(self, field: &str, values: impl IntoIterator<Item = SqlValue>) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        let places = vec!["?"; values.len()].join(", ");
        self.and(&format!("{} IN ({places})", links::field(field)), values)
    }

    /// With a field's value on this side of another.
    pub(crate) fn compare(self, path: &str, operator: &'static str, value: SqlValue) -> Self {
        self.and(&format!("{} {operator} ?", links::field(path)), [value])
    }

    /// Where this holds of the object's row.
    pub(crate) fn and(
        mut self,
        condition: &str,
        values: impl IntoIterator<Item = SqlValue>,
    ) -> Self {
        self.conditions.push_str(" AND ");
        self.conditions.push_str(condition);
        self.values.extend(values);
        self
    }
}
