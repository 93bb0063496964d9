//! The window: what a person sees of the stand-in, and can do there.

use std::time::Duration;

use http::StatusCode;

use crate::bench::{Answer, Bench, CARD, DECLINED, KEY, Webhook, eventually, id, one_mug};

const OTHER: &str = "sk_test_other";
const SESSIONS: &str = "/v1/checkout/sessions";

/// A page of the account that a browser comes to first.
async fn look(bench: &Bench, path: &str) -> Answer {
    let base = window(bench).await;
    look_at(bench, &format!("{base}/{path}")).await
}

async fn look_at(bench: &Bench, path: &str) -> Answer {
    let request = bench.request("GET", path);
    bench.send(request.header("Accept", "text/html")).await
}

/// Where the default account's pages are.
async fn window(bench: &Bench) -> String {
    let front = look_at(bench, "/_stripe/").await.expect(303);
    let first = front.header("location").unwrap();
    first.strip_suffix("/requests").unwrap().to_owned()
}

fn request_id(answer: &Answer) -> String {
    answer.header("request-id").unwrap().to_owned()
}

async fn press(bench: &Bench, path: &str, form: &[(&str, &str)]) -> Answer {
    let path = format!("{}/{path}", window(bench).await);
    bench.send(bench.request("POST", &path).form(form)).await
}

#[tokio::test]
async fn a_browser_is_led_to_the_window_and_a_program_is_not() {
    let bench = Bench::start().await;
    for path in ["/", "/_stripe", "/_stripe/", "/_stripe/window"] {
        let answer = look_at(&bench, path).await.expect(303);
        assert_eq!(
            answer.header("location"),
            Some(format!("{}/requests", window(&bench).await).as_str()),
            "{path}"
        );
    }
    let program = bench.send(bench.request("GET", "/")).await.expect(404);
    assert_eq!(program.error()["type"], "invalid_request_error");
    // The control API is where it was.
    bench
        .send(bench.request("GET", "/_stripe/clock"))
        .await
        .expect(200);
}

#[tokio::test]
async fn every_call_is_shown_with_its_answer() {
    let bench = Bench::start().await;
    let created = bench
        .post_with_key(SESSIONS, "order-7", &one_mug())
        .await
        .expect(200);
    let read = bench.get("/v1/events?limit=3").await.expect(200);
    let refused = bench
        .post(SESSIONS, &vec![("mode", "nonsense")])
        .await
        .expect(400);
    let unknown = bench.get("/v1/nothing").await.expect(404);

    let list = look(&bench, "requests").await.expect(200).text;
    let places: Vec<_> = [&unknown, &refused, &read, &created]
        .map(|answer| list.find(&request_id(answer)).unwrap())
        .to_vec();
    assert!(places.is_sorted(), "newest first: {places:?}");
    assert!(list.contains("/v1/events"));

    let page = format!("requests/{}", request_id(&created));
    let page = look(&bench, &page).await.expect(200).text;
    for shown in [
        "order-7",
        "line_items[0][quantity]",
        "$STRIPE_SECRET_KEY",
        &id(&created.json()),
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!page.contains(KEY), "the key is not shown");

    let page = format!("requests/{}", request_id(&read));
    let page = look(&bench, &page).await.expect(200).text;
    assert!(page.contains("limit") && page.contains("curl -G"));
    let page = format!("requests/{}", request_id(&refused));
    let page = look(&bench, &page).await.expect(200).text;
    assert!(page.contains("invalid_request_error"));

    let failed = look(&bench, "requests?outcome=failed").await.text;
    assert!(failed.contains(&request_id(&refused)));
    assert!(!failed.contains(&request_id(&created)));
}

#[tokio::test]
async fn a_replayed_answer_leads_to_the_call_that_was_given_it_first() {
    let bench = Bench::start().await;
    let first = bench.post_with_key(SESSIONS, "once", &one_mug()).await;
    let again = bench.post_with_key(SESSIONS, "once", &one_mug()).await;
    let page = format!("requests/{}", request_id(&again));
    let page = look(&bench, &page).await.expect(200).text;
    let link = format!("/requests/{}\"", request_id(&first));
    assert!(page.contains(&link), "{page}");
}

#[tokio::test]
async fn a_call_that_nobodys_key_lets_in_is_shown_all_the_same() {
    let bench = Bench::start().await;
    let refused = bench.get_as("wrong", SESSIONS).await.expect(401);
    let list = look(&bench, "requests").await.expect(200).text;
    assert!(list.contains(&request_id(&refused)));
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_is_shown_with_the_fault() {
    let bench = Bench::start().await;
    bench
        .fault(&[("fault", "hang_up"), ("path", SESSIONS)])
        .await;
    let call = bench.request("POST", SESSIONS).bearer_auth(KEY);
    call.form(&one_mug()).send().await.unwrap_err();
    let list = look(&bench, "requests").await.expect(200).text;
    assert!(list.contains("fault: hang_up"), "{list}");
}

#[tokio::test]
async fn what_is_billed_is_listed_with_its_amount_and_its_kind_in_words() {
    let bench = Bench::start().await;
    let customer = bench
        .post("/v1/customers", &vec![])
        .await
        .expect(200)
        .json();
    let customer = id(&customer);
    let item = vec![
        ("customer", &*customer),
        ("amount", "1900"),
        ("currency", "usd"),
    ];
    bench.post("/v1/invoiceitems", &item).await.expect(200);
    let whose = vec![
        ("customer", &*customer),
        ("pending_invoice_items_behavior", "include"),
    ];
    let invoice = bench.post("/v1/invoices", &whose).await.expect(200).json();
    let list = look(&bench, "objects?kind=invoice").await.expect(200).text;
    assert!(list.contains("<td class=\"number\">$19.00</td>"), "{list}");
    assert!(list.contains(">invoice item <"), "{list}");

    // Programs that know only the id have a link to it, too.
    let link = look_at(&bench, &format!("/_stripe/window/objects/{}", id(&invoice))).await;
    let place = format!("{}/objects/{}", window(&bench).await, id(&invoice));
    assert_eq!(link.expect(303).header("location"), Some(place.as_str()));
}

#[tokio::test]
async fn rows_from_another_day_say_which() {
    let bench = Bench::start().await;
    bench.session().await;
    let dates = async || {
        let list = look(&bench, "requests").await.expect(200).text;
        let today = list.matches("class=\"date today\"").count();
        (today, list.matches("class=\"date\"").count())
    };
    assert_eq!(dates().await, (1, 0));
    bench.advance(86_400).await;
    assert_eq!(dates().await, (0, 1));
}

#[tokio::test]
async fn an_id_leads_to_its_object_from_wherever_it_stands() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    bench.pay(&session, CARD).await.expect(303);
    let charge = bench.charge_of(&session).await;
    let (intent, charge) = (
        charge["payment_intent"].as_str().unwrap().to_owned(),
        id(&charge),
    );
    let base = window(&bench).await;
    for typed in [&session, &intent, &charge] {
        let found = look(&bench, &format!("search?q={typed}")).await.expect(303);
        let place = format!("{base}/objects/{typed}");
        assert_eq!(found.header("location"), Some(place.as_str()));
    }
    let link = |id: &str| format!("href=\"{base}/objects/{id}\"");
    let page = look(&bench, &format!("objects/{session}"))
        .await
        .expect(200);
    assert!(page.text.contains(&link(&intent)), "{}", page.text);
    // Where it is named, and what happened to it.
    let page = look(&bench, &format!("objects/{intent}")).await.expect(200);
    assert!(page.text.contains(&link(&charge)) && page.text.contains(&link(&session)));
    let page = look(&bench, &format!("objects/{session}")).await.text;
    assert!(page.contains("checkout.session.completed") && page.contains("POST"));

    let event = id(&bench.latest("checkout.session.completed").await);
    let found = look(&bench, &format!("search?q={event}")).await.expect(303);
    let place = format!("{base}/events/{event}");
    assert_eq!(found.header("location"), Some(place.as_str()));
    let page = look_at(&bench, &place).await.expect(200).text;
    assert!(page.contains(&link(&session)));
}

#[tokio::test]
async fn anything_is_found_by_what_it_says() {
    let bench = Bench::start().await;
    let ada = bench
        .create(vec![("customer_email", "ada@example.com")])
        .await;
    let bob = bench
        .create(vec![
            ("customer_email", "bob@example.com"),
            ("line_items[0][price_data][unit_amount]", "2345"),
        ])
        .await;
    let (ada, bob) = (id(&ada), id(&bob));
    for (typed, finds, not) in [
        ("ada%40example.com", &ada, &bob),
        ("BOB%40example", &bob, &ada),
        ("23.45", &bob, &ada),
        ("2345", &bob, &ada),
        ("15.00+ada%40example.com", &ada, &bob),
    ] {
        let page = look(&bench, &format!("objects?q={typed}"))
            .await
            .expect(200);
        assert!(page.text.contains(finds), "{typed}");
        assert!(!page.text.contains(not), "{typed}");
        let page = look(&bench, &format!("search?q={typed}")).await.expect(200);
        assert!(page.text.contains(finds), "{typed}");
    }
    // Nothing in the words is a pattern.
    let page = look(&bench, "objects?q=ada_example.com").await.expect(200);
    assert!(!page.text.contains(&ada));
    let page = look(&bench, "search?q=nobody").await.expect(200);
    assert!(page.text.contains("Nothing mentions it"));
}

#[tokio::test]
async fn lists_come_a_page_at_a_time() {
    let bench = Bench::start().await;
    for _ in 0..60 {
        bench.get(SESSIONS).await.expect(200);
    }
    let first = look(&bench, "requests").await.expect(200).text;
    assert_eq!(first.matches("<tr id=").count(), 50);
    let (_, rest) = first.split_once("before=").unwrap();
    let (before, _) = rest.split_once('"').unwrap();
    let second = look(&bench, &format!("requests?before={before}")).await;
    assert_eq!(second.text.matches("<tr id=").count(), 10);
    assert!(!second.text.contains("before="));
}

#[tokio::test]
async fn what_strangers_wrote_is_text_and_never_html() {
    let bench = Bench::start().await;
    let html = "<script>alert(1)</script>\"'><img src=x>";
    let session = bench
        .create(vec![
            ("metadata[note]", html),
            ("line_items[0][price_data][product_data][name]", html),
        ])
        .await;
    let agent = bench.request("GET", SESSIONS).bearer_auth(KEY);
    let agent = bench
        .send(agent.header("User-Agent", html))
        .await
        .expect(200);
    let refused = bench.post(SESSIONS, &vec![(html, html)]).await.expect(400);
    bench.pay(&id(&session), CARD).await.expect(303);
    let event = id(&bench.latest("checkout.session.completed").await);
    let pages = [
        "requests".to_owned(),
        "objects".to_owned(),
        "events".to_owned(),
        format!("objects/{}", id(&session)),
        format!("events/{event}"),
        format!("requests/{}", request_id(&agent)),
        format!("requests/{}", request_id(&refused)),
        "search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
        "objects?kind=%22%3E%3Cscript%3Ealert(1)".to_owned(),
        "objects/%3Cscript%3Ealert(1)".to_owned(),
        "requests?q=%22%3E%3Cscript%3Ealert(1)&outcome=%22%3E%3Cscript%3E".to_owned(),
    ];
    for path in pages {
        let page = look(&bench, &path).await;
        let scripts = page.text.matches("<script").count();
        assert_eq!(scripts, 1, "{path} has more than its own script");
        assert!(!page.text.contains("<img"), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
        assert!(policy.contains("frame-ancestors 'none'"));
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_and_says_so() {
    let bench = Bench::start().await;
    for (path, says) in [
        ("objects/cs_test_none", "There is no object cs_test_none"),
        ("requests/req_none", "There is no request req_none"),
        ("events/evt_none", "There is no event evt_none"),
        ("nowhere", "There is no such page"),
    ] {
        let page = look(&bench, path).await.expect(404);
        assert!(page.text.contains(says), "{path}: {}", page.text);
    }
    let page = look_at(&bench, "/_stripe/window/acct_none/requests").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("There is no account acct_none"));
    let resend = press(&bench, "events/evt_none/resend", &[])
        .await
        .expect(404);
    assert!(resend.text.contains("no such event"));
}

#[tokio::test]
async fn what_is_gone_still_has_its_story() {
    let bench = Bench::start().await;
    let endpoint = bench
        .post(
            "/v1/webhook_endpoints",
            &vec![
                ("url", "http://127.0.0.1:9/"),
                ("enabled_events[]", "charge.refunded"),
            ],
        )
        .await;
    let endpoint = id(&endpoint.json());
    let path = format!("/v1/webhook_endpoints/{endpoint}");
    let delete = bench.request("DELETE", &path).bearer_auth(KEY);
    let deleted = bench.send(delete).await.expect(200);
    let list = look(&bench, &format!("search?q={endpoint}")).await;
    assert!(list.text.contains(&request_id(&deleted)), "{}", list.text);
}

#[tokio::test]
async fn each_account_has_a_window_of_its_own() {
    let bench = Bench::start().await;
    let mine = bench.session().await;
    let theirs = bench.post_as(OTHER, SESSIONS, &one_mug()).await.expect(200);
    let theirs = id(&theirs.json());
    let account = bench.get_as(OTHER, "/v1/account").await.expect(200).json();
    let account = id(&account);

    let page = look(&bench, "objects").await.expect(200).text;
    assert!(page.contains(&mine) && !page.contains(&theirs));
    assert!(page.contains(&format!("/_stripe/window/{account}/requests")));
    let page = look_at(&bench, &format!("/_stripe/window/{account}/objects")).await;
    assert!(page.text.contains(&theirs) && !page.text.contains(&mine));
    // An id is found wherever it is.
    let found = look(&bench, &format!("search?q={theirs}"))
        .await
        .expect(303);
    let place = format!("/_stripe/window/{account}/objects/{theirs}");
    assert_eq!(found.header("location"), Some(place.as_str()));
}

#[tokio::test]
async fn an_event_is_shown_with_every_try_and_sent_again_on_request() {
    let bench = Bench::start().await;
    bench.webhook.refuse(1);
    let session = bench.session().await;
    bench.pay(&session, CARD).await.expect(303);
    bench.until(|it| it["state"] == "delivered").await;
    let event = id(&bench.latest("checkout.session.completed").await);
    let page = look(&bench, &format!("events/{event}")).await.expect(200);
    for shown in [
        "Try 1",
        "Try 2",
        ">503<",
        ">200<",
        "Stripe-Signature",
        &bench.webhook.url,
    ] {
        assert!(page.text.contains(shown), "{shown} in {}", page.text);
    }
    assert_eq!(
        press(&bench, "deliveries/hold", &[]).await.status,
        StatusCode::SEE_OTHER
    );
    let page = look(&bench, "events").await.expect(200);
    assert!(page.text.contains("Deliveries are held back"));
    let path = format!("events/{event}/resend");
    press(&bench, &path, &[]).await.expect(303);
    let tries = |it: &serde_json::Value| it["attempts"].as_array().unwrap().len() == 3;
    bench.until(tries).await;
    press(&bench, "deliveries/release", &[]).await.expect(303);
}

#[tokio::test]
async fn an_event_that_nobody_could_take_is_not_sent() {
    let bench = Bench::start().await;
    let customer = [("name", "Ada")].to_vec();
    let created = bench.post_as(OTHER, "/v1/customers", &customer).await;
    let customer = id(&created.expect(200).json());
    let events = bench.get_as(OTHER, "/v1/events").await.expect(200).json();
    let event = id(&events["data"][0]);
    assert_eq!(events["data"][0]["data"]["object"]["id"], customer);
    let account = bench.get_as(OTHER, "/v1/account").await.expect(200).json();
    let path = format!("/_stripe/window/{}/events/{event}/resend", id(&account));
    let refused = bench.send(bench.request("POST", &path)).await.expect(400);
    assert!(
        refused.text.contains("no webhook endpoint"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn the_switches_switch() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    press(&bench, "snapshots", &[("name", "open <b>")])
        .await
        .expect(303);
    let day = [("count", "1"), ("unit", "d")];
    press(&bench, "clock", &day).await.expect(303);
    assert_eq!(bench.retrieve(&session).await["status"], "expired");
    let fault = [
        ("fault", "error"),
        ("at", "GET /v1/events*"),
        ("status", "503"),
        ("delay_ms", ""),
        ("times", "1"),
    ];
    press(&bench, "faults", &fault).await.expect(303);
    let page = look(&bench, "switches").await.expect(200).text;
    for shown in [
        "1 day ahead",
        "GET /v1/events*",
        "answers 503, once",
        "open &#60;b&#62;",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    bench.get("/v1/events").await.expect(503);
    press(&bench, "faults", &fault).await.expect(303);
    press(&bench, "faults/clear", &[]).await.expect(303);
    bench.get("/v1/events").await.expect(200);
    let snapshot = [("name", "open <b>")];
    press(&bench, "snapshots/restore", &snapshot)
        .await
        .expect(303);
    assert_eq!(bench.retrieve(&session).await["status"], "open");
    press(&bench, "snapshots/forget", &snapshot)
        .await
        .expect(303);
    press(&bench, "snapshots/forget", &snapshot)
        .await
        .expect(404);
    press(&bench, "reset", &[]).await.expect(303);
    let page = look(&bench, "requests").await.expect(200).text;
    assert!(page.contains("No API call yet"), "{page}");
    look(&bench, &format!("objects/{session}"))
        .await
        .expect(404);

    let refused = press(&bench, "clock", &[("count", "-1"), ("unit", "m")]).await;
    assert!(refused.expect(400).text.contains("advance must be between"));
    let nonsense = [
        ("fault", "error"),
        ("at", ""),
        ("status", "many"),
        ("delay_ms", ""),
        ("times", ""),
    ];
    let refused = press(&bench, "faults", &nonsense).await.expect(400);
    assert!(refused.text.contains("status must be a number, not many"));
}

#[tokio::test]
async fn another_sites_page_can_neither_press_a_button_nor_look() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let base = window(&bench).await;
    for path in ["reset", "clock", "deliveries/hold", "faults/clear"] {
        for origin in ["http://evil.example", "null", "http://127.0.0.1:3000"] {
            let post = bench.request("POST", &format!("{base}/{path}"));
            let form = [("count", "1"), ("unit", "d")];
            let answer = bench.send(post.header("Origin", origin).form(&form)).await;
            answer.expect(403);
        }
    }
    for host in ["rebound.example", "127.0.0.1:1"] {
        for path in ["requests", "live", "objects"] {
            let get = bench.request("GET", &format!("{base}/{path}"));
            bench.send(get.header("Host", host)).await.expect(403);
        }
    }
    assert_eq!(bench.retrieve(&session).await["status"], "open");
    let own = bench.request("POST", &format!("{base}/clock"));
    let own = own.header("Origin", &bench.url);
    let form = [("count", "1"), ("unit", "d")];
    bench.send(own.form(&form)).await.expect(303);
    assert_eq!(bench.retrieve(&session).await["status"], "expired");
}

#[tokio::test]
async fn an_open_page_hears_of_every_change_until_the_stand_in_stops() {
    let webhook = Webhook::start().await;
    let bench = Bench::open(None, webhook, false).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stand_in = bench.stand_in.clone();
    let delivering = tokio::spawn(async move {
        stand_in
            .deliver(async {
                stopped.await.ok();
            })
            .await;
    });
    let path = format!("{}/live", window(&bench).await);
    let mut news = bench.request("GET", &path).send().await.unwrap();
    assert_eq!(news.headers()["content-type"], "text/event-stream");

    // What only reads is news as well: it is in the log.
    bench.get(SESSIONS).await.expect(200);
    let heard = tokio::time::timeout(Duration::from_secs(20), news.chunk());
    let heard = heard.await.unwrap().unwrap().unwrap();
    // Without data, browsers would pass over it.
    assert_eq!(heard, "event: changed\ndata: look again\n\n");
    let session = bench.session().await;
    bench.pay(&session, DECLINED).await.expect(402);
    let heard = tokio::time::timeout(Duration::from_secs(20), news.chunk());
    assert!(heard.await.unwrap().unwrap().is_some());

    stop.send(()).unwrap();
    delivering.await.unwrap();
    let rest = async { while news.chunk().await.unwrap().is_some() {} };
    let ended = tokio::time::timeout(Duration::from_secs(20), rest);
    ended.await.expect("the stream of news ends");
}

#[tokio::test]
async fn the_log_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("stripe.db");
    let first = Bench::open(Some(&database), Webhook::start().await, false).await;
    let changed = request_id(&first.post(SESSIONS, &one_mug()).await.expect(200));
    let read = request_id(&first.get(SESSIONS).await.expect(200));
    // A call that only reads is written down a moment later.
    eventually(async || {
        let text = look(&first, "requests").await.text;
        text.contains(&read).then_some(())
    })
    .await;
    drop(first);
    let again = Bench::open(Some(&database), Webhook::start().await, false).await;
    let list = look(&again, "requests").await.expect(200).text;
    assert!(list.contains(&changed) && list.contains(&read), "{list}");
}

#[tokio::test]
async fn the_oldest_calls_make_way() {
    let bench = Bench::start().await;
    let first = request_id(&bench.get(SESSIONS).await);
    for _ in 0..420 {
        let calls = (0..10).map(|_| bench.get("/v1/nothing"));
        futures::future::join_all(calls).await;
    }
    look(&bench, &format!("requests/{first}")).await.expect(404);
    let list = look(&bench, "requests").await.expect(200);
    assert_eq!(list.text.matches("<tr id=").count(), 50);
}

#[tokio::test]
async fn a_search_looks_at_what_things_say_and_not_at_what_that_is_called() {
    let bench = Bench::start().await;
    let form = vec![("name", "Ann"), ("metadata[colour]", "turquoise")];
    let ann = bench.post("/v1/customers", &form).await.expect(200);
    let ann = id(&ann.json());
    let found = look(&bench, "search?q=turquoise").await.expect(200).text;
    assert!(found.contains(&ann));
    for name in ["invoice_prefix", "livemode", "colour", "default_source"] {
        let found = look(&bench, &format!("search?q={name}")).await.text;
        assert!(!found.contains(&format!("objects/{ann}")), "{name}");
    }
    let requests = look(&bench, "requests?q=default_source").await.text;
    assert!(!requests.contains("/v1/customers"));
    let requests = look(&bench, "requests?q=turquoise").await.text;
    assert!(requests.contains("/v1/customers"));
}

#[tokio::test]
async fn accounts_go_by_the_ends_of_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.db");
    let bench = Bench::open(Some(&file), Webhook::start().await, false).await;
    let long = format!("sk_test_51{}Zx9Q", "a".repeat(90));
    for key in ["sk_test_shop_tests", &long] {
        bench.get_as(key, "/v1/account").await.expect(200);
    }
    let names = ["local", "shop_tests", "…Zx9Q"];
    let shown = look(&bench, "requests").await.expect(200).text;
    for name in names {
        assert!(shown.contains(&format!(">{name}</a>")), "{name} in {shown}");
    }
    drop(bench);
    let bench = Bench::open(Some(&file), Webhook::start().await, false).await;
    let shown = look(&bench, "requests").await.expect(200).text;
    for name in names {
        assert!(
            shown.contains(&format!(">{name}</a>")),
            "{name} after a restart"
        );
    }
}

#[tokio::test]
async fn a_receivers_answer_is_shown_with_its_headers() {
    let bench = Bench::start().await;
    bench.charge(CARD).await;
    let delivery = bench.until(|it| it["state"] == "delivered").await;
    let event = delivery["event"].as_str().unwrap();
    let shown = look(&bench, &format!("events/{event}"))
        .await
        .expect(200)
        .text;
    assert!(
        shown.contains("content-type: text/plain; charset=utf-8"),
        "{shown}"
    );
}
