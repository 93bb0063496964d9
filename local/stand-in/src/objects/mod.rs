//! What the API shows. Each struct holds what can differ from one object to another; its `answer` is
//! the whole object, with the fields that are the same for every payment of this shop.

mod balance;
mod charge;
mod dispute;
mod payment_intent;
mod promotion;
mod refund;
mod session;
mod webhook_endpoint;

use std::collections::BTreeMap;

use anyhow::bail;
use serde_json::Value;

use super::database::{Object, Transaction};
use super::events::Event;

pub(super) use self::balance::{BalanceTransaction, Entry};
pub(super) use self::charge::{BankDebit, Charge, ChargeStatus, Method, Voucher};
pub(super) use self::dispute::{Dispute, EVIDENCE};
pub use self::dispute::{DisputeKind, DisputeStatus};
pub(super) use self::payment_intent::{
    PaymentError, PaymentIntent, PaymentIntentStatus, PendingVoucher,
};
pub(super) use self::promotion::{Coupon, Limits, Off, PromotionCode};
pub(super) use self::refund::{Destination, Refund, RefundFailure, RefundStatus};
pub(super) use self::session::{
    Discount, LineItem, PaymentIntentData, PaymentStatus, Product, Session, SessionStatus,
};
pub(super) use self::webhook_endpoint::WebhookEndpoint;

pub(super) type Metadata = BTreeMap<String, String>;

/// The object with this id as the API shows it.
pub(super) fn answer(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<Option<Value>> {
    fn of<T: Object>(body: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str::<T>(body)?.answer())
    }
    let Some(row) = transaction.row(id)? else {
        return Ok(None);
    };
    let answer = match row.kind.as_str() {
        Session::KIND => of::<Session>(&row.body),
        PaymentIntent::KIND => of::<PaymentIntent>(&row.body),
        Charge::KIND => of::<Charge>(&row.body),
        Refund::KIND => of::<Refund>(&row.body),
        Dispute::KIND => of::<Dispute>(&row.body),
        BalanceTransaction::KIND => of::<BalanceTransaction>(&row.body),
        WebhookEndpoint::KIND => of::<WebhookEndpoint>(&row.body),
        Coupon::KIND => of::<Coupon>(&row.body),
        PromotionCode::KIND => of::<PromotionCode>(&row.body),
        Product::KIND => of::<Product>(&row.body),
        Event::KIND => of::<Event>(&row.body),
        kind => bail!("{id} is of the unknown kind {kind}"),
    };
    answer.map(Some)
}

/// Adds the fields that no payment of this shop fills.
fn with_nulls(mut answer: Value, fields: &[&str]) -> Value {
    if let Value::Object(answer) = &mut answer {
        answer.extend(
            fields
                .iter()
                .map(|field| ((*field).to_owned(), Value::Null)),
        );
    }
    answer
}

/// Stripe's page about an error code.
pub(super) fn doc_url(code: &str) -> String {
    format!(
        "https://stripe.com/docs/error-codes/{}",
        code.replace('_', "-")
    )
}
