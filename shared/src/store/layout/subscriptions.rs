//! Subscriptions and their invoices, as they are in deployed tables.

use serde_json::json;

use super::{ANNOUNCED, ID, NOW, attributes, golden, put, returns, tables, to_json, usd};
use crate::{
    email::Frozen,
    invoice::{
        Bill, BilledLine, Invoice, InvoiceChange, InvoiceReport, InvoiceState, InvoiceStatus,
        Period, Reason, Trouble,
    },
    mode::Mode,
    product::{Interval, Recurring},
    purchase::{Buyer, Change, InvoiceId, Mail, Notice, PaymentChange, Subject, SubscriptionId},
    standing::Standing,
    store::{
        claims::{Claim, Claims, Source},
        invoices::{self, Invoices, StoredInvoice},
        later::Written,
        outbox::Outbox,
        pointers::Pointers,
        subscriptions::{self, StoredSubscription, Subscriptions},
    },
    subscription::{Item, Pause, PauseBehavior, Reading, Subscription, SubscriptionStatus},
};

#[test]
fn a_subscription_is_stored_and_read_as_in_the_deployed_tables() {
    for (name, subscription) in [("subscription", read()), ("subscription_unread", unread())] {
        let mut item = golden(name);
        let stored = subscriptions::parse(attributes(&item), &subscription_id()).unwrap();
        assert_eq!(stored.subscription, subscription, "{name}");
        let table = Subscriptions::of(&tables()).unwrap();
        let next = StoredSubscription {
            version: 4,
            ..stored
        };
        item["version"] = json!({ "N": "5" });
        assert_eq!(put(table.put(&next, NOW).unwrap()), item, "{name}");
    }
}

/// The row that is left for a subscription that was only heard of reads like one that was put.
#[test]
fn a_subscription_that_was_heard_of_is_noted_as_in_the_deployed_tables() {
    let table = Subscriptions::of(&tables()).unwrap();
    let update = table.note(&unread(), NOW).unwrap().update.unwrap();
    let values = update.expression_attribute_values.unwrap();
    let mut item = json!({ "pk": { "S": "sub_1" }, "sk": { "S": "subscription" } });
    for (name, value) in values {
        item[name.trim_start_matches(':')] = to_json(&value);
        let only_if_missing = format!("{0} = if_not_exists({0}, {name})", &name[1..]);
        assert!(update.update_expression.contains(&only_if_missing));
    }
    // What it knows of it is only a hint, and can be from any version.
    let mut put = golden("subscription_unread");
    for name in ["layout", "earliest"] {
        put.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(item, put);
}

#[test]
fn an_invoice_is_stored_and_read_as_in_the_deployed_tables() {
    let (item, invoice) = (golden("invoice"), invoice());
    let table = Invoices::of(&tables()).unwrap();
    let stored = StoredInvoice {
        invoice: invoice.clone(),
        version: 4,
        written: Written::default(),
    };
    assert_eq!(put(table.put(&stored, NOW).unwrap()), item);
    let read = invoices::parse(attributes(&item), &subscription_id(), &invoice_id()).unwrap();
    assert_eq!((read.invoice, read.version), (invoice, 5));
}

#[test]
fn what_belongs_to_an_invoice_is_stored_as_in_the_deployed_tables() {
    let subject = Subject::Invoice(subscription_id(), invoice_id());
    let pointers = Pointers::of(&tables()).unwrap();
    let pointer = pointers.put(&"pi_1".to_owned().into(), &subject).unwrap();
    assert_eq!(put(pointer), golden("pointer_to_invoice"));
    let source = Source::Event {
        id: "evt_1".to_owned(),
        kind: "invoice.paid".to_owned(),
    };
    let claim = Claim {
        subject: &subject,
        source: &source,
        changed: true,
        status: Standing::Invoice(InvoiceStatus::Paid),
        is_over: false,
        version: 4,
    };
    let claim = Claims::of(&tables())
        .unwrap()
        .put(claim, &Written::default(), NOW)
        .unwrap();
    assert_eq!(put(claim), golden("claim_invoice"));
    let outbox = Outbox::of(&tables()).unwrap();
    let ordered = |content, mail: &Mail| {
        let row = outbox.put(content, mail, (Mode::Live, false), NOW);
        put(row.unwrap())
    };
    let receipt = Frozen::of_invoice(&invoice(), None, &Mail::Paid);
    assert_eq!(ordered(receipt, &Mail::Paid), golden("mail_invoice"));
    let (subscription, mail) = (read(), Mail::Notice(Notice::Cancelled, 1));
    let reading = subscription.reading().unwrap();
    let cancelled = Frozen::of_subscription(&subscription, reading);
    assert_eq!(ordered(cancelled, &mail), golden("mail_subscription"));
}

fn subscription_id() -> SubscriptionId {
    "sub_1".to_owned().try_into().unwrap()
}

fn invoice_id() -> InvoiceId {
    "in_1".to_owned().try_into().unwrap()
}

fn buyer() -> Buyer {
    Buyer {
        subject: Some("buyer-1".to_owned()),
        email: Some("ana@example.com".to_owned()),
        language: Some("de-DE".to_owned()),
    }
}

fn period() -> Period {
    Period {
        start: NOW,
        end: NOW + 2_592_000,
    }
}

fn unread() -> Subscription {
    Subscription::new(subscription_id(), ID.parse().unwrap(), buyer())
}

/// With everything that a reading can have.
fn read() -> Subscription {
    let item = Item {
        id: "si_1".to_owned(),
        product_id: "coffee".parse().ok(),
        name: "Coffee".to_owned(),
        quantity: 2,
        unit_amount: Some(900),
        recurring: Recurring {
            interval: Interval::Month,
            interval_count: 3,
            trial_days: 0,
        },
    };
    let reading = Reading {
        status: SubscriptionStatus::Active,
        currency: usd(0).currency,
        items: vec![item],
        period: period(),
        started_at: NOW,
        cancel_at: Some(period().end),
        ended_at: Some(period().end),
        lost: true,
        trial_end: Some(NOW),
        latest_invoice: Some(invoice_id()),
        pause: Some(Pause {
            behavior: PauseBehavior::MarkUncollectible,
            resumes_at: Some(NOW + 86_400),
        }),
    };
    let mut subscription = unread();
    subscription.read(reading, false, 1, NOW).unwrap();
    subscription
}

/// A renewal that was declined, paid, and refunded in every possible way.
fn invoice() -> Invoice {
    let report = |state, attempts, paid, trouble| InvoiceReport {
        state,
        bill: Bill {
            attempts,
            paid: usd(paid),
            due: usd(3350),
            total: usd(3350),
            number: Some("A-0002".to_owned()),
            page: Some("https://invoice.example/1".to_owned()),
            period: Some(period()),
            reason: Reason::Renewal,
            next_attempt: Some(NOW + 86_400),
            created_at: NOW,
            lines: vec![BilledLine {
                name: "2 × Coffee".to_owned(),
                amount: 3350,
            }],
            paid_at: (paid > 0).then_some(NOW + 7_200),
            sums: None,
        },
        trouble,
        intent: Some("pi_1".to_owned().into()),
    };
    let declined = report(InvoiceState::Open, 1, 0, Some(Trouble::Failed));
    let paid = report(InvoiceState::Paid, 2, 3350, None);
    let of = (subscription_id(), ID.parse().unwrap());
    let mut invoice = Invoice::new(invoice_id(), of, buyer(), &declined);
    for seen in [declined, paid] {
        invoice.record(InvoiceChange::Seen(seen), false).unwrap();
    }
    for change in returns() {
        let Change::Payment(change) = change else {
            continue;
        };
        let is_sum = matches!(change, PaymentChange::ChargeRefunded(_));
        let change = InvoiceChange::Payment("pi_1".to_owned().into(), change);
        let news = invoice.record(change, false);
        assert!(news.is_some() || is_sum);
    }
    invoice.announce(ANNOUNCED);
    invoice
}
