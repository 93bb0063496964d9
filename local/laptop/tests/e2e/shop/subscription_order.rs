//! The order in which a subscription's events come decides nothing, nor does one that comes twice;
//! one that never comes is found by reconcile.

use serde_json::{Value, json};
use testing::{COFFEE, TestApp, kind_of, text};

use super::year::Member;

/// Somebody who subscribed, could not pay, paid after all, and cancelled; and a shop that has heard
/// nothing of it.
struct Story {
    member: Member,
    /// What the shop held when the buyer left for Stripe.
    beginning: Vec<(String, Value)>,
    events: Vec<String>,
}

/// What the shop makes of the story, whichever way it was told.
#[derive(Debug, PartialEq, Eq)]
struct Ending {
    subscription: Value,
    purchase: Value,
    entitlement: Value,
    /// Failures need not be told once they are mended.
    told: Vec<Vec<String>>,
    told_of_the_subscription: Vec<String>,
    welcomed: Vec<String>,
}

impl Story {
    async fn new() -> Self {
        let shop = TestApp::start().await;
        shop.hold_deliveries().await;
        let checkout = shop.open_one(COFFEE).await;
        let beginning = shop.everything().await;
        let member = Member::of(shop, checkout).await;
        member.changes_card("pm_card_chargeCustomerFail").await;
        member.waits("1mo").await;
        member.changes_card("pm_card_visa").await;
        member.pays().await;
        let path = format!("subscriptions/{}", member.id);
        member.shop.stripe_delete(&path).await;
        // Reconcile leaves the last minute to the webhook.
        member.waits("1h").await;
        let deliveries = member.shop.deliveries().await;
        let events = deliveries.iter().map(|it| text(it, "body")).collect();
        Self {
            member,
            beginning,
            events,
        }
    }

    /// Tells a shop that has heard nothing these events.
    async fn tell(&self, order: &[usize]) {
        let shop = &self.member.shop;
        shop.drained().await;
        shop.becomes(&self.beginning).await;
        for number in order {
            shop.deliver(&self.events[*number]).await.expect(200);
        }
        shop.drained().await;
    }

    async fn ending(&self) -> Ending {
        let Member {
            shop, id, checkout, ..
        } = &self.member;
        let mut purchase = shop.purchase(&checkout.purchase).await;
        let members = purchase.as_object_mut().unwrap();
        members.retain(|name, _| !name.ends_with("_at"));
        let mut told = self.member.told().await;
        for invoice in &mut told {
            invoice.retain(|effect| effect != "payment_failed");
        }
        let about = shop.effects(id).await.into_iter();
        Ending {
            subscription: self.member.sees().await,
            purchase,
            entitlement: self.member.entitlement("0").await,
            told,
            told_of_the_subscription: about
                .map(|it| it.split('#').next().unwrap().to_owned())
                .collect(),
            welcomed: shop.effects(&checkout.purchase).await,
        }
    }

    /// What happened around an event, for whoever reads of a failure.
    fn around(&self, number: usize) -> String {
        let kinds: Vec<_> = self.events.iter().map(|it| kind_of(it)).collect();
        format!("event {number} of {kinds:#?}")
    }
}

#[tokio::test]
async fn neighbours_that_change_places_and_events_that_come_twice_change_nothing() {
    let story = Story::new().await;
    let in_order: Vec<usize> = (0..story.events.len()).collect();
    story.tell(&in_order).await;
    let ending = story.ending().await;
    assert_eq!(ending.subscription["status"], "canceled");
    assert_eq!(ending.purchase["status"], "paid");
    assert_eq!(ending.welcomed, ["welcome"]);
    assert_eq!(ending.told, [vec![], vec!["paid".to_owned()]]);
    assert_eq!(ending.entitlement["active"], json!(false));
    assert!(in_order.len() > 8, "{in_order:?}");

    let mut reversed = in_order.clone();
    reversed.reverse();
    story.tell(&reversed).await;
    assert_eq!(story.ending().await, ending, "in reverse");
    for number in in_order.iter().copied() {
        let mut twice = in_order.clone();
        twice.insert(number, number);
        story.tell(&twice).await;
        assert_eq!(
            story.ending().await,
            ending,
            "twice: {}",
            story.around(number)
        );
        let mut swapped = in_order.clone();
        if number + 1 < swapped.len() {
            swapped.swap(number, number + 1);
            story.tell(&swapped).await;
            assert_eq!(
                story.ending().await,
                ending,
                "late: {}",
                story.around(number)
            );
        }
    }
    assert_eq!(story.member.shop.parked().await, 0);
}

#[tokio::test]
async fn an_event_that_never_comes_is_found_by_reconcile() {
    let story = Story::new().await;
    let in_order: Vec<usize> = (0..story.events.len()).collect();
    story.tell(&in_order).await;
    let ending = story.ending().await;
    for number in in_order.iter().copied() {
        let mut without = in_order.clone();
        without.remove(number);
        story.tell(&without).await;
        story.member.shop.reconcile().await;
        story.member.shop.drained().await;
        assert_eq!(
            story.ending().await,
            ending,
            "without: {}",
            story.around(number)
        );
        assert_eq!(story.member.shop.reconcile().await.found, 0);
    }
    story.tell(&[]).await;
    assert!(story.member.shop.reconcile().await.found > 0);
    story.member.shop.drained().await;
    assert_eq!(story.ending().await, ending, "nothing was heard at all");
}
