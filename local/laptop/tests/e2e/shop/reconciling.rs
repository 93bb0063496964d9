//! What webhooks missed, fetched from Stripe.

use std::collections::BTreeSet;
use tokio::time::Instant;

use futures::future::join_all;
use reconcile::{Limits, Reconcile};
use serde_json::{Value, json};
use shared::clock::Clock;
use testing::{CARD, REFUNDS_SLOWLY, TestApp, cart, eventually};
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;

/// Longer than a session lives, and than the day after which something unfinished is looked at again.
const TWO_DAYS: i64 = 48 * 3600;

/// Stripe makes no events of this type.
async fn stripe_keeps_to_itself(shop: &TestApp, kind: &str) {
    let fault = [("fault", "no_event"), ("type", kind), ("times", "0")];
    shop.control("faults", &fault).await;
}

#[tokio::test]
async fn events_whose_delivery_failed_are_recorded_once() {
    let shop = TestApp::start().await;
    let drop = [("fault", "drop"), ("times", "0")];
    shop.control("faults", &drop).await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    let refund = shop.refund(&checkout, Some(500)).await;
    let events = shop.events_of_payment(&checkout).await;
    let findings = shop.reconcile().await;
    assert_eq!(
        findings.events,
        events.len() as u64,
        "each is looked at once"
    );
    assert_eq!(findings.found, 2, "{findings:?}");
    assert_eq!(shop.status(&checkout.purchase).await, "partially_refunded");
    let told: BTreeSet<_> = findings.drift.iter().map(|it| it.subject.clone()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told.first().unwrap().to_string(), checkout.purchase);
    assert_eq!(
        shop.effects(&checkout.purchase).await,
        ["paid".to_owned(), format!("refund#{refund}")]
    );
    shop.mails(2).await;
    let again = shop.reconcile().await;
    assert_eq!((again.found, again.failed), (0, 0), "{again:?}");
    for event in events {
        assert_eq!(shop.receipt(&event).await, "seen before");
    }
    shop.mails(2).await;
}

#[tokio::test]
async fn a_table_restored_from_an_older_copy_catches_up_with_what_was_delivered_since() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    let older = shop.purchase_item(&checkout.purchase).await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.mails(1).await;
    for event in shop.recorded(&checkout.purchase).await.into_keys() {
        let claim = format!("event#{event}");
        shop.delete_item(&checkout.purchase, &claim).await;
    }
    shop.put_item("PurchasesTable", &older).await;
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    let findings = shop.reconcile().await;
    assert_eq!(findings.found, 1, "{findings:?}");
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    // The outbox was not restored, and its row says that the mail went.
    shop.mails(1).await;
}

#[tokio::test]
async fn an_event_that_is_just_being_delivered_is_left_to_its_delivery() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    let limits = Limits {
        leave_younger_than: 600,
        ..Limits::default()
    };
    let run = shop.reconciler().await.run(limits, |_| {}).await.unwrap();
    assert_eq!((run.events, run.found), (0, 0), "{run:?}");
    assert_eq!(shop.status(&checkout.purchase).await, "open");
    // The next run still comes across it, though the mark has moved.
    assert_eq!(shop.reconcile().await.found, 1);
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    assert_eq!(shop.receipt(&event).await, "seen before");
}

#[tokio::test]
async fn what_stripe_made_no_event_for_is_found_on_its_objects() {
    let shop = TestApp::start().await;
    // If it overtook the refund's own event, all refunds would be fetched.
    stripe_keeps_to_itself(&shop, "charge.refunded").await;
    let slow = shop.paid_with(REFUNDS_SLOWLY).await;
    let refund = shop.refund(&slow, None).await;
    let disputed = shop.paid().await;
    let dispute = shop.dispute(&disputed, &[]).await;
    shop.until_status(&disputed.purchase, "disputed").await;
    let asked = shop.paid().await;
    let inquiry = shop.dispute(&asked, &[("kind", "inquiry")]).await;
    let by_bank = shop.open().await;
    shop.pay_by_bank(&by_bank).await.expect(303);
    shop.until_status(&by_bank.purchase, "pending").await;
    let failing = shop.open().await;
    shop.pay_by_bank(&failing).await.expect(303);
    shop.until_status(&failing.purchase, "pending").await;
    let (paid, expired) = (shop.open().await, shop.open().await);
    eventually(async || {
        let known = [&slow.purchase, &asked.purchase];
        let known = join_all(known.map(|id| shop.purchase(id))).await;
        (known[0].get("refunds").is_some() && known[1].get("disputes").is_some()).then_some(())
    })
    .await;

    stripe_keeps_to_itself(&shop, "*").await;
    shop.refund_goes(&refund, "succeed").await;
    shop.dispute_goes(&dispute, "lost").await;
    shop.dispute_goes(&inquiry, "warning_closed").await;
    for (checkout, end) in [(&by_bank, "succeed"), (&failing, "fail")] {
        shop.control(&format!("sessions/{}/{end}", checkout.session()), &[])
            .await;
    }
    shop.pay(&paid, CARD).await.expect(303);
    shop.expire(&expired).await;

    let now_and_then = [
        (&slow, "paid", "refunded"),
        (&disputed, "disputed", "charged_back"),
        (&asked, "paid", "paid"),
        (&by_bank, "pending", "paid"),
        (&failing, "pending", "failed"),
        (&paid, "open", "paid"),
        (&expired, "open", "expired"),
    ];
    // Their time has not come yet.
    assert_eq!(shop.reconcile().await.purchases, 0);
    for (checkout, now, _) in &now_and_then {
        assert_eq!(shop.status(&checkout.purchase).await, *now);
        shop.age(&checkout.purchase, TWO_DAYS).await;
    }
    let findings = shop.reconcile().await;
    assert_eq!(findings.purchases, 7, "{findings:?}");
    assert_eq!(findings.found, 7, "{findings:?}");
    for (checkout, _, then) in &now_and_then {
        assert_eq!(shop.status(&checkout.purchase).await, *then);
    }
    let closed = format!("dispute_closed#{inquiry}#warning_closed");
    assert!(shop.effects(&asked.purchase).await.contains(&closed));
    // Everything is settled, so nothing is looked at any more.
    let findings = shop.reconcile().await;
    assert_eq!((findings.found, findings.purchases), (0, 0), "{findings:?}");
}

#[tokio::test]
async fn what_went_back_before_the_payment_was_heard_of_is_found_with_it() {
    let shop = TestApp::start().await;
    stripe_keeps_to_itself(&shop, "*").await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.refund(&checkout, Some(500)).await;
    shop.dispute(&checkout, &[("amount", "700")]).await;
    shop.age(&checkout.purchase, TWO_DAYS).await;
    let findings = shop.reconcile().await;
    assert_eq!(findings.found, 3, "{findings:?}");
    assert_eq!(shop.status(&checkout.purchase).await, "disputed");
    assert_eq!(shop.money(&checkout.purchase).await, [1500, 500, 700, 300]);
    shop.mails(3).await;
}

#[tokio::test]
async fn a_purchase_that_was_lost_and_rebuilt_gets_its_lines_back() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    let before = shop.purchase(&checkout.purchase).await["lines"].clone();
    shop.lose_purchase(&checkout.purchase).await;
    assert_eq!(shop.receipt(&event).await, "recorded");
    assert_eq!(shop.purchase(&checkout.purchase).await["lines"], json!([]));
    let findings = shop.reconcile().await;
    assert_eq!(findings.purchases, 1, "{findings:?}");
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["lines"], before);
    assert_eq!(purchase["attention"], json!(["rebuilt"]));
    assert_eq!(shop.reconcile().await.purchases, 0);
    shop.mails(0).await;
}

#[tokio::test]
async fn what_went_back_while_a_purchase_was_lost_is_found_once_it_is_rebuilt() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    stripe_keeps_to_itself(&shop, "*").await;
    shop.refund(&checkout, Some(500)).await;
    shop.lose_purchase(&checkout.purchase).await;
    assert_eq!(shop.receipt(&event).await, "recorded");
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    let findings = shop.reconcile().await;
    assert_eq!(findings.found, 1, "{findings:?}");
    let now = shop.status(&checkout.purchase).await;
    assert_eq!(now, "partially_refunded");
}

/// This many events about somebody else's sessions, none of which reaches the shop.
async fn foreign_events(shop: &TestApp, count: usize) {
    shop.hold_deliveries().await;
    for _ in 0..count / 10 {
        let expired = (0..10).map(async |_| {
            let session = shop.foreign_session().await;
            let path = format!("checkout/sessions/{}/expire", session.session());
            shop.stripe_post(&path, &[]).await;
        });
        join_all(expired).await;
    }
    // Old enough to be read, while no purchase is due yet.
    shop.control("clock", &[("advance", "120")]).await;
}

#[tokio::test]
async fn a_run_that_is_killed_among_many_events_is_resumed_where_it_was() {
    const EVENTS: u64 = 450;
    let shop = TestApp::start().await;
    let (checkout, _) = shop.paid_unheard().await;
    foreign_events(&shop, EVENTS as usize).await;

    // Killed on its third page.
    let far_enough = Notify::new();
    let reconcile = shop.reconciler().await;
    let run = reconcile.run(Limits::default(), |so_far| {
        if so_far.events == 250 {
            far_enough.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = far_enough.notified() => {}
        run = run => panic!("it came to its end: {run:?}"),
    }
    // The page it was noting when it was killed may be noted after all.
    let is_under_way = async || {
        let place = shop.cursor().await.unwrap();
        assert!(place.get("sweep").is_some(), "{place}");
        assert!(place.get("high_water").is_none(), "{place}");
    };
    is_under_way().await;
    // Whoever looked at the purchase would have Stripe asked.
    let recorded = shop.recorded(&checkout.purchase).await;
    assert!(recorded.is_empty(), "the oldest comes last: {recorded:?}");

    // Stripe is down when it begins anew: nothing is lost.
    let down = [("path", "/v1/events"), ("status", "500"), ("times", "0")];
    shop.control("faults", &down).await;
    reconcile.run(Limits::default(), |_| {}).await.unwrap_err();
    is_under_way().await;
    shop.stripe_is_well().await;

    // Out of time before it begins: nothing is lost.
    let limits = Limits {
        until: Some(Instant::now()),
        ..Limits::default()
    };
    let run = reconcile.run(limits, |_| {}).await.unwrap();
    assert_eq!((run.events, run.complete), (0, false));
    is_under_way().await;

    let steps = std::sync::Mutex::new(Vec::new());
    let run = reconcile.run(Limits::default(), |so_far| {
        let mut steps = steps.lock().unwrap();
        if so_far.found > 0 && steps.is_empty() {
            steps.push(so_far.events);
        }
    });
    let findings = run.await.unwrap();
    assert!(findings.complete, "{findings:?}");
    assert_eq!(findings.found, 1, "{findings:?}");
    // The payment's event is the oldest: the two pages or three that were noted are not read again.
    let until_found = steps.into_inner().unwrap()[0];
    assert!(until_found <= EVENTS + 1 - 200, "{until_found}");
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    let place = shop.cursor().await.unwrap();
    assert!(place.get("sweep").is_none(), "{place}");
    let mark = place["high_water"]["N"].as_str().unwrap();
    assert!(mark.parse::<i64>().unwrap() > 1_700_000_000, "{place}");
    shop.mails(1).await;
}

#[tokio::test]
async fn a_sweep_whose_place_stripe_has_forgotten_starts_over() {
    let shop = TestApp::start().await;
    let (checkout, _) = shop.paid_unheard().await;
    shop.reconcile().await;
    let mut place = shop.cursor().await.unwrap();
    place["sweep"] = json!({ "M": {
        "from": { "N": "1" }, "newest": { "N": "2" }, "after": { "S": "evt_forgotten" },
        "failed": { "BOOL": false }, "layout": { "N": "1" },
    } });
    shop.put_item("PurchasesTable", &place).await;
    let findings = shop.reconcile().await;
    assert_eq!((findings.events, findings.found), (1, 0), "{findings:?}");
    assert!(shop.cursor().await.unwrap().get("sweep").is_none());
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
}

#[tokio::test]
async fn what_an_interrupted_run_could_not_take_in_is_seen_by_the_next() {
    let shop = TestApp::start().await;
    let (_, event) = shop.paid_unheard().await;
    shop.reconcile().await;
    let event: Value = serde_json::from_str(&event).unwrap();
    let mut place = shop.cursor().await.unwrap();
    let mark = place.as_object_mut().unwrap().remove("high_water");
    place["sweep"] = json!({ "M": {
        "from": { "N": "1" }, "newest": mark, "after": { "S": event["id"] },
        "failed": { "BOOL": true }, "layout": { "N": "1" },
    } });
    shop.put_item("PurchasesTable", &place).await;
    shop.reconcile().await;
    let place = shop.cursor().await.unwrap();
    assert_eq!(place.get("high_water"), mark.as_ref(), "{place}");
    assert!(place.get("sweep").is_none(), "{place}");
}

#[tokio::test]
async fn a_purchase_that_nobody_can_pay_any_more_is_abandoned_by_the_clock_the_function_is_given() {
    let shop = TestApp::start().await;
    shop.sell_limited("one-lamp", 1).await;
    shop.stripe_fails(&[("status", "500")]).await;
    shop.checkout(&cart(&[("one-lamp", 1)])).await.expect(502);
    let lost = shop.stored_purchases().await.remove(0);
    assert_eq!(shop.reconcile().await.found, 0, "its time is not over yet");

    let environment = shop.environment("ReconcileFunction");
    let environment = environment.with_clock(Clock::new(|| {
        OffsetDateTime::now_utc() + Duration::seconds(TWO_DAYS)
    }));
    let later = Reconcile::new(&environment).await.unwrap();
    let findings = later.run(Limits::default(), |_| {}).await.unwrap();
    assert_eq!(findings.found, 1, "{findings:?}");
    assert_eq!(shop.status(&lost).await, "abandoned");
    assert_eq!(shop.stock("one-lamp").await, Some(1));
}

#[tokio::test]
async fn a_dry_run_reports_everything_and_writes_nothing() {
    let shop = TestApp::start().await;
    shop.sell_limited("one-lamp", 1).await;
    let (checkout, _) = shop.paid_unheard().await;
    shop.stripe_fails(&[("status", "500")]).await;
    shop.checkout(&cart(&[("one-lamp", 1)])).await.expect(502);
    let mut stored = shop.stored_purchases().await;
    stored.retain(|id| *id != checkout.purchase);
    let lost = stored.remove(0);
    shop.age(&lost, TWO_DAYS).await;
    let unheard = shop.open().await;
    shop.expire(&unheard).await;

    let before = shop.dump().await;
    let dry = Reconcile::dry_run(&shop.environment("ReconcileFunction")).await;
    let dry = dry.unwrap();
    let told = dry.run(Limits::default(), |_| {}).await.unwrap();
    assert_eq!(shop.dump().await, before);
    assert_eq!(told.found, 3, "{told:?}");
    let mut would: Vec<_> = told
        .drift
        .iter()
        .map(|it| (it.subject.to_string(), it.status.as_str(), it.action))
        .collect();
    would.sort();
    let mut hoped = vec![
        (checkout.purchase.clone(), "paid", "record"),
        (lost.clone(), "abandoned", "abandon"),
        (unheard.purchase.clone(), "expired", "record"),
    ];
    hoped.sort();
    assert_eq!(would, hoped);
    assert_eq!(shop.stock("one-lamp").await, Some(0));
    shop.mails(0).await;

    let done = shop.reconcile().await;
    assert_eq!(done.found, 3, "{done:?}");
    for (id, status, _) in hoped {
        assert_eq!(shop.status(&id).await, status);
    }
    assert_eq!(shop.stock("one-lamp").await, Some(1));
    shop.mails(1).await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_parked_and_counted_once() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    // Tagged as ours, with an id that no purchase can have.
    let stack = shop.environment("ReconcileFunction");
    let stack = stack.optional("TILL_STACK").unwrap().to_owned();
    let session = shop
        .session_made_elsewhere(&[
            ("metadata[till_stack]", &stack),
            ("metadata[purchase_id]", "my-order-7"),
        ])
        .await;
    shop.pay(&session, CARD).await.expect(303);
    let findings = shop.reconcile().await;
    assert_eq!((findings.parked, findings.found), (1, 0), "{findings:?}");
    assert_eq!(shop.parked().await, 1);
    let findings = shop.reconcile().await;
    assert_eq!((findings.events, findings.parked), (1, 0), "{findings:?}");
    assert_eq!(shop.parked().await, 1);
}

#[tokio::test]
async fn a_purchase_stripe_cannot_be_asked_about_is_left_to_the_next_run_and_holds_up_no_other() {
    let shop = TestApp::start().await;
    // If it overtook the refund's own event, all refunds would be fetched.
    stripe_keeps_to_itself(&shop, "charge.refunded").await;
    let slow = shop.paid_with(REFUNDS_SLOWLY).await;
    let refund = shop.refund(&slow, None).await;
    eventually(async || shop.purchase(&slow.purchase).await.get("refunds").cloned()).await;
    let disputed = shop.paid().await;
    let dispute = shop.dispute(&disputed, &[]).await;
    shop.until_status(&disputed.purchase, "disputed").await;
    stripe_keeps_to_itself(&shop, "*").await;
    shop.refund_goes(&refund, "succeed").await;
    shop.dispute_goes(&dispute, "won").await;
    shop.age(&slow.purchase, TWO_DAYS).await;
    shop.age(&disputed.purchase, TWO_DAYS).await;

    let down = [("path", "/v1/refunds/*"), ("status", "500"), ("times", "0")];
    shop.control("faults", &down).await;
    let run = shop.reconciler().await.run(Limits::default(), |_| {}).await;
    let findings = run.unwrap();
    assert_eq!(
        (findings.found, findings.failed, findings.complete),
        (1, 1, false),
        "{findings:?}"
    );
    assert_eq!(shop.status(&disputed.purchase).await, "paid");
    assert_eq!(shop.status(&slow.purchase).await, "paid");
    shop.stripe_is_well().await;
    assert_eq!(shop.reconcile().await.found, 1);
    assert_eq!(shop.status(&slow.purchase).await, "refunded");
}

#[tokio::test]
async fn an_event_that_could_not_be_stored_keeps_the_mark_where_it_was() {
    let shop = TestApp::start().await;
    let (checkout, _) = shop.paid_unheard().await;
    shop.aws_fails("TransactWriteItems", "error", None).await;
    let run = shop.reconciler().await.run(Limits::default(), |_| {}).await;
    let findings = run.unwrap();
    shop.aws_recovers().await;
    assert!(findings.failed > 0 && !findings.complete, "{findings:?}");
    let place = shop.cursor().await;
    let mark = place.as_ref().and_then(|place| place.get("high_water"));
    assert!(mark.is_none(), "{place:?}");
    assert_eq!(shop.reconcile().await.found, 1);
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    shop.mails(1).await;
}

#[tokio::test]
async fn the_schedule_runs_it_and_two_runs_at_once_do_everything_once() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let mut opened = Vec::new();
    for _ in 0..4 {
        let checkout = shop.open().await;
        shop.pay(&checkout, CARD).await.expect(303);
        opened.push(checkout);
    }
    // It leaves alone what is younger than a minute.
    shop.control("clock", &[("advance", "120")]).await;
    let reconcile = shop.reconciler().await;
    let (one, other) = tokio::join!(reconcile.handle(json!({})), reconcile.handle(json!({})));
    one.unwrap();
    other.unwrap();
    for checkout in &opened {
        assert_eq!(shop.status(&checkout.purchase).await, "paid");
        assert_eq!(shop.effects(&checkout.purchase).await, ["paid"]);
        assert_eq!(shop.recorded(&checkout.purchase).await.len(), 1);
    }
    assert_eq!(shop.reconcile().await.found, 0);
    shop.mails(4).await;
}
