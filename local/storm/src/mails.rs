//! The mails that SES has taken, and whether a mailer could know.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

use crate::process::Process;
use crate::tables::number;

/// What was sent, by the outbox's rows.
#[derive(Default)]
pub(crate) struct Mails(Mutex<BTreeMap<String, Sent>>);

/// How often a mail was sent, and whether it could have been known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) times: u32,
    /// When it was sent last, and until when whoever did had it for themselves.
    pub(crate) last_at: i64,
    lease_ends: i64,
    /// The mailer was not told that SES has it.
    answer_lost: bool,
    /// Its row says that it was sent.
    is_marked: bool,
}

impl Mails {
    /// Notes that SES has taken a mail; says what is wrong with that.
    pub(crate) fn sent(
        &self,
        (row, lease_ends): (&str, i64),
        at: i64,
        answer_lost: bool,
    ) -> Option<String> {
        let mut mails = self.0.lock().unwrap();
        let mail = mails.entry(row.to_owned()).or_default();
        let is_excused = mail.answer_lost || at >= mail.lease_ends;
        let wrong = match mail.times {
            0 => None,
            _ if mail.is_marked => Some("was sent again after its row said so"),
            _ if !is_excused => Some("was sent by two mailers at once"),
            _ => None,
        };
        mail.times += 1;
        (mail.last_at, mail.lease_ends, mail.answer_lost) = (at, lease_ends, answer_lost);
        wrong.map(|wrong| format!("{row} {wrong}"))
    }

    /// Notes what a mailer has written to the outbox.
    pub(crate) fn updated(&self, process: &Process, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let expression = body["UpdateExpression"].as_str().unwrap_or_default();
        let Some(row) = body["Key"]["id"]["S"].as_str() else {
            return;
        };
        if expression.contains("ADD attempts") {
            let lease_ends = &body["ExpressionAttributeValues"][":lease_ends"];
            let claimed = (row.to_owned(), number(lease_ends));
            process.claimed.lock().unwrap().push(claimed);
        }
        if body["ExpressionAttributeValues"][":state"]["S"] == "sent" {
            let mut mails = self.0.lock().unwrap();
            mails.entry(row.to_owned()).or_default().is_marked = true;
        }
    }

    pub(crate) fn all(&self) -> BTreeMap<String, Sent> {
        self.0.lock().unwrap().clone()
    }
}
