//! What is logged of events, for alarms and for whoever looks for one.

use serde_json::Value;
use testing::TestApp;

use crate::log::Log;

/// The only line of the log that says this.
fn line<'a>(text: &'a str, said: &str) -> &'a str {
    let mut lines = text.lines().filter(|line| line.contains(said));
    let line = lines.next().unwrap_or_default();
    assert_eq!(lines.next(), None, "it is said once");
    line
}

#[tokio::test]
async fn an_event_is_logged_with_what_it_is_about_and_how_that_stands_now() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    let log = Log::start();
    assert_eq!(shop.receipt(&event).await, "recorded");
    let text = log.text();
    let line = line(&text, "the event was taken in");
    let event: Value = serde_json::from_str(&event).unwrap();
    let id = event["id"].as_str().unwrap();
    for said in [id, "recorded", "paid", &checkout.purchase] {
        assert!(line.contains(said), "{said}: {line}");
    }
    assert!(!text.contains("attention"), "nothing is wrong with it");
}

#[tokio::test]
async fn what_needs_a_persons_attention_is_logged_under_the_name_that_the_alarm_counts() {
    let shop = TestApp::start().await;
    let (checkout, event) = shop.paid_unheard().await;
    shop.lose_purchase(&checkout.purchase).await;
    let log = Log::start();
    assert_eq!(shop.receipt(&event).await, "recorded");
    let text = log.text();
    let line = line(&text, "needs a person's attention");
    for said in ["metric=\"attention\"", "Rebuilt", &checkout.purchase] {
        assert!(line.contains(said), "{said}: {line}");
    }
}
