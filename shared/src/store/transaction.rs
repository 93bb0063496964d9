//! Reads, decides, and writes on condition that nothing has changed since; if it has, starts over.
//! Only this file knows about dry runs and retries.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::{
    Client,
    operation::transact_write_items::TransactWriteItemsError,
    types::{Put, ReturnValue, TransactWriteItem, builders::PutBuilder},
};

use super::{StoreError, TRIES, back_off, failed, unwritable};
use crate::{aws::lazy::Lazy, product::ProductId, purchase::Mail};

/// Writes to the tables; in a dry run, only says what the result would be.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    client: Lazy<Client>,
    dry_run: bool,
}

/// What was decided from what was read.
pub(crate) enum Step<T> {
    /// This is the answer, and nothing is written.
    Done(T),
    /// All of these parts are written, or none; then this is the answer.
    Write(Vec<Part<T>>, T),
}

/// A part of a transaction.
pub(crate) struct Part<T> {
    item: TransactWriteItem,
    if_refused: IfRefused<T>,
}

/// What it means if a part's own condition fails.
enum IfRefused<T> {
    /// Something has changed since it was read: start over.
    LookAgain,
    /// This is the answer, whatever becomes of the other parts.
    Answer(T),
    /// It is no longer possible, and must not hold up the others: the next try leaves it out.
    DropOut(Dispensable),
    /// It has no condition. If concurrent transactions keep getting in the way, it is left out.
    GiveWay,
}

/// What a transaction may leave out. A transaction has each of these at most once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dispensable {
    /// The outbox row of a mail, which may be there from before the purchase was lost.
    Mail(Mail),
    /// The outbox row of an event with this id, which may be there as well.
    Publication(String),
    /// The stock of a product, which may be gone or unlimited by now.
    Stock(ProductId),
}

/// How a write ended.
pub(crate) struct Ended<T> {
    pub(crate) answer: T,
    /// Whether anything was written.
    pub(crate) written: bool,
}

/// After this many conflicts with other transactions, parts that may give way are left out.
const GIVE_WAY_AFTER: u32 = 2;

impl<T> Part<T> {
    /// A part that the others depend on. If its condition fails, everything is read and decided
    /// again.
    pub(crate) fn vital(item: TransactWriteItem) -> Self {
        let if_refused = IfRefused::LookAgain;
        Self { item, if_refused }
    }

    /// A part whose condition, if it fails, decides the whole: then this is the answer.
    pub(crate) fn deciding(item: TransactWriteItem, answer: T) -> Self {
        let if_refused = IfRefused::Answer(answer);
        Self { item, if_refused }
    }

    /// A part that is left out if its condition fails.
    pub(crate) fn optional(item: TransactWriteItem, what: Dispensable) -> Self {
        let if_refused = IfRefused::DropOut(what);
        Self { item, if_refused }
    }

    /// A part that is left out if it keeps conflicting with other transactions.
    pub(crate) fn yielding(item: TransactWriteItem) -> Self {
        let if_refused = IfRefused::GiveWay;
        Self { item, if_refused }
    }
}

impl Writer {
    pub(super) fn new(client: Lazy<Client>) -> Self {
        Self {
            client,
            dry_run: false,
        }
    }

    /// A writer that writes nothing, and answers what would happen.
    pub(super) fn dry_run(self) -> Self {
        Self {
            dry_run: true,
            ..self
        }
    }

    /// Runs a transaction on what `read` finds or, on the first try, on `first`. `decide` must
    /// depend on nothing else, because it is called again for each try.
    pub(crate) async fn run<R, T, E, F>(
        &self,
        mut first: Option<R>,
        read: impl Fn() -> F,
        decide: impl Fn(R) -> Result<Step<T>, E>,
    ) -> Result<Ended<T>, E>
    where
        F: Future<Output = Result<R, E>>,
        E: From<StoreError>,
    {
        let (mut dropped_out, mut conflicts) = (BTreeSet::new(), 0_u32);
        for attempt in 1..=TRIES {
            let found = match first.take() {
                Some(found) => found,
                None => read().await?,
            };
            let (mut parts, answer) = match decide(found)? {
                Step::Done(answer) => return Ok(Ended::unwritten(answer)),
                Step::Write(parts, answer) => (parts, answer),
            };
            if self.dry_run {
                return Ok(Ended::unwritten(self.foreseen(parts, answer).await?));
            }
            parts.retain(|part| match &part.if_refused {
                IfRefused::DropOut(what) => !dropped_out.contains(what),
                IfRefused::GiveWay => conflicts < GIVE_WAY_AFTER,
                IfRefused::LookAgain | IfRefused::Answer(_) => true,
            });
            let parts = parts.into_iter().map(|part| (part.item, part.if_refused));
            let (items, meanings): (Vec<_>, Vec<_>) = parts.unzip();
            let Tried::Refused(failed) = self.transact(items).await? else {
                return Ok(Ended {
                    answer,
                    written: true,
                });
            };
            conflicts = conflicts.saturating_add(u32::from(!failed.contains(&true)));
            let refused = meanings.into_iter().zip(failed);
            for (meaning, _) in refused.filter(|(_, failed)| *failed) {
                match meaning {
                    IfRefused::Answer(answer) => return Ok(Ended::unwritten(answer)),
                    IfRefused::DropOut(what) => _ = dropped_out.insert(what),
                    IfRefused::LookAgain | IfRefused::GiveWay => {}
                }
            }
            back_off(attempt).await;
        }
        Err(StoreError::Contended(TRIES).into())
    }

    /// Puts one item, replacing any with the same key; the answer is whether there was one.
    pub(super) async fn replace(&self, put: PutBuilder) -> Result<Ended<bool>, StoreError> {
        let put = put.build().map_err(unwritable)?;
        if self.dry_run {
            return Ok(Ended::unwritten(self.is_there(&put).await?));
        }
        let call = self
            .client
            .put_item()
            .table_name(put.table_name)
            .set_item(Some(put.item))
            .return_values(ReturnValue::AllOld);
        let replaced = call.send().await.map_err(failed("PutItem"))?;
        Ok(Ended {
            answer: replaced.attributes.is_some(),
            written: true,
        })
    }

    /// The answer that a real run would give, as far as can be told by reading: an item that a
    /// deciding part puts must not be there yet, unless it is put without a condition.
    async fn foreseen<T>(&self, parts: Vec<Part<T>>, answer: T) -> Result<T, StoreError> {
        for part in parts {
            if let (Some(put), IfRefused::Answer(answer)) = (&part.item.put, part.if_refused)
                && put.condition_expression.is_some()
                && self.is_there(put).await?
            {
                return Ok(answer);
            }
        }
        Ok(answer)
    }

    async fn is_there(&self, put: &Put) -> Result<bool, StoreError> {
        let key = ["pk", "sk"].map(|name| {
            let value = put.item().get(name);
            value.map(|value| (name.to_owned(), value.clone()))
        });
        let call = self
            .client
            .get_item()
            .table_name(put.table_name())
            .set_key(Some(key.into_iter().flatten().collect()))
            .consistent_read(true);
        let found = call.send().await.map_err(failed("GetItem"))?;
        Ok(found.item.is_some())
    }

    /// Writes all or nothing. Throttling and conflicts with other transactions count as refusals in
    /// which no condition failed. The SDK adds a client token to each call, so that its own retries
    /// cannot write twice.
    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Tried, StoreError> {
        const RETRYABLE: [&str; 5] = [
            "None",
            CONDITION_FAILED,
            "TransactionConflict",
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
        ];
        let call = self.client.transact_write_items();
        let Err(error) = call.set_transact_items(Some(items)).send().await else {
            return Ok(Tried::Written);
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
            error.as_service_error()
        else {
            return Err(failed("TransactWriteItems")(error));
        };
        let reasons = canceled.cancellation_reasons().iter();
        let codes: Vec<_> = reasons.map(|one| one.code().unwrap_or("None")).collect();
        if let Some(code) = codes.iter().find(|code| !RETRYABLE.contains(code)) {
            return Err(StoreError::Failed {
                operation: "TransactWriteItems",
                why: (*code).to_owned(),
            });
        }
        let failed = codes.iter().map(|code| *code == CONDITION_FAILED);
        Ok(Tried::Refused(failed.collect()))
    }
}

const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// How one try ended.
enum Tried {
    /// All of it was written.
    Written,
    /// Nothing was written: for each part, whether its own condition failed.
    Refused(Vec<bool>),
}

impl<T> Ended<T> {
    fn unwritten(answer: T) -> Self {
        Self {
            answer,
            written: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        thread::JoinHandle,
    };

    use aws_sdk_dynamodb::types::AttributeValue;
    use serde_json::{Value, json};

    use super::*;
    use crate::store::{
        scripted::{self, WRITTEN, refused},
        tables::put_item,
    };

    fn database(answers: Vec<String>) -> (Writer, JoinHandle<Vec<Value>>) {
        let (tables, database) = scripted::database(answers);
        (tables.writer(), database)
    }

    fn put_of(key: &str) -> PutBuilder {
        let key = AttributeValue::S(key.to_owned());
        Put::builder().table_name("purchases").item("pk", key)
    }

    /// An item that is put under this key.
    fn item(key: &str) -> TransactWriteItem {
        put_item(put_of(key)).unwrap()
    }

    /// Returns stock of the product with this id.
    fn stock_of(product: &str) -> Part<&'static str> {
        Part::optional(item(product), Dispensable::Stock(product.parse().unwrap()))
    }

    /// Writes these parts; also returns how often everything was read.
    async fn write(
        writer: &Writer,
        parts: impl Fn() -> Vec<Part<&'static str>>,
    ) -> (Result<Ended<&'static str>, StoreError>, u32) {
        let reads = AtomicU32::new(0);
        let read = || async {
            reads.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let decide = |()| Ok(Step::Write(parts(), "done"));
        let ended = writer.run(None, read, decide).await;
        (ended, reads.into_inner())
    }

    /// How many items each try had.
    fn tries(asked: &[Value]) -> Vec<usize> {
        let items = asked.iter().map(|one| one["TransactItems"].as_array());
        items.map(|items| items.map_or(0, Vec::len)).collect()
    }

    #[tokio::test]
    async fn what_has_changed_meanwhile_is_read_and_decided_again() {
        let (writer, database) = database(vec![
            refused(&["ConditionalCheckFailed"]),
            WRITTEN.to_owned(),
        ]);
        let (ended, reads) = write(&writer, || vec![Part::vital(item("purchase"))]).await;
        let ended = ended.unwrap();
        assert_eq!((ended.answer, ended.written, reads), ("done", true, 2));
        assert_eq!(tries(&database.join().unwrap()), [1, 1]);
    }

    #[tokio::test]
    async fn a_deciding_part_that_is_refused_is_the_answer() {
        let refusal = refused(&["ConditionalCheckFailed", "ConditionalCheckFailed"]);
        let (writer, database) = database(vec![refusal]);
        let parts = || {
            let claim = Part::deciding(item("claim"), "seen before");
            vec![Part::vital(item("purchase")), claim]
        };
        let ended = write(&writer, parts).await.0.unwrap();
        assert_eq!((ended.answer, ended.written), ("seen before", false));
        database.join().unwrap();
    }

    #[tokio::test]
    async fn stock_that_is_gone_is_left_out_and_holds_nothing_up() {
        let (writer, database) = database(vec![
            refused(&["None", "ConditionalCheckFailed", "None"]),
            refused(&["ConditionalCheckFailed", "None"]),
            WRITTEN.to_owned(),
        ]);
        let parts = || {
            vec![
                Part::vital(item("purchase")),
                stock_of("mug"),
                stock_of("cup"),
            ]
        };
        let ended = write(&writer, parts).await.0.unwrap();
        assert!(ended.written);
        assert_eq!(tries(&database.join().unwrap()), [3, 2, 2]);
    }

    #[tokio::test]
    async fn stock_is_not_left_out_because_a_mail_of_the_same_name_is() {
        let (writer, database) = database(vec![
            refused(&["None", "ConditionalCheckFailed"]),
            WRITTEN.to_owned(),
        ]);
        let parts = || {
            let mail = Dispensable::Mail(Mail::Paid);
            let mail = Part::optional(item("mail"), mail);
            vec![stock_of("paid"), mail]
        };
        assert!(write(&writer, parts).await.0.unwrap().written);
        let asked = database.join().unwrap();
        let second = asked[1]["TransactItems"].as_array().unwrap();
        assert_eq!(second.len(), 1);
        assert_eq!(second[0]["Put"]["Item"]["pk"]["S"], "paid");
    }

    #[tokio::test]
    async fn a_hold_gives_way_after_two_conflicts() {
        let conflict = || refused(&["None", "TransactionConflict"]);
        let (writer, database) = database(vec![conflict(), conflict(), WRITTEN.to_owned()]);
        let parts = || {
            let hold = Part::yielding(item("hold"));
            vec![Part::vital(item("purchase")), hold]
        };
        let ended = write(&writer, parts).await.0.unwrap();
        assert!(ended.written);
        assert_eq!(tries(&database.join().unwrap()), [2, 2, 1]);
    }

    #[tokio::test]
    async fn a_writer_that_is_never_fast_enough_gives_up() {
        let conflict = refused(&["TransactionConflict"]);
        let (writer, database) = database(vec![conflict; 6]);
        let (ended, reads) = write(&writer, || vec![Part::vital(item("purchase"))]).await;
        assert!(matches!(ended, Err(StoreError::Contended(6))));
        assert_eq!((reads, database.join().unwrap().len()), (6, 6));
    }

    #[tokio::test]
    async fn a_dry_run_says_what_would_be_replaced_and_replaces_nothing() {
        let there = json!({ "Item": { "pk": { "S": "cursor" } } }).to_string();
        for (found, replaced) in [(there, true), (WRITTEN.to_owned(), false)] {
            let (writer, database) = database(vec![found]);
            let cursor = AttributeValue::S("cursor".to_owned());
            let put = Put::builder().table_name("purchases").item("pk", cursor);
            let ended = writer.dry_run().replace(put).await.unwrap();
            assert_eq!((ended.answer, ended.written), (replaced, false));
            let asked = database.join().unwrap();
            assert_eq!(asked[0]["Key"], json!({ "pk": { "S": "cursor" } }));
        }
    }

    #[tokio::test]
    async fn a_dry_run_checks_what_was_seen_before_and_writes_nothing() {
        let claimed = json!({ "Item": { "pk": { "S": "claim" } } }).to_string();
        for (found, answer) in [(claimed, "seen before"), (WRITTEN.to_owned(), "done")] {
            let (writer, database) = database(vec![found]);
            let parts = || {
                let put = put_of("claim").condition_expression("attribute_not_exists(pk)");
                let claim = Part::deciding(put_item(put).unwrap(), "seen before");
                vec![claim, Part::vital(item("purchase"))]
            };
            let ended = write(&writer.dry_run(), parts).await.0.unwrap();
            assert_eq!((ended.answer, ended.written), (answer, false));
            let asked = database.join().unwrap();
            assert_eq!(asked[0]["Key"], json!({ "pk": { "S": "claim" } }));
        }
    }

    #[tokio::test]
    async fn a_dry_run_foresees_that_nothing_refuses_what_is_put_without_a_condition() {
        let (writer, database) = database(Vec::new());
        let parts = || vec![Part::deciding(item("claim"), "seen before")];
        let ended = write(&writer.dry_run(), parts).await.0.unwrap();
        assert_eq!((ended.answer, ended.written), ("done", false));
        assert_eq!(database.join().unwrap(), Vec::<Value>::new());
    }
}
