//! What becomes of an invoice: finalized, due, void, and what the customer's balance bears.

use serde_json::{Value, json};

use super::{DAY, HOUR, INVOICES, ITEMS, act, act_refused, customer, draft, item, post, refused};
use crate::bench::{Bench, Form, id};
use crate::subscriptions::{Club, FEBRUARY};
use crate::test_clocks::JANUARY;

#[tokio::test]
async fn an_invoice_that_advances_is_finalized_after_an_hour_and_paid() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[("auto_advance", "true")]).await;
    let created = invoice["created"].as_i64().unwrap();
    assert_eq!(
        invoice["automatically_finalizes_at"],
        json!(created + 3_600)
    );
    assert_eq!(invoice["next_payment_attempt"], json!(created + 3_600));
    bench.advance(HOUR - 60).await;
    let still = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(still["status"], "draft");
    bench.advance(60).await;
    let paid = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(
        (&paid["status"], &paid["auto_advance"]),
        (&json!("paid"), &json!(false))
    );
    assert_eq!(
        paid["status_transitions"]["finalized_at"],
        json!(created + 3_600)
    );
}

#[tokio::test]
async fn an_invoice_that_is_sent_is_due_and_then_overdue() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    item(&bench, &ada, "2000").await;
    let sends: Form<'_> = vec![("customer", &ada), ("collection_method", "send_invoice")];
    let error = refused(&bench, INVOICES, &sends).await;
    assert_eq!(error["param"], "days_until_due");
    let invoice = draft(
        &bench,
        &ada,
        &[
            ("collection_method", "send_invoice"),
            ("days_until_due", "7"),
        ],
    )
    .await;
    let so_far = bench.event_types().await.len();
    let sent = act(&bench, &invoice, "send", &vec![]).await;
    assert_eq!(sent["status"], "open");
    let finalized = sent["status_transitions"]["finalized_at"].as_i64().unwrap();
    assert_eq!(sent["due_date"], json!(finalized + 7 * i64::from(DAY)));
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "payment_intent.created",
            "invoice.finalized",
            "invoice.sent"
        ]
    );
    let so_far = bench.event_types().await.len();
    bench.advance(4 * DAY).await;
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["invoice.will_be_due"]
    );
    bench.advance(3 * DAY).await;
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["invoice.will_be_due", "invoice.overdue"]
    );
    let open = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(open["status"], "open", "nobody is charged for it");
    let paid = act(&bench, &invoice, "pay", &vec![("paid_out_of_band", "true")]).await;
    assert_eq!(
        (&paid["status"], &paid["amount_paid_off_stripe"]),
        (&json!("paid"), &json!(2000))
    );
}

#[tokio::test]
async fn an_open_invoice_can_be_void_or_uncollectible_and_a_draft_deleted() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let made = item(&bench, &ada, "2000").await;
    let gone = draft(&bench, &ada, &[]).await;
    let error = act_refused(&bench, &gone, "void", &vec![]).await;
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("open or uncollectible")
    );
    let path = format!("{INVOICES}/{}", id(&gone));
    let deleted = bench
        .send(
            bench
                .request("DELETE", &path)
                .bearer_auth(crate::bench::KEY),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(deleted["deleted"], true);
    bench.get(&path).await.expect(404);
    bench
        .get(&format!("{ITEMS}/{}", id(&made)))
        .await
        .expect(404);

    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    act(&bench, &invoice, "finalize", &vec![]).await;
    let path = format!("{INVOICES}/{}", id(&invoice));
    let error = bench
        .send(
            bench
                .request("DELETE", &path)
                .bearer_auth(crate::bench::KEY),
        )
        .await
        .expect(400)
        .error();
    assert_eq!(error["code"], "invoice_not_editable");
    let bad = act(&bench, &invoice, "mark_uncollectible", &vec![]).await;
    assert_eq!(bad["status"], "uncollectible");
    let void = act(&bench, &invoice, "void", &vec![("expand[]", "payments")]).await;
    assert_eq!(void["status"], "void");
    assert_eq!(void["payments"]["data"][0]["status"], "canceled");
    let intent = void["payments"]["data"][0]["payment"]["payment_intent"].as_str();
    let intent = bench.fetch("payment_intents", intent.unwrap()).await;
    assert_eq!(
        (&intent["status"], &intent["cancellation_reason"]),
        (&json!("canceled"), &json!("void_invoice"))
    );
    act_refused(&bench, &invoice, "pay", &vec![]).await;
    act_refused(&bench, &invoice, "finalize", &vec![]).await;
    let page = format!("/invoices/{}", id(&invoice));
    let page = bench.get(&page).await.expect(200).text;
    assert!(
        page.contains("Void") && !page.contains("Amount due"),
        "{page}"
    );
}

#[tokio::test]
async fn the_balance_of_a_customer_is_applied_when_an_invoice_is_finalized() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let credit = vec![("amount", "-1500"), ("currency", "usd")];
    let path = format!("/v1/customers/{ada}/balance_transactions");
    post(&bench, &path, &credit).await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    assert_eq!(
        (&invoice["starting_balance"], &invoice["amount_due"]),
        (&json!(-1500), &json!(500))
    );
    let open = act(&bench, &invoice, "finalize", &vec![]).await;
    assert_eq!(
        (&open["ending_balance"], &open["amount_due"]),
        (&json!(0), &json!(500))
    );
    let applied = bench.get(&path).await.json()["data"][0].clone();
    assert_eq!(
        (
            &applied["type"],
            &applied["amount"],
            &applied["ending_balance"]
        ),
        (&json!("applied_to_invoice"), &json!(1500), &json!(0))
    );
    assert_eq!(applied["invoice"], invoice["id"]);
    act(&bench, &invoice, "void", &vec![]).await;
    let back = bench.fetch("customers", &ada).await;
    assert_eq!(back["balance"], -1500, "a void invoice gives it back");
}

#[tokio::test]
async fn what_is_too_little_to_charge_goes_to_the_balance() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    item(&bench, &ada, "30").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let so_far = bench.event_types().await.len();
    let paid = act(&bench, &invoice, "finalize", &vec![]).await;
    assert_eq!(
        (
            &paid["status"],
            &paid["amount_due"],
            &paid["ending_balance"]
        ),
        (&json!("paid"), &json!(0), &json!(30))
    );
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "customer.updated",
            "invoice.finalized",
            "invoice.paid",
            "invoice.payment_succeeded"
        ]
    );
    item(&bench, &ada, "100").await;
    let next = draft(&bench, &ada, &[]).await;
    assert_eq!(
        (&next["total"], &next["amount_due"]),
        (&json!(100), &json!(130))
    );
    item(&bench, &ada, "-400").await;
    let credit = draft(&bench, &ada, &[]).await;
    let paid = act(&bench, &credit, "finalize", &vec![]).await;
    assert_eq!(
        (&paid["total"], &paid["ending_balance"]),
        (&json!(-400), &json!(-370))
    );
}

#[tokio::test]
async fn automatic_tax_without_a_location_keeps_a_draft_from_being_finalized() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    item(&bench, &ada, "1000").await;
    let taxed = [("automatic_tax[enabled]", "true"), ("auto_advance", "true")];
    let invoice = draft(&bench, &ada, &taxed).await;
    assert_eq!(
        invoice["automatic_tax"]["status"],
        "requires_location_inputs"
    );
    bench.advance(HOUR).await;
    let draft = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(draft["status"], "draft");
    assert_eq!(
        draft["last_finalization_error"]["code"],
        "customer_tax_location_invalid"
    );
    bench.latest("invoice.finalization_failed").await;
    let path = format!("/v1/customers/{ada}");
    post(&bench, &path, &vec![("address[country]", "DE")]).await;
    let open = act(&bench, &invoice, "finalize", &vec![]).await;
    assert_eq!(
        (&open["total"], &open["automatic_tax"]["status"]),
        (&json!(1190), &json!("complete"))
    );
}

#[tokio::test]
async fn a_customers_discount_for_once_is_spent_by_the_first_invoice() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let coupon = vec![("percent_off", "25"), ("duration", "once")];
    let coupon = id(&post(&bench, "/v1/coupons", &coupon).await);
    let path = format!("/v1/customers/{ada}");
    post(&bench, &path, &vec![("coupon", &coupon)]).await;
    item(&bench, &ada, "2000").await;
    let first = draft(&bench, &ada, &[]).await;
    assert_eq!(
        (&first["subtotal"], &first["total"]),
        (&json!(2000), &json!(1500))
    );
    act(&bench, &first, "finalize", &vec![]).await;
    bench.latest("customer.discount.deleted").await;
    assert_eq!(
        bench.fetch("customers", &ada).await["discount"],
        json!(null)
    );
    item(&bench, &ada, "2000").await;
    let second = draft(&bench, &ada, &[]).await;
    assert_eq!(second["total"], 2000);
}

#[tokio::test]
async fn a_draft_takes_none_of_its_customers_discounts_if_told_so() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let coupon = vec![("percent_off", "25"), ("duration", "forever")];
    let coupon = id(&post(&bench, "/v1/coupons", &coupon).await);
    let path = format!("/v1/customers/{ada}");
    post(&bench, &path, &vec![("coupon", &coupon)]).await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[("discounts", "")]).await;
    assert_eq!(invoice["total"], 2000);
}

#[tokio::test]
async fn an_invoice_looks_back_and_its_lines_look_ahead() {
    let period = |invoice: &Value| {
        let at = |field: &str| invoice[field].as_i64().unwrap();
        (at("period_start"), at("period_end"))
    };
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let first = club.invoice(&subscription).await;
    assert_eq!(period(&first), (JANUARY, JANUARY));
    let middle = JANUARY + 14 * i64::from(DAY);
    club.wind(middle).await;
    let item = id(&subscription["items"]["data"][0]);
    let more = vec![
        ("items[0][id]", &*item),
        ("items[0][quantity]", "2"),
        ("proration_behavior", "always_invoice"),
    ];
    club.update(&subscription, more).await;
    let between = club.invoice(&subscription).await;
    assert_eq!(period(&between), (middle, middle));
    club.wind(FEBRUARY).await;
    let told = club.bench.latest("invoice.upcoming").await;
    assert_eq!(period(&told["data"]["object"]), (JANUARY, FEBRUARY));
    let renewal = club.invoice(&subscription).await;
    assert_eq!(period(&renewal), (JANUARY, FEBRUARY));
    let line = &renewal["lines"]["data"][0]["period"];
    assert_eq!(line["start"], FEBRUARY);

    let club = Club::open().await;
    let trial = club.subscribe(vec![("trial_period_days", "14")]).await;
    club.wind(middle).await;
    assert_eq!(period(&club.invoice(&trial).await), (JANUARY, middle));
}
