//! Bugs, to see that they are noticed: each makes what functions ask of DynamoDB and Stripe, or what
//! they are told, what it would be if the bug were in their code.

use bytes::Bytes;
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::other::{LAYOUT, NOVELTY};
use crate::tables::Names;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Bug {
    /// An order takes nothing from the stock
    StockNotTaken,
    /// What comes back to the stock comes back twice
    StockReturnedTwice,
    /// No mail is ordered together with the fact that calls for it
    MailForgotten,
    /// A mail that was sent is not marked
    MailNotMarked,
    /// A mailer takes what another one has
    MailWithoutLease,
    /// A mail is marked before it is sent
    MarkedBeforeSent,
    /// Reconcile does not read Stripe's events again
    EventsNotReadAgain,
    /// An idempotency key is not kept
    KeyForgotten,
    /// A session is for a cent more than the order
    CentTooMuch,
    /// A purchase does not join its buyer's history
    NotInHistory,
    /// Nothing is left for reconcile to look at
    NoWork,
    /// What a dispute did is forgotten when the next thing is written
    DisputesForgotten,
    /// A subscription's event counts as seen, and nothing is kept of it
    SubscriptionForgotten,
    /// An invoice's event counts as seen, and nothing is kept of it
    InvoiceForgotten,
    /// Where something is to be sent is not kept
    AddressForgotten,
    /// Other systems are told nothing
    EventForgotten,
    /// What a later version wrote is forgotten when this one writes it again
    LaterForgotten,
    /// An event that an earlier version took is not recorded again
    EarlierTrusted,
}

impl Bug {
    /// All of them.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// What a function with this bug asks of DynamoDB.
    pub(crate) fn in_tables(self, operation: &str, body: &Bytes, names: &Names) -> Bytes {
        let Ok(mut asked) = serde_json::from_slice::<Value>(body) else {
            return body.clone();
        };
        match operation {
            "TransactWriteItems" => {
                if let Some(items) = asked["TransactItems"].as_array_mut() {
                    items.retain(|item| !self.leaves_out(item, names));
                    items.iter_mut().for_each(|item| self.spoil(item, names));
                }
            }
            "UpdateItem" => self.spoil_mark(&mut asked),
            _ => {}
        }
        Bytes::from(asked.to_string())
    }

    fn leaves_out(self, item: &Value, names: &Names) -> bool {
        let put = &item["Put"];
        let begins = |name: &str, start: &str| {
            let value = put["Item"][name]["S"].as_str();
            value.is_some_and(|value| value.starts_with(start))
        };
        match self {
            Self::MailForgotten => put["TableName"] == names.outbox,
            Self::EventForgotten => begins("id", "event#"),
            Self::InvoiceForgotten => begins("sk", "in_"),
            Self::SubscriptionForgotten => put["Item"]["sk"]["S"] == "subscription",
            Self::KeyForgotten => put["Item"]["sk"]["S"] == "request",
            Self::StockNotTaken => {
                let update = &item["Update"];
                update["TableName"] == names.products && expression(update).contains("- :")
            }
            _ => false,
        }
    }

    fn spoil(self, item: &mut Value, names: &Names) {
        let is_purchase = item["Put"]["TableName"] == names.purchases
            && item["Put"]["Item"]["sk"]["S"] == "purchase";
        let returns = item["Update"]["TableName"] == names.products
            && expression(&item["Update"]).contains("+ :");
        match self {
            Self::NotInHistory if is_purchase => forget(&mut item["Put"]["Item"], "history"),
            Self::NoWork if is_purchase => forget(&mut item["Put"]["Item"], "work_shard"),
            Self::DisputesForgotten if is_purchase => {
                forget(&mut item["Put"]["Item"]["facts"]["M"], "disputes");
            }
            Self::AddressForgotten if is_purchase => {
                let facts = &mut item["Put"]["Item"]["facts"]["M"];
                let sessions = facts["sessions"]["M"].as_object_mut();
                for session in sessions.into_iter().flat_map(|all| all.values_mut()) {
                    forget(&mut session["M"], "delivery");
                }
            }
            Self::LaterForgotten if item["Put"]["Item"]["layout"]["N"] == LAYOUT => {
                forget(&mut item["Put"]["Item"], NOVELTY);
            }
            Self::EarlierTrusted if is_claim(&item["Put"]) => {
                item["Put"]["ConditionExpression"] = "attribute_not_exists(pk)".into();
            }
            Self::StockReturnedTwice if returns => {
                let twice = "SET stock = stock + :quantity + :quantity";
                item["Update"]["UpdateExpression"] = twice.into();
            }
            _ => {}
        }
    }

    /// A mailer's claims and marks.
    fn spoil_mark(self, update: &mut Value) {
        let claims = expression(update).contains("ADD attempts");
        let marks = update["ExpressionAttributeValues"][":state"]["S"] == "sent";
        match self {
            Self::MailNotMarked if marks => {
                update["ExpressionAttributeValues"][":state"] = json!({ "S": "due" });
                let expression = "SET #state = :state, finished_at = :now, #ttl = :ttl";
                update["UpdateExpression"] = expression.into();
            }
            Self::MailWithoutLease if claims => {
                update["ConditionExpression"] = "#state = :due AND :now = :now".into();
            }
            Self::MarkedBeforeSent if claims => {
                update["UpdateExpression"] =
                    "SET #state = :sent, next_attempt = :lease_ends ADD attempts :one REMOVE due_shard"
                        .into();
                update["ExpressionAttributeValues"][":sent"] = json!({ "S": "sent" });
            }
            _ => {}
        }
    }

    /// What a function with this bug asks of Stripe: its form.
    pub(crate) fn in_form(self, form: &Bytes) -> Bytes {
        let pairs = form_urlencoded::parse(form).into_owned();
        let spoilt = pairs.map(|(name, value)| match self {
            Self::CentTooMuch if name.ends_with("[0][price_data][unit_amount]") => {
                let amount: i64 = value.parse().unwrap_or_default();
                (name, (amount + 1).to_string())
            }
            _ => (name, value),
        });
        let spoilt: Vec<(String, String)> = spoilt.collect();
        let mut form = form_urlencoded::Serializer::new(String::new());
        Bytes::from(form.extend_pairs(spoilt).finish())
    }
}

fn expression(update: &Value) -> &str {
    update["UpdateExpression"].as_str().unwrap_or_default()
}

fn forget(item: &mut Value, name: &str) {
    if let Some(item) = item.as_object_mut() {
        item.remove(name);
    }
}

fn is_claim(put: &Value) -> bool {
    let sk = put["Item"]["sk"]["S"].as_str();
    sk.is_some_and(|sk| sk.starts_with("event#"))
}
