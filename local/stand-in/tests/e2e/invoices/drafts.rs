//! Invoices in the making, and how they are shown.

use serde_json::json;

use super::{HOUR, INVOICES, ITEMS, act, act_refused, customer, draft, item, post, refused, sums};
use crate::bench::{Bench, id};

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
    assert_eq!(
        (&old["subscription"], &old["tax"]),
        (&json!(null), &json!(null))
    );
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
async fn shipping_is_added_to_the_total() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    item(&bench, &ada, "2000").await;
    let rate = vec![
        ("display_name", "Post"),
        ("fixed_amount[amount]", "500"),
        ("fixed_amount[currency]", "usd"),
    ];
    let rate = id(&post(&bench, "/v1/shipping_rates", &rate).await);
    let invoice = draft(&bench, &ada, &[("shipping_cost[shipping_rate]", &rate)]).await;
    assert_eq!(sums(&invoice), [2000, 2500, 2500, 0, 2500]);
    assert_eq!(
        (
            &invoice["amount_shipping"],
            &invoice["shipping_cost"]["shipping_rate"]
        ),
        (&json!(500), &json!(rate))
    );
    let path = format!("{INVOICES}/{}", id(&invoice));
    let without = post(&bench, &path, &vec![("shipping_cost", "")]).await;
    assert_eq!(
        (&without["total"], &without["shipping_cost"]),
        (&json!(2000), &json!(null))
    );
}

#[tokio::test]
async fn an_item_has_no_digits_that_its_currency_lacks() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let form = |field, amount, quantity| {
        vec![
            ("customer", ada.as_str()),
            ("currency", "kwd"),
            (field, amount),
            ("quantity", quantity),
        ]
    };
    for (field, amount, quantity) in [
        ("amount", "1005", "1"),
        ("amount", "-1005", "1"),
        ("unit_amount_decimal", "1005", "1"),
        ("unit_amount_decimal", "0.5", "10"),
    ] {
        let error = refused(&bench, ITEMS, &form(field, amount, quantity)).await;
        assert_eq!(error["param"], "amount", "{amount}");
    }
    let mug = id(&post(&bench, "/v1/products", &vec![("name", "Mug")]).await);
    let data = vec![
        ("customer", ada.as_str()),
        ("price_data[currency]", "kwd"),
        ("price_data[product]", &*mug),
        ("price_data[unit_amount_decimal]", "1005"),
    ];
    let error = refused(&bench, ITEMS, &data).await;
    assert_eq!(error["param"], "price_data[unit_amount_decimal]");
    let halves = form("unit_amount_decimal", "0.5", "20");
    let item = post(&bench, ITEMS, &halves).await;
    assert_eq!(item["amount"], 10);
    let path = format!("{ITEMS}/{}", id(&item));
    let error = refused(&bench, &path, &vec![("quantity", "11")]).await;
    assert_eq!(error["param"], "quantity");
}

#[tokio::test]
async fn an_invoice_of_more_than_can_be_charged_stays_a_draft() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    for _ in 0..2 {
        item(&bench, &ada, "99999999").await;
    }
    let invoice = draft(&bench, &ada, &[]).await;
    for verb in ["finalize", "pay"] {
        let error = act_refused(&bench, &invoice, verb, &vec![]).await;
        assert_eq!(error["code"], "amount_too_large", "{verb}");
    }
    // Nor is it charged by itself.
    let form = vec![("auto_advance", "true")];
    let path = format!("{INVOICES}/{}", id(&invoice));
    post(&bench, &path, &form).await;
    bench.advance(2 * HOUR).await;
    let still = bench.fetch("invoices", &id(&invoice)).await;
    assert_eq!(
        (&still["status"], &still["last_finalization_error"]["code"]),
        (&json!("draft"), &json!("amount_too_large"))
    );
    let failed = bench.latest("invoice.finalization_failed").await;
    assert_eq!(failed["data"]["object"]["id"], invoice["id"]);
    bench.get("/v1/balance").await.expect(200);
}

#[tokio::test]
async fn nobody_subscribes_to_more_than_can_be_charged() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let form = vec![
        ("currency", "usd"),
        ("unit_amount", "999999"),
        ("recurring[interval]", "month"),
        ("product_data[name]", "Coffee"),
    ];
    let price = id(&post(&bench, "/v1/prices", &form).await);
    let form = vec![
        ("customer", ada.as_str()),
        ("items[0][price]", price.as_str()),
        ("items[0][quantity]", "999999"),
    ];
    let error = refused(&bench, "/v1/subscriptions", &form).await;
    assert_eq!(error["code"], "amount_too_large");
}
