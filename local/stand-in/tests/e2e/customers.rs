//! Customers, and what is theirs.

use serde_json::json;

use crate::bench::{Bench, id, ids};

const CUSTOMERS: &str = "/v1/customers";

#[tokio::test]
async fn a_customer_is_made_changed_and_deleted() {
    let bench = Bench::start().await;
    let form = vec![
        ("email", "ann@mail.example"),
        ("address[city]", "Berlin"),
        ("metadata[order]", "6735"),
        ("metadata[gone]", "soon"),
        ("preferred_locales[]", "de"),
    ];
    let made = bench.post(CUSTOMERS, &form).await.expect(200).json();
    assert_eq!(made["email"], "ann@mail.example");
    assert_eq!(made["address"]["city"], "Berlin");
    assert_eq!(made["address"]["line1"], json!(null));
    assert_eq!(made["balance"], 0);
    assert_eq!(made["default_source"], json!(null));
    assert_eq!(made["preferred_locales"], json!(["de"]));
    let path = format!("{CUSTOMERS}/{}", id(&made));
    assert_eq!(bench.get(&path).await.expect(200).json(), made);

    let form = vec![
        ("address[line1]", "Torstr. 1"),
        ("metadata[gone]", ""),
        ("balance", "-500"),
    ];
    let changed = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(changed["address"]["city"], "Berlin");
    assert_eq!(changed["address"]["line1"], "Torstr. 1");
    assert_eq!(changed["balance"], -500);
    assert_eq!(changed["metadata"], json!({ "order": "6735" }));
    let event = bench.latest("customer.updated").await;
    let before = &event["data"]["previous_attributes"];
    assert_eq!(before["balance"], 0);
    assert_eq!(before["email"], json!(null), "it has not changed");

    let gone = bench.delete(&path).await.expect(200).json();
    assert_eq!(gone["deleted"], true);
    assert_eq!(bench.get(&path).await.expect(200).json(), gone);
    assert_eq!(bench.get(CUSTOMERS).await.json()["data"], json!([]));
    bench.post(&path, &form).await.expect(404);
    assert_eq!(
        bench.event_types().await,
        ["customer.created", "customer.updated", "customer.deleted"]
    );
}

#[tokio::test]
async fn a_balance_is_no_more_than_an_invoice_can_be() {
    let bench = Bench::start().await;
    let customer = bench.post(CUSTOMERS, &vec![]).await.expect(200).json();
    let path = format!("{CUSTOMERS}/{}", id(&customer));
    let entries = format!("{path}/balance_transactions");
    for extreme in ["100000000", "-100000000", "9223372036854775807"] {
        let form = vec![("balance", extreme)];
        for door in [CUSTOMERS, &*path] {
            let error = bench.post(door, &form).await.expect(400).error();
            assert_eq!(error["param"], "balance", "{extreme}");
        }
        let form = vec![("amount", extreme), ("currency", "usd")];
        let error = bench.post(&entries, &form).await.expect(400).error();
        assert_eq!(error["param"], "amount", "{extreme}");
    }
    let most = vec![("amount", "-99999999"), ("currency", "usd")];
    bench.post(&entries, &most).await.expect(200);
    // One more is too much.
    let form = vec![("amount", "-1"), ("currency", "usd")];
    bench.post(&entries, &form).await.expect(400);
    let form = vec![("name", "Ann")];
    let changed = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(changed["balance"], -99_999_999);
    let customer = bench.post(CUSTOMERS, &vec![]).await.expect(200).json();
    let entries = format!("{CUSTOMERS}/{}/balance_transactions", id(&customer));
    let form = vec![("amount", "1005"), ("currency", "kwd")];
    bench.post(&entries, &form).await.expect(400);
}

#[tokio::test]
async fn a_customer_has_one_discount_at_a_time() {
    let bench = Bench::start().await;
    let coupon = vec![("id", "C"), ("percent_off", "20")];
    bench.post("/v1/coupons", &coupon).await.expect(200);
    let short = vec![
        ("id", "M"),
        ("percent_off", "30"),
        ("duration", "repeating"),
        ("duration_in_months", "3"),
        ("max_redemptions", "1"),
    ];
    bench.post("/v1/coupons", &short).await.expect(200);
    let customer = bench
        .post(CUSTOMERS, &vec![("coupon", "C")])
        .await
        .expect(200)
        .json();
    assert_eq!(customer["discount"]["source"]["coupon"], "C");
    assert_eq!(customer["discount"]["end"], json!(null));
    let path = format!("{CUSTOMERS}/{}", id(&customer));
    let form = vec![("coupon", "M")];
    let customer = bench.post(&path, &form).await.expect(200).json();
    let discount = &customer["discount"];
    let days = (discount["end"].as_i64().unwrap() - discount["start"].as_i64().unwrap()) / 86_400;
    assert!((89..=92).contains(&days), "{days} days");
    let error = bench.post(&path, &form).await.expect(400).error();
    assert_eq!(error["code"], "coupon_expired");
    let error = bench.post(&path, &vec![("coupon", "NONE")]).await;
    assert_eq!(error.expect(400).error()["param"], "coupon");

    let gone = bench.delete(&format!("{path}/discount")).await;
    let gone = gone.expect(200).json();
    assert_eq!(
        (&gone["object"], &gone["deleted"]),
        (&json!("discount"), &json!(true))
    );
    bench.delete(&format!("{path}/discount")).await.expect(404);
    let customer = bench.get(&path).await.json();
    assert_eq!(customer["discount"], json!(null));
    let mut events = bench.event_types().await;
    events.retain(|event| event.starts_with("customer.discount."));
    assert_eq!(
        events,
        [
            "customer.discount.created",
            "customer.discount.updated",
            "customer.discount.deleted"
        ]
    );
}

#[tokio::test]
async fn a_coupon_can_be_deleted_and_its_codes_no_longer_do() {
    let bench = Bench::start().await;
    let coupon = vec![("id", "C"), ("percent_off", "20")];
    bench.post("/v1/coupons", &coupon).await.expect(200);
    let gone = bench.delete("/v1/coupons/C").await.expect(200).json();
    assert_eq!(
        gone,
        json!({ "id": "C", "object": "coupon", "deleted": true })
    );
    bench.get("/v1/coupons/C").await.expect(404);
    bench.delete("/v1/coupons/C").await.expect(404);
    assert_eq!(
        bench.event_types().await,
        ["coupon.created", "coupon.deleted"]
    );
}

#[tokio::test]
async fn a_customer_owes_what_the_transactions_of_its_balance_say() {
    let bench = Bench::start().await;
    let customer = bench.post(CUSTOMERS, &vec![]).await.expect(200).json();
    let path = format!("{CUSTOMERS}/{}", id(&customer));
    let transactions = format!("{path}/balance_transactions");
    let add = async |amount, currency| {
        let form = vec![("amount", amount), ("currency", currency)];
        bench.post(&transactions, &form).await
    };
    let first = add("-500", "usd").await.expect(200).json();
    assert_eq!(first["ending_balance"], -500);
    assert_eq!(first["type"], "adjustment");
    let second = add("200", "usd").await.expect(200).json();
    assert_eq!(second["ending_balance"], -300);
    // Each currency has a balance of its own; a customer shows that of theirs.
    let euros = add("-100", "eur").await.expect(200).json();
    assert_eq!(euros["ending_balance"], -100);
    let customer = bench.get(&path).await.json();
    assert_eq!(customer["balance"], -300);
    assert_eq!(customer["currency"], "usd");
    let listed = bench.get(&transactions).await.expect(200).json();
    assert_eq!(ids(&listed), [id(&euros), id(&second), id(&first)]);
    let one = format!("{transactions}/{}", id(&first));
    assert_eq!(bench.get(&one).await.expect(200).json(), first);
    let form = vec![("amount", "1"), ("currency", "usd")];
    let none = format!("{CUSTOMERS}/cus_none/balance_transactions");
    bench.post(&none, &form).await.expect(404);
}

#[tokio::test]
async fn a_customer_may_have_tax_ids() {
    let bench = Bench::start().await;
    let form = vec![
        ("tax_id_data[0][type]", "eu_vat"),
        ("tax_id_data[0][value]", "DE123456789"),
    ];
    let customer = bench.post(CUSTOMERS, &form).await.expect(200).json();
    let path = format!("{CUSTOMERS}/{}/tax_ids", id(&customer));
    let form = vec![("type", "us_ein"), ("value", "12-3456789")];
    let other = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(other["country"], "US");
    assert_eq!(other["owner"]["customer"], customer["id"]);
    assert_eq!(other["verification"]["status"], "pending");
    let listed = bench.get(&path).await.expect(200).json();
    assert_eq!(listed["data"][1]["country"], "DE");
    bench
        .delete(&format!("{path}/{}", id(&other)))
        .await
        .expect(200);
    let listed = bench.get(&path).await.expect(200).json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    let events = bench.event_types().await;
    assert!(events.contains(&"customer.tax_id.created".to_owned()));
    assert!(events.contains(&"customer.tax_id.deleted".to_owned()));
}

#[tokio::test]
async fn a_balance_is_the_sum_of_what_was_booked_on_it() {
    let bench = Bench::start().await;
    let made = bench.post(CUSTOMERS, &vec![("balance", "-1000")]).await;
    let path = format!("{CUSTOMERS}/{}", id(&made.expect(200).json()));
    for form in [vec![("balance", "-300")], vec![("name", "Ann")]] {
        bench.post(&path, &form).await.expect(200);
    }
    let booked = format!("{path}/balance_transactions");
    let form = vec![("amount", "-50"), ("currency", "usd")];
    bench.post(&booked, &form).await.expect(200);
    let booked = bench.get(&booked).await.expect(200).json();
    let booked = booked["data"].as_array().unwrap().iter().rev();
    let booked: Vec<_> = booked
        .map(|it| json!([it["type"], it["amount"], it["ending_balance"]]))
        .collect();
    assert_eq!(
        booked,
        [
            json!(["initial", -1000, -1000]),
            json!(["adjustment", 700, -300]),
            json!(["adjustment", -50, -350]),
        ]
    );
    let shown = bench.get(&path).await.json();
    assert_eq!(
        (&shown["balance"], &shown["currency"]),
        (&json!(-350), &json!("usd"))
    );
}
