use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bench::{Bench, CARD, Form, KEY, eventually, id, ids, one_mug};

const SESSIONS: &str = "/v1/checkout/sessions";

async fn sessions(bench: &Bench) -> usize {
    ids(&bench
        .get("/v1/checkout/sessions?limit=100")
        .await
        .expect(200)
        .json())
    .len()
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer() {
    let bench = Bench::start().await;
    let first = bench
        .post_with_key(SESSIONS, "k", &one_mug())
        .await
        .expect(200);
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(first.header("idempotency-key"), Some("k"));
    // The answer is that of then, though the session has changed since.
    bench.pay(&id(&first.json()), CARD).await.expect(303);
    let mut shuffled = one_mug();
    shuffled.reverse();
    let again = bench
        .post_with_key(SESSIONS, "k", &shuffled)
        .await
        .expect(200);
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_ne!(again.header("request-id"), first.header("request-id"));
    assert_eq!(sessions(&bench).await, 1);
}

#[tokio::test]
async fn a_key_means_one_request_only() {
    let bench = Bench::start().await;
    bench
        .post_with_key(SESSIONS, "k", &one_mug())
        .await
        .expect(200);
    let other = [one_mug(), vec![("client_reference_id", "2")]].concat();
    let error = bench
        .post_with_key(SESSIONS, "k", &other)
        .await
        .expect(400)
        .error();
    assert_eq!(error["type"], "idempotency_error");
    let intent: Form<'_> = vec![("amount", "2000"), ("currency", "usd")];
    let error = bench
        .post_with_key("/v1/payment_intents", "k", &intent)
        .await
        .expect(400)
        .error();
    assert_eq!(error["type"], "idempotency_error");
    assert_eq!(sessions(&bench).await, 1);
    // The first request still has its answer.
    bench
        .post_with_key(SESSIONS, "k", &one_mug())
        .await
        .expect(200);
}

#[tokio::test]
async fn what_was_refused_before_it_began_leaves_the_key_free() {
    let bench = Bench::start().await;
    let wrong = [one_mug(), vec![("colour", "red")]].concat();
    bench.post_with_key(SESSIONS, "k", &wrong).await.expect(400);
    let anonymous = bench
        .request("POST", SESSIONS)
        .header("Idempotency-Key", "k")
        .form(&one_mug());
    bench.send(anonymous).await.expect(401);
    for status in ["429", "409"] {
        bench
            .control("faults", &vec![("status", status)])
            .await
            .expect(200);
        bench
            .post_with_key(SESSIONS, "k", &one_mug())
            .await
            .expect(status.parse().unwrap());
    }
    let created = bench
        .post_with_key(SESSIONS, "k", &one_mug())
        .await
        .expect(200);
    assert_eq!(created.header("idempotent-replayed"), None);
}

#[tokio::test]
async fn failures_are_replayed_too() {
    let bench = Bench::start().await;
    bench
        .control("faults", &vec![("status", "500")])
        .await
        .expect(200);
    let failed = bench
        .post_with_key(SESSIONS, "k", &one_mug())
        .await
        .expect(500);
    let again = bench
        .post_with_key(SESSIONS, "k", &one_mug())
        .await
        .expect(500);
    assert_eq!(again.text, failed.text);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(sessions(&bench).await, 0);

    let expire = "/v1/checkout/sessions/cs_test_none/expire";
    bench.post_with_key(expire, "e", &vec![]).await.expect(404);
    let again = bench.post_with_key(expire, "e", &vec![]).await.expect(404);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}

#[tokio::test]
async fn a_key_in_use_is_refused_until_its_request_is_done() {
    let bench = Bench::start().await;
    // A request whose body is not all there yet.
    let body = "amount=2000&currency=usd";
    let (begin, end) = body.split_at(9);
    let mut slow = TcpStream::connect(bench.url.trim_start_matches("http://"))
        .await
        .unwrap();
    let head = format!(
        "POST /v1/payment_intents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\
         Idempotency-Key: k\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{begin}",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();

    let form: Form<'_> = vec![("amount", "2000"), ("currency", "usd")];
    let retry = async || bench.post_with_key("/v1/payment_intents", "k", &form).await;
    // The slow request may not have arrived yet: a probe that is answered used its own key.
    let probe = async || {
        let answer = bench
            .post_with_key("/v1/payment_intents", "k", &vec![])
            .await;
        (answer.status == 409).then(|| answer.error())
    };
    let error = eventually(probe).await;
    assert_eq!(error["code"], "idempotency_key_in_use");
    assert_eq!(error["type"], "invalid_request_error");
    retry().await.expect(409);

    slow.write_all(end.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let replayed = retry().await.expect(200);
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    assert!(answer.contains(&id(&replayed.json())));
}

#[tokio::test]
async fn a_late_answer_keeps_its_key_in_use() {
    let bench = Bench::start().await;
    bench
        .control("faults", &vec![("path", SESSIONS), ("delay_ms", "1500")])
        .await
        .expect(200);
    let form = one_mug();
    let late = bench.post_with_key(SESSIONS, "k", &form);
    let meanwhile = async {
        eventually(async || (sessions(&bench).await == 1).then_some(())).await;
        bench.post_with_key(SESSIONS, "k", &form).await.expect(409);
    };
    let (late, ()) = tokio::join!(late, meanwhile);
    late.expect(200);
}

#[tokio::test]
async fn of_many_requests_at_once_under_one_key_one_is_done() {
    let bench = Bench::start().await;
    let form = one_mug();
    let answers =
        futures::future::join_all((0..20).map(|_| bench.post_with_key(SESSIONS, "k", &form))).await;
    let created: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert!(!created.is_empty());
    assert!(created.iter().all(|answer| answer.text == created[0].text));
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 || answer.status == 409)
    );
    assert_eq!(sessions(&bench).await, 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let bench = Bench::start().await;
    let first = bench
        .post_with_key(SESSIONS, "k", &one_mug())
        .await
        .expect(200)
        .json();
    bench.advance(86_000).await;
    let kept = bench
        .post_with_key(SESSIONS, "k", &one_mug())
        .await
        .expect(200)
        .json();
    assert_eq!(kept, first);
    bench.advance(500).await;
    let other = [one_mug(), vec![("client_reference_id", "2")]].concat();
    let new = bench.post_with_key(SESSIONS, "k", &other).await.expect(200);
    assert_ne!(id(&new.json()), id(&first));
}

#[tokio::test]
async fn only_posts_heed_keys() {
    let bench = Bench::start().await;
    let get = || {
        bench
            .request("GET", SESSIONS)
            .bearer_auth(KEY)
            .header("Idempotency-Key", "k")
    };
    assert_eq!(
        bench.send(get()).await.expect(200).json()["data"],
        json!([])
    );
    bench.session().await;
    assert_eq!(ids(&bench.send(get()).await.expect(200).json()).len(), 1);
    bench
        .post_with_key(SESSIONS, &"k".repeat(256), &one_mug())
        .await
        .expect(400);
}
