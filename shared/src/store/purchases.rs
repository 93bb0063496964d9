//! Purchases, the claims of events, payment intents' pointers, idempotency keys and what each buyer
//! holds: one table.

use std::{cmp::Reverse, collections::BTreeSet};

use aws_sdk_dynamodb::{
    Client,
    types::{Put, TransactWriteItem, Update, builders::PutBuilder},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::task::JoinSet;

use super::{
    Item, KEEP_SECONDS, StoreError, failed, from_item, is_last_page, number, text, to_item,
    unwritable,
};
use crate::purchase::{
    Attempt, Facts, Holds, Mail, Order, PaymentIntentId, Purchase, PurchaseId, Status,
};

/// The purchases table.
#[derive(Clone, Debug)]
pub struct Purchases {
    client: Client,
    table: String,
}

/// A purchase and the version of it that was read.
#[derive(Clone, Debug)]
pub struct Stored {
    /// What it holds.
    pub purchase: Purchase,
    /// Counts its writes; 0 if it was never written.
    pub(crate) version: u64,
}

/// `pk` is the purchase's id.
#[derive(Serialize, Deserialize)]
struct PurchaseItem {
    pk: String,
    sk: String,
    version: u64,
    order: Order,
    attempt: Attempt,
    abandoned: bool,
    facts: Facts,
    mails: BTreeSet<Mail>,
    superseded: BTreeSet<Mail>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    stock_returned: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    doubts: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    confirmed: bool,
    /// Key of the sparse index of purchases that something is still to come of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_shard: Option<String>,
    /// When to ask Stripe what became of it, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_due: Option<i64>,
    /// The buyer's subject, once the purchase belongs in their history: the key of a sparse index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<String>,
    /// When an expired or abandoned purchase may be forgotten; any later fact takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

/// What was recorded of an event: that it was, and what it did.
#[derive(Serialize, Deserialize)]
struct ClaimItem {
    pk: String,
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    recorded_at: i64,
    /// The purchase's version afterwards: much can be recorded within one second.
    #[serde(default)]
    version: u64,
    status: Status,
    changed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

/// A request that must not be carried out twice.
#[derive(Clone, Debug)]
pub struct IdempotentRequest {
    pk: String,
    /// Of what was asked for: the same key may not ask for something else.
    pub(crate) fingerprint: String,
}

impl IdempotentRequest {
    /// How long a key is remembered, as Stripe does it.
    const REMEMBERED_SECONDS: i64 = 24 * 3600;

    /// A buyer's key; another buyer's equal key is another one.
    pub fn new(subject: &str, key: &str, fingerprint: String) -> Self {
        let key = hex::encode(Sha256::digest(key));
        Self {
            pk: format!("idem#{subject}#{key}"),
            fingerprint,
        }
    }
}

/// What an idempotency key stands for.
#[derive(Serialize, Deserialize)]
pub(crate) struct RequestItem {
    pk: String,
    sk: String,
    pub(crate) fingerprint: String,
    pub(crate) purchase_id: PurchaseId,
    /// DynamoDB deletes late, so this is also checked when read.
    ttl: i64,
}

/// What a buyer holds: an attribute for each purchase, named by its id, so that each can be taken
/// away without reading the others.
#[derive(Serialize, Deserialize)]
struct HoldsItem {
    pk: String,
    sk: String,
    /// Counts its writes.
    version: u64,
    ttl: i64,
    #[serde(flatten)]
    holds: Holds,
}

/// What a buyer holds, and the version of it that was read.
#[derive(Clone, Debug, Default)]
pub struct StoredHolds {
    pub(crate) holds: Holds,
    /// 0 if there is none.
    pub(crate) version: u64,
}

const PURCHASE: &str = "purchase";
const REQUEST: &str = "request";
const HOLDS: &str = "open";
const LOOK: &str = "look";
const POINTER: &str = "pointer";
const WORK: &str = "work";
/// What the keys of claims begin with.
const EVENT: &str = "event#";

/// Some of a buyer's purchases, newest first.
#[derive(Debug)]
pub struct Page {
    /// The purchases.
    pub purchases: Vec<Purchase>,
    /// The last of them, if there are more.
    pub next: Option<PurchaseId>,
}

/// A purchase and everything that was recorded of it, oldest first.
#[derive(Debug)]
pub struct Story {
    /// As it is now.
    pub purchase: Purchase,
    /// What was recorded.
    pub events: Vec<Recorded>,
}

/// An event that was recorded.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// Its id, `evt_…`; of what was fetched without an event what was fetched and when.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, in Unix seconds.
    pub recorded_at: i64,
    /// Whether it told anything new.
    pub changed: bool,
    /// How the purchase stood afterwards.
    pub status: Status,
}

/// Purchases that something is still to come of.
#[derive(Debug)]
pub struct Work {
    /// Their ids.
    pub purchases: Vec<PurchaseId>,
    /// Where to go on, if there are more.
    pub next: Option<WorkCursor>,
}

/// A place in the work index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkCursor {
    work_due: i64,
    purchase: PurchaseId,
}

impl Purchases {
    /// The table `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

    /// One, as it is this moment.
    pub async fn get(&self, id: PurchaseId) -> Result<Option<Stored>, StoreError> {
        let item = self.get_item(id.to_string(), PURCHASE).await?;
        item.map(|item| parse(item, id)).transpose()
    }

    /// One with its whole story: all items of its collection, in one query.
    pub async fn story(&self, id: PurchaseId) -> Result<Option<Story>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :id")
            .expression_attribute_values(":id", text(id.to_string()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let (mut purchase, mut events) = (None, Vec::new());
        while let Some(item) = pages.next().await {
            let item = item.map_err(failed("Query"))?;
            let sk = item.get("sk").and_then(|sk| sk.as_s().ok());
            let sk = sk.map(String::as_str);
            match sk.and_then(|sk| sk.strip_prefix(EVENT)) {
                Some(event) => {
                    let event = event.to_owned();
                    let claim: ClaimItem = from_item(item, &event)?;
                    let recorded = Recorded {
                        id: event,
                        kind: claim.kind,
                        recorded_at: claim.recorded_at,
                        changed: claim.changed,
                        status: claim.status,
                    };
                    events.push((claim.version, recorded));
                }
                None if sk == Some(PURCHASE) => purchase = Some(parse(item, id)?.purchase),
                None => {}
            }
        }
        // What changed nothing follows what made the version it was held against.
        events.sort_by_key(|(version, event)| (*version, !event.changed, event.recorded_at));
        let events = events.into_iter().map(|(_, event)| event).collect();
        Ok(purchase.map(|purchase| Story { purchase, events }))
    }

    /// Hands over every purchase made since, in no order. Reads the whole table, which no function
    /// does or may; an operator who wants to see all purchases has no other way.
    pub async fn all(
        &self,
        since: Option<OffsetDateTime>,
        mut take: impl FnMut(Purchase),
    ) -> Result<(), StoreError> {
        let mut items = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("sk = :purchase")
            .expression_attribute_values(":purchase", text(PURCHASE))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed("Scan"))?;
            let id = item.get("pk").and_then(|pk| pk.as_s().ok());
            let id = id.and_then(|id| id.parse::<PurchaseId>().ok());
            let id = id.ok_or_else(|| StoreError::Unreadable {
                key: "of a purchase".to_owned(),
                why: "pk is no purchase id".to_owned(),
            })?;
            if since.is_none_or(|since| id.created_at() >= since) {
                take(parse(item, id)?.purchase);
            }
        }
        Ok(())
    }

    /// Whether an event was recorded for a purchase.
    pub(crate) async fn is_claimed(
        &self,
        purchase: PurchaseId,
        source: &Source,
    ) -> Result<bool, StoreError> {
        let sk = format!("{EVENT}{}", source.id());
        let claim = self.get_item(purchase.to_string(), &sk).await?;
        Ok(claim.is_some())
    }

    /// Whose a payment intent is, as far as it was recorded.
    pub async fn by_payment_intent(
        &self,
        intent: &PaymentIntentId,
    ) -> Result<Option<PurchaseId>, StoreError> {
        #[derive(Deserialize)]
        struct Pointer {
            purchase_id: PurchaseId,
        }
        let key = pointer_key(intent);
        let item = self.get_item(key.clone(), POINTER).await?;
        let pointer: Option<Pointer> = item.map(|item| from_item(item, &key)).transpose()?;
        Ok(pointer.map(|pointer| pointer.purchase_id))
    }

    /// At most `limit` purchases to ask Stripe about by now, the longest waiting first. From an
    /// index: what is to be done is decided on the purchase itself.
    pub async fn work(
        &self,
        now: i64,
        limit: i32,
        after: Option<&WorkCursor>,
    ) -> Result<Work, StoreError> {
        let mut call = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("work")
            .key_condition_expression("work_shard = :work AND work_due <= :now")
            .expression_attribute_values(":work", text(WORK))
            .expression_attribute_values(":now", number(now))
            .limit(limit);
        if let Some(after) = after {
            call = call
                .exclusive_start_key("work_shard", text(WORK))
                .exclusive_start_key("work_due", number(after.work_due))
                .exclusive_start_key("pk", text(after.purchase.to_string()))
                .exclusive_start_key("sk", text(PURCHASE));
        }
        let answer = call.send().await.map_err(failed("Query"))?;
        let place = |item: &Item| {
            Some(WorkCursor {
                work_due: item.get("work_due")?.as_n().ok()?.parse().ok()?,
                purchase: item.get("pk")?.as_s().ok()?.parse().ok()?,
            })
        };
        let items = answer.items.unwrap_or_default();
        let purchases = items.iter().filter_map(place);
        Ok(Work {
            purchases: purchases.map(|place| place.purchase).collect(),
            next: answer.last_evaluated_key.as_ref().and_then(place),
        })
    }

    /// A buyer's purchases, newest first, at most `limit` of those older than `before`. From an
    /// index: it may lag a moment behind.
    pub async fn history(
        &self,
        subject: &str,
        limit: i32,
        before: Option<PurchaseId>,
    ) -> Result<Page, StoreError> {
        let mut call = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("history")
            .key_condition_expression("history = :subject")
            .expression_attribute_values(":subject", text(subject))
            .scan_index_forward(false)
            // One more, to know whether there are more.
            .limit(limit.saturating_add(1));
        if let Some(before) = before {
            call = call
                .exclusive_start_key("history", text(subject))
                .exclusive_start_key("pk", text(before.to_string()))
                .exclusive_start_key("sk", text(PURCHASE));
        }
        let answer = call.send().await.map_err(failed("Query"))?;
        let id_of = |item: &Item| {
            item.get("pk")
                .and_then(|pk| pk.as_s().ok())
                .and_then(|pk| pk.parse().ok())
        };
        let mut purchases = Vec::new();
        for item in answer.items.unwrap_or_default() {
            let id = id_of(&item).ok_or_else(|| StoreError::Unreadable {
                key: "of a purchase in the history index".to_owned(),
                why: "pk is no purchase id".to_owned(),
            })?;
            purchases.push(parse(item, id)?.purchase);
        }
        let is_last = is_last_page(&mut purchases, limit, answer.last_evaluated_key.is_none());
        let next = purchases.last().map(|purchase| purchase.id);
        Ok(Page {
            purchases,
            next: next.filter(|_| !is_last),
        })
    }

    /// What the key of `request` stands for now.
    pub(crate) async fn request(
        &self,
        request: &IdempotentRequest,
        now: i64,
    ) -> Result<Option<RequestItem>, StoreError> {
        let item = self.get_item(request.pk.clone(), REQUEST).await?;
        let item: Option<RequestItem> =
            item.map(|item| from_item(item, &request.pk)).transpose()?;
        Ok(item.filter(|item| item.ttl > now))
    }

    /// What a buyer holds at this moment.
    pub(crate) async fn holds(&self, subject: &str) -> Result<StoredHolds, StoreError> {
        let key = buyer_key(subject);
        let item = self.get_item(key.clone(), HOLDS).await?;
        let item: Option<HoldsItem> = item.map(|item| from_item(item, &key)).transpose()?;
        Ok(item.map_or_else(StoredHolds::default, |item| StoredHolds {
            holds: item.holds,
            version: item.version,
        }))
    }

    /// A buyer's purchases that wait for their payment, the newest first.
    pub async fn open_of(&self, subject: &str, now: i64) -> Result<Vec<Purchase>, StoreError> {
        let held = self.holds(subject).await?;
        let mut reading = JoinSet::new();
        for id in held.holds.open(now) {
            let purchases = self.clone();
            reading.spawn(async move { purchases.get(id).await });
        }
        let mut open = Vec::new();
        for stored in reading.join_all().await {
            let purchase = stored?.map(|stored| stored.purchase);
            open.extend(purchase.filter(Purchase::awaits_payment));
        }
        open.sort_by_key(|purchase| Reverse(purchase.id));
        Ok(open)
    }

    /// What a buyer holds from now on, on condition that it is as it was read.
    pub(crate) fn put_holds(
        &self,
        subject: &str,
        read: &StoredHolds,
        holds: Holds,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = HoldsItem {
            pk: buyer_key(subject),
            sk: HOLDS.to_owned(),
            version: read.version.saturating_add(1),
            ttl: now.saturating_add(KEEP_SECONDS),
            holds,
        };
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(&item)?));
        let put = unchanged(put, read.version);
        Ok(TransactWriteItem::builder()
            .put(put.build().map_err(unwritable)?)
            .build())
    }

    /// What a buyer holds by this purchase from now on. Without a condition: only another transaction
    /// at the same moment can be in its way. `None` if nobody knows whose purchase it is.
    pub(crate) fn note_hold(
        &self,
        purchase: &Purchase,
        now: i64,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(subject) = &purchase.order.buyer.subject else {
            return Ok(None);
        };
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(buyer_key(subject)))
            .key("sk", text(HOLDS))
            .expression_attribute_names("#purchase", purchase.id.to_string())
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", number(now.saturating_add(KEEP_SECONDS)))
            .expression_attribute_values(":one", number(1));
        let update = match purchase.hold() {
            Some(hold) => update
                .update_expression("SET #purchase = :hold, #ttl = :ttl ADD version :one")
                .expression_attribute_values(
                    ":hold",
                    serde_dynamo::to_attribute_value(hold).map_err(unwritable)?,
                ),
            None => update.update_expression("REMOVE #purchase SET #ttl = :ttl ADD version :one"),
        };
        Ok(Some(
            TransactWriteItem::builder()
                .update(update.build().map_err(unwritable)?)
                .build(),
        ))
    }

    /// Whether Stripe may be asked for an open purchase because somebody looks at it: once in
    /// `seconds`, however many look.
    pub async fn claim_look(
        &self,
        id: PurchaseId,
        now: i64,
        seconds: i64,
    ) -> Result<bool, StoreError> {
        const DAY: i64 = 24 * 3600;
        let call = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(id.to_string()))
            .item("sk", text(LOOK))
            .item("looked_at", number(now))
            .item("ttl", number(now.saturating_add(DAY)))
            .condition_expression("attribute_not_exists(pk) OR looked_at <= :before")
            .expression_attribute_values(":before", number(now.saturating_sub(seconds)));
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(refused) if refused.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(failed("PutItem")(error)),
            },
        }
    }

    /// When the table was made, in Unix seconds: nothing in it was bought before.
    pub async fn made_at(&self) -> Result<i64, StoreError> {
        let call = self.client.describe_table().table_name(&self.table);
        let answer = call.send().await.map_err(failed("DescribeTable"))?;
        let made = answer.table.and_then(|table| table.creation_date_time);
        made.map(|made| made.secs())
            .ok_or_else(|| StoreError::Failed {
                operation: "DescribeTable",
                why: "no creation time".to_owned(),
            })
    }

    /// The claim, on condition that there is none.
    pub(crate) fn put_claim(
        &self,
        claim: Claim<'_>,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(&claim.item(now))?))
            .condition_expression("attribute_not_exists(pk)");
        Ok(TransactWriteItem::builder()
            .put(put.build().map_err(unwritable)?)
            .build())
    }

    /// The payment intent's pointer, on condition that it points nowhere else.
    pub(crate) fn put_pointer(
        &self,
        intent: &PaymentIntentId,
        purchase: PurchaseId,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .item("pk", text(pointer_key(intent)))
            .item("sk", text(POINTER))
            .item("purchase_id", text(purchase.to_string()))
            .condition_expression("attribute_not_exists(pk) OR purchase_id = :purchase")
            .expression_attribute_values(":purchase", text(purchase.to_string()));
        Ok(TransactWriteItem::builder()
            .put(put.build().map_err(unwritable)?)
            .build())
    }

    /// What the key stands for from now on, on condition that it is free: never used, forgotten,
    /// or standing for `replaced`.
    pub(crate) fn put_request(
        &self,
        request: &IdempotentRequest,
        purchase_id: PurchaseId,
        replaced: Option<PurchaseId>,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = RequestItem {
            pk: request.pk.clone(),
            sk: REQUEST.to_owned(),
            fingerprint: request.fingerprint.clone(),
            purchase_id,
            ttl: now.saturating_add(IdempotentRequest::REMEMBERED_SECONDS),
        };
        let mut put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(&item)?))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(now));
        put = match replaced {
            Some(replaced) => put
                .condition_expression(
                    "attribute_not_exists(pk) OR #ttl <= :now OR purchase_id = :replaced",
                )
                .expression_attribute_values(":replaced", text(replaced.to_string())),
            None => put.condition_expression("attribute_not_exists(pk) OR #ttl <= :now"),
        };
        Ok(TransactWriteItem::builder()
            .put(put.build().map_err(unwritable)?)
            .build())
    }

    /// The purchase's next version, on condition that the version read is still there.
    pub(crate) fn put_purchase(
        &self,
        stored: &Stored,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        let Purchase {
            id,
            order,
            attempt,
            abandoned,
            facts,
            mails,
            superseded,
            stock_returned,
            doubts,
            confirmed,
        } = stored.purchase.clone();
        let work_due = stored.purchase.next_check(now);
        let item = PurchaseItem {
            pk: id.to_string(),
            sk: PURCHASE.to_owned(),
            version: stored.version.saturating_add(1),
            history: order
                .buyer
                .subject
                .clone()
                .filter(|_| stored.purchase.is_in_history()),
            ttl: stored
                .purchase
                .is_over()
                .then(|| now.saturating_add(KEEP_SECONDS)),
            order,
            attempt,
            abandoned,
            facts,
            mails,
            superseded,
            stock_returned,
            doubts,
            confirmed,
            work_shard: work_due.map(|_| WORK.to_owned()),
            work_due,
        };
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(&item)?));
        let put = unchanged(put, stored.version);
        Ok(TransactWriteItem::builder()
            .put(put.build().map_err(unwritable)?)
            .build())
    }

    async fn get_item(&self, pk: String, sk: &str) -> Result<Option<Item>, StoreError> {
        let call = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .consistent_read(true);
        Ok(call.send().await.map_err(failed("GetItem"))?.item)
    }
}

/// Where something that was said of a purchase comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An event.
    Event {
        /// Its id, `evt_…`.
        id: String,
        /// Its type.
        kind: String,
    },
    /// An object that was fetched, because an event may have been missed.
    Fetched {
        /// The object's id.
        object: String,
        /// When, in Unix seconds.
        at: i64,
    },
}

impl Source {
    fn id(&self) -> String {
        match self {
            Self::Event { id, .. } => id.clone(),
            Self::Fetched { object, at } => format!("fetched#{object}#{at}"),
        }
    }

    fn kind(&self) -> &str {
        match self {
            Self::Event { kind, .. } => kind,
            Self::Fetched { .. } => "fetched",
        }
    }
}

/// That an event was recorded for a purchase.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) stored: &'a Stored,
    pub(crate) source: &'a Source,
    pub(crate) changed: bool,
}

impl Claim<'_> {
    fn item(self, now: i64) -> ClaimItem {
        let Stored { purchase, version } = self.stored;
        ClaimItem {
            pk: purchase.id.to_string(),
            sk: format!("{EVENT}{}", self.source.id()),
            kind: self.source.kind().to_owned(),
            recorded_at: now,
            version: version.saturating_add(self.changed.into()),
            status: purchase.status(),
            changed: self.changed,
            ttl: purchase.is_over().then(|| now.saturating_add(KEEP_SECONDS)),
        }
    }
}

/// On condition that the item is still of the version that was read; 0 if there was none.
fn unchanged(put: PutBuilder, version: u64) -> PutBuilder {
    match version {
        0 => put.condition_expression("attribute_not_exists(pk)"),
        version => put
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(version)),
    }
}

fn buyer_key(subject: &str) -> String {
    format!("buyer#{subject}")
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn pointer_key(intent: &PaymentIntentId) -> String {
    format!("intent#{intent}")
}

pub(super) fn parse(item: Item, id: PurchaseId) -> Result<Stored, StoreError> {
    let item: PurchaseItem = from_item(item, &id.to_string())?;
    let purchase = Purchase {
        id,
        order: item.order,
        attempt: item.attempt,
        abandoned: item.abandoned,
        facts: item.facts,
        mails: item.mails,
        superseded: item.superseded,
        stock_returned: item.stock_returned,
        doubts: item.doubts,
        confirmed: item.confirmed,
    };
    Ok(Stored {
        purchase,
        version: item.version,
    })
}
