//! One stand-in, many accounts: each secret key sees its own.

use serde_json::json;
use stand_in::{OtherKeys, StandIn};

use crate::bench::{Bench, CARD, KEY, Webhook, by_card, config, id, ids, one_mug};

const OTHER: &str = "sk_test_other";
const SESSIONS: &str = "/v1/checkout/sessions";

#[tokio::test]
async fn accounts_see_nothing_of_each_other() {
    let bench = Bench::start().await;
    let mine = bench.session().await;
    let theirs = bench.post_as(OTHER, SESSIONS, &one_mug()).await.expect(200);
    let theirs = id(&theirs.json());

    assert_eq!(ids(&bench.get(SESSIONS).await.json()), [mine.as_str()]);
    assert_eq!(
        ids(&bench.get_as(OTHER, SESSIONS).await.json()),
        [theirs.as_str()]
    );
    bench
        .get_as(OTHER, &format!("{SESSIONS}/{mine}"))
        .await
        .expect(404);

    // Their buyer finds the page all the same, and the event stays theirs.
    bench.submit(&theirs, &by_card(CARD)).await.expect(303);
    let events = "/v1/events?type=checkout.session.completed";
    assert_eq!(bench.get(events).await.json()["data"], json!([]));
    let told = bench.get_as(OTHER, events).await.json();
    assert_eq!(told["data"][0]["data"]["object"]["id"], theirs);
}

#[tokio::test]
async fn clocks_faults_and_idempotency_keys_are_an_accounts_own() {
    let bench = Bench::start().await;
    let with_key = |key| {
        bench
            .request("POST", SESSIONS)
            .bearer_auth(key)
            .header("Idempotency-Key", "same")
            .form(&one_mug())
    };
    let mine = bench.send(with_key(KEY)).await.expect(200);
    let theirs = bench.send(with_key(OTHER)).await.expect(200);
    assert_ne!(id(&mine.json()), id(&theirs.json()));

    let control = |path: &str| {
        bench
            .request("POST", &format!("/_stripe/{path}"))
            .bearer_auth(OTHER)
    };
    bench
        .send(control("clock").form(&[("advance", "1000")]))
        .await
        .expect(200);
    bench
        .send(control("faults").form(&[("fault", "error"), ("path", "/v1/events")]))
        .await
        .expect(200);
    assert_eq!(
        bench
            .stand_in
            .default_account()
            .clock()
            .await
            .unwrap()
            .ahead,
        0
    );
    bench.get("/v1/events").await.expect(200);
    bench.get_as(OTHER, "/v1/events").await.expect(500);
}

#[tokio::test]
async fn every_key_of_an_account_names_the_same_account() {
    let bench = Bench::start().await;
    let account = async |key| bench.get_as(key, "/v1/account").await.expect(200).json();
    let own = account(KEY).await;
    assert_eq!(account("rk_test_local").await["id"], own["id"]);
    assert_ne!(account(OTHER).await["id"], own["id"]);
    assert_eq!(
        own["settings"]["dashboard"]["display_name"],
        "Mugs on this machine"
    );
}

#[tokio::test]
async fn nobody_acts_for_a_connected_account_that_is_not_there() {
    let bench = Bench::start().await;
    let own = bench.get("/v1/account").await.json()["id"].clone();
    let acting_for = |account: &str| {
        bench
            .request("GET", SESSIONS)
            .bearer_auth(KEY)
            .header("Stripe-Account", account)
    };
    bench
        .send(acting_for(own.as_str().unwrap()))
        .await
        .expect(200);
    let error = bench
        .send(acting_for("acct_other"))
        .await
        .expect(403)
        .error();
    assert_eq!(error["code"], "account_invalid");
}

#[tokio::test]
async fn accounts_on_disk_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.db");
    let bench = Bench::open(Some(&file), Webhook::start().await, false).await;
    let created = bench.post_as(OTHER, SESSIONS, &one_mug()).await.expect(200);
    let theirs = id(&created.json());
    drop(bench);

    let bench = Bench::open(Some(&file), Webhook::start().await, true).await;
    // Their page opens before anybody has shown their key again.
    bench.submit(&theirs, &by_card(CARD)).await.expect(303);
    let session = bench.get_as(OTHER, &format!("{SESSIONS}/{theirs}")).await;
    assert_eq!(session.json()["payment_status"], "paid");
    assert_eq!(bench.get(SESSIONS).await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_file_opens_for_the_key_that_it_was_made_with_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.db");
    let url = "http://127.0.0.1:1";
    let open = |key: &str| {
        let mut config = config(Some(&file), url, url);
        config.secret_key = key.to_owned();
        StandIn::open(config).map(drop)
    };
    open(KEY).unwrap();
    let refused = format!("{:#}", open(OTHER).unwrap_err());
    for part in [OTHER, file.to_str().unwrap(), "another folder"] {
        assert!(refused.contains(part), "{refused}");
    }
    open(KEY).unwrap();
}

#[tokio::test]
async fn a_stand_in_of_one_shop_refuses_other_keys() {
    let url = "http://127.0.0.1:1";
    let mut config = config(None, url, url);
    config.other_keys = OtherKeys::Refused;
    let bench = Bench::serve(StandIn::open(config).unwrap(), Webhook::start().await).await;
    bench.get("/v1/events").await.expect(200);
    bench.get_as(OTHER, "/v1/events").await.expect(401);
}

#[tokio::test]
async fn countries_and_their_currencies_are_known() {
    let bench = Bench::start().await;
    let spec = bench.fetch("country_specs", "DE").await;
    assert_eq!(spec["default_currency"], "eur");
    let page = bench
        .get("/v1/country_specs?limit=2&starting_after=DE")
        .await;
    assert_eq!(ids(&page.expect(200).json()), ["DK", "EE"]);
    let unknown = bench.get("/v1/country_specs/XX").await.expect(404);
    assert_eq!(unknown.error()["code"], "resource_missing");
}
