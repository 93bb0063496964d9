//! The account's money goes to its bank.

use serde_json::{Value, json};

use crate::bench::{Answer, Bench, CARD, id, ids};

const PAYOUTS: &str = "/v1/payouts";

/// An account that has 19.12 dollars.
async fn with_money() -> Bench {
    let bench = Bench::start().await;
    let form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_bypassPending"),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
    ];
    bench.post("/v1/payment_intents", &form).await.expect(200);
    bench.get("/v1/balance").await.expect(200);
    bench
}

async fn pay_out(bench: &Bench, amount: &str, more: &[(&str, &str)]) -> Answer {
    let form = [&[("amount", amount), ("currency", "usd")], more].concat();
    bench.post(PAYOUTS, &form).await
}

async fn available(bench: &Bench) -> Value {
    bench.get("/v1/balance").await.expect(200).json()["available"][0]["amount"].clone()
}

async fn external_accounts(bench: &Bench) -> String {
    let own = id(&bench.get("/v1/account").await.expect(200).json());
    format!("/v1/accounts/{own}/external_accounts")
}

/// What the balance transactions of a payout add, oldest first.
async fn booked(bench: &Bench, payout: &Value) -> Vec<(String, i64)> {
    let path = format!("/v1/balance_transactions?source={}", id(payout));
    let list = bench.get(&path).await.expect(200).json();
    let data = list["data"].as_array().unwrap().iter().rev();
    data.map(|it| {
        let kind = it["type"].as_str().unwrap().to_owned();
        (kind, it["amount"].as_i64().unwrap())
    })
    .collect()
}

#[tokio::test]
async fn a_payout_is_on_its_way_from_midnight_and_arrives_a_day_later() {
    let bench = with_money().await;
    let before = bench.event_types().await.len();
    let more = [
        ("description", "August"),
        ("statement_descriptor", "MUGS"),
        ("metadata[month]", "8"),
    ];
    let payout = pay_out(&bench, "1500", &more).await.expect(200).json();
    assert_eq!(
        (&payout["status"], &payout["automatic"], &payout["method"]),
        (&json!("pending"), &json!(false), &json!("standard"))
    );
    assert_eq!(available(&bench).await, json!(412), "it is gone at once");
    let path = format!("{PAYOUTS}/{}?expand[]=destination", id(&payout));
    let expanded = bench.get(&path).await.expect(200).json();
    assert_eq!(expanded["destination"]["last4"], "6789");
    let lasts = payout["arrival_date"].as_i64().unwrap() - payout["created"].as_i64().unwrap();
    bench.advance(86_400).await;
    let now = bench.fetch("payouts", &id(&payout)).await;
    assert_eq!(now["status"], "in_transit");
    bench.advance(u32::try_from(lasts - 86_400).unwrap()).await;
    let now = bench.fetch("payouts", &id(&payout)).await;
    assert_eq!(now["status"], "paid");
    assert_eq!(
        bench.event_types_after(before).await,
        ["payout.created", "payout.updated", "payout.paid"]
    );
    let told = bench.latest("payout.paid").await;
    assert_eq!(
        told["data"]["previous_attributes"]["status"],
        json!("in_transit")
    );
    assert_eq!(
        booked(&bench, &payout).await,
        [("payout".to_owned(), -1500)]
    );
}

#[tokio::test]
async fn nobody_is_paid_out_more_than_there_is() {
    let bench = with_money().await;
    let refused = pay_out(&bench, "1913", &[]).await.expect(400);
    assert_eq!(refused.error()["code"], "balance_insufficient");
    let other = pay_out(&bench, "100", &[("source_type", "bank_account")]).await;
    assert_eq!(other.expect(400).error()["code"], "balance_insufficient");
    let euros = vec![("amount", "100"), ("currency", "eur")];
    let refused = bench.post(PAYOUTS, &euros).await.expect(400);
    assert_eq!(refused.error()["param"], "currency");
    let instant = pay_out(&bench, "100", &[("method", "instant")]).await;
    assert_eq!(
        instant.expect(400).error()["code"],
        "instant_payouts_unsupported"
    );
    let nowhere = pay_out(&bench, "100", &[("destination", "ba_none")]).await;
    assert_eq!(nowhere.expect(400).error()["param"], "destination");
    assert_eq!(
        ids(&bench.get(PAYOUTS).await.expect(200).json()),
        [""; 0],
        "and nothing is left behind"
    );
    pay_out(&bench, "1912", &[]).await.expect(200);
    assert_eq!(available(&bench).await, json!(0));
}

#[tokio::test]
async fn money_on_its_way_to_the_account_is_not_paid_out() {
    let bench = Bench::start().await;
    bench.charge(crate::bench::CARD).await;
    pay_out(&bench, "100", &[]).await.expect(400);
    bench.advance(2 * 86_400).await;
    pay_out(&bench, "100", &[]).await.expect(200);
}

#[tokio::test]
async fn a_payout_is_canceled_before_its_bank_hears_of_it() {
    let bench = with_money().await;
    let payout = pay_out(&bench, "1500", &[]).await.expect(200).json();
    let path = format!("{PAYOUTS}/{}/cancel", id(&payout));
    let canceled = bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(available(&bench).await, json!(1912));
    assert_eq!(
        booked(&bench, &payout).await,
        [
            ("payout".to_owned(), -1500),
            ("payout_cancel".to_owned(), 1500)
        ]
    );
    assert_eq!(bench.event_types().await.last().unwrap(), "payout.canceled");
    bench.post(&path, &vec![]).await.expect(400);
    let late = pay_out(&bench, "100", &[]).await.expect(200).json();
    bench.advance(86_400).await;
    let path = format!("{PAYOUTS}/{}/cancel", id(&late));
    bench.post(&path, &vec![]).await.expect(400);
}

#[tokio::test]
async fn a_payout_that_has_arrived_is_taken_back_once() {
    let bench = with_money().await;
    let payout = pay_out(&bench, "1500", &[]).await.expect(200).json();
    let path = format!("{PAYOUTS}/{}/reverse", id(&payout));
    bench.post(&path, &vec![]).await.expect(400);
    bench.advance(2 * 86_400).await;
    let back = bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(
        (&back["amount"], &back["original_payout"]),
        (&json!(-1500), &payout["id"])
    );
    let original = bench.fetch("payouts", &id(&payout)).await;
    assert_eq!(original["reversed_by"], back["id"]);
    assert_eq!(
        available(&bench).await,
        json!(412),
        "the bank takes its time"
    );
    bench.advance(2 * 86_400).await;
    assert_eq!(bench.fetch("payouts", &id(&back)).await["status"], "paid");
    assert_eq!(available(&bench).await, json!(1912));
    bench.post(&path, &vec![]).await.expect(400);
    let path = format!("{PAYOUTS}/{}/reverse", id(&back));
    bench.post(&path, &vec![]).await.expect(400);
}

#[tokio::test]
async fn a_bank_account_says_by_its_number_whether_payouts_arrive() {
    let bench = with_money().await;
    let accounts = external_accounts(&bench).await;
    let form = vec![
        ("external_account[object]", "bank_account"),
        ("external_account[country]", "US"),
        ("external_account[currency]", "usd"),
        ("external_account[routing_number]", "110000000"),
        ("external_account[account_number]", "000111111113"),
    ];
    let closed = bench.post(&accounts, &form).await.expect(200).json();
    let to_it = [("destination", closed["id"].as_str().unwrap())];
    let payout = pay_out(&bench, "1500", &to_it).await.expect(200).json();
    bench.advance(2 * 86_400).await;
    let failed = bench.fetch("payouts", &id(&payout)).await;
    assert_eq!(
        (&failed["status"], &failed["failure_code"]),
        (&json!("failed"), &json!("account_closed"))
    );
    assert_eq!(available(&bench).await, json!(1912));
    assert_eq!(
        booked(&bench, &payout).await,
        [
            ("payout".to_owned(), -1500),
            ("payout_failure".to_owned(), 1500)
        ]
    );
    let path = format!("{accounts}/{}", id(&closed));
    let now = bench.get(&path).await.expect(200).json();
    assert_eq!(now["status"], "errored");
    let types = bench.event_types().await;
    assert_eq!(
        types[types.len() - 2..],
        ["payout.failed", "account.external_account.updated"]
    );
}

#[tokio::test]
async fn an_account_begins_with_a_test_bank_account_and_always_has_a_default() {
    let bench = Bench::start().await;
    let accounts = external_accounts(&bench).await;
    let list = async || bench.get(&accounts).await.expect(200).json();
    let given = list().await["data"][0].clone();
    assert_eq!(
        (&given["default_for_currency"], &given["routing_number"]),
        (&json!(true), &json!("110000000"))
    );
    let path = format!("{accounts}/{}", id(&given));
    let delete = async |path: &str| {
        let request = bench.request("DELETE", path);
        bench.send(request.bearer_auth(crate::bench::KEY)).await
    };
    delete(&path).await.expect(400);
    let form = vec![
        ("external_account", "btok_us_verified_noAccount"),
        ("default_for_currency", "true"),
    ];
    let other = bench.post(&accounts, &form).await.expect(200).json();
    assert_eq!(ids(&list().await), [id(&other), id(&given)]);
    assert_eq!(
        bench.get(&path).await.json()["default_for_currency"],
        json!(false)
    );
    delete(&path).await.expect(200);
    assert_eq!(ids(&list().await), [id(&other)]);
    let form = vec![
        ("external_account[object]", "bank_account"),
        ("external_account[country]", "US"),
        ("external_account[routing_number]", "110000000"),
        ("external_account[account_number]", "12345"),
    ];
    let real = bench.post(&accounts, &form).await.expect(400);
    assert_eq!(real.error()["code"], "account_number_invalid");
    for path in ["acct_1/external_accounts", "acct_1"] {
        let foreign = bench.get(&format!("/v1/accounts/{path}")).await;
        foreign.expect(404);
    }
    let own = accounts.strip_suffix("/external_accounts").unwrap();
    let own = bench.get(own).await.expect(200).json();
    assert_eq!(own["settings"]["payouts"]["schedule"]["interval"], "manual");
}

#[tokio::test]
async fn an_account_says_how_soon_its_money_is_available_and_what_payouts_are_called() {
    let bench = Bench::start().await;
    let path = "/v1/balance_settings";
    let settings = bench.get(path).await.expect(200).json();
    let timing = &settings["payments"]["settlement_timing"];
    assert_eq!(timing["delay_days"], 2);
    let form = vec![
        ("payments[settlement_timing][delay_days_override]", "7"),
        ("payments[payouts][statement_descriptor]", "MUGS"),
    ];
    let settings = bench.post(path, &form).await.expect(200).json();
    let timing = &settings["payments"]["settlement_timing"];
    assert_eq!(timing["delay_days"], 7);
    assert_eq!(bench.get(path).await.expect(200).json(), settings);
    assert_eq!(bench.event_types().await, ["balance_settings.updated"]);

    let charge = bench.charge(CARD).await;
    let entry = format!("/v1/balance_transactions?source={}", id(&charge));
    let entry = bench.get(&entry).await.expect(200).json()["data"][0].clone();
    let moment = |field: &str| entry[field].as_i64().unwrap();
    let days = moment("available_on") / 86_400 - moment("created") / 86_400;
    assert_eq!(days, 7);
    bench.advance(7 * 86_400).await;
    let payout = pay_out(&bench, "1000", &[]).await.expect(200).json();
    assert_eq!(payout["statement_descriptor"], "MUGS");

    let reset = vec![("payments[settlement_timing][delay_days_override]", "")];
    let settings = bench.post(path, &reset).await.expect(200).json();
    let timing = &settings["payments"]["settlement_timing"];
    assert_eq!(timing["delay_days"], 2);
    for (param, value) in [
        ("payments[settlement_timing][delay_days_override]", "32"),
        ("payments[payouts][schedule][interval]", "daily"),
        ("payments[debit_negative_balances]", "true"),
    ] {
        bench.post(path, &vec![(param, value)]).await.expect(400);
    }
}
