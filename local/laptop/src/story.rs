//! The story of a purchase, and a purchase as JSON with the HTTP API's names: what the dashboard and
//! the operator's commands show.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use shared::money::Money;
use shared::product::ProductId;
use shared::purchase::{
    Accounts, Attention, Buyer, DisputeId, DisputeStatus, DisputeTerms, Mail, Movement, Purchase,
    PurchaseId, RefundId, RefundState, SessionId, SessionState, Status,
};
use shared::store::operator::{AllPurchases, Mails, Recorded};
use shared::store::outbox;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A purchase as the HTTP API shows it to its buyer, and what the seller knows besides.
#[derive(Serialize)]
pub struct View<'a> {
    id: PurchaseId,
    status: Status,
    created_at: String,
    total: Money,
    #[serde(flatten)]
    accounts: Accounts,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    attention: BTreeSet<Attention>,
    buyer: &'a Buyer,
    lines: Vec<LineView<'a>>,
    sessions: Vec<SessionView<'a>>,
    refunds: Vec<RefundView<'a>>,
    disputes: Vec<DisputeView<'a>>,
}

#[derive(Serialize)]
struct LineView<'a> {
    product_id: &'a ProductId,
    name: &'a str,
    quantity: u32,
    unit_amount: i64,
    reserved: bool,
}

#[derive(Serialize)]
struct SessionView<'a> {
    id: &'a SessionId,
    #[serde(flatten)]
    state: &'a SessionState,
}

#[derive(Serialize)]
struct RefundView<'a> {
    id: &'a RefundId,
    status: RefundState,
    amount: Money,
}

#[derive(Serialize)]
struct DisputeView<'a> {
    id: &'a DisputeId,
    status: DisputeStatus,
    #[serde(flatten)]
    terms: &'a DisputeTerms,
    /// What it moved, in the currency of the seller's balance.
    balance: Vec<Movement>,
}

/// An event that was recorded.
#[derive(Serialize)]
struct EventView<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    recorded_at: String,
    changed: bool,
    status: Status,
}

/// A mail that was called for.
#[derive(Serialize)]
struct MailView<'a> {
    mail: &'a Mail,
    /// `gone` if its row is not kept any more.
    state: &'static str,
    attempts: u32,
    /// Why it was given up, or the latest attempt came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
}

/// A purchase, what was recorded of it, and the mail it called for.
pub struct Story {
    /// As it stands.
    pub purchase: Purchase,
    /// What was recorded of it, oldest first.
    pub events: Vec<Recorded>,
    /// The mail it called for, each with its row while that is kept.
    pub mails: Vec<(Mail, Option<outbox::Row>)>,
}

impl<'a> View<'a> {
    /// Shows it.
    pub fn of(purchase: &'a Purchase) -> Self {
        let lines = purchase.order().lines.iter().map(|line| LineView {
            product_id: &line.product_id,
            name: &line.name,
            quantity: line.quantity,
            unit_amount: line.unit_amount,
            reserved: line.reserved,
        });
        let sessions = purchase.sessions().iter();
        let refunds = purchase.payment().refunds().iter();
        let disputes = purchase.payment().disputes().iter();
        Self {
            id: purchase.id(),
            status: purchase.status(),
            created_at: rfc3339(purchase.id().created_at().unix_timestamp()),
            total: purchase.order().total,
            accounts: purchase.accounts(),
            attention: purchase.attention(),
            buyer: &purchase.order().buyer,
            lines: lines.collect(),
            sessions: sessions
                .map(|(id, state)| SessionView { id, state })
                .collect(),
            refunds: refunds
                .map(|(id, refund)| RefundView {
                    id,
                    status: refund.state,
                    amount: refund.amount,
                })
                .collect(),
            disputes: disputes
                .filter_map(|(id, dispute)| {
                    Some(DisputeView {
                        id,
                        status: dispute.status()?,
                        terms: dispute.terms()?,
                        balance: dispute.movements.values().copied().collect(),
                    })
                })
                .collect(),
        }
    }
}

impl Story {
    /// All of it; `None` if there is no such purchase.
    pub async fn read(
        purchases: &AllPurchases,
        mails: &Mails,
        id: PurchaseId,
    ) -> anyhow::Result<Option<Self>> {
        let Some(recorded) = purchases.story(id).await? else {
            return Ok(None);
        };
        let rows = stream::iter(recorded.purchase.mails().clone()).map(|mail| async move {
            let row = mails.get(id.into(), &mail).await?;
            anyhow::Ok((mail, row))
        });
        let mut mails: Vec<_> = rows.buffered(8).try_collect().await?;
        mails.sort_by_key(|(_, row)| row.as_ref().map(|row| row.created_at));
        Ok(Some(Self {
            purchase: recorded.purchase,
            events: recorded.events,
            mails,
        }))
    }

    /// As JSON.
    pub fn json(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Whole<'a> {
            purchase: View<'a>,
            events: Vec<EventView<'a>>,
            mails: Vec<MailView<'a>>,
        }
        let events = self.events.iter().map(|event| EventView {
            id: &event.id,
            kind: &event.kind,
            recorded_at: rfc3339(event.recorded_at),
            changed: event.changed,
            status: event.status,
        });
        let mails = self.mails.iter().map(|(mail, row)| {
            let row = row.as_ref();
            MailView {
                mail,
                state: row.map_or("gone", |row| row.state.as_str()),
                attempts: row.map(|row| row.attempts).unwrap_or_default(),
                reason: row.and_then(|row| row.reason.as_deref()),
                created_at: row.map(|row| rfc3339(row.created_at)),
                finished_at: row.and_then(|row| row.finished_at).map(rfc3339),
                next_attempt_at: row.and_then(|row| row.next_attempt).map(rfc3339),
            }
        });
        serde_json::to_value(Whole {
            purchase: View::of(&self.purchase),
            events: events.collect(),
            mails: mails.collect(),
        })
        .unwrap_or_default()
    }
}

fn rfc3339(unix: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&Rfc3339).unwrap_or_default()
}
