//! A subscription from its first payment on, at the stand-in.

use reconcile::Findings;
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

    /// How much a run of reconcile found of an invoice.
    fn found_of(&self, invoice: &str, findings: &Findings) -> usize {
        let about = format!("{}/{invoice}", self.id);
        let drift = findings.drift.iter();
        drift.filter(|it| it.subject.to_string() == about).count()
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
        self.is_charged_to("pm_card_chargeCustomerFail").await;
    }

    async fn is_charged_to(&self, card: &str) {
        let method = self.gets(card).await;
        let form = [("default_payment_method", method.as_str())];
        let path = format!("subscriptions/{}", self.id);
        self.shop.stripe_post(&path, &form).await;
    }

    /// Pays an invoice with another card.
    async fn pays(&self, invoice: &str) {
        let method = self.gets("pm_card_visa").await;
        let form = [("payment_method", method.as_str())];
        let path = format!("invoices/{invoice}/pay");
        self.shop.stripe_post(&path, &form).await;
        self.shop.drained().await;
    }

    /// Gives back what was paid of an invoice, so many cents. Returns the refund's id.
    async fn refunds(&self, invoice: &str, cents: &str) -> String {
        let intent = self.payment(invoice).await;
        let form = [("payment_intent", intent.as_str()), ("amount", cents)];
        text(&self.shop.stripe_post("refunds", &form).await, "id")
    }

    /// The payment intent that paid an invoice.
    async fn payment(&self, invoice: &str) -> String {
        let path = format!("invoice_payments?invoice={invoice}");
        let payments = self.shop.at_stripe(&path).await;
        text(&payments["data"][0]["payment"], "payment_intent")
    }

    async fn customer(&self) -> String {
        let path = format!("subscriptions/{}", self.id);
        text(&self.shop.at_stripe(&path).await, "customer")
    }

    /// Has the next invoice charge something once, besides.
    async fn owes(&self, cents: &str) {
        let customer = self.customer().await;
        let form = [
            ("customer", customer.as_str()),
            ("subscription", &self.id),
            ("currency", "usd"),
            ("amount", cents),
        ];
        self.shop.stripe_post("invoiceitems", &form).await;
    }

    /// The id of another of the buyer's cards.
    async fn gets(&self, card: &str) -> String {
        let customer = self.customer().await;
        let attach = format!("payment_methods/{card}/attach");
        let form = [("customer", customer.as_str())];
        text(&self.shop.stripe_post(&attach, &form).await, "id")
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
async fn a_renewal_of_more_lines_than_stripe_shows_pays_for_its_period_all_the_same() {
    let subscribed = Subscribed::new().await;
    for _ in 0..10 {
        subscribed.owes("100").await;
    }
    subscribed.renews().await;
    let [_, renewal] = subscribed.invoices().await.try_into().unwrap();
    let items = subscribed.shop.subscription_items(&subscribed.id).await;
    let bill = &items[&renewal]["bill"]["M"];
    assert_eq!(bill["paid"]["M"]["amount"]["N"], "2900");
    assert_eq!(bill["period"], subscribed.reading().await["period"]);
    assert_eq!(subscribed.shop.parked().await, 0);
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
async fn what_ended_unpaid_asks_for_no_more_money_and_what_is_paid_after_all_is_no_renewal() {
    let subscribed = Subscribed::new().await;
    let shop = &subscribed.shop;
    subscribed.runs_out_of_money().await;
    subscribed.renews().await;
    subscribed.waits(FOUR_WEEKS).await;
    subscribed.until("canceled").await;
    let [_, renewal] = subscribed.invoices().await.try_into().unwrap();
    let invoice = shop.at_stripe(&format!("invoices/{renewal}")).await;
    let last = format!("payment_failed#{}", invoice["attempt_count"]);
    let asked = subscribed.told_of(&renewal).await;
    assert!(asked.contains(&"payment_failed#1".to_owned()), "{asked:?}");
    // With the last attempt it ended, and that is what the buyer is told.
    assert!(!asked.contains(&last), "{asked:?}");

    subscribed.pays(&renewal).await;
    let told = subscribed.told_of(&renewal).await;
    assert_eq!(told.len(), asked.len() + 1, "{told:?}");
    assert!(told.contains(&"paid".to_owned()), "{told:?}");
    let receipts = shop.mailbox().await;
    let receipt = text(&receipts[0], "text");
    assert!(receipt.contains("does not begin it again"), "{receipt}");
    for untrue in ["was renewed", "paid until"] {
        assert!(!receipt.contains(untrue), "{receipt}");
    }
    let ada = shop.ada().await;
    let entitled = shop.get_as(Some(ada), "/entitlements").await.expect(200);
    assert_eq!(entitled.json()["entitlements"][0]["active"], false);
}

#[tokio::test]
async fn a_mail_that_asks_for_money_is_not_sent_any_more_once_the_subscription_has_ended() {
    let subscribed = Subscribed::new().await;
    let shop = &subscribed.shop;
    subscribed.runs_out_of_money().await;
    shop.aws_fails("SendEmail", "throttle", None).await;
    subscribed.renews().await;
    let [_, renewal] = subscribed.invoices().await.try_into().unwrap();
    let about = format!("{}/{renewal}", subscribed.id);
    assert_eq!(shop.outbox(&about).await["payment_failed#1"], "due");
    let path = format!("subscriptions/{}", subscribed.id);
    shop.stripe_delete(&path).await;
    subscribed.until("canceled").await;
    shop.drained().await;
    // SES is well again, and the mail's time has come.
    shop.aws_recovers().await;
    shop.mail_again(&about, "payment_failed#1").await;
    assert_eq!(shop.outbox(&about).await["payment_failed#1"], "superseded");
}

#[tokio::test]
async fn a_refund_of_a_renewal_is_the_invoices() {
    let subscribed = Subscribed::new().await;
    subscribed.renews().await;
    let [_, renewal] = subscribed.invoices().await.try_into().unwrap();
    let shop = &subscribed.shop;
    let refund = subscribed.refunds(&renewal, "1900").await;
    shop.drained().await;
    let told = subscribed.told_of(&renewal).await;
    assert_eq!(told, ["paid".to_owned(), format!("refund#{refund}")]);
    assert_eq!(shop.parked().await, 0);
    // Reconcile finds nothing that was missed.
    assert_eq!(shop.reconcile().await.found, 0);
}

#[tokio::test]
async fn a_refund_of_a_renewal_that_only_its_charge_tells_of_is_found_by_reconcile() {
    let subscribed = Subscribed::new().await;
    subscribed.renews().await;
    let [_, renewal] = subscribed.invoices().await.try_into().unwrap();
    let shop = &subscribed.shop;
    for kind in ["refund.*", "charge.refund.updated"] {
        let silent = [("fault", "no_event"), ("type", kind), ("times", "0")];
        shop.control("faults", &silent).await;
    }
    let refund = subscribed.refunds(&renewal, "100").await;
    shop.drained().await;
    assert_eq!(subscribed.told_of(&renewal).await, ["paid"]);
    let findings = shop.reconcile().await;
    assert_eq!((findings.purchases, findings.found), (1, 1), "{findings:?}");
    let told = subscribed.told_of(&renewal).await;
    assert_eq!(told, ["paid".to_owned(), format!("refund#{refund}")]);
    assert_eq!(shop.reconcile().await.purchases, 0);
}

#[tokio::test]
async fn what_becomes_of_a_refund_and_a_dispute_of_a_renewal_is_found_though_stripe_made_no_event()
{
    let subscribed = Subscribed::new().await;
    subscribed.is_charged_to("pm_card_pendingRefund").await;
    subscribed.renews().await;
    let [_, renewal] = subscribed.invoices().await.try_into().unwrap();
    let shop = &subscribed.shop;
    let intent = subscribed.payment(&renewal).await;
    let intent = shop.at_stripe(&format!("payment_intents/{intent}")).await;
    let charge = text(&intent, "latest_charge");
    let refund = subscribed.refunds(&renewal, "100").await;
    let path = format!("charges/{charge}/dispute");
    let dispute = shop.control(&path, &[("amount", "300")]).await;
    let dispute = text(&dispute, "dispute");
    shop.drained().await;
    let silent = [("fault", "no_event"), ("type", "*"), ("times", "0")];
    shop.control("faults", &silent).await;
    shop.refund_goes(&refund, "succeed").await;
    shop.dispute_goes(&dispute, "lost").await;
    subscribed.waits(25 * HOUR).await;
    let findings = shop.reconcile().await;
    assert_eq!(subscribed.found_of(&renewal, &findings), 2, "{findings:?}");
    let told = subscribed.told_of(&renewal).await;
    for mail in [
        format!("refund#{refund}"),
        format!("dispute_closed#{dispute}#lost"),
    ] {
        assert!(told.contains(&mail), "{told:?}");
    }
}

#[tokio::test]
async fn what_stripe_made_no_event_for_is_found_on_an_open_invoice_with_what_went_back() {
    let subscribed = Subscribed::new().await;
    subscribed.runs_out_of_money().await;
    subscribed.renews().await;
    let [_, renewal] = subscribed.invoices().await.try_into().unwrap();
    let shop = &subscribed.shop;
    let silent = [("fault", "no_event"), ("type", "*"), ("times", "0")];
    shop.control("faults", &silent).await;
    subscribed.pays(&renewal).await;
    let refund = subscribed.refunds(&renewal, "100").await;
    subscribed.waits(25 * HOUR).await;
    let findings = shop.reconcile().await;
    assert_eq!(subscribed.found_of(&renewal, &findings), 2, "{findings:?}");
    shop.drained().await;
    let told = subscribed.told_of(&renewal).await;
    for mail in ["paid".to_owned(), format!("refund#{refund}")] {
        assert!(told.contains(&mail), "{told:?}");
    }
}
