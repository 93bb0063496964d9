//! `till rehearse`.

use std::process::Stdio;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;
use testing::{CARD, COFFEE, Checkout, MAGAZINE, TEAPOT};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::aws::Account;
use crate::deployed::{outputs, with_credentials};
use crate::operator::{Operator, Said, run};

/// The steps that were taken, each with what became of it.
fn verdicts(said: &Said) -> Vec<(String, String)> {
    let report = said.json();
    let steps = report["steps"].as_array().unwrap().iter();
    let word = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
    steps
        .map(|step| (word(step, "step"), word(step, "verdict")))
        .collect()
}

/// What the report has of a step.
fn step(said: &Said, name: &str) -> Value {
    let report = said.json();
    let steps = report["steps"].as_array().unwrap();
    let found = steps.iter().find(|step| step["step"] == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {report}"))
        .clone()
}

fn ids(said: &Said, name: &str) -> Vec<String> {
    let step = step(said, name);
    let ids = step["ids"].as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// All objects of a kind at Stripe.
async fn at_stripe(operator: &Operator, path: &str) -> Vec<Value> {
    let listed = operator.shop.at_stripe(path).await;
    listed["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_shop_on_this_machine_is_rehearsed_from_end_to_end_and_left_as_it_was() {
    let operator = Operator::new().await;
    let before = operator.shop.products("").await.json();
    let said = operator.till(&["rehearse", "--json"]).await.expect(0);
    let held = [
        "sign-up",
        "catalog",
        "card",
        "decline",
        "3ds",
        "delayed",
        "refund",
        "dispute",
        "subscription",
        "mail",
        "published",
        "events",
        "cleanup",
    ];
    let held = held.map(|name| (name.to_owned(), "held".to_owned()));
    assert_eq!(verdicts(&said), held, "{}", said.out);

    // What is said to have happened has happened, in the books and at Stripe.
    let bought = ids(&said, "card").remove(0);
    let story = operator.story(&bought).await;
    assert_eq!(story["purchase"]["status"], "refunded");
    assert_eq!(story["purchase"]["refunds"].as_array().unwrap().len(), 2);
    let declined = ids(&said, "decline").remove(0);
    assert_eq!(
        operator.story(&declined).await["purchase"]["status"],
        "expired"
    );
    let dispute = ids(&said, "dispute").remove(1);
    let dispute = operator
        .shop
        .at_stripe(&format!("disputes/{dispute}"))
        .await;
    assert_eq!(dispute["status"], "won");
    assert_eq!(
        dispute["evidence"]["uncategorized_text"],
        "winning_evidence"
    );
    let [_, subscription, customer, renewal] = ids(&said, "subscription").try_into().unwrap();
    let shown = ["subscriptions", "show", &subscription, "--json"];
    let shown = operator.till(&shown).await.expect(0).json();
    assert_eq!(shown["status"], "canceled");
    assert_eq!(shown["invoices"][0]["id"], renewal);
    assert_eq!(shown["invoices"][0]["reason"], "renewal");

    // Nothing is left that costs or waits.
    let customer = operator
        .shop
        .at_stripe(&format!("customers/{customer}"))
        .await;
    assert_eq!(customer["deleted"], true);
    let clocks = at_stripe(&operator, "test_helpers/test_clocks").await;
    assert_eq!(clocks, Vec::<Value>::new());
    let sessions = at_stripe(&operator, "checkout/sessions?limit=100").await;
    assert!(sessions.iter().all(|it| it["status"] != "open"));
    let charges = at_stripe(&operator, "charges?limit=100").await;
    let kept = |charge: &&Value| charge["paid"] == true && charge["refunded"] == false;
    // The bank has decided about one; the others are the customer's who is gone.
    let kept: Vec<_> = charges.iter().filter(kept).collect();
    let meant = |it: &&Value| it["disputed"] == true || it["customer"] == customer["id"];
    assert!(kept.iter().all(meant), "{kept:?}");
    assert_eq!(operator.shop.products("").await.json(), before);
}

#[tokio::test]
async fn a_shop_that_stripes_events_do_not_reach_is_not_said_to_hold() {
    let operator = Operator::new().await;
    operator.shop.hold_deliveries().await;
    let rehearse = ["rehearse", "--only", "card,refund", "--patience", "2"];
    let said = operator.till(&rehearse).await.expect(3);
    for part in [
        "FAILED    card",
        "is open, not paid after 2 seconds: `till doctor` says whether Stripe's events arrive",
        "FAILED    refund",
    ] {
        assert!(said.out.contains(part), "no {part} in {}", said.out);
    }
    assert!(!said.out.contains("held      card"), "{}", said.out);
}

#[tokio::test]
async fn only_the_steps_that_are_wanted_are_taken_and_each_needs_no_other() {
    let operator = Operator::new().await;
    let rehearse = ["rehearse", "--only", "refund", "--json"];
    let said = operator.till(&rehearse).await.expect(0);
    let names: Vec<_> = verdicts(&said).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "sign-up",
            "catalog",
            "refund",
            "mail",
            "published",
            "events",
            "cleanup"
        ]
    );
    let unknown = operator.till(&["rehearse", "--only", "everything"]).await;
    unknown.expect(2).complains("3ds");
}

#[tokio::test]
async fn what_is_shipped_is_sent_where_the_shop_delivers() {
    let operator = Operator::new().await;
    let rehearse = ["rehearse", "--only", "card,delayed", "--product", TEAPOT];
    let rehearse = [&rehearse[..], &["--json"]].concat();
    let said = operator.till(&rehearse).await.expect(0);
    let story = operator.story(&ids(&said, "card")[0]).await;
    assert_eq!(story["purchase"]["delivery"]["name"], "Rehearsal");
}

#[tokio::test]
async fn what_a_shop_does_not_sell_is_left_out_and_not_said_to_hold() {
    let operator = Operator::new().await;
    for product in [COFFEE, MAGAZINE] {
        let set = ["products", "set", product, "active=false", "--yes"];
        operator.till(&set).await.expect(0);
    }
    let rehearse = ["rehearse", "--only", "subscription", "--json"];
    let said = operator.till(&rehearse).await.expect(3);
    let left_out = step(&said, "subscription");
    assert_eq!(left_out["verdict"], "left_out");
    let says = left_out["says"].as_str().unwrap();
    assert!(says.contains("nothing that is for sale recurs"), "{says}");
    // Nobody bought anything, so nobody says that its mail went out.
    assert_eq!(step(&said, "mail")["verdict"], "left_out");

    let other = [
        "rehearse",
        "--only",
        "card",
        "--product",
        "nothing",
        "--json",
    ];
    let said = operator.till(&other).await.expect(3);
    assert_eq!(step(&said, "catalog")["verdict"], "failed");
    assert_eq!(step(&said, "card")["verdict"], "left_out");
}

#[tokio::test]
async fn a_buyer_who_has_a_customer_at_stripe_keeps_it_and_no_clock_is_left() {
    let operator = Operator::new().await;
    let token = operator.shop.ada().await.to_owned();
    let rehearse = async || {
        let mut till = operator.bare();
        till.args(["rehearse", "--only", "subscription", "--json"])
            .args(operator.shop.ports())
            .env("BUYER_TOKEN", &token);
        run(till, "").await
    };
    let first = rehearse().await.expect(0);
    assert_eq!(step(&first, "subscription")["verdict"], "held");
    let again = rehearse().await.expect(3);
    let left_out = step(&again, "subscription");
    assert_eq!(left_out["verdict"], "left_out");
    let says = left_out["says"].as_str().unwrap();
    assert!(says.contains("has a customer at Stripe already"), "{says}");
    assert_eq!(operator.shop.history().await.len(), 1);
    let clocks = at_stripe(&operator, "test_helpers/test_clocks").await;
    assert_eq!(clocks, Vec::<Value>::new());
}

/// The port of a Stripe that is like itself: the shop's, but without what only a stand-in has.
async fn stripe_itself(operator: &Operator) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let [_, _, _, stripe, ..] = operator.shop.ports();
    let answer = async move |request: axum::extract::Request| {
        let (mut parts, body) = request.into_parts();
        if parts.uri.path().starts_with("/_stripe") {
            return (StatusCode::NOT_FOUND, String::new());
        }
        // It was this server's name.
        parts.headers.remove("host");
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let asked = reqwest::Client::new()
            .request(
                parts.method,
                format!("http://127.0.0.1:{stripe}{}", parts.uri),
            )
            .headers(parts.headers)
            .body(body);
        let answered = asked.send().await.unwrap();
        let status = StatusCode::from_u16(answered.status().as_u16()).unwrap();
        (status, answered.text().await.unwrap())
    };
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// Somebody who rehearses buying with a card in a shop whose pages only a person can pay, and what
/// they are told until there is a page to pay.
async fn at_the_page(operator: &Operator) -> (Child, String, Checkout) {
    let mut ports = operator.shop.ports();
    ports[3] = stripe_itself(operator).await;
    let mut till = operator.bare();
    till.args(["rehearse", "--only", "card", "--json"])
        .args(ports)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut till = till.spawn().unwrap();
    let mut said = BufReader::new(till.stderr.take().unwrap()).lines();
    let mut told = String::new();
    loop {
        let line = said.next_line().await.unwrap();
        let line = line.unwrap_or_else(|| panic!("nobody is told to pay: {told}"));
        if let Some(url) = line.strip_prefix("  http") {
            let page = Checkout {
                purchase: String::new(),
                url: format!("http{url}"),
            };
            // Whoever writes to it later must not find it closed.
            tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
            return (till, told, page);
        }
        told = line;
    }
}

async fn ended(till: Child) -> Said {
    let ended = till.wait_with_output().await.unwrap();
    Said {
        code: ended.status.code().unwrap(),
        out: String::from_utf8(ended.stdout).unwrap(),
        err: String::new(),
    }
}

#[tokio::test]
async fn where_only_a_person_can_pay_one_is_told_how_and_waited_for() {
    let operator = Operator::new().await;
    let (till, told, page) = at_the_page(&operator).await;
    let how = "Pay 11.00 USD within 10 minutes with the card 4242 4242 4242 4242";
    assert!(told.starts_with(how), "{told}");
    // The person takes their time.
    tokio::time::sleep(Duration::from_secs(1)).await;
    operator.shop.pay(&page, CARD).await.expect(303);
    let said = ended(till).await.expect(0);
    let payer = said.json()["payer"].as_str().unwrap().to_owned();
    assert!(payer.contains("wait for you"), "{payer}");
    assert_eq!(step(&said, "card")["verdict"], "held");
}

#[tokio::test]
async fn a_rehearsal_that_is_interrupted_at_a_page_leaves_none_open() {
    let operator = Operator::new().await;
    let (till, _, page) = at_the_page(&operator).await;
    let pid = till.id().unwrap().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(sent.unwrap().success());
    let said = ended(till).await.expect(3);
    let interrupted = [("card", "left_out"), ("mail", "left_out")];
    for (name, verdict) in interrupted {
        assert_eq!(step(&said, name)["verdict"], verdict, "{}", said.out);
    }
    assert_eq!(step(&said, "cleanup")["verdict"], "held", "{}", said.out);
    let session = operator.shop.session(page.session()).await;
    assert_eq!(session["status"], "expired");
}

#[tokio::test]
async fn without_a_buyer_nothing_is_said_to_have_been_tried() {
    let operator = Operator::new().await;
    let mut till = operator.bare();
    till.args(["rehearse", "--only", "card,refund", "--json"])
        .args(operator.shop.ports())
        .env("BUYER_TOKEN", "not-a-token");
    let said = run(till, "").await.expect(3);
    let found = verdicts(&said);
    let found: Vec<_> = found
        .iter()
        .map(|(name, verdict)| (name.as_str(), verdict.as_str()))
        .collect();
    let expected = [
        ("sign-up", "failed"),
        ("catalog", "left_out"),
        ("card", "left_out"),
        ("refund", "left_out"),
        ("mail", "left_out"),
        ("published", "left_out"),
        ("events", "left_out"),
        ("cleanup", "held"),
    ];
    assert_eq!(found, expected);
    assert_eq!(operator.shop.sessions().await, 0);
}

#[tokio::test]
async fn a_live_shop_is_not_rehearsed() {
    let operator = Operator::new().await;
    let before = operator.shop.dump().await;
    let aws = Account::new(&operator, &[("Mode", "live")], &outputs(&operator));
    let aws = aws.listen().await;
    let rehearse = ["rehearse", "--yes", "--stack", "till-eu"];
    let said = run(with_credentials(&operator, &aws, &rehearse), "").await;
    said.expect(1)
        .complains("takes real money, which a rehearsal would move");
    assert_eq!(operator.shop.dump().await, before);
}
