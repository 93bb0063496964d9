use serde_json::{Value, json};

use crate::bench::{Bench, CARD, DECLINED, by_bank, id, ids};

const REFUNDS: &str = "/v1/refunds";
const PENDING: &str = "4000000000007726";
const BOUNCING: &str = "4000000000005126";

async fn refund(bench: &Bench, charge: &Value, more: &[(&str, &str)]) -> Value {
    let charge = id(charge);
    let form = [&[("charge", charge.as_str())], more].concat();
    bench.post(REFUNDS, &form).await.expect(200).json()
}

#[tokio::test]
async fn a_refund_gives_back_what_was_paid() {
    let bench = Bench::start().await;
    let charge = bench.charge(CARD).await;
    let so_far = bench.event_types().await.len();
    let refund = refund(
        &bench,
        &charge,
        &[
            ("reason", "requested_by_customer"),
            ("metadata[ticket]", "7"),
        ],
    )
    .await;
    assert!(id(&refund).starts_with("re_"));
    assert_eq!(refund["object"], "refund");
    assert_eq!(refund["amount"], 1500);
    assert_eq!(refund["currency"], "usd");
    assert_eq!(refund["status"], "succeeded");
    assert_eq!(refund["reason"], "requested_by_customer");
    assert_eq!(refund["metadata"], json!({ "ticket": "7" }));
    assert_eq!(refund["charge"], charge["id"]);
    assert_eq!(refund["payment_intent"], charge["payment_intent"]);
    assert!(refund.get("failure_reason").is_none() && refund.get("pending_reason").is_none());
    assert_eq!(refund["destination_details"]["type"], "card");

    let refunded = bench.fetch("charges", &id(&charge)).await;
    assert_eq!(refunded["amount_refunded"], 1500);
    assert_eq!(refunded["refunded"], true);
    assert_eq!(refunded["status"], "succeeded");
    assert!(refunded.get("refunds").is_none(), "charges list no refunds");

    assert_eq!(
        bench.event_types_after(so_far).await,
        ["refund.created", "charge.refunded"]
    );
    let event = bench.latest("charge.refunded").await;
    assert_eq!(event["data"]["object"], refunded);
    assert_eq!(
        event["data"]["previous_attributes"],
        json!({ "amount_refunded": 0, "refunded": false })
    );
}

#[tokio::test]
async fn the_number_by_which_a_bank_finds_a_refund_takes_a_while() {
    let bench = Bench::start().await;
    let charge = bench.charge(CARD).await;
    let made = refund(&bench, &charge, &[]).await;
    let details = &made["destination_details"]["card"];
    assert_eq!(details["reference_status"], "pending");
    assert_eq!(details["reference"], json!(null));

    let so_far = bench.event_types().await.len();
    bench.advance(30).await;
    let told = bench.fetch("refunds", &id(&made)).await;
    let details = &told["destination_details"]["card"];
    assert_eq!(details["reference_status"], "available");
    assert!(details["reference"].as_str().unwrap().starts_with('7'));
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["refund.updated", "charge.refund.updated"]
    );
    assert_eq!(bench.latest("refund.updated").await["data"]["object"], told);
}

#[tokio::test]
async fn a_payment_is_refunded_in_parts_and_never_more_than_was_paid() {
    let bench = Bench::start().await;
    let charge = bench.charge(CARD).await;
    let intent = charge["payment_intent"].as_str().unwrap();
    let part = bench
        .post(
            REFUNDS,
            &vec![("payment_intent", intent), ("amount", "500")],
        )
        .await
        .expect(200)
        .json();
    assert_eq!(part["charge"], charge["id"]);
    let now = bench.fetch("charges", &id(&charge)).await;
    assert_eq!(
        (&now["amount_refunded"], &now["refunded"]),
        (&json!(500), &json!(false))
    );

    let charge_id = id(&charge);
    let too_much = vec![("charge", charge_id.as_str()), ("amount", "1001")];
    let error = bench.post(REFUNDS, &too_much).await.expect(400).error();
    assert_eq!(
        (&error["type"], &error["param"]),
        (&json!("invalid_request_error"), &json!("amount"))
    );
    assert!(error["message"].as_str().unwrap().contains("$10.00"));

    let rest = refund(&bench, &charge, &[]).await;
    assert_eq!(rest["amount"], 1000, "without an amount, what is left");
    for form in [
        vec![("charge", charge_id.as_str())],
        vec![("payment_intent", intent), ("amount", "1")],
    ] {
        let error = bench.post(REFUNDS, &form).await.expect(400).error();
        assert_eq!(error["code"], "charge_already_refunded");
    }
    assert_eq!(
        bench.fetch("charges", &charge_id).await["amount_refunded"],
        1500
    );
}

#[tokio::test]
async fn what_cannot_be_refunded_is_refused_by_name() {
    let bench = Bench::start().await;
    let charge = id(&bench.charge(CARD).await);
    let declined = bench.session().await;
    bench.pay(&declined, DECLINED).await.expect(402);
    let declined = id(&bench.charge_of(&declined).await);
    let pending = bench.session().await;
    bench.submit(&pending, &by_bank()).await.expect(303);
    let pending = id(&bench.charge_of(&pending).await);
    let cases = [
        (vec![], "parameter_missing", ""),
        (vec![("charge", "ch_none")], "resource_missing", "charge"),
        (
            vec![("payment_intent", "pi_none")],
            "resource_missing",
            "payment_intent",
        ),
        (
            vec![("charge", charge.as_str()), ("payment_intent", "pi_1")],
            "",
            "charge",
        ),
        (
            vec![("charge", &charge), ("amount", "0")],
            "parameter_invalid_integer",
            "amount",
        ),
        (
            vec![("charge", &charge), ("amount", "1.5")],
            "parameter_invalid_integer",
            "amount",
        ),
        (vec![("charge", &charge), ("reason", "whim")], "", "reason"),
        (
            vec![("charge", &charge), ("currency", "usd")],
            "parameter_unknown",
            "currency",
        ),
        (
            vec![("charge", &charge), ("colour", "red")],
            "parameter_unknown",
            "colour",
        ),
        (vec![("charge", &declined)], "", ""),
        (vec![("charge", &pending)], "", ""),
    ];
    for (form, code, param) in cases {
        let error = bench.post(REFUNDS, &form).await.expect(400).error();
        assert_eq!(
            error["code"].as_str().unwrap_or_default(),
            code,
            "{form:?}: {error}"
        );
        assert_eq!(
            error["param"].as_str().unwrap_or_default(),
            param,
            "{form:?}: {error}"
        );
    }
    bench.get("/v1/refunds/re_none").await.expect(404);
    assert_eq!(bench.get(REFUNDS).await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_refund_is_made_once_under_one_key() {
    let bench = Bench::start().await;
    let charge = id(&bench.charge(CARD).await);
    let form = vec![("charge", charge.as_str()), ("amount", "700")];
    let first = bench.post_with_key(REFUNDS, "k", &form).await.expect(200);
    let again = bench.post_with_key(REFUNDS, "k", &form).await.expect(200);
    assert_eq!(first.text, again.text);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let other = vec![("charge", charge.as_str()), ("amount", "800")];
    let error = bench
        .post_with_key(REFUNDS, "k", &other)
        .await
        .expect(400)
        .error();
    assert_eq!(error["type"], "idempotency_error");
    assert_eq!(
        bench.fetch("charges", &charge).await["amount_refunded"],
        700
    );
    // A refusal after the work began is kept as well.
    let error = bench
        .post_with_key(REFUNDS, "k2", &vec![("charge", &charge), ("amount", "900")])
        .await;
    let kept = bench
        .post_with_key(REFUNDS, "k2", &vec![("charge", &charge), ("amount", "900")])
        .await;
    assert_eq!(error.expect(400).text, kept.expect(400).text);
}

#[tokio::test]
async fn a_slow_bank_lets_a_refund_wait_before_it_succeeds() {
    let bench = Bench::start().await;
    let charge = bench.charge(PENDING).await;
    let so_far = bench.event_types().await.len();
    let pending = refund(&bench, &charge, &[]).await;
    assert_eq!(pending["status"], "pending");
    assert_eq!(pending["pending_reason"], "processing");
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["refund.created", "charge.refunded"]
    );
    let charge_now = bench.fetch("charges", &id(&charge)).await;
    assert_eq!(
        charge_now["amount_refunded"], 1500,
        "what is on its way counts"
    );

    bench.advance(60).await;
    let done = bench.fetch("refunds", &id(&pending)).await;
    assert_eq!(done["status"], "succeeded");
    assert!(done.get("pending_reason").is_none());
    assert_eq!(
        bench.event_types_after(so_far + 2).await,
        ["refund.updated", "charge.refund.updated"]
    );
    let event = bench.latest("refund.updated").await;
    assert_eq!(event["data"]["object"], done);
    assert_eq!(event["data"]["previous_attributes"]["status"], "pending");
    assert_eq!(event["request"]["id"], json!(null));
}

#[tokio::test]
async fn a_refund_that_comes_back_gives_the_charge_its_money_again() {
    let bench = Bench::start().await;
    let charge = bench.charge(BOUNCING).await;
    let refund_id = id(&refund(&bench, &charge, &[("amount", "600")]).await);
    assert_eq!(
        bench.fetch("refunds", &refund_id).await["status"],
        "succeeded"
    );
    let so_far = bench.event_types().await.len();
    bench.advance(60).await;
    let failed = bench.fetch("refunds", &refund_id).await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["failure_reason"], "expired_or_canceled_card");
    let back = bench
        .fetch(
            "refunds",
            &format!("{refund_id}?expand[]=failure_balance_transaction"),
        )
        .await["failure_balance_transaction"]
        .clone();
    assert_eq!(
        (&back["amount"], &back["type"]),
        (&json!(600), &json!("refund_failure"))
    );
    let now = bench.fetch("charges", &id(&charge)).await;
    assert_eq!(
        (&now["amount_refunded"], &now["refunded"]),
        (&json!(0), &json!(false))
    );
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["refund.updated", "charge.refund.updated", "refund.failed"]
    );
    assert_eq!(
        bench.latest("refund.failed").await["data"]["object"],
        failed
    );
    // So it can be refunded again.
    assert_eq!(refund(&bench, &charge, &[]).await["amount"], 1500);
}

#[tokio::test]
async fn a_refund_is_driven_by_hand() {
    let bench = Bench::start().await;
    let step = async |refund: &str, step: &str, status: u16| {
        bench
            .control(&format!("refunds/{refund}/{step}"), &vec![])
            .await
            .expect(status);
    };
    let new = async || {
        let charge = bench.charge(PENDING).await;
        (id(&charge), id(&refund(&bench, &charge, &[]).await))
    };
    let (charge, refund) = new().await;
    step(&refund, "require_action", 200).await;
    let waiting = bench.fetch("refunds", &refund).await;
    assert_eq!(waiting["status"], "requires_action");
    assert_eq!(waiting["next_action"]["type"], "display_details");
    bench.advance(60).await;
    assert_eq!(
        bench.fetch("refunds", &refund).await["status"],
        "requires_action"
    );
    let canceled = bench
        .post(&format!("{REFUNDS}/{refund}/cancel"), &vec![])
        .await
        .expect(200)
        .json();
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(canceled["failure_reason"], "merchant_request");
    assert_eq!(bench.fetch("charges", &charge).await["amount_refunded"], 0);
    assert_eq!(
        bench.latest("refund.updated").await["data"]["object"],
        canceled
    );
    step(&refund, "succeed", 400).await;

    let (_, refund) = new().await;
    let error = bench
        .post(&format!("{REFUNDS}/{refund}/cancel"), &vec![])
        .await
        .expect(400)
        .error();
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("requires_action")
    );
    step(&refund, "cancel", 200).await;

    let (charge, refund) = new().await;
    step(&refund, "succeed", 200).await;
    step(&refund, "succeed", 400).await;
    step(&refund, "fail", 200).await;
    step(&refund, "fail", 400).await;
    assert_eq!(bench.fetch("charges", &charge).await["amount_refunded"], 0);

    step("re_none", "fail", 404).await;
    step(&refund, "explode", 400).await;
}

#[tokio::test]
async fn refunds_of_bank_debits_take_their_time() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    bench.submit(&session, &by_bank()).await.expect(303);
    bench
        .control(&format!("sessions/{session}/succeed"), &vec![])
        .await
        .expect(200);
    let charge = bench.charge_of(&session).await;
    let refund = refund(&bench, &charge, &[]).await;
    assert_eq!(refund["status"], "pending");
    assert_eq!(refund["destination_details"]["type"], "us_bank_transfer");
}

#[tokio::test]
async fn refunds_are_listed_and_expanded() {
    let bench = Bench::start().await;
    let (one, two) = (bench.charge(CARD).await, bench.charge(CARD).await);
    let mut all = Vec::new();
    for charge in [&one, &two, &one] {
        all.insert(0, id(&refund(&bench, charge, &[("amount", "100")]).await));
    }
    let list = async |query: &str| {
        let answer = bench
            .get(&format!("{REFUNDS}?{query}"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&answer["object"], &answer["url"]),
            (&json!("list"), &json!(REFUNDS))
        );
        ids(&answer)
    };
    assert_eq!(list("").await, all);
    assert_eq!(
        list(&format!("charge={}", id(&one))).await,
        [all[0].clone(), all[2].clone()]
    );
    let intent = two["payment_intent"].as_str().unwrap();
    assert_eq!(
        list(&format!("payment_intent={intent}")).await,
        [all[1].clone()]
    );
    assert_eq!(
        list(&format!("limit=1&starting_after={}", all[0])).await,
        [all[1].clone()]
    );
    assert!(list("created[lt]=1000").await.is_empty());
    let expanded = bench
        .get(&format!(
            "{REFUNDS}?expand[]=data.charge&expand[]=data.payment_intent.latest_charge"
        ))
        .await
        .expect(200)
        .json();
    assert_eq!(expanded["data"][1]["charge"]["id"], two["id"]);
    assert_eq!(
        expanded["data"][1]["payment_intent"]["latest_charge"]["id"],
        two["id"]
    );
    let with_list = bench
        .fetch("charges", &format!("{}?expand[]=refunds", id(&one)))
        .await;
    assert_eq!(ids(&with_list["refunds"]), [all[0].clone(), all[2].clone()]);
}

#[tokio::test]
async fn of_a_refund_only_the_metadata_changes() {
    let bench = Bench::start().await;
    let charge = bench.charge(CARD).await;
    let made = refund(&bench, &charge, &[("metadata[a]", "1")]).await;
    let path = format!("{REFUNDS}/{}", id(&made));
    let changed = bench
        .post(&path, &vec![("metadata[a]", ""), ("metadata[b]", "2")])
        .await
        .expect(200)
        .json();
    assert_eq!(changed["metadata"], json!({ "b": "2" }));
    let event = bench.latest("refund.updated").await;
    assert_eq!(
        event["data"]["previous_attributes"],
        json!({ "metadata": { "a": "1" } })
    );
    let cleared = bench
        .post(&path, &vec![("metadata", "")])
        .await
        .expect(200)
        .json();
    assert_eq!(cleared["metadata"], json!({}));
    bench.post(&path, &vec![("amount", "1")]).await.expect(400);
}

#[tokio::test]
async fn every_movement_of_money_is_booked() {
    let bench = Bench::start().await;
    let charge = bench.charge(CARD).await;
    let charge = bench
        .fetch(
            "charges",
            &format!("{}?expand[]=balance_transaction", id(&charge)),
        )
        .await;
    let entry = &charge["balance_transaction"];
    assert_eq!(
        (&entry["amount"], &entry["fee"], &entry["net"]),
        (&json!(1500), &json!(74), &json!(1426))
    );
    let refund = refund(&bench, &charge, &[("expand[]", "balance_transaction")]).await;
    let entry = &refund["balance_transaction"];
    assert_eq!(
        (&entry["amount"], &entry["fee"]),
        (&json!(-1500), &json!(0))
    );
    assert_eq!(
        (&entry["type"], &entry["source"]),
        (&json!("refund"), &refund["id"])
    );
}

#[tokio::test]
async fn refunding_a_charge_that_is_not_captured_releases_it() {
    let bench = Bench::start().await;
    let form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("source", "tok_visa"),
        ("capture", "false"),
    ];
    let charge = bench.post("/v1/charges", &form).await.expect(200).json();
    let form = vec![
        ("charge", charge["id"].as_str().unwrap()),
        ("amount", "500"),
    ];
    let part = bench.post(REFUNDS, &form).await.expect(400);
    assert_eq!(part.error()["param"], "amount");
    let refund = refund(&bench, &charge, &[]).await;
    assert_eq!(
        (
            &refund["amount"],
            &refund["status"],
            &refund["balance_transaction"]
        ),
        (&json!(2000), &json!("succeeded"), &json!(null))
    );
    let released = bench.fetch("charges", &id(&charge)).await;
    assert_eq!(
        (
            &released["refunded"],
            &released["captured"],
            &released["amount_refunded"]
        ),
        (&json!(true), &json!(false), &json!(2000))
    );
    let capture = format!("/v1/charges/{}/capture", id(&charge));
    bench.post(&capture, &vec![]).await.expect(400);
    bench.post(REFUNDS, &form[..1].to_vec()).await.expect(400);
    let entries = bench
        .get("/v1/balance_transactions")
        .await
        .expect(200)
        .json();
    assert_eq!(entries["data"], json!([]), "no money has moved");
}

#[tokio::test]
async fn a_refund_that_waits_for_its_buyer_expires() {
    let bench = Bench::start().await;
    let charge = bench.charge(PENDING).await;
    let refund = refund(&bench, &charge, &[]).await;
    let path = format!("/v1/test_helpers/refunds/{}/expire", id(&refund));
    bench.post(&path, &vec![]).await.expect(400);
    let control = format!("refunds/{}/require_action", id(&refund));
    bench.control(&control, &vec![]).await.expect(200);
    let expired = bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(expired["status"], "failed");
    bench.post(&path, &vec![]).await.expect(400);
}
