//! `till doctor` on the shop of this machine, and what `till setup` says there. `.ci/walk/doctor` has
//! them at work on a deployed one.

use serde_json::Value;

use crate::operator::{Operator, Said, run};

/// What was found out about `check`: verdict, words and remedy.
#[track_caller]
pub(crate) fn found(said: &Said, check: &str) -> (String, String, String) {
    let report = said.json();
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["check"] == check);
    let finding = finding.unwrap_or_else(|| panic!("nothing on {check}: {report}"));
    let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    (text("verdict"), text("says"), text("remedy"))
}

/// Changes the shop's webhook endpoint at Stripe.
async fn change_endpoint(operator: &Operator, form: &[(&str, &str)]) {
    let [_, _, _, port, ..] = operator.shop.ports();
    let url = format!("http://127.0.0.1:{port}/v1/webhook_endpoints");
    let client = reqwest::Client::new();
    let list = client.get(&url).bearer_auth("sk_test_local").send();
    let list: Value = list.await.unwrap().json().await.unwrap();
    let id = list["data"][0]["id"].as_str().unwrap();
    let change = client
        .post(format!("{url}/{id}"))
        .bearer_auth("sk_test_local");
    let changed = change.form(form).send().await.unwrap();
    assert!(changed.status().is_success(), "{changed:?}");
}

#[tokio::test]
async fn a_shop_that_is_well_has_nothing_to_mend() {
    let operator = Operator::new().await;
    let before = operator.shop.dump().await;
    let said = operator.till(&["doctor"]).await.expect(0);
    assert!(said.out.contains("ok    test delivery"), "{}", said.out);
    assert!(
        !said.out.contains("fail") && !said.out.contains("not checked"),
        "{}",
        said.out
    );
    assert_eq!(
        operator.shop.dump().await,
        before,
        "a check has changed something"
    );
}

#[tokio::test]
async fn an_endpoint_that_is_disabled_or_sends_the_wrong_events_is_named() {
    let operator = Operator::new().await;
    let doctor = ["doctor", "--json"];
    change_endpoint(&operator, &[("enabled_events[0]", "charge.refunded")]).await;
    let said = operator.till(&doctor).await.expect(3);
    let (verdict, says, remedy) = found(&said, "webhook events");
    assert_eq!(verdict, "fail");
    assert!(
        says.contains("does not send") && says.contains("checkout.session.completed"),
        "{says}"
    );
    assert!(!remedy.is_empty());

    change_endpoint(&operator, &[("enabled_events[0]", "*")]).await;
    let said = operator.till(&doctor).await.expect(3);
    assert_eq!(found(&said, "webhook events").0, "warn");

    change_endpoint(&operator, &[("disabled", "true")]).await;
    let said = operator.till(&doctor).await.expect(3);
    let (verdict, says, _) = found(&said, "webhook endpoint");
    assert_eq!(verdict, "fail");
    assert!(says.contains("disabled"), "{says}");
    // What is wrong at Stripe keeps nobody from looking at the rest.
    assert_eq!(found(&said, "outbox table").0, "ok");
}

#[tokio::test]
async fn a_secret_that_the_webhook_does_not_know_is_found_out_by_a_delivery() {
    let operator = Operator::new().await;
    let mut till = operator.bare();
    till.args(["doctor", "--json"])
        .args(operator.shop.ports())
        .env("STRIPE_WEBHOOK_SECRETS", "whsec_unheard_of");
    let said = run(till, "").await.expect(3);
    let (verdict, says, _) = found(&said, "test delivery");
    assert_eq!(verdict, "fail");
    assert!(says.contains("not accepted"), "{says}");
    assert!(!said.out.contains("whsec_"), "{}", said.out);
}

#[tokio::test]
async fn a_product_that_no_setting_lets_anybody_buy_is_named() {
    let operator = Operator::new().await;
    let doctor = |rates: &'static str| {
        let mut till = operator.bare();
        till.args(["doctor", "--json"])
            .args(operator.shop.ports())
            .env("SHIPPING_COUNTRIES", "DE")
            .env("SHIPPING_RATES", rates);
        run(till, "")
    };
    let said = doctor("Post: 5.00 EUR").await.expect(3);
    let (verdict, says, remedy) = found(&said, "shipping");
    assert_eq!(verdict, "fail");
    assert!(says.contains("sample-teapot cannot be bought"), "{says}");
    assert!(remedy.contains("SHIPPING_RATES"), "{remedy}");
    let said = doctor("Post: five dollars").await.expect(3);
    let (verdict, says, _) = found(&said, "shipping");
    assert_eq!(verdict, "fail");
    assert!(says.contains("SHIPPING_RATES"), "{says}");
    let said = doctor("Post: 5.00 USD").await.expect(0);
    assert_eq!(found(&said, "shipping").0, "ok");
}

#[tokio::test]
async fn what_cannot_be_asked_is_not_called_well() {
    let operator = Operator::new().await;
    operator
        .shop
        .aws_fails("DescribeTable", "throttle", None)
        .await;
    let no_list = [
        ("fault", "error"),
        ("path", "/v1/webhook_endpoints"),
        ("times", "0"),
    ];
    operator.shop.control("faults", &no_list).await;
    let said = operator.till(&["doctor", "--json"]).await.expect(0);
    for check in ["outbox table", "purchases table", "webhook endpoint"] {
        let (verdict, says, _) = found(&said, check);
        assert_eq!(verdict, "not_checked", "{check}: {says}");
        assert!(!says.is_empty());
    }
    assert_eq!(found(&said, "test delivery").0, "ok");
}

#[tokio::test]
async fn a_closed_shop_is_no_patient_and_the_one_on_this_machine_needs_no_setting_up() {
    let operator = Operator::new().await;
    let mut till = operator.bare();
    till.args(["doctor", "--aws-port", "1"]);
    run(till, "").await.expect(1).complains("no shop is open");
    let mut till = operator.bare();
    till.arg("setup");
    run(till, "").await.expect(1).complains("pass --stack NAME");
}
