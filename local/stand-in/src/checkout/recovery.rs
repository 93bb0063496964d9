//! An expired session that its shop lets be begun again:
//! <https://docs.stripe.com/payments/checkout/abandoned-carts>.

use serde_json::{Value, json};

use crate::checkout::object::{Session, SessionStatus};
use crate::engine::ids::SessionId;
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::payment::intent::WrongState;
use crate::promotion;

/// How long an expired session can be begun again.
const RECOVERABLE: Timestamp = 30 * DAY;

/// An expired session leads to a new one like it, if the shop wants that.
pub(super) fn offer(session: &mut Session) {
    if !session.asks_for("/after_expiration/recovery/enabled") {
        return;
    }
    let url = session.url.replace("/pay/", "/recover/");
    let until = session.expires_at.saturating_add(RECOVERABLE);
    if let Some(recovery) = shown(session) {
        recovery["url"] = json!(url);
        recovery["expires_at"] = json!(until);
    }
}

/// What a session shows of it.
fn shown(session: &mut Session) -> Option<&mut Value> {
    session
        .asked
        .get_mut("after_expiration")?
        .get_mut("recovery")
}

/// Begins an expired session again, as a new one.
pub(crate) fn recover(
    transaction: &Transaction<'_>,
    expired: &Session,
) -> anyhow::Result<Result<Session, WrongState>> {
    let until = expired.asked_at("/after_expiration/recovery/expires_at");
    let is_open = until.and_then(Value::as_i64);
    if is_open.is_none_or(|until| until < transaction.now) {
        return Ok(Err(WrongState));
    }
    let id = SessionId::random();
    let mut session = Session {
        created: transaction.now,
        expires_at: transaction.now.saturating_add(DAY),
        status: SessionStatus::Open,
        payment_intent: None,
        invoice: None,
        subscription: None,
        setup_intent: expired
            .setup_intent
            .clone()
            .filter(|_| expired.is_for_setup()),
        url: expired.url.replace(&*expired.id, &id),
        recovered_from: Some(expired.id.clone()),
        id,
        ..expired.clone()
    };
    if let Some(recovery) = shown(&mut session) {
        recovery["url"] = json!(null);
        recovery["expires_at"] = json!(null);
        let codes = recovery["allow_promotion_codes"].clone();
        session
            .asked
            .insert("allow_promotion_codes".to_owned(), codes);
    }
    promotion::life::reckon(transaction, &mut session)?;
    session.reckon();
    transaction.put(&session)?;
    Ok(Ok(session))
}
