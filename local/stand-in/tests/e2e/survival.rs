//! What is left when the process dies.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use stand_in::StandIn;
use tokio::net::TcpListener;

use crate::bench::{Bench, CARD, KEY, Webhook, by_card, config, eventually, id, ids, one_mug};

#[tokio::test]
async fn undelivered_events_and_kept_answers_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.sqlite");
    let webhook = Webhook::start().await;
    let bench = Bench::open(Some(&file), webhook.clone(), false).await;
    let created = bench
        .post_with_key("/v1/checkout/sessions", "k", &one_mug())
        .await
        .expect(200);
    let session = id(&created.json());
    bench.pay(&session, CARD).await.expect(303);
    bench.advance(500).await;
    let before = bench.retrieve(&session).await;
    drop(bench);

    let bench = Bench::open(Some(&file), webhook, true).await;
    assert_eq!(bench.retrieve(&session).await, before);
    assert_eq!(
        bench
            .stand_in
            .default_account()
            .clock()
            .await
            .unwrap()
            .ahead,
        500
    );
    let replayed = bench
        .post_with_key("/v1/checkout/sessions", "k", &one_mug())
        .await
        .expect(200);
    assert_eq!(replayed.text, created.text);
    assert_eq!(
        bench.webhook.hears(1).await[0].event()["data"]["object"],
        before
    );
}

#[tokio::test]
async fn a_session_whose_time_ended_while_nobody_was_there_expires_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.sqlite");
    let webhook = Webhook::start().await;
    let bench = Bench::open(Some(&file), webhook.clone(), false).await;
    let session = bench.session().await;
    drop(bench);
    // A day passes: the clock is a row like any other.
    let sql = rusqlite::Connection::open(&file).unwrap();
    sql.execute(
        "INSERT OR REPLACE INTO settings VALUES ('clock_ahead', 90000)",
        [],
    )
    .unwrap();
    drop(sql);

    let bench = Bench::open(Some(&file), webhook, true).await;
    let event = bench.webhook.hears(1).await[0].event();
    assert_eq!(event["type"], "checkout.session.expired");
    assert_eq!(event["data"]["object"]["id"], session);
}

/// The process that the next test kills: this same binary, run again for this test alone.
#[tokio::test]
#[ignore = "a part of the next test"]
async fn the_process_to_kill() {
    let Ok(file) = std::env::var("STANDIN_TO_KILL") else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stand_in =
        StandIn::open(config(Some(Path::new(&file)), &url, "http://127.0.0.1:9/")).unwrap();
    println!("listening {url}");
    axum::serve(listener, stand_in.router()).await.unwrap();
}

#[tokio::test]
async fn whatever_was_answered_outlives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.sqlite");
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut paid = Vec::new();
    for _ in 0..3 {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "survival::the_process_to_kill",
                "--ignored",
                "--nocapture",
            ])
            .env("STANDIN_TO_KILL", &file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let url = output
            .lines()
            .find_map(|line| {
                line.unwrap()
                    .split_once("listening ")
                    .map(|(_, url)| url.to_owned())
            })
            .expect("the process listens");
        for _ in 0..3 {
            let sessions = format!("{url}/v1/checkout/sessions");
            let created = client.post(sessions).bearer_auth(KEY).form(&one_mug());
            let session: Value = created.send().await.unwrap().json().await.unwrap();
            let pay = client
                .post(format!("{url}/pay/{}", id(&session)))
                .form(&by_card(CARD));
            assert_eq!(pay.send().await.unwrap().status(), 303);
            paid.push(id(&session));
        }
        process.kill().unwrap();
        process.wait().unwrap();
    }

    let bench = Bench::open(Some(&file), Webhook::start().await, true).await;
    for session in &paid {
        assert_eq!(bench.retrieve(session).await["payment_status"], "paid");
    }
    let heard = bench.webhook.hears(paid.len()).await;
    let mut delivered: Vec<_> = heard
        .iter()
        .map(|it| id(&it.event()["data"]["object"]))
        .collect();
    delivered.sort();
    paid.sort();
    assert_eq!(delivered, paid);
}

#[tokio::test]
async fn refunds_disputes_codes_and_endpoints_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.sqlite");
    let webhook = Webhook::start().await;
    let bench = Bench::open(Some(&file), webhook.clone(), false).await;
    let pending = bench.charge("4000000000007726").await;
    let form = vec![("charge", pending["id"].as_str().unwrap())];
    let refund = bench.post("/v1/refunds", &form).await.expect(200).json();
    let inquiry = bench.charge("4000000000001976").await;
    let of_charge = format!("/v1/disputes?charge={}", id(&inquiry));
    let dispute = bench.get(&of_charge).await.json()["data"][0].clone();
    let form = vec![("percent_off", "50"), ("id", "HALF")];
    let coupon = bench.post("/v1/coupons", &form).await.expect(200).json();
    let form = vec![("url", "http://127.0.0.1:9/"), ("enabled_events[]", "*")];
    let endpoint = bench
        .post("/v1/webhook_endpoints", &form)
        .await
        .expect(200)
        .json();
    let balance = bench.get("/v1/balance").await.text;
    // Held back by a fault: that is a row, though the fault itself is not.
    bench
        .fault(&[
            ("fault", "delay"),
            ("delay_ms", "500000"),
            ("type", "charge.dispute.closed"),
        ])
        .await;
    let close = format!("/v1/disputes/{}/close", id(&dispute));
    let closed = bench.post(&close, &vec![]).await.expect(200).json();
    drop(bench);

    let bench = Bench::open(Some(&file), webhook.clone(), true).await;
    assert_eq!(bench.fetch("refunds", &id(&refund)).await, refund);
    assert_eq!(bench.fetch("disputes", &id(&dispute)).await, closed);
    assert_eq!(bench.fetch("coupons", "HALF").await, coupon);
    assert_eq!(bench.get("/v1/balance").await.text, balance);
    let kept = bench.fetch("webhook_endpoints", &id(&endpoint)).await;
    assert_eq!(kept["enabled_events"], endpoint["enabled_events"]);
    for list in ["/v1/webhook_endpoints", "/v1/promotion_codes"] {
        assert_eq!(ids(&bench.get(list).await.json()).len(), 2, "{list}");
    }
    let heard = |event_type: &str| {
        let heard = webhook.heard();
        heard
            .iter()
            .filter(|it| it.event()["type"] == event_type)
            .count()
    };
    webhook.hears(1).await;
    assert_eq!(heard("charge.dispute.closed"), 0);
    // What was to come in time still comes.
    bench.advance(600).await;
    assert_eq!(
        bench.fetch("refunds", &id(&refund)).await["status"],
        "succeeded"
    );
    let both = async || {
        (heard("charge.dispute.closed") == 1 && heard("refund.updated") == 1).then_some(())
    };
    eventually(both).await;
}

#[test]
fn a_folder_in_use_is_refused_and_is_free_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let stand_in = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stand-in"));
        let data = ["--port", "0", "--data", folder.path().to_str().unwrap()];
        command.args(data).stdout(Stdio::piped());
        command.stderr(Stdio::piped());
        command
    };
    let start = || {
        let mut process = stand_in().spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().contains("data      in")));
        process
    };
    let mut first = start();
    let second = stand_in().output().unwrap();
    assert!(!second.status.success());
    let why = String::from_utf8(second.stderr).unwrap();
    assert!(why.contains(folder.path().to_str().unwrap()), "{why}");
    assert!(why.contains("in use by another stand-in"), "{why}");

    first.kill().unwrap();
    first.wait().unwrap();
    let mut third = start();
    third.kill().unwrap();
    third.wait().unwrap();
}
