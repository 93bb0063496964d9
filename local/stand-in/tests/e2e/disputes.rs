use serde_json::{Value, json};

use crate::bench::{Answer, Bench, CARD, id, ids, one_mug};

const FRAUDULENT: &str = "4000000000000259";
const NOT_RECEIVED: &str = "4000000000002685";
const INQUIRY: &str = "4000000000001976";

/// The dispute about a payment with this card.
async fn disputed(bench: &Bench, card: &str) -> Value {
    let charge = bench.charge(card).await;
    assert_eq!(charge["disputed"], true);
    let list = format!("/v1/disputes?charge={}", id(&charge));
    bench.get(&list).await.expect(200).json()["data"][0].clone()
}

async fn advance(bench: &Bench, dispute: &Value, status: &str) -> Value {
    let path = format!("disputes/{}/{status}", id(dispute));
    bench.control(&path, &vec![]).await.expect(200);
    bench.fetch("disputes", &id(dispute)).await
}

async fn say(bench: &Bench, dispute: &Value, text: &str) -> Value {
    let form = vec![("evidence[uncategorized_text]", text)];
    let path = format!("/v1/disputes/{}", id(dispute));
    bench.post(&path, &form).await.expect(200).json()
}

/// Amount, fee and net of each movement of money.
fn moved(dispute: &Value) -> Vec<[i64; 3]> {
    let entries = dispute["balance_transactions"].as_array().unwrap();
    let number = |entry: &Value, field: &str| entry[field].as_i64().unwrap();
    entries
        .iter()
        .map(|it| [number(it, "amount"), number(it, "fee"), number(it, "net")])
        .collect()
}

#[tokio::test]
async fn a_chargeback_takes_the_money_at_once() {
    for (card, reason) in [
        (FRAUDULENT, "fraudulent"),
        (NOT_RECEIVED, "product_not_received"),
    ] {
        let bench = Bench::start().await;
        let session = bench
            .create(vec![("payment_intent_data[metadata][purchase_id]", "p1")])
            .await;
        bench.pay(&id(&session), card).await.expect(303);
        let charge = bench.charge_of(&id(&session)).await;
        assert_eq!(
            (&charge["disputed"], &charge["status"]),
            (&json!(true), &json!("succeeded"))
        );
        let list = bench.get("/v1/disputes?expand[]=data.charge").await.json();
        assert_eq!(list["data"][0]["charge"], charge);
        let dispute = bench.fetch("disputes", &ids(&list)[0]).await;
        assert!(id(&dispute).starts_with("du_"));
        // What a shop has kept from earlier years.
        let older = id(&dispute).replace("du_", "dp_");
        assert_eq!(bench.fetch("disputes", &older).await, dispute);
        assert_eq!(dispute["status"], "needs_response");
        assert_eq!(dispute["reason"], reason);
        assert_eq!(
            (&dispute["amount"], &dispute["currency"]),
            (&json!(1500), &json!("usd"))
        );
        assert_eq!(dispute["payment_intent"], charge["payment_intent"]);
        assert_eq!(dispute["metadata"], json!({}), "nothing of the payment's");
        assert_eq!(dispute["is_charge_refundable"], false);
        assert_eq!(
            dispute["payment_method_details"]["card"]["case_type"],
            "chargeback"
        );
        let due = dispute["evidence_details"]["due_by"].as_i64().unwrap();
        assert!(due > dispute["created"].as_i64().unwrap() + 5 * 86_400);
        assert_eq!(moved(&dispute), [[-1500, 1500, -3000]]);
        let entry = &dispute["balance_transactions"][0];
        assert_eq!(
            (&entry["type"], &entry["reporting_category"]),
            (&json!("adjustment"), &json!("dispute"))
        );
        assert_eq!(entry["source"], dispute["id"]);

        let types = bench.event_types().await;
        assert_eq!(
            types[types.len() - 4..],
            [
                "checkout.session.completed",
                "charge.updated",
                "charge.dispute.created",
                "charge.dispute.funds_withdrawn"
            ]
        );
        assert_eq!(
            bench.latest("charge.dispute.created").await["data"]["object"],
            dispute
        );
    }
}

#[tokio::test]
async fn a_charge_that_is_charged_back_cannot_be_refunded() {
    let bench = Bench::start().await;
    let dispute = disputed(&bench, FRAUDULENT).await;
    let charge = dispute["charge"].as_str().unwrap();
    let refund = async || bench.post("/v1/refunds", &vec![("charge", charge)]).await;
    assert_eq!(
        refund().await.expect(400).error()["code"],
        "charge_disputed"
    );
    advance(&bench, &dispute, "lost").await;
    assert_eq!(
        refund().await.expect(400).error()["code"],
        "charge_disputed"
    );
    advance(&bench, &dispute, "won").await;
    refund().await.expect(200);
}

#[tokio::test]
async fn winning_evidence_brings_the_money_back() {
    let bench = Bench::start().await;
    let dispute = disputed(&bench, FRAUDULENT).await;
    let so_far = bench.event_types().await.len();
    let won = say(&bench, &dispute, "winning_evidence").await;
    assert_eq!(won["status"], "won");
    // Stripe gives back its fee, too.
    assert_eq!(moved(&won), [[-1500, 1500, -3000], [1500, -1500, 3000]]);
    assert_eq!(won["is_charge_refundable"], true);
    assert_eq!(
        won["balance_transactions"][1]["reporting_category"],
        "dispute_reversal"
    );
    assert_eq!(won["evidence"]["uncategorized_text"], "winning_evidence");
    assert_eq!(won["evidence_details"]["submission_count"], 1);
    assert_eq!(won["evidence_details"]["has_evidence"], true);
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "charge.dispute.updated",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed"
        ]
    );
    let update = bench.latest("charge.dispute.updated").await;
    assert_eq!(update["data"]["object"]["status"], "under_review");
    assert_eq!(
        update["data"]["previous_attributes"]["status"],
        "needs_response"
    );
    assert_eq!(
        bench.latest("charge.dispute.closed").await["data"]["object"],
        won
    );
}

#[tokio::test]
async fn losing_evidence_loses() {
    let bench = Bench::start().await;
    let dispute = disputed(&bench, NOT_RECEIVED).await;
    let so_far = bench.event_types().await.len();
    let lost = say(&bench, &dispute, "losing_evidence").await;
    assert_eq!(lost["status"], "lost");
    assert_eq!(moved(&lost), moved(&dispute));
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["charge.dispute.updated", "charge.dispute.closed"]
    );
    let path = format!("/v1/disputes/{}", id(&dispute));
    let again = vec![("evidence[uncategorized_text]", "winning_evidence")];
    bench.post(&path, &again).await.expect(400);
    bench
        .post(&format!("{path}/close"), &vec![])
        .await
        .expect(400);
}

#[tokio::test]
async fn evidence_is_staged_until_it_is_submitted() {
    let bench = Bench::start().await;
    let dispute = disputed(&bench, FRAUDULENT).await;
    let path = format!("/v1/disputes/{}", id(&dispute));
    let staged = bench
        .post(
            &path,
            &vec![
                ("evidence[uncategorized_text]", "winning_evidence"),
                ("evidence[customer_name]", "Ann"),
                ("submit", "false"),
                ("metadata[case]", "9"),
            ],
        )
        .await
        .expect(200)
        .json();
    assert_eq!(staged["status"], "needs_response");
    assert_eq!(staged["evidence_details"]["submission_count"], 0);
    assert_eq!(staged["evidence_details"]["has_evidence"], true);
    assert_eq!(staged["metadata"], json!({ "case": "9" }));
    let said_otherwise = vec![
        ("evidence[uncategorized_text]", "losing_evidence"),
        ("submit", "false"),
    ];
    let staged = bench.post(&path, &said_otherwise).await.expect(200).json();
    assert_eq!(staged["evidence"]["uncategorized_text"], "losing_evidence");
    let undecided = vec![
        ("evidence[uncategorized_text]", "We shipped it"),
        ("submit", "false"),
    ];
    bench.post(&path, &undecided).await.expect(200);
    let submitted = bench
        .post(&path, &vec![("submit", "true")])
        .await
        .expect(200)
        .json();
    assert_eq!(
        submitted["status"], "under_review",
        "the bank makes up its own mind"
    );
    assert_eq!(submitted["evidence"]["customer_name"], "Ann");
    bench
        .post(&path, &vec![("evidence[hearsay]", "x")])
        .await
        .expect(400);
    assert_eq!(advance(&bench, &dispute, "won").await["status"], "won");
}

#[tokio::test]
async fn a_shop_may_give_in() {
    let bench = Bench::start().await;
    for (card, end) in [(FRAUDULENT, "lost"), (INQUIRY, "warning_closed")] {
        let dispute = disputed(&bench, card).await;
        let path = format!("/v1/disputes/{}/close", id(&dispute));
        let closed = bench.post(&path, &vec![]).await.expect(200).json();
        assert_eq!(closed["status"], end);
        assert_eq!(
            bench.latest("charge.dispute.closed").await["data"]["object"],
            closed
        );
        bench.post(&path, &vec![]).await.expect(400);
    }
}

#[tokio::test]
async fn an_inquiry_takes_no_money_until_it_becomes_a_chargeback() {
    let bench = Bench::start().await;
    let inquiry = disputed(&bench, INQUIRY).await;
    assert_eq!(inquiry["status"], "warning_needs_response");
    assert_eq!(moved(&inquiry), [[0; 3]; 0]);
    assert_eq!(inquiry["is_charge_refundable"], true);
    assert_eq!(
        inquiry["payment_method_details"]["card"]["case_type"],
        "inquiry"
    );
    assert_eq!(
        bench.event_types().await.last().unwrap(),
        "charge.dispute.created"
    );

    let so_far = bench.event_types().await.len();
    let answered = say(&bench, &inquiry, "It was you.").await;
    assert_eq!(answered["status"], "warning_under_review");
    let escalated = advance(&bench, &inquiry, "needs_response").await;
    assert_eq!(escalated["status"], "needs_response");
    assert_eq!(
        escalated["payment_method_details"]["card"]["case_type"],
        "chargeback"
    );
    assert_eq!(moved(&escalated), [[-1500, 1500, -3000]]);
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "charge.dispute.updated",
            "charge.dispute.updated",
            "charge.dispute.funds_withdrawn"
        ]
    );
}

#[tokio::test]
async fn evidence_can_make_a_chargeback_of_an_inquiry() {
    let bench = Bench::start().await;
    let inquiry = disputed(&bench, INQUIRY).await;
    let so_far = bench.event_types().await.len();
    let escalated = say(&bench, &inquiry, "escalate_inquiry_evidence").await;
    assert_eq!(escalated["status"], "needs_response");
    assert_eq!(escalated["is_charge_refundable"], false);
    assert_eq!(moved(&escalated), [[-1500, 1500, -3000]]);
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "charge.dispute.updated",
            "charge.dispute.updated",
            "charge.dispute.funds_withdrawn"
        ]
    );
    let won = say(&bench, &escalated, "winning_evidence").await;
    assert_eq!(won["status"], "won");
}

#[tokio::test]
async fn refunding_all_of_it_ends_an_inquiry() {
    let bench = Bench::start().await;
    let inquiry = disputed(&bench, INQUIRY).await;
    let charge = inquiry["charge"].as_str().unwrap();
    let part = vec![("charge", charge), ("amount", "500")];
    bench.post("/v1/refunds", &part).await.expect(200);
    let still = bench.fetch("disputes", &id(&inquiry)).await;
    assert_eq!(still["status"], "warning_needs_response");
    bench
        .post("/v1/refunds", &vec![("charge", charge)])
        .await
        .expect(200);
    let closed = bench.fetch("disputes", &id(&inquiry)).await;
    assert_eq!(closed["status"], "warning_closed");
    assert_eq!(closed["is_charge_refundable"], false);
    assert_eq!(
        bench.latest("charge.dispute.closed").await["data"]["object"],
        closed
    );
}

#[tokio::test]
async fn a_dispute_is_begun_and_decided_by_hand() {
    let bench = Bench::start().await;
    let charge = id(&bench.charge(CARD).await);
    let path = format!("charges/{charge}/dispute");
    let dispute = async |form: &[(&str, &str)]| -> Value {
        let begun = bench.control(&path, &form.to_vec()).await;
        let begun = begun.expect(200).json();
        bench
            .fetch("disputes", begun["dispute"].as_str().unwrap())
            .await
    };
    let first = dispute(&[("reason", "duplicate"), ("amount", "400")]).await;
    assert_eq!(
        (&first["amount"], &first["reason"]),
        (&json!(400), &json!("duplicate"))
    );
    assert_eq!(moved(&first), [[-400, 1500, -1900]]);
    let second = dispute(&[("kind", "inquiry")]).await;
    assert_eq!(
        (&second["amount"], &second["status"]),
        (&json!(1500), &json!("warning_needs_response"))
    );
    let third = dispute(&[("kind", "prevented")]).await;
    assert_eq!(
        (&third["status"], moved(&third)),
        (&json!("prevented"), vec![])
    );
    let of_charge = bench
        .get(&format!("/v1/disputes?charge={charge}"))
        .await
        .json();
    assert_eq!(ids(&of_charge), [id(&third), id(&second), id(&first)]);

    assert_eq!(
        advance(&bench, &first, "under_review").await["status"],
        "under_review"
    );
    assert_eq!(advance(&bench, &first, "lost").await["status"], "lost");
    let late = advance(&bench, &first, "won").await;
    assert_eq!(late["status"], "won");
    assert_eq!(moved(&late), [[-400, 1500, -1900], [400, -1500, 1900]]);
    let types = bench.event_types().await;
    assert_eq!(
        types[types.len() - 3..],
        [
            "charge.dispute.closed",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed"
        ]
    );
    assert_eq!(
        advance(&bench, &second, "prevented").await["status"],
        "prevented"
    );
}

#[tokio::test]
async fn a_dispute_takes_no_step_that_no_bank_takes() {
    let bench = Bench::start().await;
    let charge = id(&bench.charge(CARD).await);
    let path = format!("charges/{charge}/dispute");
    let begin = async |form: &[(&str, &str)], status: u16| {
        let begun = bench.control(&path, &form.to_vec()).await;
        begun.expect(status).json()
    };
    let first = begin(&[("amount", "400")], 200).await;
    let first = bench
        .fetch("disputes", first["dispute"].as_str().unwrap())
        .await;
    advance(&bench, &first, "lost").await;
    advance(&bench, &first, "won").await;
    let second = begin(&[("kind", "inquiry")], 200).await;
    let second = bench
        .fetch("disputes", second["dispute"].as_str().unwrap())
        .await;
    advance(&bench, &second, "prevented").await;

    let refused = async |dispute: &Value, status: &str| {
        let path = format!("disputes/{}/{status}", id(dispute));
        bench.control(&path, &vec![]).await.expect(400);
    };
    refused(&first, "lost").await;
    refused(&first, "warning_closed").await;
    refused(&second, "needs_response").await;
    begin(&[("amount", "1501")], 400).await;
    begin(&[("amount", "0")], 400).await;
    begin(&[("reason", "spite")], 400).await;
    bench
        .control("charges/ch_none/dispute", &vec![])
        .await
        .expect(404);
    bench
        .control("disputes/dp_none/won", &vec![])
        .await
        .expect(404);
}

#[tokio::test]
async fn disputed_money_is_counted_in_the_accounts_own_currency() {
    let bench = Bench::start().await;
    let mut form = one_mug();
    form.retain(|(name, _)| !name.ends_with("[currency]"));
    form.push(("line_items[0][price_data][currency]", "eur"));
    let session = id(&bench
        .post("/v1/checkout/sessions", &form)
        .await
        .expect(200)
        .json());
    bench.pay(&session, FRAUDULENT).await.expect(303);
    let dispute = bench.get("/v1/disputes").await.json()["data"][0].clone();
    assert_eq!(
        (&dispute["amount"], &dispute["currency"]),
        (&json!(1500), &json!("eur"))
    );
    let entry = &dispute["balance_transactions"][0];
    assert_eq!(
        (&entry["amount"], &entry["currency"]),
        (&json!(-1650), &json!("usd"))
    );
    assert_eq!(
        (&entry["net"], &entry["exchange_rate"]),
        (&json!(-3150), &json!(1.1))
    );
}

#[tokio::test]
async fn a_bank_takes_no_more_than_the_buyer_has_paid() {
    let bench = Bench::start().await;
    let begin = async |charge: &str, form: &[(&str, &str)]| {
        let path = format!("charges/{charge}/dispute");
        bench.control(&path, &form.to_vec()).await
    };
    let dispute = async |begun: Answer| {
        let begun = begun.expect(200).json();
        bench
            .fetch("disputes", begun["dispute"].as_str().unwrap())
            .await
    };
    let refund = async |charge: &str, amount: &str| {
        let form = vec![("charge", charge), ("amount", amount)];
        bench.post("/v1/refunds", &form).await.expect(200);
    };

    let refunded = id(&bench.charge(CARD).await);
    refund(&refunded, "1500").await;
    begin(&refunded, &[]).await.expect(400);

    let parts = id(&bench.charge(CARD).await);
    refund(&parts, "500").await;
    begin(&parts, &[("amount", "1001")]).await.expect(400);
    let first = dispute(begin(&parts, &[("amount", "400")]).await).await;
    let rest = dispute(begin(&parts, &[]).await).await;
    assert_eq!(
        (&first["amount"], &rest["amount"]),
        (&json!(400), &json!(600))
    );
    begin(&parts, &[]).await.expect(400);

    let asked = id(&bench.charge(CARD).await);
    let inquiry = dispute(begin(&asked, &[("kind", "inquiry")]).await).await;
    refund(&asked, "500").await;
    let chargeback = advance(&bench, &inquiry, "needs_response").await;
    assert_eq!(chargeback["amount"], 1000);
    assert_eq!(moved(&chargeback), [[-1000, 1500, -2500]]);
}
