//! What somebody searches for, as conditions on rows.

use rusqlite::types::Value as SqlValue;
use url::form_urlencoded::byte_serialize;

/// The words that were typed. A row is found if each of them is in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms(Vec<Term>);

/// One word, as the patterns of SQL's `LIKE` of which one must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term(Vec<String>);

/// Shorter numbers are in every timestamp, so they are found only as a whole value.
const LONG_NUMBER: usize = 6;

impl Terms {
    pub(super) fn read(typed: &str) -> Self {
        Self(typed.split_whitespace().map(Term::read).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A condition on the text that an SQL expression gives, and its values.
    pub(super) fn condition(&self, text: &str) -> (String, Vec<SqlValue>) {
        let fits = format!("({text}) LIKE ? ESCAPE '\\'");
        let of_term = |Term(patterns): &Term| {
            let any = vec![fits.as_str(); patterns.len()].join(" OR ");
            format!("({any})")
        };
        let conditions: Vec<_> = self.0.iter().map(of_term).collect();
        let values = self.0.iter().flat_map(|Term(patterns)| patterns.clone());
        match conditions.is_empty() {
            true => ("1".to_owned(), Vec::new()),
            false => (
                conditions.join(" AND "),
                values.map(SqlValue::Text).collect(),
            ),
        }
    }

    /// The same for the values of a JSON text: what they are called is not searched. A text that is cut
    /// off is taken as it is.
    pub(super) fn condition_on_json(&self, around: &str, json: &str) -> (String, Vec<SqlValue>) {
        let (mut condition, mut values) = self.condition(&format!("{around} || {json}"));
        for Term(patterns) in self.0.iter().filter(|term| term.is_text()) {
            let fits = |what: &str| {
                let fits = format!("({what}) LIKE ? ESCAPE '\\'");
                vec![fits; patterns.len()].join(" OR ")
            };
            condition.push_str(&format!(
                " AND ({} OR NOT json_valid({json}) OR EXISTS \
                 (SELECT 1 FROM json_tree({json}) WHERE {}))",
                fits(around),
                fits("atom"),
            ));
            let twice = patterns.iter().chain(patterns).cloned();
            values.extend(twice.map(SqlValue::Text));
        }
        (condition, values)
    }
}

impl Term {
    /// Whether it is no number: those are found as whole values only.
    fn is_text(&self) -> bool {
        let Self(patterns) = self;
        !patterns.iter().any(|pattern| pattern.starts_with("%:"))
    }

    fn read(word: &str) -> Self {
        let mut patterns = Vec::new();
        match minor_units(word) {
            Some(number) => {
                // A whole number in JSON, indented or not, and in a form; or a text of its own.
                for (before, after) in [
                    (":", ","),
                    (":", "}"),
                    (": ", ","),
                    (": ", "\n"),
                    ("=", "&"),
                    ("\"", "\""),
                ] {
                    patterns.push(format!("%{before}{number}{after}%"));
                }
                if word.contains('.') || word.len() >= LONG_NUMBER {
                    patterns.push(containing(word));
                }
            }
            None => {
                patterns.push(containing(word));
                // As it stands in a form.
                let encoded: String = byte_serialize(word.as_bytes()).collect();
                if encoded != word {
                    patterns.push(containing(&encoded));
                }
            }
        }
        Self(patterns)
    }
}

/// `1500`, `15.00` and `$15.00` in the currency's smallest unit.
fn minor_units(word: &str) -> Option<String> {
    let number = word.trim_start_matches(['$', '€', '£', '¥']);
    let digits = match number.split_once('.') {
        Some((whole, cents)) if cents.len() == 2 => format!("{whole}{cents}"),
        Some(_) => return None,
        None => number.to_owned(),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let significant = digits.trim_start_matches('0');
    is_number.then(|| match significant {
        "" => "0".to_owned(),
        // A code such as 0002 is no amount.
        _ if !number.contains('.') => digits.clone(),
        _ => significant.to_owned(),
    })
}

fn containing(word: &str) -> String {
    let mut pattern = String::from("%");
    for character in word.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_found_in_minor_units() {
        for word in ["15.00", "$15.00", "€15.00"] {
            assert_eq!(minor_units(word).as_deref(), Some("1500"), "{word}");
        }
        assert_eq!(minor_units("0.05").as_deref(), Some("5"));
        assert_eq!(minor_units("4242").as_deref(), Some("4242"));
        assert_eq!(minor_units("0002").as_deref(), Some("0002"));
        for word in ["", ".", "mug", "1.5", "15.00.1", "-3"] {
            assert_eq!(minor_units(word), None, "{word}");
        }
    }

    #[test]
    fn what_like_reads_as_a_pattern_is_searched_for_as_it_is() {
        assert_eq!(
            Term::read("100%_a\\b").0.first().map(String::as_str),
            Some(r"%100\%\_a\\b%")
        );
        assert!(Terms::read("  ").is_empty());
    }

    #[test]
    fn every_word_must_be_there() {
        let (condition, values) = Terms::read("mug ada@example.com").condition("shown");
        assert_eq!(condition.matches(" AND ").count(), 1);
        assert_eq!(values.len(), condition.matches('?').count());
        let terms = Terms::read("mug 15.00 ada@example.com");
        let (condition, values) = terms.condition_on_json("id", "shown");
        assert_eq!(values.len(), condition.matches('?').count());
    }
}
