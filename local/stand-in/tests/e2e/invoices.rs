//! Invoices: <https://docs.stripe.com/invoicing/overview>, and their items, lines and payments.

use serde_json::{Value, json};

use crate::bench::{Bench, Form, id};

const INVOICES: &str = "/v1/invoices";
const ITEMS: &str = "/v1/invoiceitems";
const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

async fn post(bench: &Bench, path: &str, form: &Form<'_>) -> Value {
    bench.post(path, form).await.expect(200).json()
}

async fn refused(bench: &Bench, path: &str, form: &Form<'_>) -> Value {
    bench.post(path, form).await.expect(400).error()
}

/// A customer who pays with this card by default.
async fn customer(bench: &Bench, card: &str) -> String {
    let mut form = vec![("email", "ada@mail.example"), ("invoice_prefix", "ADA")];
    if !card.is_empty() {
        form.push(("payment_method", card));
        form.push(("invoice_settings[default_payment_method]", card));
    }
    id(&post(bench, "/v1/customers", &form).await)
}

async fn item(bench: &Bench, customer: &str, amount: &str) -> Value {
    let form = vec![
        ("customer", customer),
        ("amount", amount),
        ("currency", "usd"),
        ("description", "Work"),
    ];
    post(bench, ITEMS, &form).await
}

/// A draft of what is pending.
async fn draft(bench: &Bench, customer: &str, more: &[(&str, &str)]) -> Value {
    let form = [
        &[
            ("customer", customer),
            ("pending_invoice_items_behavior", "include"),
        ],
        more,
    ]
    .concat();
    post(bench, INVOICES, &form).await
}

async fn act(bench: &Bench, invoice: &Value, verb: &str, form: &Form<'_>) -> Value {
    let path = format!("{INVOICES}/{}/{verb}", id(invoice));
    post(bench, &path, form).await
}

async fn act_refused(bench: &Bench, invoice: &Value, verb: &str, form: &Form<'_>) -> Value {
    let path = format!("{INVOICES}/{}/{verb}", id(invoice));
    refused(bench, &path, form).await
}

/// What an invoice comes to: subtotal, total, due, paid, remaining.
fn sums(invoice: &Value) -> [i64; 5] {
    [
        "subtotal",
        "total",
        "amount_due",
        "amount_paid",
        "amount_remaining",
    ]
    .map(|field| invoice[field].as_i64().unwrap())
}

#[tokio::test]
async fn pending_items_go_on_the_next_invoice() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let made = item(&bench, &ada, "2000").await;
    assert_eq!(made["object"], "invoiceitem");
    assert_eq!(made["invoice"], json!(null));
    assert_eq!(made["pricing"]["unit_amount_decimal"], "2000");
    item(&bench, &ada, "-500").await;
    let pending = bench
        .get(&format!("{ITEMS}?customer={ada}&pending=true"))
        .await
        .json();
    assert_eq!(pending["data"].as_array().unwrap().len(), 2);

    let empty = post(&bench, INVOICES, &vec![("customer", ada.as_str())]).await;
    assert_eq!(
        empty["lines"]["data"],
        json!([]),
        "items are left out by default"
    );
    let invoice = draft(&bench, &ada, &[]).await;
    assert_eq!(invoice["status"], "draft");
    assert_eq!(invoice["billing_reason"], "manual");
    assert_eq!(invoice["number"], json!(null));
    assert_eq!(invoice["customer_email"], "ada@mail.example");
    assert_eq!(invoice["auto_advance"], false);
    assert_eq!(sums(&invoice), [1500, 1500, 1500, 0, 1500]);
    let lines = invoice["lines"]["data"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        lines[1]["parent"]["invoice_item_details"]["invoice_item"],
        made["id"]
    );
    assert_eq!(
        lines[0]["discountable"], false,
        "a credit bears no discount"
    );
    let swept = bench.fetch("invoiceitems", &id(&made)).await;
    assert_eq!(swept["invoice"], invoice["id"]);
    let pending = bench
        .get(&format!("{ITEMS}?customer={ada}&pending=true"))
        .await
        .json();
    assert_eq!(pending["data"], json!([]));
}

#[tokio::test]
async fn an_invoice_is_finalized_and_paid_with_the_customers_default() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let so_far = bench.event_types().await.len();
    let open = act(&bench, &invoice, "finalize", &vec![]).await;
    assert_eq!(open["status"], "open");
    assert_eq!(open["number"], "ADA-0001");
    assert_eq!(open["attempted"], false);
    assert_eq!(open["ending_balance"], 0);
    assert!(open["hosted_invoice_url"].is_string());
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["payment_intent.created", "invoice.finalized"]
    );
    let so_far = bench.event_types().await.len();
    let paid = act(&bench, &invoice, "pay", &vec![("expand[]", "payments")]).await;
    assert_eq!(paid["status"], "paid");
    assert_eq!(sums(&paid), [2000, 2000, 2000, 2000, 0]);
    assert_eq!(
        (&paid["attempt_count"], &paid["attempted"]),
        (&json!(1), &json!(true))
    );
    assert!(paid["status_transitions"]["paid_at"].is_i64());
    let payment = &paid["payments"]["data"][0];
    assert_eq!(payment["object"], "invoice_payment");
    assert_eq!(payment["status"], "paid");
    assert_eq!(payment["amount_paid"], 2000);
    assert_eq!(payment["is_default"], true);
    let events = bench.event_types_after(so_far).await;
    let told: Vec<&str> = events.iter().map(String::as_str).collect();
    assert_eq!(
        told.iter()
            .filter(|it| it.starts_with("invoice"))
            .collect::<Vec<_>>(),
        [
            &"invoice.updated",
            &"invoice.paid",
            &"invoice.payment_succeeded",
            &"invoice_payment.paid"
        ]
    );
    assert!(told.contains(&"charge.succeeded") && told.contains(&"payment_intent.succeeded"));

    let intent = payment["payment"]["payment_intent"].as_str().unwrap();
    let intent = bench.fetch("payment_intents", intent).await;
    assert_eq!(intent["payment_details"]["order_reference"], invoice["id"]);
    assert_eq!(intent["customer"], json!(ada));
    let listed = bench
        .get(&format!("/v1/invoice_payments?invoice={}", id(&invoice)))
        .await
        .json();
    assert_eq!(listed["data"], json!([payment]));
    let error = act_refused(&bench, &invoice, "pay", &vec![]).await;
    assert_eq!(error["message"], "Invoice is already paid");
}

#[tokio::test]
async fn paying_a_draft_finalizes_it_first() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let error = act_refused(&bench, &invoice, "pay", &vec![]).await;
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("default_payment_method")
    );
    let after = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(after["status"], "draft", "a refused call changes nothing");
    let error = act_refused(
        &bench,
        &invoice,
        "pay",
        &vec![("payment_method", "pm_card_visa")],
    )
    .await;
    assert_eq!(error["param"], "payment_method", "it is not the customer's");
    let card = post(
        &bench,
        "/v1/payment_methods/pm_card_visa/attach",
        &vec![("customer", ada.as_str())],
    )
    .await;
    let paid = act(
        &bench,
        &invoice,
        "pay",
        &vec![("payment_method", &id(&card))],
    )
    .await;
    assert_eq!(
        (&paid["status"], &paid["number"]),
        (&json!("paid"), &json!("ADA-0001"))
    );
}

#[tokio::test]
async fn a_declined_card_leaves_the_invoice_open() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_chargeCustomerFail").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let so_far = bench.event_types().await.len();
    let path = format!("{INVOICES}/{}/pay", id(&invoice));
    let error = bench.post(&path, &vec![]).await.expect(402).error();
    assert_eq!(
        (&error["type"], &error["code"]),
        (&json!("card_error"), &json!("card_declined"))
    );
    assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
    let open = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(
        (&open["status"], &open["attempt_count"], &open["attempted"]),
        (&json!("open"), &json!(1), &json!(true))
    );
    assert_eq!(open["next_payment_attempt"], json!(null));
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "payment_intent.created",
            "invoice.finalized",
            "charge.failed",
            "payment_intent.payment_failed",
            "invoice.payment_failed",
            "invoice.updated",
        ]
    );
    let card = post(
        &bench,
        "/v1/payment_methods/pm_card_visa/attach",
        &vec![("customer", ada.as_str())],
    )
    .await;
    let paid = act(
        &bench,
        &invoice,
        "pay",
        &vec![("payment_method", &id(&card))],
    )
    .await;
    assert_eq!(
        (&paid["status"], &paid["attempt_count"]),
        (&json!("paid"), &json!(1)),
        "only the first try of the shop's counts"
    );
}

#[tokio::test]
async fn a_challenge_is_told_and_its_answer_pays_the_invoice() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_threeDSecure2Required").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let path = format!("{INVOICES}/{}/pay", id(&invoice));
    let error = bench.post(&path, &vec![]).await.expect(402).error();
    assert_eq!(error["code"], "invoice_payment_intent_requires_action");
    let intent = error["payment_intent"].clone();
    assert_eq!(intent["status"], "requires_action");
    let told = bench.latest("invoice.payment_action_required").await;
    assert_eq!(told["data"]["object"]["id"], invoice["id"]);

    let path = format!("payment_intents/{}/authenticate", id(&intent));
    bench
        .control(&path, &vec![("outcome", "succeed")])
        .await
        .expect(200);
    let paid = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(
        (&paid["status"], &paid["amount_paid"]),
        (&json!("paid"), &json!(2000))
    );
}

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
async fn discounts_and_taxes_are_reckoned_line_by_line() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let coupon = vec![("percent_off", "10"), ("duration", "once")];
    let coupon = id(&post(&bench, "/v1/coupons", &coupon).await);
    let rate = vec![
        ("display_name", "VAT"),
        ("percentage", "19"),
        ("inclusive", "false"),
    ];
    let rate = id(&post(&bench, "/v1/tax_rates", &rate).await);
    item(&bench, &ada, "1000").await;
    item(&bench, &ada, "505").await;
    let invoice = draft(
        &bench,
        &ada,
        &[
            ("discounts[0][coupon]", &coupon),
            ("default_tax_rates[0]", &rate),
        ],
    )
    .await;
    // 10 % of 15.05 is 1.51: 0.50 of the newer line and 1.01 of the other. 19 % of 4.55 is 0.86, and of
    // 8.99 it is 1.71.
    assert_eq!(invoice["subtotal"], 1505);
    assert_eq!(invoice["total_discount_amounts"][0]["amount"], 151);
    assert_eq!(invoice["total_excluding_tax"], 1354);
    let taxes: Vec<_> = invoice["lines"]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["discount_amounts"][0]["amount"].as_i64().unwrap(),
                line["taxes"][0]["amount"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(taxes, [(50, 86), (101, 171)]);
    assert_eq!(invoice["total_taxes"][0]["amount"], 257);
    assert_eq!(
        invoice["total_taxes"][0]["tax_rate_details"]["tax_rate"],
        json!(rate)
    );
    assert_eq!(invoice["total"], 1611);
    let whole = bench
        .get(&format!("{INVOICES}/{}?expand[]=discounts", id(&invoice)))
        .await
        .json();
    assert_eq!(whole["discounts"][0]["source"]["coupon"], json!(coupon));
}

#[tokio::test]
async fn a_draft_can_be_changed_and_a_final_invoice_hardly() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let first = item(&bench, &ada, "1000").await;
    let invoice = draft(&bench, &ada, &[("description", "Work")]).await;
    let added = act(
        &bench,
        &invoice,
        "add_lines",
        &vec![
            ("lines[0][description]", "More"),
            ("lines[0][amount]", "250"),
            ("invoice_metadata[order]", "7"),
        ],
    )
    .await;
    assert_eq!(
        (&added["total"], &added["metadata"]),
        (&json!(1250), &json!({"order": "7"}))
    );
    let line = id(&added["lines"]["data"][1]);
    let changed = act(
        &bench,
        &invoice,
        "update_lines",
        &vec![("lines[0][id]", &line), ("lines[0][quantity]", "3")],
    )
    .await;
    assert_eq!(changed["total"], 1750);
    let path = format!("{INVOICES}/{}/lines/{line}", id(&invoice));
    let changed = post(&bench, &path, &vec![("amount", "300")]).await;
    assert_eq!(
        (&changed["object"], &changed["amount"]),
        (&json!("line_item"), &json!(300))
    );
    let item_path = format!("{ITEMS}/{}", id(&first));
    post(&bench, &item_path, &vec![("amount", "1100")]).await;
    let now = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(now["total"], 1400, "a line follows its item");
    let removed = act(
        &bench,
        &invoice,
        "remove_lines",
        &vec![("lines[0][id]", &line), ("lines[0][behavior]", "unassign")],
    )
    .await;
    assert_eq!(removed["total"], 1100);

    act(&bench, &invoice, "finalize", &vec![]).await;
    for (field, value) in [
        ("description", "Play"),
        ("footer", "x"),
        ("days_until_due", "3"),
    ] {
        let path = format!("{INVOICES}/{}", id(&invoice));
        let error = refused(&bench, &path, &vec![(field, value)]).await;
        assert_eq!(error["param"], json!(field));
    }
    let error = refused(&bench, &item_path, &vec![("amount", "5")]).await;
    assert_eq!(error["code"], "invoice_not_editable");
    let path = format!("{INVOICES}/{}", id(&invoice));
    let kept = post(&bench, &path, &vec![("metadata[paid]", "soon")]).await;
    assert_eq!(kept["metadata"]["paid"], "soon");
}

#[tokio::test]
async fn the_payment_intent_of_an_invoice_can_be_confirmed_by_the_shop() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let open = act(
        &bench,
        &invoice,
        "finalize",
        &vec![
            ("expand[]", "confirmation_secret"),
            ("expand[]", "payments"),
        ],
    )
    .await;
    let secret = open["confirmation_secret"]["client_secret"]
        .as_str()
        .unwrap();
    let intent = open["payments"]["data"][0]["payment"]["payment_intent"]
        .as_str()
        .unwrap();
    assert!(secret.starts_with(intent));
    let path = format!("/v1/payment_intents/{intent}");
    refused(&bench, &format!("{path}/cancel"), &vec![]).await;
    refused(&bench, &path, &vec![("amount", "100")]).await;
    let form = vec![("payment_method", "pm_card_visa")];
    post(&bench, &format!("{path}/confirm"), &form).await;
    let paid = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(
        (&paid["status"], &paid["attempt_count"]),
        (&json!("paid"), &json!(1))
    );
}

#[tokio::test]
async fn payments_that_the_shop_attaches_add_up() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    act(&bench, &invoice, "finalize", &vec![]).await;
    for (amount, status, remains) in [("1500", "open", 500), ("500", "paid", 0)] {
        let intent = post(
            &bench,
            "/v1/payment_intents",
            &vec![
                ("amount", amount),
                ("currency", "usd"),
                ("customer", &ada),
                ("payment_method", "pm_card_visa"),
                ("confirm", "true"),
                ("return_url", "http://127.0.0.1:3000/"),
            ],
        )
        .await;
        let form = vec![("payment_intent", intent["id"].as_str().unwrap())];
        let now = act(&bench, &invoice, "attach_payment", &form).await;
        assert_eq!(
            (&now["status"], &now["amount_remaining"]),
            (&json!(status), &json!(remains))
        );
    }
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
async fn older_versions_show_an_invoice_as_they_knew_it() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    act(&bench, &invoice, "pay", &vec![]).await;
    let path = format!("{INVOICES}/{}?expand[]=payment_intent", id(&invoice));
    let old = bench
        .send(
            bench
                .request("GET", &path)
                .bearer_auth(crate::bench::KEY)
                .header("stripe-version", "2025-02-24.acacia"),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&old["paid"], &old["paid_out_of_band"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(old["payment_intent"]["invoice"], invoice["id"]);
    assert_eq!(old["charge"], old["payment_intent"]["latest_charge"]);
    assert_eq!(old["subscription"], json!(null));
    let line = &old["lines"]["data"][0];
    assert_eq!(line["type"], "invoiceitem");
    assert_eq!(line["price"]["unit_amount"], 2000);
    assert!(old.get("parent").is_none() && line.get("pricing").is_none());
}

#[tokio::test]
async fn invoices_are_listed_and_searched() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    item(&bench, &ada, "2000").await;
    let paid = draft(&bench, &ada, &[]).await;
    act(&bench, &paid, "pay", &vec![]).await;
    let open = draft(&bench, &ada, &[("metadata[order]", "7")]).await;
    let of = async |query: &str| {
        let list = bench.get(&format!("{INVOICES}?{query}")).await.json();
        crate::bench::ids(&list)
    };
    assert_eq!(of("status=paid").await, [id(&paid)]);
    assert_eq!(of(&format!("customer={ada}")).await, [id(&open), id(&paid)]);
    assert_eq!(of("subscription=sub_none").await, Vec::<String>::new());
    let found = bench
        .get(&format!(
            "{INVOICES}/search?query=metadata%5B%22order%22%5D:%227%22"
        ))
        .await
        .expect(200)
        .json();
    assert_eq!(crate::bench::ids(&found), [id(&open)]);
}

#[tokio::test]
async fn a_preview_shows_the_next_invoice_and_keeps_nothing() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    item(&bench, &ada, "1000").await;
    let coupon = vec![
        ("amount_off", "100"),
        ("currency", "usd"),
        ("duration", "once"),
    ];
    let coupon = id(&post(&bench, "/v1/coupons", &coupon).await);
    let so_far = bench.event_types().await.len();
    let preview = post(
        &bench,
        "/v1/invoices/create_preview",
        &vec![
            ("customer", &ada),
            ("discounts[0][coupon]", &coupon),
            ("invoice_items[0][amount]", "500"),
            ("invoice_items[0][currency]", "usd"),
        ],
    )
    .await;
    assert!(id(&preview).starts_with("upcoming_in_"));
    assert_eq!(
        (&preview["subtotal"], &preview["total"]),
        (&json!(1500), &json!(1400))
    );
    assert_eq!(bench.event_types_after(so_far).await, Vec::<String>::new());
    let unused = bench.fetch("coupons", &coupon).await;
    assert_eq!(unused["times_redeemed"], 0);
    let none = bench.get(INVOICES).await.json();
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn a_customer_pays_an_invoice_on_its_page() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "").await;
    item(&bench, &ada, "2000").await;
    let invoice = draft(&bench, &ada, &[]).await;
    let page = format!("/invoices/{}", id(&invoice));
    bench.get(&page).await.expect(404);
    let open = act(&bench, &invoice, "finalize", &vec![]).await;
    assert!(
        open["hosted_invoice_url"]
            .as_str()
            .unwrap()
            .ends_with(&page)
    );
    let shown = bench.get(&page).await.expect(200).text;
    assert!(
        shown.contains("$20.00") && shown.contains("ADA-0001"),
        "{shown}"
    );
    let card = |number| {
        vec![
            ("method", "card"),
            ("card_number", number),
            ("exp", "12 / 40"),
            ("cvc", "123"),
        ]
    };
    let pay = async |number| {
        bench
            .send(bench.request("POST", &page).form(&card(number)))
            .await
    };
    let refused = pay("4000000000000002").await.expect(422).text;
    assert!(refused.contains("Your card was declined."), "{refused}");
    let challenged = pay("4000000000003220").await.expect(303);
    let place = challenged.header("location").unwrap().to_owned();
    assert!(place.contains("/3ds/"), "{place}");
    pay("4242424242424242").await.expect(303);
    let paid = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(paid["status"], "paid");
    let shown = bench.get(&page).await.expect(200).text;
    assert!(
        shown.contains("Paid") && !shown.contains("name=\"card_number\""),
        "{shown}"
    );
    let print = bench.get(&format!("{page}/pdf")).await.expect(200).text;
    assert!(
        print.contains("ADA-0001") && print.contains("Work"),
        "{print}"
    );
}

#[tokio::test]
async fn a_session_can_bring_an_invoice_that_is_paid() {
    let bench = Bench::start().await;
    let session = bench
        .create(vec![
            ("invoice_creation[enabled]", "true"),
            ("invoice_creation[invoice_data][footer]", "Thank you"),
        ])
        .await;
    assert_eq!(session["invoice"], json!(null));
    bench
        .pay(&id(&session), crate::bench::CARD)
        .await
        .expect(303);
    let session = bench.retrieve(&id(&session)).await;
    let told = bench.latest("checkout.session.completed").await;
    assert_eq!(told["data"]["object"]["invoice"], session["invoice"]);
    let invoice = session["invoice"].as_str().unwrap();
    let invoice = bench
        .get(&format!("{INVOICES}/{invoice}?expand[]=payments"))
        .await
        .json();
    assert_eq!(
        (&invoice["status"], &invoice["footer"]),
        (&json!("paid"), &json!("Thank you"))
    );
    assert_eq!(invoice["total"], session["amount_total"]);
    assert_eq!(invoice["amount_paid"], session["amount_total"]);
    assert_eq!(invoice["customer"], session["customer"]);
    let payment = &invoice["payments"]["data"][0]["payment"];
    assert_eq!(payment["payment_intent"], session["payment_intent"]);
}
