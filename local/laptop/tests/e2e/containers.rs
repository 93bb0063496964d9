//! Functions in containers find this machine's tables and Stripe under a name of their own.

use laptop::shop::{LocalShop, Options};

use crate::small_shop::{TestShop, client, echoing, options, project};
use reqwest::{Method, RequestBuilder};

/// The doors that containers may use, each with a path that answers programs.
fn doors(shop: &TestShop) -> [(Method, String); 2] {
    let stripe = shop.shop.stripe_url().unwrap();
    [
        (Method::GET, shop.aws("/")),
        (Method::GET, format!("{stripe}/v1/events")),
    ]
}

/// As the Stripe client and the AWS SDKs ask, but for the name in `Host`.
fn ask(shop: &TestShop, method: &Method, url: &str, host: &str) -> RequestBuilder {
    let port = reqwest::Url::parse(url).unwrap().port().unwrap();
    shop.http
        .request(method.clone(), url)
        .bearer_auth("sk_test_local")
        .header("host", format!("{host}:{port}"))
}

#[tokio::test]
async fn programs_in_containers_reach_the_tables_and_stripe() {
    let shop = TestShop::start().await;
    for (method, url) in doors(&shop) {
        let answer = ask(&shop, &method, &url, "host.docker.internal");
        assert_eq!(answer.send().await.unwrap().status(), 200, "{url}");
    }
}

#[tokio::test]
async fn web_pages_do_not_get_in_under_the_containers_name() {
    let shop = TestShop::start().await;
    for (method, url) in doors(&shop) {
        for (name, value) in [
            ("origin", "http://host.docker.internal:3002"),
            ("accept-language", "en"),
            ("sec-fetch-mode", "cors"),
        ] {
            let page = ask(&shop, &method, &url, "host.docker.internal").header(name, value);
            assert_eq!(page.send().await.unwrap().status(), 421, "{url} {name}");
        }
    }
}

#[tokio::test]
async fn the_site_and_the_dashboard_do_not_answer_to_the_containers_name() {
    let shop = TestShop::start().await;
    for path in ["/", "/products/mug", "/_local/mailbox.json"] {
        let answer = ask(&shop, &Method::GET, &shop.url(path), "host.docker.internal");
        assert_eq!(answer.send().await.unwrap().status(), 421, "{path}");
    }
}

fn with_bridge(project: &tempfile::TempDir, bridge: &str) -> Options {
    let mut options = options(project.path(), echoing());
    options.bridge = Some(bridge.parse().unwrap());
    options
}

/// Only Linux has bridges, and more than one loopback address to try them with.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn stripe_and_aws_are_at_the_bridge_and_the_shop_is_not() {
    let folder = project();
    let shop = LocalShop::start(with_bridge(&folder, "127.0.0.2"))
        .await
        .unwrap();
    let at_bridge = |url: &str| url.replace("127.0.0.1", "127.0.0.2");

    for url in [shop.aws_url(), shop.stripe_url().unwrap()] {
        let port = url.rsplit(':').next().unwrap();
        for (host, admitted) in [
            (format!("host.docker.internal:{port}"), true),
            (format!("127.0.0.2:{port}"), true),
            (format!("evil.example:{port}"), false),
            ("host.docker.internal:1".to_owned(), false),
        ] {
            let request = client().get(at_bridge(url)).header("host", &host);
            let misdirected = request.send().await.unwrap().status() == 421;
            assert_eq!(!misdirected, admitted, "{url} as {host}");
        }
    }
    let knock = client().get(at_bridge(shop.url())).send().await;
    assert!(knock.unwrap_err().is_connect());
    shop.shutdown().await;
}

#[tokio::test]
async fn an_address_that_is_not_a_bridge_is_refused_with_the_remedy() {
    let folder = project();
    for (bridge, complaint) in [
        ("0.0.0.0", "--bridge 0.0.0.0 would open the tables"),
        ("203.0.113.9", "--bridge 203.0.113.9 would open the tables"),
        (
            "10.255.255.1",
            "--bridge 10.255.255.1 is not an address of this machine",
        ),
    ] {
        let started = LocalShop::start(with_bridge(&folder, bridge)).await;
        let refusal = started.err().expect("the shop started").to_string();
        assert!(refusal.starts_with(complaint), "{refusal}");
        assert!(refusal.contains("Docker"), "{refusal}");
    }
}
