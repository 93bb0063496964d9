//! The fields by which objects are looked up. Each has a column and an index of its own: SQLite takes
//! longer to look into a JSON text than to store it.

use serde_json::Value;

/// The columns, named as the fields are.
const COLUMNS: [&str; 4] = ["charge", "customer", "invoice", "payment_intent"];

/// A field of what the API shows, which dots may lead to, as an expression of SQL.
pub(super) fn field(path: &str) -> String {
    // What a path may hold is a parameter's name, which the description has let through; still,
    // nothing in it ends the text that it stands in.
    let path: String = path.chars().filter(|it| *it != '\'').collect();
    match COLUMNS.contains(&path.as_str()) {
        true => path,
        false => format!("shown ->> '$.{path}'"),
    }
}

/// What the columns hold for one object.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pub(super) charge: Option<String>,
    pub(super) customer: Option<String>,
    pub(super) invoice: Option<String>,
    pub(super) payment_intent: Option<String>,
    /// Of an event: the id of what it is about.
    pub(super) subject: Option<String>,
}

impl Links {
    /// Those of an object that the API shows so.
    pub(crate) fn of(shown: &Value) -> Self {
        let text = |field| Some(shown.get(field)?.as_str()?.to_owned());
        Self {
            charge: text("charge"),
            customer: text("customer"),
            invoice: text("invoice"),
            payment_intent: text("payment_intent"),
            subject: None,
        }
    }

    /// The same of what this intent pays, whether or not that is shown.
    pub(crate) fn paid_by(self, intent: Option<&str>) -> Self {
        Self {
            payment_intent: intent.map(str::to_owned),
            ..self
        }
    }

    /// Those of an event about this object.
    pub(crate) fn of_event(subject: &Value) -> Self {
        let id = subject.get("id").and_then(Value::as_str);
        Self {
            subject: id.map(str::to_owned),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::database::Database;
    use crate::engine::faults::Faults;
    use crate::engine::time::MachineTime;

    /// How SQLite goes about a query.
    fn plan(query: &str) -> String {
        let site = "http://127.0.0.1:12111".parse().unwrap();
        let database = Database::open(None, &site, MachineTime::default()).unwrap();
        let steps = database.transact(&Faults::default(), |transaction| {
            let explain = format!("EXPLAIN QUERY PLAN {query}");
            let mut statement = transaction.sql.prepare(&explain)?;
            let steps = statement.query_map(["kind", "value"], |row| row.get::<_, String>(3))?;
            anyhow::Ok(steps.collect::<Result<Vec<_>, _>>()?.join("\n"))
        });
        steps.unwrap()
    }

    #[test]
    fn objects_are_found_by_their_links_without_reading_others() {
        for column in COLUMNS {
            assert_eq!(field(column), column);
            let plan = plan(&format!(
                "SELECT shown FROM objects WHERE kind = ?1 AND {column} = ?2 ORDER BY sequence"
            ));
            assert!(plan.contains(&format!("objects_by_{column}")), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
        assert_eq!(
            field("customer_details.email"),
            "shown ->> '$.customer_details.email'"
        );
    }

    #[test]
    fn a_field_that_holds_no_id_is_no_link() {
        let shown =
            json!({ "charge": "ch_1", "customer": null, "payment_intent": { "id": "pi_1" } });
        let links = Links::of(&shown);
        assert_eq!(links.charge.as_deref(), Some("ch_1"));
        assert_eq!((links.customer, links.payment_intent), (None, None));
    }
}
