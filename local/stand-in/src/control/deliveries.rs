//! Events on their way: seen, held back, sent again and dropped.

use serde::Serialize;

use super::{ControlError, Controlled};
use crate::account::object::Account;
use crate::webhook::history::{self, Delivery};
use crate::webhook::queue;
use crate::webhook::resend::{Resent, resend};

/// What has become of the events.
#[derive(Debug, Serialize)]
pub(super) struct Deliveries {
    /// Whether they are held back.
    held: bool,
    /// How many there are, listed or not.
    found: u32,
    /// How many of them are still to be made.
    pending: u32,
    /// Newest first.
    deliveries: Vec<Delivery>,
}

impl Account {
    /// So many of the newest webhook deliveries, or all, with every try.
    pub(super) async fn deliveries(&self, most: Option<u32>) -> Controlled<Deliveries> {
        self.command(move |transaction| {
            let (found, pending) = history::count(transaction)?;
            Ok(Deliveries {
                held: queue::is_held(transaction)?,
                found,
                pending,
                deliveries: history::newest(transaction, most)?,
            })
        })
        .await
    }

    /// Whether an event is being delivered, or due and not held back.
    pub async fn is_delivering(&self) -> Controlled<bool> {
        self.command(|transaction| Ok(!queue::due(transaction, 1)?.is_empty()))
            .await
    }

    /// Delivers an event again, even while deliveries are held.
    pub async fn resend(&self, event: &str) -> Controlled<()> {
        let event = event.to_owned();
        self.command(move |transaction| match resend(transaction, &event)? {
            Resent::Due => Ok(()),
            Resent::NoSuchEvent => Err(ControlError::NoSuch {
                kind: "event",
                id: event,
            }),
            Resent::NoEndpoint => Err(ControlError::Refused(
                "there is no webhook endpoint to send it to: make one at /v1/webhook_endpoints"
                    .to_owned(),
            )),
        })
        .await
    }

    /// Drops an event that is not delivered yet.
    pub(crate) async fn discard(&self, event: &str) -> Controlled<()> {
        let event = event.to_owned();
        self.command(
            move |transaction| match queue::discard(transaction, &event)? {
                true => Ok(()),
                false => Err(ControlError::NoSuch {
                    kind: "event waiting for delivery",
                    id: event,
                }),
            },
        )
        .await
    }

    /// Holds all deliveries back, or lets them go. Events can then be sent in any order, one by one.
    pub(crate) async fn hold_deliveries(&self, held: bool) -> Controlled<()> {
        self.command(move |transaction| Ok(queue::hold(transaction, held)?))
            .await
    }
}
