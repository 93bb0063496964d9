//! What is shown of a purchase beside its status: its tax, its invoice, and what paid it.

use super::*;

/// 11.90 USD were paid for the goods and 3.10 for shipping, of which 2.40 are tax.
fn taxed(tax: i64) -> Purchase {
    let state = SessionState::Settled {
        amount: usd(1500),
        payment_intent: Some("pi_1".to_owned().into()),
        subscription: None,
        invoice: Some(invoice("in_2")),
        sums: Some(Sums {
            subtotal: 1190,
            discount: 0,
            shipping: 310,
            tax,
        }),
        delivery: None,
    };
    let mut purchase = purchase();
    purchase.record(session("cs_1", state));
    purchase
}

fn invoice(id: &str) -> InvoiceId {
    id.to_owned().try_into().unwrap()
}

fn refunded_taxes(purchase: &Purchase) -> Vec<(String, i64)> {
    let taxes = purchase.refunded_taxes().into_iter();
    taxes
        .map(|(id, tax)| (id.to_string(), tax.amount))
        .collect()
}

#[test]
fn refunds_of_all_that_was_paid_have_all_of_its_tax_and_those_that_failed_have_none() {
    let mut purchase = taxed(240);
    assert_eq!(refunded_taxes(&purchase), []);
    for (id, state, amount) in [
        ("re_1", RefundState::Succeeded, 500),
        ("re_2", RefundState::Failed, 500),
        ("re_3", RefundState::Pending, 1),
        ("re_4", RefundState::RequiresAction, 999),
        ("re_5", RefundState::Canceled, 100),
    ] {
        purchase.record(refund(id, state, amount));
    }
    let other = Refund {
        state: RefundState::Succeeded,
        amount: Money::new(100, "eur".parse().unwrap()),
    };
    let other = PaymentChange::Refund("re_6".to_owned().into(), other);
    purchase.record(Change::Payment(other));
    let taxes = [("re_1", 80), ("re_3", 0), ("re_4", 160)];
    let taxes = taxes.map(|(id, tax)| (id.to_owned(), tax));
    assert_eq!(refunded_taxes(&purchase), taxes);
}

#[test]
fn a_refund_of_what_had_no_tax_has_no_share_of_it() {
    let mut purchase = taxed(0);
    purchase.record(refund("re_1", RefundState::Succeeded, 500));
    assert_eq!(refunded_taxes(&purchase), []);
}

#[test]
fn the_invoice_that_is_shown_is_that_of_the_session_or_else_the_only_one_there_is() {
    let document = |number: &str| Document {
        number: Some(number.to_owned()),
        ..Document::default()
    };
    let mut purchase = taxed(0);
    assert_eq!(purchase.document(), None);
    purchase.record(Change::Document(invoice("in_3"), document("C")));
    assert_eq!(purchase.document(), Some(&document("C")));
    purchase.record(Change::Document(invoice("in_2"), document("B")));
    assert_eq!(purchase.document(), Some(&document("B")));
}

#[test]
fn a_purchase_is_shown_with_the_payment_of_its_first_invoice_once_that_is_known() {
    let purchase = taxed(0);
    let intent = purchase.payment_intent().map(PaymentIntentId::as_str);
    assert_eq!(intent, Some("pi_1"));
    let mut first = Payment::default();
    let back = Refund {
        state: RefundState::Succeeded,
        amount: usd(1500),
    };
    first.record(PaymentChange::Refund("re_1".to_owned().into(), back));
    let shown = purchase.paid_by(first);
    assert_eq!(shown.status(), Status::Refunded);
    assert_eq!(shown.accounts().net, usd(0));
}
