//! Promotion codes: what they take off a session, and when they do not.

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::checkout::object::{Discount, Session};
use crate::engine::filter::{Cursor, Filter};
use crate::engine::ids::{CouponId, PromotionCodeId};
use crate::engine::transaction::Transaction;
use crate::promotion::object::{Coupon, Off, PromotionCode};

/// 100 %.
const EVERYTHING: u32 = 10_000;

/// Why a code does not do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoDiscount {
    /// There is none like that, or it is used up.
    Invalid,
    /// The coupon takes off another currency.
    OtherCurrency,
    /// The order is too small for it.
    BelowMinimum(Amount),
    /// What would be left is less than can be charged.
    TooLittleLeft,
}

/// The active code that reads like this, in whatever case.
pub(crate) fn find_active(
    transaction: &Transaction<'_>,
    code: &str,
) -> anyhow::Result<Option<PromotionCode>> {
    let alike = Filter::default().and(
        "lower(shown ->> '$.code') = lower(?) AND shown ->> '$.active'",
        [code.to_owned().into()],
    );
    let found = transaction.some(Cursor::OlderThan(i64::MAX), 1, &alike)?;
    Ok(found.into_iter().next())
}

/// Takes a code's discount off an open session, instead of an earlier one.
pub(crate) fn apply(
    transaction: &Transaction<'_>,
    session: &mut Session,
    code: &str,
) -> anyhow::Result<Result<(), NoDiscount>> {
    let Some(code) = find_active(transaction, code.trim())? else {
        return Ok(Err(NoDiscount::Invalid));
    };
    let Some(coupon) = transaction.get::<Coupon>(&code.coupon)? else {
        return Ok(Err(NoDiscount::Invalid));
    };
    match take_off(session, Some(&code), &coupon) {
        Ok(()) => transaction.put(session).map(Ok),
        Err(why) => Ok(Err(why)),
    }
}

/// Takes a coupon, by one of its codes or by itself, off a session in the making.
pub(crate) fn take_off(
    session: &mut Session,
    code: Option<&PromotionCode>,
    coupon: &Coupon,
) -> Result<(), NoDiscount> {
    let discount = discount(session, code, coupon)?;
    set(session, Some(discount));
    Ok(())
}

/// Takes a discount away again.
pub(crate) fn remove(transaction: &Transaction<'_>, session: &mut Session) -> anyhow::Result<()> {
    set(session, None);
    transaction.put(session)
}

/// What is bought has changed: the discount is another, or none.
pub(crate) fn reckon(transaction: &Transaction<'_>, session: &mut Session) -> anyhow::Result<()> {
    let Some(had) = session.discount.take() else {
        return Ok(());
    };
    let code: Option<PromotionCode> = match &had.promotion_code {
        Some(code) => Some(transaction.existing(code)?),
        None => None,
    };
    let discount = match transaction.get::<Coupon>(&had.coupon)? {
        Some(coupon) => discount(session, code.as_ref(), &coupon),
        // Whoever had it before it was deleted keeps it.
        None => worth(session, code.as_ref(), &had.off).map(|amount| Discount { amount, ..had }),
    };
    set(session, discount.ok());
    Ok(())
}

fn set(session: &mut Session, discount: Option<Discount>) {
    session.discount = discount;
    session.reckon();
}

fn discount(
    session: &Session,
    code: Option<&PromotionCode>,
    coupon: &Coupon,
) -> Result<Discount, NoDiscount> {
    let is_open = code.is_none_or(|code| code.active && code.limits.allow_one_more());
    if !is_open || !coupon.limits.allow_one_more() {
        return Err(NoDiscount::Invalid);
    }
    Ok(Discount {
        coupon: coupon.id.clone(),
        promotion_code: code.map(|code| code.id.clone()),
        off: coupon.off.clone(),
        amount: worth(session, code, &coupon.off)?,
    })
}

/// What a discount takes off the session as it stands.
fn worth(session: &Session, code: Option<&PromotionCode>, off: &Off) -> Result<Amount, NoDiscount> {
    let subtotal = session.subtotal();
    match code.and_then(|code| code.minimum.as_ref()) {
        Some((_, currency)) if *currency != session.currency => {
            return Err(NoDiscount::OtherCurrency);
        }
        Some((minimum, _)) if subtotal < *minimum => {
            return Err(NoDiscount::BelowMinimum(*minimum));
        }
        _ => {}
    }
    let amount = match off {
        Off::Percent(hundredths) => share(subtotal, *hundredths, session.currency),
        Off::Amount { currency, .. } if *currency != session.currency => {
            return Err(NoDiscount::OtherCurrency);
        }
        Off::Amount { amount, .. } => subtotal.min(*amount),
    };
    let left = subtotal.minus(amount);
    if left > Amount::ZERO && left < session.currency.minimum() {
        return Err(NoDiscount::TooLittleLeft);
    }
    Ok(amount)
}

/// So many hundredths of a percent, rounded half up, in what the currency can be charged in.
fn share(amount: Amount, hundredths: u32, currency: Currency) -> Amount {
    let share = amount.share(hundredths.into(), EVERYTHING.into());
    share.minus(share.beyond(currency.step()))
}

/// Counts that a session with a discount is complete.
pub(crate) fn redeem(transaction: &Transaction<'_>, session: &Session) -> anyhow::Result<()> {
    let Some(discount) = &session.discount else {
        return Ok(());
    };
    let code = discount.promotion_code.as_ref();
    count(transaction, &discount.coupon, code)
}

/// Counts one more redemption of a coupon, and of the code that led to it.
pub(crate) fn count(
    transaction: &Transaction<'_>,
    coupon: &CouponId,
    code: Option<&PromotionCodeId>,
) -> anyhow::Result<()> {
    // A coupon that was deleted in the meantime lets no code go on.
    let mut allows_one_more = false;
    if let Some(mut coupon) = transaction.get::<Coupon>(coupon)? {
        coupon.limits.redeemed = coupon.limits.redeemed.saturating_add(1);
        transaction.put(&coupon)?;
        allows_one_more = coupon.limits.allow_one_more();
    }
    let Some(code) = code else {
        return Ok(());
    };
    let mut code: PromotionCode = transaction.existing(code)?;
    code.limits.redeemed = code.limits.redeemed.saturating_add(1);
    code.active = code.active && code.limits.allow_one_more() && allows_one_more;
    transaction.put(&code)
}

/// The time of a coupon is over.
pub(crate) fn end_coupon(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut coupon: Coupon = transaction.existing(id)?;
    coupon.limits.is_over = true;
    transaction.put(&coupon)
}

/// The time of a promotion code is over.
pub(crate) fn end_code(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut code: PromotionCode = transaction.existing(id)?;
    code.limits.is_over = true;
    code.active = false;
    transaction.put(&code)
}

/// Codes that a developer can try, the newest first.
pub(crate) fn to_try(transaction: &Transaction<'_>) -> anyhow::Result<Vec<PromotionCode>> {
    let active = Filter::default().and("shown ->> '$.active'", []);
    transaction.some(Cursor::OlderThan(i64::MAX), 5, &active)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn a_share_is_rounded_to_what_can_be_charged() {
        let share = |amount, hundredths, currency| {
            share(Amount::new(amount), hundredths, currency).minor_units()
        };
        assert_eq!(share(1_500, 1_000, of("usd")), 150);
        assert_eq!(share(1_005, 1_000, of("usd")), 101);
        assert_eq!(share(1_500, EVERYTHING, of("usd")), 1_500);
        assert_eq!(share(5_120, 333, of("kwd")), 170);
        assert_eq!(
            share(999_999_999_999, EVERYTHING, of("idr")),
            999_999_999_999
        );
    }
}
