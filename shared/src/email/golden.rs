//! Every letter, to the byte.
//!
//! `golden.txt` has each letter as plain text, followed by the digests of all its forms: in test
//! and live mode, and in several languages. To change a letter, run these tests with
//! `REWRITE_GOLDEN=1` and read the diff.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Frozen, Letter, Letterhead, compose};
use crate::{
    mode::Mode,
    purchase::{DisputeStatus, Mail, Notice},
};

mod to_seller;

const GOLDEN: &str = "src/email/golden.txt";

#[test]
fn every_letter_is_as_it_was_to_the_byte() {
    let mut written = String::new();
    for (title, mail, row) in all() {
        let shown = letter(mail, &row, Mode::Live);
        let Letter { subject, text, .. } = shown;
        writeln!(written, "### {title}\n\nSubject: {subject}\n\n{text}").unwrap();
        for language in [
            None,
            Some("de-DE"),
            Some("fr"),
            Some("ar-EG"),
            Some("no tag"),
        ] {
            for mode in [Mode::Live, Mode::Test] {
                let shown = letter(mail, &in_language(&row, language), mode);
                let language = language.unwrap_or("-");
                writeln!(written, "{mode:?} {language}: {}", digest(&shown)).unwrap();
            }
        }
        written.push('\n');
    }
    for (title, [live, test]) in to_seller::of_many() {
        let Letter { subject, text, .. } = &live;
        writeln!(written, "### {title}\n\nSubject: {subject}\n\n{text}").unwrap();
        let (live, test) = (digest(&live), digest(&test));
        writeln!(written, "Live -: {live}\nTest -: {test}\n").unwrap();
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("REWRITE_GOLDEN").is_some() {
        std::fs::write(&file, &written).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap();
    for (line, (is, was)) in written.lines().zip(golden.lines()).enumerate() {
        assert_eq!(is, was, "line {} of {GOLDEN}", line + 1);
    }
    assert_eq!(written.len(), golden.len(), "{GOLDEN} ends differently");
}

/// Names each kind of mail by its pattern. It does not compile unless every mail has one, and each
/// must have a letter here.
macro_rules! kinds {
    ($($kind:pat),* $(,)?) => {
        const KINDS: &[&str] = &[$(stringify!($kind)),*];

        fn kind_of(mail: &Mail) -> &'static str {
            match mail {
                $($kind => stringify!($kind)),*
            }
        }
    };
}

kinds! {
    Mail::Pending,
    Mail::Voucher,
    Mail::Failed,
    Mail::Paid,
    Mail::Shipped(_),
    Mail::Refund(_),
    Mail::RefundFailed(_),
    Mail::InquiryOpened(_),
    Mail::DisputeOpened(_),
    Mail::DisputeClosed(_, DisputeStatus::Won),
    Mail::DisputeClosed(_, DisputeStatus::Lost),
    // Of an inquiry.
    Mail::DisputeClosed(..),
    Mail::Welcome,
    Mail::Sold,
    Mail::PaymentFailed(_),
    Mail::ActionRequired(_),
    Mail::Notice(Notice::TrialEnding, _),
    Mail::Notice(Notice::PlanChanged, _),
    Mail::Notice(Notice::Cancelled, _),
    Mail::Notice(Notice::Ended, _),
    Mail::Notice(Notice::Lost, _),
}

#[test]
fn every_mail_has_a_letter_here() {
    let shown = all().map(|(_, mail, _)| {
        let mail = Mail::try_from(mail.to_owned()).unwrap();
        kind_of(&mail)
    });
    let shown: BTreeSet<_> = shown.collect();
    assert_eq!(shown, KINDS.iter().copied().collect());
}

fn letter(mail: &str, row: &Value, mode: Mode) -> Letter {
    let mail = Mail::try_from(mail.to_owned()).unwrap();
    compose(&mail, &frozen(row), &shop(mode)).unwrap()
}

fn shop(mode: Mode) -> Letterhead {
    Letterhead {
        name: "Mugs & Co <Café>".into(),
        site_url: "https://mugs.example/".into(),
        mode,
        stripe_dashboard: "https://dashboard.stripe.com".into(),
    }
}

fn frozen(row: &Value) -> Frozen {
    let frozen: Frozen = serde_json::from_value(row.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&frozen).unwrap(), row);
    frozen
}

fn in_language(row: &Value, language: Option<&str>) -> Value {
    let mut row = row.clone();
    if let Some(language) = language {
        row["order"]["buyer"]["language"] = language.into();
    }
    row
}

fn digest(letter: &Letter) -> String {
    let Letter {
        subject,
        html,
        text,
    } = letter;
    hex::encode(Sha256::digest(format!("{subject}\0{html}\0{text}")))
}

/// A title, the mail, and what its outbox row froze.
fn all() -> impl Iterator<Item = (&'static str, &'static str, Value)> {
    let of_sales = to_seller::of_sales();
    rows().into_iter().chain(of_subscriptions()).chain(of_sales)
}

fn rows() -> Vec<(&'static str, &'static str, Value)> {
    let waiting = |waits_for: Value| json!({ "waits_for": waits_for });
    let voucher = "https://payments.stripe.com/oxxo/voucher/test_1?a=1&b=2";
    let refund = json!({ "refund": usd(500) });
    let yen = json!({ "refund": { "amount": 1_800, "currency": "jpy" } });
    let rebuilt =
        json!({ "order": { "buyer": {}, "lines": [], "total": usd(3_350), "rebuilt": true } });
    vec![
        ("A receipt", "paid", row(json!({}))),
        (
            "A receipt after a promotion",
            "paid",
            row(json!({ "paid": usd(3_000) })),
        ),
        (
            "A receipt of nothing to pay",
            "paid",
            row(json!({ "paid": usd(0) })),
        ),
        (
            "A receipt of more than was asked",
            "paid",
            row(json!({ "paid": usd(6_700) })),
        ),
        (
            "A receipt in another currency",
            "paid",
            row(json!({ "paid": { "amount": 3_000, "currency": "eur" } })),
        ),
        ("A receipt of a rebuilt order", "paid", row(rebuilt)),
        ("A receipt of something shipped", "paid", shipped(json!({}))),
        (
            "A receipt of something shipped after a promotion, with tax",
            "paid",
            shipped(json!({
                "paid": usd(4_860),
                "sums": { "subtotal": 3_350, "discount": 350, "shipping": 1_290, "tax": 570,
                    "total": usd(4_860) },
            })),
        ),
        (
            "A parcel on its way",
            "shipped#AB-12",
            shipped(json!({ "parcel": {
                "number": "AB-12",
                "carrier": "Post & Co",
                "tracking_url": "https://post.example/?parcel=AB-12&lang=en",
            } })),
        ),
        (
            "A parcel of which nothing is known",
            "shipped#-",
            shipped(json!({ "parcel": {} })),
        ),
        (
            "A purchase for which all is done",
            "shipped#-",
            row(json!({ "parcel": {} })),
        ),
        (
            "A receipt with tax in its prices",
            "paid",
            row(json!({ "sums": { "subtotal": 3_350, "tax": 535, "total": usd(3_350) } })),
        ),
        (
            "A receipt with tax on top",
            "paid",
            row(json!({
                "paid": usd(3_987),
                "sums": { "subtotal": 3_350, "tax": 637, "total": usd(3_987) },
            })),
        ),
        (
            "A receipt after a promotion, with tax in its prices",
            "paid",
            row(json!({
                "paid": usd(3_000),
                "sums": { "subtotal": 3_350, "discount": 350, "tax": 479, "total": usd(3_000) },
            })),
        ),
        (
            "A receipt of something shipped, with tax in its prices and on top",
            "paid",
            shipped(json!({
                "paid": usd(4_885),
                "sums": { "subtotal": 3_350, "shipping": 1_290, "tax": 780, "total": usd(4_885) },
            })),
        ),
        (
            "A receipt with an invoice",
            "paid",
            row(json!({ "document": {
                "number": "A-0001", "page": "https://invoice.stripe.com/i/acct_1/test_1?s=ap",
                "pdf": "https://pay.stripe.com/invoice/acct_1/test_1/pdf?s=ap",
            } })),
        ),
        (
            "A refund of a part, with tax",
            "refund#re_1",
            row(json!({
                "paid": usd(3_987), "refund": usd(1_000), "refund_tax": usd(160),
                "sums": { "subtotal": 3_350, "tax": 637, "total": usd(3_987) },
            })),
        ),
        (
            "A refund of something shipped",
            "refund#re_1",
            with(
                shipped(json!({ "refund": usd(4_640) })),
                json!({ "delivery": null }),
            ),
        ),
        (
            "A payment on its way",
            "pending",
            row(waiting(json!({ "who": "bank" }))),
        ),
        (
            "A payment of which nothing is known",
            "pending",
            row(waiting(json!({ "who": "unknown" }))),
        ),
        (
            "A payment on its way, in an old row",
            "pending",
            row(json!({})),
        ),
        (
            "A voucher",
            "voucher",
            row(waiting(json!({ "who": "buyer", "voucher_url": voucher }))),
        ),
        (
            "A voucher without a page",
            "voucher",
            row(waiting(json!({ "who": "buyer" }))),
        ),
        ("A payment that did not arrive", "failed", row(json!({}))),
        ("A refund", "refund#re_1", row(refund.clone())),
        ("A refund in yen", "refund#re_1", row(yen)),
        ("A refund that failed", "refund_failed#re_1", row(refund)),
        (
            "An inquiry",
            "inquiry_opened#dp_1",
            dispute("warning_needs_response", true, json!([])),
        ),
        (
            "An inquiry without a date",
            "inquiry_opened#dp_1",
            dispute("warning_under_review", false, json!([])),
        ),
        (
            "An inquiry that is over by now",
            "inquiry_opened#dp_1",
            dispute("warning_closed", true, json!([])),
        ),
        (
            "An inquiry that came to nothing",
            "dispute_closed#dp_1#warning_closed",
            dispute("warning_closed", true, json!([])),
        ),
        (
            "A dispute",
            "dispute_opened#dp_1",
            dispute("needs_response", true, taken()),
        ),
        (
            "A dispute without a date",
            "dispute_opened#dp_1",
            dispute("under_review", false, taken()),
        ),
        (
            "A dispute that is over by now",
            "dispute_opened#dp_1",
            dispute("lost", true, taken()),
        ),
        (
            "A dispute that was prevented",
            "dispute_opened#dp_1",
            dispute("prevented", false, json!([])),
        ),
        (
            "A dispute that is won",
            "dispute_closed#dp_1#won",
            dispute("won", true, given_back()),
        ),
        (
            "A dispute that is lost",
            "dispute_closed#dp_1#lost",
            dispute("lost", true, taken()),
        ),
        (
            "A dispute that was decided anew",
            "dispute_closed#dp_1#lost",
            dispute("won", true, given_back()),
        ),
    ]
}

/// The letters about subscriptions and their invoices.
fn of_subscriptions() -> Vec<(&'static str, &'static str, Value)> {
    let unpaid = |told: Value| invoice(0, told);
    let retried = json!({ "next_attempt": 1_790_259_200 });
    let trialing = json!({ "status": "trialing", "trial_end": 1_792_851_200 });
    let cancelled = json!({ "cancel_at": 1_792_851_200 });
    let ended = json!({ "status": "canceled", "ended_at": 1_792_851_200 });
    let lost = json!({ "status": "canceled", "ended_at": 1_792_851_200, "lost": true });
    let update = json!({ "reason": "change", "period": null });
    let several = json!({ "lines": [
        { "name": "3 × Coffee box (at $3.50 / month)", "amount": 1_050 },
        { "name": "2 × Magazine (at home) (at $1.00 every 3 months)", "amount": 201 },
        { "name": "Unused time on 2 × Coffee box after 1 Dec 2026", "amount": -351 },
    ] });
    vec![
        ("A subscription begins", "welcome", row(json!({}))),
        ("A subscription begins with a trial", "welcome", tried(0)),
        (
            "A subscription begins with a trial, and with a mug",
            "welcome",
            tried(1_500),
        ),
        ("A renewal", "paid", invoice(900, json!({}))),
        (
            "A renewal that is paid after the end",
            "paid",
            with(
                invoice(900, json!({})),
                json!({ "subscription": reading(lost.clone()) }),
            ),
        ),
        (
            "A renewal of several, and a proration",
            "paid",
            invoice(900, several),
        ),
        (
            "A renewal, partly from the customer's balance",
            "paid",
            invoice(500, json!({ "due": usd(500) })),
        ),
        (
            "A renewal with a discount and tax on top",
            "paid",
            invoice(
                964,
                json!({
                    "total": usd(964), "due": usd(964),
                    "sums": { "subtotal": 900, "discount": 90, "tax": 154 },
                }),
            ),
        ),
        ("A change that is paid", "paid", invoice(900, update)),
        (
            "A refund of a renewal",
            "refund#re_1",
            with(invoice(900, json!({})), json!({ "refund": usd(400) })),
        ),
        ("A renewal that failed", "payment_failed#1", unpaid(retried)),
        (
            "A renewal that failed for good",
            "payment_failed#4",
            unpaid(json!({ "page": null })),
        ),
        (
            "A renewal to confirm",
            "action_required#1",
            unpaid(json!({})),
        ),
        (
            "A trial about to end",
            "trial_ending#2",
            subscription(trialing),
        ),
        ("Another plan", "plan_changed#3", subscription(json!({}))),
        (
            "A subscription that is cancelled",
            "cancelled#4",
            subscription(cancelled),
        ),
        ("A subscription that ended", "ended#5", subscription(ended)),
        (
            "A subscription that ended unpaid",
            "ended#5",
            subscription(lost.clone()),
        ),
        ("A subscription that is lost", "lost#5", subscription(lost)),
        (
            "A subscription that is lost and still there",
            "lost#5",
            subscription(json!({ "status": "unpaid" })),
        ),
    ]
}

/// An invoice of 9.00 USD of which this was paid, with the members of `told` in place of the usual
/// ones; `null` takes one away.
fn invoice(paid: i64, told: Value) -> Value {
    let bill = json!({
        "attempts": 1, "paid": usd(paid), "due": usd(900), "total": usd(900),
        "number": "A-0002", "page": "https://invoice.stripe.com/i/acct_1/test_1?s=ap",
        "period": { "start": 1_790_259_200, "end": 1_792_851_200 },
        "reason": "renewal", "created_at": 1_790_259_200,
        "lines": [{ "name": "1 × Coffee box (at $9.00 / month)", "amount": 900 }],
    });
    with(
        about_subscription("sub_1Pgc6rB7WZ01zgkW/in_1Pgc6tB7WZ01zgkW", paid),
        json!({ "invoice": with(bill, told) }),
    )
}

/// A coffee box every month, with the members of `told` in place of the usual ones.
fn subscription(told: Value) -> Value {
    with(
        about_subscription("sub_1Pgc6rB7WZ01zgkW", 0),
        json!({ "subscription": reading(told) }),
    )
}

fn reading(told: Value) -> Value {
    let reading = json!({
        "status": "active", "currency": "usd",
        "items": [{
            "id": "si_1", "product_id": "coffee-box", "name": "Coffee box", "quantity": 2,
            "unit_amount": 450, "recurring": { "interval": "month", "interval_count": 1 },
        }],
        "period": { "start": 1_790_259_200, "end": 1_792_851_200 },
        "started_at": 1_790_259_200,
    });
    with(reading, told)
}

/// A magazine every three months that is free at first, with a mug if something was `paid`.
fn tried(paid: i64) -> Value {
    let terms = json!({ "interval": "month", "interval_count": 3, "trial_days": 14 });
    let mut lines = vec![json!({
        "product_id": "magazine", "name": "The quarterly magazine", "quantity": 1,
        "unit_amount": 900, "recurring": terms,
    })];
    if paid > 0 {
        lines.push(json!({
            "product_id": "mug", "name": "Mug", "quantity": 1, "unit_amount": paid,
        }));
    }
    let mut row = row(json!({ "paid": usd(paid) }));
    row["order"]["lines"] = lines.into();
    row["order"]["total"] = usd(paid);
    row
}

fn about_subscription(id: &str, paid: i64) -> Value {
    json!({
        "purchase_id": id,
        "order": {
            "buyer": { "subject": "buyer-1", "email": "ana@example.com" },
            "lines": [], "total": usd(900),
        },
        "paid": usd(paid),
    })
}

/// An object with these members in place of its own; `null` takes one away.
fn with(object: Value, told: Value) -> Value {
    let mut object = object;
    if let (Value::Object(object), Value::Object(told)) = (&mut object, told) {
        object.extend::<Map<_, _>>(told);
        object.retain(|_, value| !value.is_null());
    }
    object
}

/// Two mugs and a sticker, with the members of `told` in place of the usual ones.
fn row(told: Value) -> Value {
    let line = |name: &str, quantity: u32, unit_amount: i64| {
        json!({
            "product_id": "sample-mug", "name": name, "quantity": quantity,
            "unit_amount": unit_amount,
        })
    };
    let mut row = json!({
        "purchase_id": "01936f3c-8a10-7c3e-9a35-0c1de2a3f5b7",
        "order": {
            "buyer": { "subject": "buyer-1", "email": "ana@example.com" },
            "lines": [line("Sample mug", 2, 1_500), line("A <big>\nsticker & more", 1, 350)],
            "total": usd(3_350),
        },
        "paid": usd(3_350),
    });
    if let (Value::Object(row), Value::Object(told)) = (&mut row, told) {
        row.extend::<Map<_, _>>(told);
    }
    row
}

/// The same, shipped by the dearer of two rates.
fn shipped(told: Value) -> Value {
    let address = json!({
        "line1": "Weg 1", "line2": "c/o <Byron>", "city": "Berlin", "postal_code": "10115",
        "country": "DE",
    });
    let mut row = row(json!({
        "paid": usd(4_640),
        "sums": { "subtotal": 3_350, "shipping": 1_290, "total": usd(4_640) },
        "delivery": { "name": "Ada\nByron", "phone": "+49 30 1234567", "address": address },
    }));
    row["order"]["shipping"] = json!({
        "countries": ["AT", "DE"],
        "rates": [{ "name": "Standard", "amount": 490 }, { "name": "Express", "amount": 1_290 }],
    });
    with(row, told)
}

fn dispute(status: &str, has_date: bool, movements: Value) -> Value {
    let mut terms = json!({ "amount": usd(3_350), "reason": "product_not_received" });
    if has_date {
        terms["due_by"] = 1_796_342_399.into();
    }
    row(json!({ "dispute": { "status": status, "terms": terms, "movements": movements } }))
}

/// What a dispute takes; the seller's balance is in another currency.
fn taken() -> Value {
    json!([{ "amount": { "amount": -3_100, "currency": "eur" }, "fee": 2_000 }])
}

fn given_back() -> Value {
    json!([
        { "amount": { "amount": -3_100, "currency": "eur" }, "fee": 2_000 },
        { "amount": { "amount": 3_100, "currency": "eur" }, "fee": -2_000 },
        { "amount": { "amount": 1, "currency": "eur" }, "fee": 0 },
    ])
}

fn usd(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "usd" })
}
