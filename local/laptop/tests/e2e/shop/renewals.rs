//! A subscription from its first payment on, at the stand-in.

use serde_json::Value;
use testing::{CARD, COFFEE, Checkout, TestApp, eventually, now, text};

const HOUR: i64 = 3600;
const FOUR_WEEKS: i64 = 28 * 24 * HOUR;

/// A buyer's first month.
struct Subscribed {
    shop: TestApp,
    checkout: Checkout,
    id: String,
}

impl Subscribed {
    async fn new() -> Self {
        let shop = TestApp::start().await;
        let checkout = shop.open_one(COFFEE).await;
        shop.pay(&checkout, CARD).await.expect(303);
        shop.until_status(&checkout.purchase, "paid").await;
        let subscriptions = shop.at_stripe("subscriptions").await;
        let id = text(&subscriptions["data"][0], "id");
        let subscribed = Self { shop, checkout, id };
        subscribed.until("active").await;
        subscribed.shop.drained().await;
        subscribed
    }

    async fn reading(&self) -> Value {
        let mut items = self.shop.subscription_items(&self.id).await;
        let item = items.remove("subscription").unwrap_or_default();
        item["reading"]["M"].clone()
    }

    async fn until(&self, status: &str) {
        eventually(async || (self.reading().await["status"]["S"] == *status).then_some(())).await;
    }

    /// The sort keys of its invoices, the first one first.
    async fn invoices(&self) -> Vec<String> {
        let items = self.shop.subscription_items(&self.id).await;
        let invoices = items.into_iter().filter(|(sk, _)| sk.starts_with("in_"));
        let made = |item: &Value| {
            let made = item["bill"]["M"]["created_at"]["N"].as_str().unwrap();
            made.parse::<i64>().unwrap()
        };
        let mut invoices: Vec<_> = invoices.map(|(sk, item)| (made(&item), sk)).collect();
        invoices.sort();
        invoices.into_iter().map(|(_, sk)| sk).collect()
    }

    /// The mails about an invoice.
    async fn told_of(&self, invoice: &str) -> Vec<String> {
        self.shop.effects(&format!("{}/{invoice}", self.id)).await
    }

    /// Lets Stripe's time pass.
    async fn waits(&self, seconds: i64) {
        let seconds = seconds.to_string();
        self.shop.control("clock", &[("advance", &seconds)]).await;
        self.shop.drained().await;
    }

    /// Lets the first period end, and its renewal be charged: that is an hour later.
    async fn renews(&self) {
        let end = self.reading().await["period"]["M"]["end"].clone();
        let end: i64 = end["N"].as_str().unwrap().parse().unwrap();
        self.waits(end - now() + 3 * HOUR).await;
    }

    /// From now on every attempt to charge it is declined.
    async fn runs_out_of_money(&self) {
        let subscription = self
            .shop
            .at_stripe(&format!("subscriptions/{}", self.id))
            .await;
        let customer = text(&subscription, "customer");
        let attach = "payment_methods/pm_card_chargeCustomerFail/attach";
        let method = self
            .shop
            .stripe_post(attach, &[("customer", &customer)])
            .await;
        let method = text(&method, "id");
        let form = [("default_payment_method", method.as_str())];
        let path = format!("subscriptions/{}", self.id);
        self.shop.stripe_post(&path, &form).await;
    }
}

#[tokio::test]
async fn a_subscription_begins_with_one_welcome_and_each_renewal_has_one_receipt() {
    let subscribed = Subscribed::new().await;
    let shop = &subscribed.shop;
    assert_eq!(
        shop.effects(&subscribed.checkout.purchase).await,
        ["welcome"]
    );
    let [first] = subscribed.invoices().await.try_into().unwrap();
    assert!(subscribed.told_of(&first).await.is_empty());
    let begun = subscribed.reading().await["period"]["M"]["end"].clone();
    subscribed.renews().await;
    let [_, renewal] = subscribed.invoices().await.try_into().unwrap();
    assert_eq!(subscribed.told_of(&renewal).await, ["paid"]);
    assert_ne!(subscribed.reading().await["period"]["M"]["end"], begun);
    assert!(shop.effects(&subscribed.id).await.is_empty());
    assert_eq!(shop.parked().await, 0);
}

#[tokio::test]
async fn a_renewal_that_cannot_be_charged_is_told_each_time_and_at_last_the_seller_is_told_too() {
    let subscribed = Subscribed::new().await;
    subscribed.runs_out_of_money().await;
    subscribed.renews().await;
    subscribed.until("past_due").await;
    let [_, renewal] = subscribed.invoices().await.try_into().unwrap();
    assert_eq!(subscribed.told_of(&renewal).await, ["payment_failed#1"]);
    subscribed.waits(FOUR_WEEKS).await;
    subscribed.until("canceled").await;
    let told = subscribed.shop.effects(&subscribed.id).await;
    let told: Vec<_> = told
        .iter()
        .map(|it| it.split('#').next().unwrap())
        .collect();
    assert_eq!(told, ["ended", "lost"]);
    assert_eq!(subscribed.shop.parked().await, 0);
}

#[tokio::test]
async fn a_refund_of_a_renewal_is_the_invoices() {
    let subscribed = Subscribed::new().await;
    subscribed.renews().await;
    let [_, renewal] = subscribed.invoices().await.try_into().unwrap();
    let shop = &subscribed.shop;
    let payments = shop
        .at_stripe(&format!("invoice_payments?invoice={renewal}"))
        .await;
    let intent = text(&payments["data"][0]["payment"], "payment_intent");
    let form = [("payment_intent", intent.as_str())];
    let refund = text(&shop.stripe_post("refunds", &form).await, "id");
    shop.drained().await;
    let told = subscribed.told_of(&renewal).await;
    assert_eq!(told, ["paid".to_owned(), format!("refund#{refund}")]);
    assert_eq!(shop.parked().await, 0);
    // Reconcile finds nothing that was missed.
    assert_eq!(shop.reconcile().await.found, 0);
}
