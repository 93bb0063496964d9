//! What is left when the process dies.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use till::stripe::StandIn;
use tokio::net::TcpListener;

use crate::bench::{Bench, CARD, KEY, Webhook, by_card, config, id, one_mug};

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
    assert_eq!(bench.stand_in.clock().await.unwrap().ahead, 500);
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
