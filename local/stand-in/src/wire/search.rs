//! Stripe's search query language: `email:"a@b.example" AND -metadata["order"]:null`, with `:` (is),
//! `~` (contains) and `>`, `>=`, `<`, `<=`. `AND` and `OR` are not mixed. Stripe's page "Search" is the
//! source.

use rusqlite::types::Value as SqlValue;
use serde_json::Value;

use crate::engine::filter::{Cursor, Filter};
use crate::engine::transaction::Transaction;
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// More than anybody joins, and fewer than SQLite takes.
const MOST_CLAUSES: usize = 100;

/// Which page of what is searched for.
pub(crate) struct Found {
    pub(crate) query: String,
    limit: usize,
    after: Option<i64>,
}

impl Found {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let query = params.text("query").required(params, "query")?;
        let limit = params.integer_within("limit", 1, 100)?.unwrap_or(10);
        let page = params.text("page")?;
        let after = page
            .map(|page| {
                let invalid = || ApiError::invalid(format!("Invalid page: {page}")).param("page");
                i64::from_str_radix(&page, 36).map_err(|_| invalid())
            })
            .transpose()?;
        Ok(Self {
            query,
            limit: usize::try_from(limit).unwrap_or(10),
            after,
        })
    }

    /// What this page holds, and where the next begins.
    pub(crate) fn page(
        &self,
        transaction: &Transaction<'_>,
        kind: &str,
        filter: &Filter,
    ) -> Result<(Vec<Value>, Option<String>), ApiError> {
        let from = Cursor::OlderThan(self.after.unwrap_or(i64::MAX));
        let wanted = self.limit.saturating_add(1);
        let mut found = transaction.some_shown(kind, from, wanted, filter)?;
        if found.len() <= self.limit {
            return Ok((found, None));
        }
        found.truncate(self.limit);
        let last = found.last().and_then(|last| last["id"].as_str());
        let next = transaction.sequence(kind, last.unwrap_or_default())?;
        Ok((found, next.map(base36)))
    }
}

/// A place that nobody is to read anything into.
fn base36(mut number: i64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        let digit = u32::try_from(number.rem_euclid(36)).unwrap_or_default();
        digits.extend(char::from_digit(digit, 36));
        number = number.div_euclid(36);
    }
    digits.iter().rev().collect()
}

/// What a query lets through.
pub(crate) fn filter(kind: &str, query: &str) -> Result<Filter, ApiError> {
    if query.contains('\0') {
        return Err(unreadable(query, "\0"));
    }
    let mut rest = query.trim_start();
    let (mut conditions, mut values) = (Vec::new(), Vec::new());
    let mut joined = None;
    loop {
        let (clause, after) = clause(rest).ok_or_else(|| unreadable(query, rest))?;
        let (condition, value) = clause.sql(kind)?;
        if conditions.len() >= MOST_CLAUSES {
            return Err(ApiError::invalid(format!(
                "A search query may have at most {MOST_CLAUSES} clauses."
            ))
            .param("query"));
        }
        conditions.push(condition);
        values.extend(value);
        rest = after.trim_start();
        if rest.is_empty() {
            break;
        }
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let with = match word.to_ascii_uppercase().as_str() {
            "AND" => " AND ",
            "OR" => " OR ",
            // Clauses side by side must all hold.
            _ => {
                joined = join(joined, " AND ")?;
                continue;
            }
        };
        joined = join(joined, with)?;
        rest = after.trim_start();
    }
    let all = conditions.join(joined.unwrap_or(" AND "));
    Ok(Filter::default().and(&format!("({all})"), values))
}

fn join(
    so_far: Option<&'static str>,
    with: &'static str,
) -> Result<Option<&'static str>, ApiError> {
    match so_far {
        Some(other) if other != with => Err(ApiError::invalid(
            "A search query may join its clauses with AND or with OR, not with both.",
        )
        .param("query")),
        _ => Ok(Some(with)),
    }
}

fn unreadable(query: &str, at: &str) -> ApiError {
    ApiError::invalid(format!(
        "We were unable to parse your search query near {at:?}: {query}. See \
         https://stripe.com/docs/search#search-query-language."
    ))
    .param("query")
}

/// `-field["key"]:"value"`.
#[derive(Debug, PartialEq)]
struct Clause {
    negated: bool,
    field: String,
    key: Option<String>,
    operator: &'static str,
    /// None is null.
    value: Option<String>,
}

fn clause(text: &str) -> Option<(Clause, &str)> {
    let (negated, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '.');
    let end = text.find(|it| !is_name(it))?;
    let (field, text) = text.split_at_checked(end)?;
    let (key, text) = match text.strip_prefix('[') {
        Some(text) => {
            let (key, text) = quoted(text)?;
            (Some(key), text.strip_prefix(']')?)
        }
        None => (None, text),
    };
    let operators = [">=", "<=", ":", "~", ">", "<"];
    let operator = operators.into_iter().find(|it| text.starts_with(it))?;
    let text = text.strip_prefix(operator)?.trim_start();
    let (value, text) = match quoted(text) {
        Some((value, text)) => (Some(value), text),
        None => {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            let (word, text) = text.split_at_checked(end)?;
            let plain =
                word == "null" || word == "true" || word == "false" || word.parse::<f64>().is_ok();
            plain.then_some(())?;
            ((word != "null").then(|| word.to_owned()), text)
        }
    };
    let clause = Clause {
        negated,
        field: field.to_owned(),
        key,
        operator,
        value,
    };
    (!field.is_empty()).then_some((clause, text))
}

/// What a field can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// As it is.
    Exact,
    /// As it is, or a part of it.
    Text,
    Number,
}

/// Where an object of this kind has what is searched by.
fn place<'f>(kind: &str, field: &'f str) -> &'f str {
    match (kind, field) {
        ("invoice", "subscription") => "parent.subscription_details.subscription",
        ("invoice", "last_finalization_error_code") => "last_finalization_error.code",
        (_, field) => field,
    }
}

/// The fields that Stripe searches a kind by.
fn sort(kind: &str, field: &str) -> Option<Sort> {
    let fields: &[(Sort, &[&str])] = match kind {
        "charge" => &[
            (Sort::Number, &["amount", "created"]),
            (
                Sort::Exact,
                &["currency", "customer", "disputed", "refunded", "status"],
            ),
            (Sort::Exact, &["billing_details.address.postal_code"]),
        ],
        "customer" => &[
            (Sort::Number, &["created"]),
            (Sort::Text, &["email", "name", "phone"]),
        ],
        "invoice" => &[
            (Sort::Number, &["created", "total"]),
            (
                Sort::Exact,
                &["currency", "customer", "status", "subscription"],
            ),
            (Sort::Exact, &["last_finalization_error_code"]),
            (Sort::Text, &["number", "receipt_number"]),
        ],
        "payment_intent" => &[
            (Sort::Number, &["amount", "created"]),
            (Sort::Exact, &["currency", "customer", "status"]),
        ],
        "price" => &[
            (Sort::Exact, &["active", "currency", "type"]),
            (Sort::Text, &["lookup_key", "product"]),
        ],
        "product" => &[
            (Sort::Exact, &["active", "shippable"]),
            (Sort::Text, &["description", "name", "url"]),
        ],
        "subscription" => &[(Sort::Number, &["created"]), (Sort::Exact, &["status"])],
        _ => return None,
    };
    let is_of_a_card = kind == "charge"
        && field.starts_with("payment_method_details.")
        && field.split('.').all(|name| !name.is_empty());
    if field == "metadata" || is_of_a_card {
        return Some(Sort::Exact);
    }
    let mut sorts = fields.iter();
    sorts.find_map(|(sort, names)| names.contains(&field).then_some(*sort))
}

/// A text in quotes, either sort; a backslash takes away the meaning of the next quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut characters = text.char_indices();
    let (_, quote @ ('"' | '\'')) = characters.next()? else {
        return None;
    };
    let mut value = String::new();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next()?.1),
            it if it == quote => return Some((value, text.get(at.saturating_add(1)..)?)),
            it => value.push(it),
        }
    }
    None
}

impl Clause {
    /// Refuses what Stripe cannot search by.
    fn check(&self, kind: &str) -> Result<(), ApiError> {
        let field = &self.field;
        let refuse = |message: String| Err(ApiError::invalid(message).param("query"));
        let Some(sort) = sort(kind, field) else {
            return refuse(format!(
                "Field `{field}` is an unsupported search field for resource `{kind}s`. See \
                 https://stripe.com/docs/search#query-fields-for-{}s for a list of supported fields.",
                kind.replace('_', "-")
            ));
        };
        if (field == "metadata") != self.key.is_some() {
            return refuse(format!(
                "Only metadata is searched by key, and always is: metadata[\"key\"]:\"value\", not {field}."
            ));
        }
        let fits = match self.operator {
            ":" => true,
            "~" => sort == Sort::Text,
            _ => sort == Sort::Number,
        };
        if !fits {
            return refuse(format!(
                "Operator `{}` is unsupported for the field `{field}`.",
                self.operator
            ));
        }
        if self.value.is_none() && self.operator != ":" {
            return refuse(format!(
                "null has no order and no parts: ask for {field}:null, not {field}{}null.",
                self.operator
            ));
        }
        let number = self.value.as_deref().map(str::parse::<f64>);
        match sort {
            Sort::Number if matches!(number, Some(Err(_))) => refuse(format!(
                "The value of the field `{field}` must be a number."
            )),
            _ => Ok(()),
        }
    }

    /// As a condition of a row.
    fn sql(&self, kind: &str) -> Result<(String, Option<SqlValue>), ApiError> {
        self.check(kind)?;
        let mut column = format!("shown ->> '$.{}", place(kind, &self.field));
        if let Some(key) = &self.key {
            // Quoted for a JSON path, and then for SQL.
            let key = key.replace(['"', '\\'], "").replace('\'', "''");
            column.push_str(&format!(".\"{key}\""));
        }
        column.push('\'');
        let value = self.value.clone();
        let (condition, value) = match (self.operator, value) {
            (":", None) => (format!("{column} IS NULL"), None),
            // SQLite reads JSON's true and false as 1 and 0.
            (":", Some(value)) if value == "true" => {
                (format!("coalesce({column} IN (1, 'true'), 0)"), None)
            }
            (":", Some(value)) if value == "false" => {
                (format!("coalesce({column} IN (0, 'false'), 0)"), None)
            }
            (":", Some(value)) => (
                format!("coalesce(lower({column}) = lower(?), 0)"),
                Some(value),
            ),
            ("~", Some(value)) if value.chars().count() >= 3 => (
                format!("coalesce(instr(lower({column}), lower(?)) > 0, 0)"),
                Some(value),
            ),
            ("~", _) => {
                return Err(ApiError::invalid(
                    "The value of a substring match needs at least 3 characters.",
                )
                .param("query"));
            }
            (operator, value) => (
                format!("coalesce(CAST({column} AS REAL) {operator} CAST(? AS REAL), 0)"),
                value,
            ),
        };
        let condition = match self.negated {
            true => format!("NOT ({condition})"),
            false => format!("({condition})"),
        };
        Ok((condition, value.map(SqlValue::Text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Clause, &str)> {
        clause(text)
    }

    #[test]
    fn a_clause_is_a_field_an_operator_and_a_value() {
        let (found, rest) = read(r#"-metadata["order id"]:"6 \"x\"" AND a:1"#).unwrap();
        let expected = Clause {
            negated: true,
            field: "metadata".to_owned(),
            key: Some("order id".to_owned()),
            operator: ":",
            value: Some(r#"6 "x""#.to_owned()),
        };
        assert_eq!((found, rest), (expected, " AND a:1"));
        assert_eq!(read("amount>=1000").unwrap().0.operator, ">=");
        assert_eq!(read("email:null").unwrap().0.value, None);
    }

    #[test]
    fn what_is_no_clause_is_refused() {
        for text in [
            "",
            "email",
            "email:",
            "email:free words",
            ":\"x\"",
            "a[\"b\":1",
            "a:\"open",
        ] {
            assert!(
                read(text).is_none_or(|(_, rest)| !rest.is_empty()),
                "{text}"
            );
        }
        assert!(filter("customer", "email:\"a\" AND name:\"b\" OR name:\"c\"").is_err());
    }

    #[test]
    fn each_field_has_its_operators() {
        for (kind, query) in [
            ("customer", "shoe_size:44"),
            ("customer", "email>1"),
            ("customer", "balance:0"),
            ("customer", "created~\"123\""),
            ("customer", "created>\"soon\""),
            ("customer", "metadata:\"x\""),
            ("customer", "email[\"a\"]:\"x\""),
            ("price", "currency~\"usd\""),
        ] {
            assert!(filter(kind, query).is_err(), "{query}");
        }
        for (kind, query) in [
            ("customer", "email~\"mail\" AND -metadata[\"a\"]:null"),
            ("charge", "payment_method_details.card.last4:4242"),
            ("product", "active:'true'"),
            ("payment_intent", "amount>=1000"),
        ] {
            assert!(filter(kind, query).is_ok(), "{query}");
        }
    }
}
