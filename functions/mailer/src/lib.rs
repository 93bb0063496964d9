//! Sends outbox rows as mails, or publishes them as events: at once when a row is written, and by
//! schedule when one is due again.
//!
//! A mail that cannot be sent now is postponed in its row, and the stream is told that all went
//! well, so that one bad mail never holds up the others. Only if DynamoDB itself fails is the
//! record handed back. If the mailer crashes after SES accepted a mail but before its row says so,
//! it is sent twice.

mod publishing;
mod sales;
mod sending;
mod stock;

use std::{fmt::Display, time::Duration};

use aws_lambda_events::{
    event::dynamodb::Event as StreamEvent,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use serde::Deserialize;
use serde_json::Value;
use shared::{
    aws::{self, call::Service},
    bus::Bus,
    clock::Clock,
    config::{ConfigError, Environment, SaleMails},
    email::{self, Address, Letterhead, Postman, compose},
    purchase::Mail,
    store::{
        StoreError, Tables,
        due::{Claimed, DueMails, End},
        outbox::Row,
    },
    telemetry::Metric,
};
use tokio::time::Instant;

/// How many rows one scheduled run handles.
const ROWS_A_RUN: i32 = 50;

/// After this many attempts, about two weeks, a mail is given up: enough time for the seller to get
/// a sender verified again.
const MOST_ATTEMPTS: u32 = 64;

/// After this many, about eight hours, somebody should know.
const MANY_ATTEMPTS: u32 = 10;

/// For how long a row that only a later version of the code can read is left to that: a mailer of it is
/// at work beside this one, or will be once somebody deploys it again.
const LATER_SECONDS: i64 = 15 * 60;

/// A run starts no more mails after this long, so that the function's time limit in `template.yaml`
/// cuts none off between being sent and being marked as sent.
const START_NONE_AFTER: Duration = Duration::from_secs(15);

/// The function: sends what is in the outbox.
#[derive(Clone)]
pub struct Mailer {
    outbox: DueMails,
    postman: Postman,
    bus: Bus,
    shop: Letterhead,
    seller: Address,
    sale_mails: SaleMails,
    developer: Address,
    clock: Clock,
}

impl Mailer {
    /// Reads from the environment whose mails these are and how they are sent; fails if an address
    /// in it is not valid for mail.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let address = |name: &'static str| {
            let address = environment.required(name)?.parse::<Address>();
            address.map_err(|error| ConfigError::Wrong {
                name,
                wrong: error.to_string(),
            })
        };
        aws::prepare(environment, Service::DynamoDb)?;
        aws::prepare(environment, Service::Ses)?;
        aws::prepare(environment, Service::EventBridge)?;
        let outbox = DueMails::of(&Tables::of(environment)?)?;
        let shop = Letterhead {
            name: environment.required("SHOP_NAME")?.to_owned(),
            site_url: environment.site_url()?,
            mode: environment.mode()?,
            stripe_dashboard: environment
                .optional("STRIPE_DASHBOARD_URL")
                .unwrap_or("https://dashboard.stripe.com")
                .to_owned(),
        };
        let seller = address("SELLER_EMAIL")?;
        let answers = match environment.optional("MAIL_REPLY_TO") {
            Some(_) => address("MAIL_REPLY_TO")?,
            None => seller.clone(),
        };
        let (ses, from) = (email::client(environment)?, address("MAIL_FROM")?);
        Ok(Self {
            outbox,
            bus: Bus::of(environment)?,
            postman: Postman::new(ses, &shop.name, &from, answers),
            shop,
            seller,
            sale_mails: environment.sale_mails()?,
            developer: address("DEVELOPER_EMAIL")?,
            clock: environment.clock(),
        })
    }

    /// Sends the rows of a stream's batch or, for any other event, those that are due. Fails only
    /// if a stream's event cannot be read.
    pub async fn handle(&self, event: Value) -> Result<Value, serde_json::Error> {
        if event.get("Records").is_some() {
            let batch: StreamEvent = serde_json::from_value(event)?;
            serde_json::to_value(self.work_off_batch(batch).await)
        } else {
            // What this run does not do is still due in the next one.
            let outcome = self.work_off_due().await;
            outcome.unwrap_or_else(
                |error| tracing::error!(%error, "the outbox could not be processed"),
            );
            Ok(Value::Null)
        }
    }

    async fn work_off_batch(&self, batch: StreamEvent) -> DynamoDbEventResponse {
        let began = Instant::now();
        let mut response = DynamoDbEventResponse::default();
        for record in batch.records {
            let Ok(Key { id }) = serde_dynamo::from_item(record.change.keys) else {
                continue;
            };
            if began.elapsed() > START_NONE_AFTER {
                // It stays due, and the schedule finds it.
                break;
            }
            if let Err(error) = self.work_off(&id).await {
                tracing::error!(row = id, %error, "the outbox could not be processed");
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = record.change.sequence_number;
                response.batch_item_failures.push(failure);
            }
        }
        response
    }

    async fn work_off_due(&self) -> Result<(), StoreError> {
        let began = Instant::now();
        for id in self.outbox.ids(self.clock.now(), ROWS_A_RUN).await? {
            if began.elapsed() > START_NONE_AFTER {
                break;
            }
            if let Err(error) = self.work_off(&id).await {
                tracing::error!(row = id, %error, "the outbox could not be processed");
            }
        }
        Ok(())
    }

    /// Sends what one row orders, if it is this mailer's to send.
    async fn work_off(&self, id: &str) -> Result<(), StoreError> {
        match self.outbox.claim(id, self.clock.now()).await {
            Ok(Some(claimed)) => self.work_off_claimed(id, claimed).await,
            Ok(None) => Ok(()),
            Err(error @ StoreError::Unreadable { .. }) => self.give_up(MAIL, id, &error).await,
            Err(error) => Err(error),
        }
    }

    async fn work_off_claimed(&self, id: &str, claimed: Claimed) -> Result<(), StoreError> {
        match claimed {
            Claimed::Mail(row) if row.mail == Mail::Sold => self.work_off_sale(*row).await,
            Claimed::Mail(row) => self.work_off_mail(&row).await,
            Claimed::Stock(row) => self.work_off_stock(&row).await,
            Claimed::Event(row) => self.work_off_event(&row).await,
            Claimed::Later { attempts } => {
                tracing::info!(row = id, "a later version's mailer has to send this");
                let at = self.clock.now().saturating_add(LATER_SECONDS);
                self.outbox.wait((id, attempts), at).await
            }
        }
    }

    async fn work_off_mail(&self, row: &Row) -> Result<(), StoreError> {
        if row.superseded {
            return self.leave_out(&row.id, "was no longer true").await;
        }
        let letter = compose(&row.mail, &row.content, &self.shop);
        let outgoing = self.of_row(row, letter);
        let outcome = self.hand_over(row.attempts, outgoing).await;
        self.mark((&row.id, row.attempts), &outcome).await
    }

    /// Ends a row whose mail is not sent.
    async fn leave_out(&self, row: &str, why: &str) -> Result<(), StoreError> {
        tracing::info!(row, "a mail {why}, so it was not sent");
        let now = self.clock.now();
        self.outbox.finish(row, End::Superseded, now).await
    }

    /// Puts a claimed row back until it is worth another try. What is blocked is so until somebody
    /// does something about it.
    async fn postpone(
        &self,
        thing: Thing,
        (row, attempts): (&str, u32),
        is_blocked: bool,
        error: &impl Display,
    ) -> Result<(), StoreError> {
        let wait_seconds = seconds_before(attempts);
        let Thing { name, failed } = thing;
        if is_blocked || attempts >= MANY_ATTEMPTS {
            let metric = failed.as_str();
            tracing::error!(metric, row, %error, attempts, wait_seconds, "{name} keeps being postponed");
        } else {
            tracing::warn!(row, %error, attempts, wait_seconds, "{name} was postponed");
        }
        let at = self.clock.now().saturating_add(wait_seconds);
        let claimed = (row, attempts);
        self.outbox.postpone(claimed, at, &error.to_string()).await
    }

    async fn give_up(
        &self,
        Thing { name, failed }: Thing,
        row: &str,
        error: &impl Display,
    ) -> Result<(), StoreError> {
        let metric = failed.as_str();
        tracing::error!(metric, row, %error, "{name} was given up");
        let reason = error.to_string();
        let end = End::Failed(&reason);
        self.outbox.finish(row, end, self.clock.now()).await
    }
}

/// What a row orders: its name in the log, and the metric of those that fail.
#[derive(Clone, Copy)]
struct Thing {
    name: &'static str,
    failed: Metric,
}

const MAIL: Thing = Thing {
    name: "a mail",
    failed: Metric::MailFailed,
};

/// The key of an outbox row.
#[derive(Deserialize)]
struct Key {
    id: String,
}

/// One minute, two, four … up to six hours.
fn seconds_before(next_attempt: u32) -> i64 {
    let doublings = next_attempt.saturating_sub(1).min(9);
    60_i64.saturating_mul(1 << doublings).min(6 * 3600)
}
