//! What a line says of an object, whatever its kind.

use serde_json::Value;

use crate::account::shown;
use crate::engine::time::Timestamp;
use crate::window::frame::Moment;
use crate::window::scan::Found;

/// An object in a list.
#[derive(Debug)]
pub(super) struct ObjectRow {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) created: Moment,
    pub(super) summary: Summary,
}

impl From<Found> for ObjectRow {
    fn from(found: Found) -> Self {
        Self {
            created: Moment::of(found.created),
            summary: Summary::of(&found.shown),
            kind: found.kind,
            id: found.id,
        }
    }
}

/// What matters of an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) amount: Option<String>,
    pub(super) statuses: Vec<Status>,
    /// Names, descriptions, addresses.
    pub(super) about: String,
}

/// A word about how something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) word: String,
    pub(super) tone: &'static str,
}

/// Fields that tell what an object is about, the best first.
const ABOUT: &[&str] = &[
    "/name",
    "/description",
    "/code",
    "/number",
    "/customer_details/email",
    "/customer_email",
    "/billing_details/email",
    "/email",
    "/receipt_email",
];

/// Fields that tell it where none of those is there.
const OTHERWISE: &[&str] = &["/nickname", "/reason", "/url", "/type"];

/// How many of them fit on a line.
const MOST_ABOUT: usize = 2;

const GOOD: &[&str] = &[
    "active",
    "available",
    "chargeable",
    "complete",
    "delivered",
    "enabled",
    "paid",
    "succeeded",
    "won",
];
const BAD: &[&str] = &[
    "canceled", "disabled", "expired", "failed", "lost", "unpaid",
];
const WAITING: &[&str] = &[
    "needs_response",
    "open",
    "pending",
    "processing",
    "requires_action",
    "requires_capture",
    "requires_confirmation",
    "requires_payment_method",
    "under_review",
];

impl Status {
    pub(super) fn of(word: &str) -> Self {
        let tones = [(GOOD, "good"), (BAD, "bad"), (WAITING, "wait")];
        let tone = tones.into_iter().find(|(words, _)| words.contains(&word));
        Self {
            word: word.replace('_', " "),
            tone: tone.map_or("", |(_, tone)| tone),
        }
    }

    pub(super) fn of_http(status: u16) -> Self {
        Self {
            word: status.to_string(),
            tone: match status {
                0..400 => "good",
                400..500 => "wait",
                _ => "bad",
            },
        }
    }
}

impl Summary {
    pub(super) fn of(shown: &Value) -> Self {
        let text = |pointer: &str| shown.pointer(pointer)?.as_str();
        let mut statuses: Vec<_> = ["/status", "/payment_status"]
            .into_iter()
            .filter_map(text)
            .map(Status::of)
            .collect();
        if let Some(active) = shown.get("active").and_then(Value::as_bool) {
            statuses.push(Status::of(if active { "active" } else { "inactive" }));
        }
        let mut about: Vec<&str> = ABOUT
            .iter()
            .filter_map(|pointer| text(pointer))
            .filter(|text| !text.is_empty())
            .collect();
        about.dedup();
        about.truncate(MOST_ABOUT);
        // A session's address says no more than its id does.
        let is_session = text("/object").is_some_and(|kind| kind.ends_with(".session"));
        if about.is_empty() && !is_session {
            about.extend(OTHERWISE.iter().find_map(|pointer| text(pointer)));
        }
        Self {
            amount: shown::amount(shown),
            statuses,
            about: about.join(" · "),
        }
    }
}

/// What people call a kind of objects.
pub(super) fn named(kind: &str) -> String {
    match kind {
        "invoiceitem" => "invoice item".to_owned(),
        kind => kind.replace(['_', '.'], " "),
    }
}

/// A number of seconds that a call took, to three digits.
pub(super) fn duration(microseconds: i64) -> String {
    let micros = microseconds.max(0);
    let tenths = micros.checked_div(100).unwrap_or_default();
    let (whole, tenth) = (
        tenths.checked_div(10).unwrap_or_default(),
        tenths.checked_rem(10).unwrap_or_default(),
    );
    match whole {
        0..=9 => format!("{whole}.{tenth} ms"),
        10..=9_999 => format!("{whole} ms"),
        _ => format!("{} s", whole.checked_div(1_000).unwrap_or_default()),
    }
}

/// Seconds since 1970 from a field of an object.
pub(super) fn created(shown: &Value) -> Timestamp {
    shown
        .get("created")
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_how_much_how_it_stands_and_what_it_is_about() {
        let session = json!({
            "amount_total": 1500, "currency": "usd", "status": "complete", "payment_status": "paid",
            "customer_details": { "email": "ada@example.com" }, "customer_email": "ada@example.com",
        });
        let summary = Summary::of(&session);
        assert_eq!(summary.amount.as_deref(), Some("$15.00"));
        assert_eq!(summary.statuses, ["complete", "paid"].map(Status::of));
        assert_eq!(summary.about, "ada@example.com");
        let product = Summary::of(&json!({ "name": "Mug", "active": false, "type": "good" }));
        assert_eq!((product.amount, product.about.as_str()), (None, "Mug"));
        assert_eq!(product.statuses, [Status::of("inactive")]);
        assert_eq!(Summary::of(&json!("no object")), Summary::default());
    }

    #[test]
    fn a_kind_is_written_in_words() {
        for (kind, said) in [
            ("billing_portal.session", "billing portal session"),
            ("invoiceitem", "invoice item"),
            ("charge", "charge"),
        ] {
            assert_eq!(named(kind), said);
        }
    }

    #[test]
    fn durations_have_a_unit_that_fits() {
        for (micros, said) in [
            (430, "0.4 ms"),
            (9_999, "9.9 ms"),
            (15_200, "15 ms"),
            (12_000_000, "12 s"),
        ] {
            assert_eq!(duration(micros), said);
        }
    }
}
