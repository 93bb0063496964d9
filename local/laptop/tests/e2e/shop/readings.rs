//! Subscriptions are read, whatever their events say and in whichever order they come.

use serde_json::{Value, json};
use shared::config::Environment;
use shared::inbox::{Inbox, Receipt};
use testing::{Checkout, OwnStripe, TestApp, now, permutations, sample};

const SUBSCRIPTION: &str = "sub_1SVYQ8LkdIwHu7ixR4mB2kTn";

/// A shop with a purchase, and a Stripe that shows the purchase's subscription.
struct Scene {
    shop: TestApp,
    stripe: OwnStripe,
    environment: Environment,
    checkout: Checkout,
}

impl Scene {
    async fn new() -> Self {
        let shop = TestApp::start().await;
        let checkout = shop.open().await;
        let stripe = OwnStripe::start().await;
        let base = ("STRIPE_API_BASE", stripe.url());
        let environment = shop.environment_with("WebhookFunction", base.0, base.1);
        Self {
            shop,
            stripe,
            environment,
            checkout,
        }
    }

    async fn inbox(&self) -> Inbox {
        Inbox::new(&self.environment).unwrap()
    }

    /// The subscription as Stripe has it, with these members in place of its usual ones.
    fn subscription(&self, told: Value) -> Value {
        let mut object = sample("webhook-subscription-updated")["data"]["object"].take();
        object["status"] = "active".into();
        object["metadata"] = json!({
            "till_stack": self.shop.variables("WebhookFunction")["TILL_STACK"],
            "purchase_id": *self.checkout.purchase,
        });
        let told = told.as_object().unwrap().clone();
        object.as_object_mut().unwrap().extend(told);
        object
    }

    fn show(&self, told: Value) {
        let path = format!("subscriptions/{SUBSCRIPTION}");
        self.stripe.show(&path, self.subscription(told));
    }

    /// An event of the subscription that shows it with these members.
    fn event(&self, id: &str, kind: &str, told: Value) -> Vec<u8> {
        let mut event = sample("webhook-subscription-updated");
        event["id"] = id.into();
        event["type"] = kind.into();
        event["data"]["object"] = self.subscription(told);
        event.to_string().into_bytes()
    }

    async fn stored(&self) -> Value {
        let mut items = self.shop.subscription_items(SUBSCRIPTION).await;
        items.remove("subscription").unwrap_or_default()
    }

    async fn status(&self) -> String {
        let status = &self.stored().await["reading"]["M"]["status"]["S"];
        status.as_str().unwrap_or("unread").to_owned()
    }

    async fn effects(&self) -> Vec<String> {
        let effects = self.shop.effects(SUBSCRIPTION).await;
        let kinds = effects
            .iter()
            .map(|it| it.split('#').next().unwrap().to_owned());
        kinds.collect()
    }
}

fn status(receipt: &Receipt) -> &str {
    match receipt {
        Receipt::Recorded { status, .. } => status.as_str(),
        other => other.as_str(),
    }
}

#[tokio::test]
async fn a_reader_that_was_slow_does_not_bring_back_what_was_true_before() {
    let scene = Scene::new().await;
    scene.show(json!({ "status": "past_due" }));
    let mut held = scene.stripe.hold_next();
    let late = scene.event("evt_1", "customer.subscription.updated", json!({}));
    let slow = scene.inbox().await;
    let slow = tokio::spawn(async move { slow.take(&late, now()).await.unwrap() });
    held.arrived().await;
    // It was told "past_due" and holds on to that, while the buyer pays and another reader stores it.
    scene.show(json!({ "status": "active" }));
    let paid = scene.event("evt_2", "customer.subscription.updated", json!({}));
    let fast = scene.inbox().await.take(&paid, now()).await.unwrap();
    assert_eq!(status(&fast), "active");
    let stored = scene.stored().await;
    held.release();
    let slow = slow.await.unwrap();
    assert_eq!(slow, Receipt::NothingNew);
    assert_eq!(scene.stored().await, stored);
    // The slow one asked again.
    assert_eq!(scene.stripe.asked().len(), 3);
}

#[tokio::test]
async fn a_reader_that_dies_leaves_no_trace_and_its_event_is_read_again() {
    let scene = Scene::new().await;
    scene.show(json!({ "status": "trialing" }));
    let event = scene.event("evt_1", "customer.subscription.created", json!({}));
    let mut held = scene.stripe.hold_next();
    let (inbox, body) = (scene.inbox().await, event.clone());
    let dying = tokio::spawn(async move { inbox.take(&body, now()).await.map(drop) });
    held.arrived().await;
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    held.release();
    assert_eq!(scene.status().await, "unread");
    scene.show(json!({ "status": "active" }));
    let inbox = scene.inbox().await;
    assert_eq!(status(&inbox.take(&event, now()).await.unwrap()), "active");
    let asked = scene.stripe.asked().len();
    let again = inbox.take(&event, now()).await.unwrap();
    assert_eq!(again, Receipt::SeenBefore);
    assert_eq!(
        scene.stripe.asked().len(),
        asked,
        "Stripe was asked for nothing"
    );
}

#[tokio::test]
async fn events_in_every_order_leave_the_subscription_as_stripe_has_it() {
    let over = json!({ "status": "canceled", "ended_at": 1_795_259_999 });
    let life = [
        (
            "customer.subscription.created",
            json!({ "status": "trialing" }),
        ),
        ("customer.subscription.updated", json!({})),
        (
            "customer.subscription.updated",
            json!({ "status": "past_due" }),
        ),
        ("customer.subscription.deleted", over.clone()),
    ];
    for order in permutations(life.len()) {
        let scene = Scene::new().await;
        scene.show(over.clone());
        let inbox = scene.inbox().await;
        for at in &order {
            let (kind, told) = &life[*at];
            let event = scene.event(&format!("evt_{at}"), kind, told.clone());
            inbox.take(&event, now()).await.unwrap();
            assert_eq!(scene.status().await, "canceled", "{order:?}");
        }
        assert_eq!(scene.effects().await, ["ended"], "{order:?}");
    }
}

#[tokio::test]
async fn a_subscription_that_is_not_the_shops_writes_nothing() {
    let scene = Scene::new().await;
    let elsewhere = json!({ "metadata": { "till_stack": "other", "purchase_id": "1" } });
    scene.show(elsewhere.clone());
    let before = scene.shop.dump().await;
    let inbox = scene.inbox().await;
    for told in [elsewhere, json!({ "metadata": {} })] {
        let event = scene.event("evt_1", "customer.subscription.updated", told);
        assert_eq!(inbox.take(&event, now()).await.unwrap(), Receipt::Foreign);
    }
    assert!(scene.stripe.asked().is_empty());
    // One that says it is ours, and that Stripe does not know.
    let event = scene.event(
        "evt_2",
        "customer.subscription.updated",
        json!({ "id": "sub_none" }),
    );
    assert_eq!(inbox.take(&event, now()).await.unwrap(), Receipt::Foreign);
    assert_eq!(scene.shop.dump().await, before);
}

#[tokio::test]
async fn a_cancellation_that_is_taken_back_is_told_again_if_it_is_made_again() {
    let scene = Scene::new().await;
    let inbox = scene.inbox().await;
    let (going_on, cancelled) = (json!({}), json!({ "cancel_at_period_end": true }));
    let changes = [&going_on, &cancelled, &going_on, &cancelled];
    for (n, told) in changes.into_iter().enumerate() {
        scene.show(told.clone());
        let id = format!("evt_{n}");
        let event = scene.event(&id, "customer.subscription.updated", told.clone());
        inbox.take(&event, now()).await.unwrap();
    }
    let rows = scene.shop.effects(SUBSCRIPTION).await;
    assert_eq!(rows, ["cancelled#2", "cancelled#4"]);
    let withdrawn = scene.shop.outbox_row(SUBSCRIPTION, "cancelled#2").await;
    assert_eq!(withdrawn["superseded"]["BOOL"], true);
}

#[tokio::test]
async fn what_is_due_is_read_by_reconcile_though_no_event_came() {
    let scene = Scene::new().await;
    scene.show(json!({}));
    let inbox = scene.inbox().await;
    let begun = scene.event("evt_1", "customer.subscription.created", json!({}));
    inbox.take(&begun, now()).await.unwrap();
    let due = scene.stored().await["work_due"]["N"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(due.parse::<i64>().unwrap() > now());
    // Its period is over.
    let mut item = scene.stored().await;
    item["work_due"] = json!({ "N": "1" });
    scene.shop.put_item("PurchasesTable", &item).await;
    scene.show(json!({ "status": "past_due" }));
    let base = ("STRIPE_API_BASE", scene.stripe.url());
    let environment = scene
        .shop
        .environment_with("ReconcileFunction", base.0, base.1);
    let nothing = json!({ "object": "list", "data": [], "has_more": false });
    scene.stripe.show("events", nothing);
    let reconcile = reconcile::Reconcile::new(&environment).await.unwrap();
    let findings = reconcile
        .run(reconcile::Limits::default(), |_| {})
        .await
        .unwrap();
    let drift = serde_json::to_value(&findings).unwrap();
    let found = &drift["drift"][0];
    assert_eq!(found["subscription"], SUBSCRIPTION, "{drift}");
    assert_eq!(found["status"], "past_due");
    assert_eq!(drift["purchases"], 1);
    assert_eq!(scene.status().await, "past_due");
}

#[tokio::test]
async fn that_a_trial_ends_is_told_when_stripe_says_so_and_not_before() {
    let scene = Scene::new().await;
    let trial_end = now() + 10 * 24 * 3600;
    let trial = json!({ "status": "trialing", "trial_end": trial_end });
    scene.show(trial.clone());
    let inbox = scene.inbox().await;
    let begun = scene.event("evt_1", "customer.subscription.created", trial.clone());
    inbox.take(&begun, now()).await.unwrap();
    assert!(scene.effects().await.is_empty());
    let ending = scene.event("evt_2", "customer.subscription.trial_will_end", trial);
    inbox.take(&ending, now()).await.unwrap();
    assert_eq!(scene.effects().await, ["trial_ending"]);
}
