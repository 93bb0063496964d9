//! The order in which events come decides nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testing::{Checkout, TestApp, permutations};

/// Everything Stripe could say of a purchase paid by a delayed method, one of it twice, and
/// something that cannot be: that its session expired as well.
struct Story {
    checkout: Checkout,
    events: Vec<String>,
}

async fn story(shop: &TestApp, ending: &str) -> Story {
    let checkout = shop.open().await;
    shop.pay_by_bank(&checkout).await.expect(303);
    shop.control(&format!("sessions/{}/{ending}", checkout.session()), &[])
        .await;
    let mut events = shop.events_of(checkout.session()).await;
    assert_eq!(events.len(), 2);
    events.push(events[0].clone());
    let mut expired: Value = serde_json::from_str(&events[0]).unwrap();
    expired["id"] = json!(format!("evt_expired_{}", checkout.session()));
    expired["type"] = json!("checkout.session.expired");
    expired["data"]["object"]["status"] = json!("expired");
    events.push(expired.to_string());
    Story { checkout, events }
}

/// A purchase without what differs between any two.
fn essence(mut purchase: Value) -> String {
    let members = purchase.as_object_mut().unwrap();
    members.retain(|name, _| name != "id" && !name.ends_with("_at"));
    purchase.to_string()
}

/// What all orders lead to: the purchase, and the effects in `settled` that mails tell of.
async fn outcomes(ending: &str, settled: &str) -> BTreeSet<(String, usize)> {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    let mut outcomes = BTreeSet::new();
    for order in permutations(4) {
        let story = story(&shop, ending).await;
        for number in order {
            shop.deliver(&story.events[number]).await.expect(200);
        }
        let purchase = shop.purchase(&story.checkout.purchase).await;
        // Whichever way its session once seemed to be over.
        assert!(!shop.is_forgettable(&story.checkout.purchase).await);
        let effects = shop.effects(&story.checkout.purchase).await;
        let mails = effects.iter().filter(|effect| *effect == settled).count();
        outcomes.insert((essence(purchase), mails));
    }
    outcomes
}

#[tokio::test]
async fn every_order_of_a_payment_that_succeeds_late_ends_in_the_same_purchase_and_one_paid_mail() {
    let outcomes = outcomes("succeed", "paid").await;
    assert_eq!(outcomes.len(), 1, "{outcomes:#?}");
    let (purchase, mails) = outcomes.first().unwrap();
    let purchase: Value = serde_json::from_str(purchase).unwrap();
    assert_eq!((&purchase["status"], *mails), (&json!("paid"), 1));
}

#[tokio::test]
async fn every_order_of_a_payment_that_fails_late_ends_in_the_same_purchase_and_one_failed_mail() {
    let outcomes = outcomes("fail", "failed").await;
    assert_eq!(outcomes.len(), 1, "{outcomes:#?}");
    let (purchase, mails) = outcomes.first().unwrap();
    let purchase: Value = serde_json::from_str(purchase).unwrap();
    assert_eq!((&purchase["status"], *mails), (&json!("failed"), 1));
}
