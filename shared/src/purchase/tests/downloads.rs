//! Who may download what they bought.

use proptest::prelude::*;

use super::*;
use crate::product::ProductFile;

/// A purchase of a mug, and of an atlas that is a file.
fn atlas() -> Purchase {
    let mut purchase = limited_purchase();
    let mut line = purchase.order.lines[0].clone();
    line.product_id = "atlas".parse().unwrap();
    line.file = Some(ProductFile {
        name: "Atlas.pdf".parse().unwrap(),
        size: Some(9),
    });
    purchase.order.lines.push(line);
    purchase
}

fn files(purchase: &Purchase) -> Vec<&str> {
    let files = purchase.downloads();
    files.map(|(_, file)| file.name.as_str()).collect()
}

fn disputed(status: DisputeStatus) -> Change {
    let report = dispute(status, 1500, None, &[]);
    Change::Payment(PaymentChange::Dispute("dp_1".to_owned().into(), report))
}

#[test]
fn a_file_can_be_downloaded_while_the_shop_has_the_money_for_it() {
    use DisputeStatus::*;
    use RefundState::{Failed, Pending, Succeeded};
    let paid = session("cs_1", settled(usd(1500)));
    let waits = SessionState::Pending {
        waits_for: WaitsFor::Bank,
    };
    let steps = [
        (session("cs_1", SessionState::Open), false),
        (session("cs_1", waits), false),
        (paid, true),
        (refund("re_1", Pending, 1500), true),
        (refund("re_2", Succeeded, 500), true),
        (disputed(WarningNeedsResponse), true),
        (disputed(NeedsResponse), false),
        (disputed(Won), true),
        (refund("re_1", Succeeded, 1500), false),
        (refund("re_1", Failed, 1500), true),
    ];
    let mut purchase = atlas();
    assert!(files(&purchase).is_empty());
    for (change, may) in steps {
        let step = format!("{change:?}");
        purchase.record(change);
        let expected: &[&str] = if may { &["Atlas.pdf"] } else { &[] };
        assert_eq!(files(&purchase), expected, "after {step}");
    }
}

#[test]
fn what_was_rebuilt_has_files_only_once_a_person_says_that_it_is_the_shops_own() {
    let mut purchase = atlas();
    purchase.order.rebuilt = true;
    purchase.record(session("cs_1", settled(usd(1500))));
    assert!(files(&purchase).is_empty());
    purchase.confirm().unwrap();
    assert_eq!(files(&purchase), ["Atlas.pdf"]);
}

proptest! {
    #[test]
    fn nobody_downloads_what_is_not_paid_for_or_was_taken_back(
        (changes, shuffled) in changes().prop_flat_map(|changes| {
            (Just(changes.clone()), Just(changes).prop_shuffle())
        })
    ) {
        let [mut purchase, mut other] = [atlas(), atlas()];
        for change in changes {
            purchase.record(change);
        }
        for change in shuffled {
            other.record(change);
        }
        prop_assert_eq!(files(&purchase), files(&other));
        let accounts = purchase.accounts();
        let disputes = purchase.payment().disputes().values();
        let taken = disputes.clone().any(|it| it.is_open() || it.is_lost());
        let gone = accounts.refunded.amount > 0 && accounts.refunded.amount >= accounts.paid.amount;
        let may = purchase.is_settled() && !taken && !gone;
        prop_assert_eq!(!files(&purchase).is_empty(), may);
    }
}
