//! Any object by its id alone, as the API shows it.

use anyhow::bail;
use serde_json::Value;

use crate::account::balance::BalanceTransaction;
use crate::checkout::object::{Product, Session};
use crate::dispute::object::Dispute;
use crate::engine::database::Transaction;
use crate::engine::resource::Object;
use crate::payment::charge::Charge;
use crate::payment::intent::PaymentIntent;
use crate::promotion::object::{Coupon, PromotionCode};
use crate::refund::object::Refund;
use crate::webhook::endpoint::WebhookEndpoint;
use crate::webhook::event::Event;

/// The object with this id as the API shows it.
pub(crate) fn answer(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<Option<Value>> {
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
