//! What a change leads to: mails and returned stock.

use proptest::prelude::*;

use super::*;

#[test]
fn the_mail_of_a_refund_that_waits_for_the_buyer_is_not_taken_back() {
    let mut purchase = purchase();
    let steps = [
        RefundState::Pending,
        RefundState::RequiresAction,
        RefundState::Succeeded,
    ];
    for state in steps {
        let effects = purchase.record(refund("re_1", state, 500)).unwrap();
        assert!(effects.superseded.is_empty(), "{state:?}");
    }
    let effects = purchase
        .record(refund("re_1", RefundState::Failed, 500))
        .unwrap();
    assert_eq!(
        effects.superseded,
        [Mail::Refund("re_1".to_owned().into())].into()
    );
}

#[test]
fn the_mail_of_a_payment_on_its_way_is_not_taken_back_while_a_voucher_waits() {
    let mut purchase = purchase();
    let voucher = WaitsFor::Buyer { voucher_url: None };
    for waits_for in [WaitsFor::Unknown, voucher, WaitsFor::Bank] {
        let pending = SessionState::Pending { waits_for };
        let change = Change::Session("cs_1".to_owned().into(), pending);
        let effects = purchase.record(change).unwrap();
        assert!(!effects.superseded.contains(&Mail::Pending));
    }
    let change = Change::Session("cs_1".to_owned().into(), SessionState::Failed);
    let effects = purchase.record(change).unwrap();
    assert_eq!(effects.superseded, [Mail::Pending].into());
}

#[test]
fn only_a_mail_about_how_things_stand_is_taken_back_when_it_is_no_longer_true() {
    let nothing = BTreeSet::new();
    let happened = [
        Mail::Paid,
        Mail::Sold,
        Mail::Shipped(ParcelId::without_number()),
        Mail::RefundFailed("re_1".to_owned().into()),
        Mail::DisputeOpened("dp_1".to_owned().into()),
        Mail::DisputeClosed("dp_1".to_owned().into(), DisputeStatus::Won),
    ];
    let mut ordered = BTreeSet::from(happened);
    ordered.extend([Mail::Pending, Mail::Failed]);
    let (due, taken_back) = mail::order(&nothing, &mut ordered, &mut nothing.clone(), |_| false);
    assert_eq!(due, nothing);
    assert_eq!(taken_back, [Mail::Pending, Mail::Failed].into());
}

#[test]
fn stock_waits_for_every_session_that_could_still_be_paid() {
    let mut purchase = limited_purchase();
    purchase.record(session("cs_2", SessionState::Open));
    purchase.record(session("cs_1", SessionState::Expired));
    assert!(!purchase.has_returned_stock());
    let effects = purchase
        .record(session("cs_2", SessionState::Expired))
        .unwrap();
    assert_eq!(effects.returned, [("mug".parse().unwrap(), 1)]);
    assert!(purchase.has_returned_stock());
    purchase.record(session("cs_1", settled(usd(1500))));
    assert_eq!(
        purchase.attention(),
        [Attention::PaidAfterStockReturned].into()
    );
}

#[test]
fn a_payment_on_its_way_keeps_its_pieces_for_65_days_after_its_session() {
    const DAY: i64 = 86_400;
    let mut limited = limited_purchase();
    limited.record(session("cs_1", SessionState::PENDING));
    let hold = limited.hold().unwrap();
    assert_eq!((hold.pieces, hold.pending), (1, true));
    assert_eq!(hold.until, limited.attempt.expires_at + 65 * DAY);

    let mut unlimited = purchase();
    unlimited.record(session("cs_1", SessionState::PENDING));
    assert_eq!(unlimited.hold(), None, "it has no pieces to keep");
}

/// As an earlier build left it, which told no seller of a sale.
fn from_before(purchase: &Purchase) -> Purchase {
    let mut old = purchase.clone();
    old.mails.remove(&Mail::Sold);
    old
}

proptest! {
    #[test]
    fn a_sale_is_told_once_in_the_change_that_brings_its_receipt(changes in changes()) {
        let mut purchase = purchase();
        let mut is_told = false;
        for change in changes {
            let due = purchase.record(change).unwrap_or_default().due;
            let receipt = due.contains(&Mail::Paid) || due.contains(&Mail::Welcome);
            let is_first = receipt && !is_told;
            prop_assert_eq!(due.contains(&Mail::Sold), is_first, "{:?}", due);
            is_told |= is_first;
        }
        prop_assert_eq!(is_told, purchase.is_settled());
    }

    #[test]
    fn what_was_sold_before_sellers_were_told_is_not_told_later(
        changes in changes(), more in changes(),
    ) {
        let mut purchase = purchase();
        for change in changes {
            purchase.record(change);
        }
        let mut old = from_before(&purchase);
        for change in more {
            let due = old.record(change).unwrap_or_default().due;
            let is_told = due.contains(&Mail::Sold);
            prop_assert!(!is_told || !purchase.is_settled(), "{:?}", due);
        }
    }

    #[test]
    fn news_is_announced_once_in_the_order_in_which_it_came(changes in changes()) {
        let mut purchase = purchase();
        let mut told = Vec::new();
        for (sequence, change) in (1..).zip(changes) {
            if purchase.record(change).is_none() {
                continue;
            }
            let announced = Announced { sequence, at: Some(0) };
            told.extend(purchase.announce(announced).into_iter().map(|news| (sequence, news)));
            prop_assert_eq!(purchase.announce(announced), vec![]);
        }
        let kept = purchase.announced().iter();
        let mut kept: Vec<_> = kept.map(|(news, at)| (at.sequence, news.clone())).collect();
        kept.sort();
        prop_assert_eq!(&kept, &told);
        for (_, news) in kept {
            prop_assert_eq!(News::try_from(news.to_string()), Ok(news));
        }
    }
}

#[test]
fn other_systems_are_told_that_nothing_came_of_a_purchase_once_nothing_can() {
    let announced = Announced {
        sequence: 1,
        at: Some(0),
    };
    for (end, news) in [
        (SessionState::Expired, News::Expired),
        (SessionState::Failed, News::Failed),
    ] {
        let mut purchase = purchase();
        purchase.record(session("cs_1", SessionState::Open));
        purchase.record(session("cs_2", end.clone()));
        let told = purchase.announce(announced);
        assert_eq!(told, [], "the other session can still be paid: {end:?}");
        purchase.record(session("cs_1", SessionState::Expired));
        assert_eq!(purchase.announce(announced), [news]);
    }
}

#[test]
fn a_purchase_is_fulfilled_by_its_first_parcel_and_what_is_said_of_it_later_is_news() {
    let mut purchase = purchase();
    assert!(!purchase.is_fulfilled());
    let id: ParcelId = "JJ1".parse().unwrap();
    let sent = |at, carrier: Option<&str>| {
        let parcel = Parcel {
            at,
            carrier: carrier.map(str::to_owned),
            tracking_url: None,
        };
        Change::Fulfilled(id.clone(), parcel)
    };
    let effects = purchase.record(sent(60, None)).unwrap();
    assert_eq!(effects.due, [Mail::Shipped(id.clone())].into());
    assert!(purchase.is_fulfilled());
    assert_eq!(purchase.record(sent(60, None)), None);
    let effects = purchase.record(sent(90, Some("DHL")));
    assert_eq!(effects, Some(Effects::default()), "one mail is enough");
    let parcel = purchase.parcel(&id).unwrap();
    assert_eq!((parcel.at, parcel.carrier.as_deref()), (60, Some("DHL")));
    assert_eq!(purchase.parcel(&ParcelId::without_number()), None);
}

#[test]
fn a_parcel_without_a_number_shows_none() {
    let numbered: ParcelId = "JJ1".parse().unwrap();
    assert_eq!(numbered.number(), Some("JJ1"));
    assert_eq!(ParcelId::without_number().number(), None);
}

#[test]
fn a_tracking_number_is_the_same_however_the_carrier_prints_it() {
    let number = |text: &str| text.parse::<ParcelId>().map(String::from);
    assert_eq!(number("jj 12-3"), Ok("JJ12-3".to_owned()));
    for wrong in ["", " ", "-", "-1", "1#2", "é", &"1".repeat(41)] {
        assert!(number(wrong).is_err(), "{wrong}");
    }
}
