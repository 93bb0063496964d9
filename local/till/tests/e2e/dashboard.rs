//! `till dashboard`: the dashboard of a deployed shop, and who is let in.

use std::process::Stdio;

use axum::http::StatusCode;
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde_json::{Value, json};
use testing::{CARD, text};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::aws::{Account, Parameter};
use crate::deployed::{outputs, parameters, with_credentials};
use crate::operator::{Operator, run};

/// A dashboard that is open, and the way in.
struct Window {
    process: Child,
    rest: Lines<BufReader<ChildStdout>>,
    /// `http://127.0.0.1:1234`.
    address: String,
    entrance: String,
    web: Client,
    cookie: String,
}

impl Window {
    /// Of the stack `till-eu`, by whoever opens the address that it prints.
    async fn on(operator: &Operator, aws: &str) -> Self {
        let dashboard = ["dashboard", "--listen", "0", "--json", "--stack", "till-eu"];
        let mut till = with_credentials(operator, aws, &dashboard);
        let [_, _, _, stripe, ..] = operator.shop.ports();
        till.env("STRIPE_API_BASE", format!("http://127.0.0.1:{stripe}"))
            .env("STRIPE_SECRET_KEY", "sk_test_local");
        Self::of(till).await
    }

    async fn of(mut till: Command) -> Self {
        let mut process = till
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut rest = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut told = String::new();
        let told = loop {
            told += &rest
                .next_line()
                .await
                .unwrap()
                .expect("the dashboard ended");
            if let Ok(told) = serde_json::from_str::<Value>(&told) {
                break told;
            }
        };
        let entrance = text(&told, "url");
        // Not every system's resolver knows this name, as browsers do.
        let entrance = entrance.replace("http://till.localhost:", "http://127.0.0.1:");
        let (address, key) = entrance.split_once("/enter?key=").unwrap();
        let address = address.to_owned();
        assert_eq!(key.len(), 32, "{entrance}");
        let web = Client::builder().redirect(redirect::Policy::none());
        let web = web.build().unwrap();
        let entered = web.get(&entrance).send().await.unwrap();
        assert_eq!(entered.status(), 303);
        assert_eq!(entered.headers()["location"], "/");
        let cookie = entered.headers()["set-cookie"].to_str().unwrap();
        let (cookie, attributes) = cookie.split_once(';').unwrap();
        assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Strict");
        let cookie = cookie.to_owned();
        Self {
            process,
            rest,
            address,
            entrance,
            web,
            cookie,
        }
    }

    fn asks(&self, path: &str) -> RequestBuilder {
        let request = self.web.get(format!("{}{path}", self.address));
        request.header("cookie", &self.cookie)
    }

    fn does(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let request = self.web.post(format!("{}{path}", self.address));
        let request = request.header("cookie", &self.cookie);
        request.header("origin", &self.address).form(form)
    }

    async fn reads(&self, path: &str) -> Value {
        answered(self.asks(path)).await
    }
}

async fn answered(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let (status, body) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// What somebody is told who is not let in.
async fn refusal(request: RequestBuilder) -> (u16, String) {
    let answer: Response = request.send().await.unwrap();
    sealed(&answer);
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn sealed(answer: &Response) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.headers()[name], value, "{name}");
    }
}

async fn stack(operator: &Operator, mode: &'static str) -> String {
    let account = Account::new(operator, &parameters(mode), &outputs(operator));
    let key = Parameter {
        value: format!("rk_{mode}_functions"),
        tag: Some("till-eu-1".to_owned()),
    };
    let name = "/till/till-eu/stripe-secret-key".to_owned();
    account.parameters.lock().unwrap().insert(name, key);
    account.listen().await
}

#[tokio::test]
async fn a_deployed_shop_is_shown_searched_and_refunded_on_its_dashboard() {
    let operator = Operator::new().await;
    let aws = stack(&operator, "test").await;
    let checkout = operator.sell(CARD).await;
    let (bought, session) = (&checkout.purchase, checkout.session());
    let window = Window::on(&operator, &aws).await;

    let page = window.asks("/").send().await.unwrap();
    sealed(&page);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let page = page.text().await.unwrap();
    assert!(
        page.contains("till-eu · test mode · eu-central-1"),
        "{page}"
    );
    for name in ["page.js", "stack.js", "alarms.js", "doctor.js", "style.css"] {
        let asset = window.asks(&format!("/{name}")).send().await.unwrap();
        assert_eq!(asset.status(), 200, "{name}");
    }

    let listed = window.reads("/purchases.json").await;
    assert_eq!(listed["purchases"][0]["id"], bought.as_str());
    assert_eq!(listed["read"]["is_whole"], true);
    let found = window.reads(&format!("/search.json?q={session}")).await;
    assert_eq!(found["found"][0]["id"], bought.as_str());
    let story = window.reads(&format!("/purchases/{bought}")).await;
    let timeline = story["timeline"].as_array().unwrap();
    let kinds: Vec<_> = timeline.iter().map(|moment| text(moment, "kind")).collect();
    for kind in ["request", "attempt", "event", "mail", "publication"] {
        assert!(kinds.contains(&kind.to_owned()), "{kind}: {kinds:?}");
    }

    let path = format!("/payments/{bought}/refund");
    let preview = window.reads(&format!("{path}?currency=usd")).await;
    let form = [("currency", "usd"), ("key", &*text(&preview, "key"))];
    let made = answered(window.does(&path, &form)).await;
    assert!(text(&made, "refund").starts_with("re_"), "{made}");
    operator.shop.until_status(bought, "refunded").await;

    // What was changed here is read again at once; what others bring, when somebody asks.
    let listed = window.reads("/purchases.json").await;
    assert_eq!(listed["purchases"][0]["status"], "refunded");
    operator.sell(CARD).await;
    assert_eq!(window.reads("/purchases.json").await["found"], 1);
    answered(window.does("/reread", &[])).await;
    assert_eq!(window.reads("/purchases.json").await["found"], 2);
}

#[tokio::test]
async fn seeing_a_deployed_shop_requires_the_address_that_was_printed() {
    let operator = Operator::new().await;
    let aws = stack(&operator, "test").await;
    let window = Window::on(&operator, &aws).await;
    let url = |path: &str| format!("{}{path}", window.address);
    let stranger = "Open the address that `till dashboard` printed";

    let (name, _) = window.cookie.split_once('=').unwrap();
    for path in [
        "/",
        "/purchases.json",
        "/page.js",
        "/nothing",
        "/alarms.json",
    ] {
        for cookie in [
            None,
            Some(format!("{name}=guess")),
            Some(format!("{name}=")),
        ] {
            let asked = window.web.get(url(path));
            let asked = cookie
                .iter()
                .fold(asked, |asked, it| asked.header("cookie", it));
            let (status, said) = refusal(asked).await;
            assert_eq!(status, 403, "{path} {cookie:?}");
            assert!(said.contains(stranger), "{said}");
        }
    }
    for key in ["", "?key=", "?key=guess"] {
        let asked = window.web.get(url(&format!("/enter{key}")));
        assert_eq!(refusal(asked).await.0, 403, "{key}");
    }
    let pressed = window.web.post(url("/reconcile"));
    assert_eq!(refusal(pressed).await.0, 403);

    // A person who comes by a link is told how to go on, and no address becomes markup.
    let visit = window
        .web
        .get(url("/?q=<i>"))
        .header("sec-fetch-mode", "navigate");
    let (status, said) = refusal(visit).await;
    assert_eq!(status, 403);
    assert!(said.starts_with("<!doctype html>"), "{said}");
    assert!(!said.contains("<i>"), "{said}");

    let visit = window.web.get(url("//evil.example/x"));
    let (_, said) = refusal(visit.header("sec-fetch-mode", "navigate")).await;
    assert!(said.contains("href=\"/evil.example/x\""), "{said}");

    // Another cookie beside it does no harm.
    let both = window.web.get(url("/purchases.json"));
    let both = both.header("cookie", format!("a=b; {}; c=d", window.cookie));
    answered(both).await;
}

#[tokio::test]
async fn pages_of_other_sites_can_do_nothing_on_the_dashboard() {
    let operator = Operator::new().await;
    let aws = stack(&operator, "test").await;
    operator.sell(CARD).await;
    let window = Window::on(&operator, &aws).await;
    let before = operator.shop.dump().await;
    for site in ["cross-site", "same-site"] {
        for asked in [
            window.asks("/purchases.json"),
            window.asks("/"),
            window.does("/reread", &[]),
        ] {
            let (status, said) = refusal(asked.header("sec-fetch-site", site)).await;
            assert_eq!(status, 403, "{site}");
            assert!(said.contains("Another page"), "{said}");
        }
    }
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let asked = window.web.post(format!("{}/reconcile", window.address));
        let asked = asked
            .header("cookie", &window.cookie)
            .header("origin", origin);
        assert_eq!(refusal_of(asked).await, 403, "{origin}");
    }
    // Its own name may be made to lead here.
    let rebound = window
        .asks("/purchases.json")
        .header("host", "evil.example");
    assert_eq!(refusal_of(rebound).await, 421);
    // Browsers know this name, and keep its cookie from all that is at 127.0.0.1.
    let (_, port) = window.address.rsplit_once(':').unwrap();
    let named = format!("till.localhost:{port}");
    answered(window.asks("/purchases.json").header("host", &named)).await;
    let origin = format!("http://{named}");
    let pressed = window.web.post(format!("{}/reread", window.address));
    let pressed = pressed
        .header("cookie", &window.cookie)
        .header("host", &named);
    answered(pressed.header("origin", origin)).await;
    for site in ["same-origin", "none"] {
        answered(
            window
                .asks("/purchases.json")
                .header("sec-fetch-site", site),
        )
        .await;
    }
    assert_eq!(operator.shop.dump().await, before);
}

async fn refusal_of(request: RequestBuilder) -> StatusCode {
    let answer = request.send().await.unwrap();
    StatusCode::from_u16(answer.status().as_u16()).unwrap()
}

#[tokio::test]
async fn the_dashboard_of_a_live_shop_says_that_it_is_live() {
    let operator = Operator::new().await;
    let aws = stack(&operator, "live").await;
    let dashboard = ["dashboard", "--listen", "0", "--json", "--stack", "till-eu"];
    let window = Window::of(with_credentials(&operator, &aws, &dashboard)).await;
    let page = window.asks("/").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("LIVE · real money"), "{page}");
    assert!(page.contains("<body class=\"live\">"), "{page}");
}

#[tokio::test]
async fn the_dashboard_says_what_keeps_the_doctor_and_the_alarms_from_answering() {
    let operator = Operator::new().await;
    let aws = stack(&operator, "test").await;
    let window = Window::on(&operator, &aws).await;
    assert_eq!(
        window.reads("/doctor.json").await,
        json!({ "findings": [] })
    );
    let asked = window.does("/doctor", &[]).send().await.unwrap();
    // The stack that is played here has no site, which doctor says in words.
    let (status, said) = (asked.status(), asked.text().await.unwrap());
    assert!(
        status == 500 && said.contains("has no output SiteConfig"),
        "{said}"
    );
    let alarms = window.asks("/alarms.json").send().await.unwrap();
    let (status, said) = (alarms.status(), alarms.text().await.unwrap());
    assert!(status == 500 && said.contains("AccessDenied"), "{said}");
}

#[tokio::test]
async fn the_dashboard_ends_when_told_to_and_never_shows_its_secret() {
    let operator = Operator::new().await;
    let aws = stack(&operator, "test").await;
    let mut window = Window::on(&operator, &aws).await;
    let (_, secret) = window.entrance.split_once("key=").unwrap();
    for path in ["/", "/purchases.json", "/doctor.json", "/search.json?q=x"] {
        let said = window.asks(path).send().await.unwrap();
        let headers = format!("{:?}", said.headers());
        let said = headers + &said.text().await.unwrap();
        assert!(!said.contains(secret), "{path}");
        assert!(!said.contains("for an hour"), "the operator's credentials");
    }
    let pid = window.process.id().unwrap().to_string();
    let told = Command::new("kill").arg(pid).status().await.unwrap();
    assert!(told.success());
    assert!(window.process.wait().await.unwrap().success());
    assert_eq!(window.rest.next_line().await.unwrap(), None);
}

#[tokio::test]
async fn without_a_stack_the_local_dashboards_address_is_printed() {
    let operator = Operator::new().await;
    let [_, port, ..] = operator.shop.ports();
    let said = operator.till(&["dashboard"]).await.expect(0);
    assert_eq!(said.out, format!("http://127.0.0.1:{port}/_local\n"));
    let mut till = operator.bare();
    till.args(["dashboard", "--listen", "3010"]);
    run(till, "").await.expect(2);
}
