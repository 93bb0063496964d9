//! A year of a monthly subscription, played by moving the clock.

use serde_json::Value;
use testing::{CARD, COFFEE, Checkout, TestApp, text};
use time::{Date, Month, OffsetDateTime};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// As much as may be asked for.
const GRACE: &str = "2592000";

/// Somebody who subscribes to a box of coffee.
pub(super) struct Member {
    pub(super) shop: TestApp,
    pub(super) checkout: Checkout,
    pub(super) id: String,
    customer: String,
}

impl Member {
    /// Since some hours ago, so that whatever is moved by a month comes just after a renewal.
    pub(super) async fn of(shop: TestApp, checkout: Checkout) -> Self {
        shop.pay(&checkout, CARD).await.expect(303);
        let subscriptions = shop.at_stripe("subscriptions").await;
        let subscription = &subscriptions["data"][0];
        let (id, customer) = (text(subscription, "id"), text(subscription, "customer"));
        let member = Self {
            shop,
            checkout,
            id,
            customer,
        };
        member.waits("3h").await;
        member
    }

    /// Lets time pass. Returns the types of the events on the way.
    pub(super) async fn waits(&self, span: &str) -> Vec<String> {
        waits(&self.shop, span).await
    }

    /// Pays with another card from now on.
    pub(super) async fn changes_card(&self, card: &str) {
        let attach = format!("payment_methods/{card}/attach");
        let form = [("customer", self.customer.as_str())];
        let method = text(&self.shop.stripe_post(&attach, &form).await, "id");
        let form = [("default_payment_method", method.as_str())];
        let path = format!("subscriptions/{}", self.id);
        self.shop.stripe_post(&path, &form).await;
    }

    /// Pays the invoice that is still open.
    pub(super) async fn pays(&self) {
        let path = format!("invoices?subscription={}&status=open", self.id);
        let open = self.shop.at_stripe(&path).await;
        let path = format!("invoices/{}/pay", text(&open["data"][0], "id"));
        self.shop.stripe_post(&path, &[]).await;
        self.shop.drained().await;
    }

    /// What Ada sees of it.
    pub(super) async fn sees(&self) -> Value {
        let path = format!("/subscriptions/{}", self.id);
        self.get(&path).await
    }

    async fn get(&self, path: &str) -> Value {
        let ada = self.shop.ada().await;
        self.shop.get_as(Some(ada), path).await.expect(200).json()
    }

    /// Her one entitlement.
    pub(super) async fn entitlement(&self, grace: &str) -> Value {
        let found = self.get(&format!("/entitlements?grace={grace}")).await;
        let [entitlement] = found["entitlements"].as_array().unwrap().as_slice() else {
            panic!("not one entitlement: {found}");
        };
        entitlement.clone()
    }

    /// Whether she may use it now, without grace and with as much as there is.
    async fn may_use_it(&self) -> [bool; 2] {
        let now = self.entitlement("0").await["active"].as_bool().unwrap();
        let late = self.entitlement(GRACE).await["active"].as_bool().unwrap();
        [now, late]
    }

    /// Its invoices at Stripe, oldest first.
    pub(super) async fn invoices(&self) -> Vec<Value> {
        let path = format!("invoices?subscription={}&limit=100", self.id);
        let listed = self.shop.at_stripe(&path).await;
        let mut invoices = listed["data"].as_array().unwrap().clone();
        invoices.reverse();
        invoices
    }

    /// The effects of the mails about each invoice, without their numbers.
    pub(super) async fn told(&self) -> Vec<Vec<String>> {
        let mut told = Vec::new();
        for invoice in self.invoices().await {
            let about = format!("{}/{}", self.id, text(&invoice, "id"));
            let effects = self.shop.effects(&about).await.into_iter();
            let kinds = effects.map(|effect| effect.split('#').next().unwrap().to_owned());
            told.push(kinds.collect());
        }
        told
    }

    /// What became of each mail about the purchase and its invoices.
    async fn ordered(&self) -> Vec<String> {
        let mut subjects = vec![self.checkout.purchase.clone()];
        for invoice in self.invoices().await {
            subjects.push(format!("{}/{}", self.id, text(&invoice, "id")));
        }
        let mut states = Vec::new();
        for subject in subjects {
            states.extend(self.shop.outbox(&subject).await.into_values());
        }
        states
    }

    /// What Ada sees of each invoice is what Stripe has.
    async fn agrees_with_stripe(&self) {
        let seen = self.sees().await;
        let line =
            |number: &Value, status: &Value, paid: &Value| format!("{number} {status} {paid}");
        let mut here: Vec<_> = seen["invoices"].as_array().unwrap().iter().collect();
        here.sort_by_key(|invoice| invoice["number"].to_string());
        let here: Vec<_> = here
            .iter()
            .map(|it| line(&it["number"], &it["status"], &it["paid"]["amount"]))
            .collect();
        let there: Vec<_> = self
            .invoices()
            .await
            .iter()
            .map(|it| line(&it["number"], &it["status"], &it["amount_paid"]))
            .collect();
        assert_eq!(here, there);
        let path = format!("subscriptions/{}", self.id);
        let subscription = self.shop.at_stripe(&path).await;
        assert_eq!(seen["status"], subscription["status"]);
    }
}

pub(super) async fn waits(shop: &TestApp, span: &str) -> Vec<String> {
    let moved = shop.control("clock", &[("advance", span)]).await;
    shop.drained().await;
    let happened = moved["happened"].as_array().unwrap();
    happened.iter().map(|it| text(it, "type")).collect()
}

/// Noon on the next 20 January.
async fn until_january(shop: &TestApp) {
    let now = OffsetDateTime::now_utc();
    let noon = |year| {
        let date = Date::from_calendar_date(year, Month::January, 20).unwrap();
        date.with_hms(12, 0, 0).unwrap().assume_utc()
    };
    let january = [now.year(), now.year() + 1].map(noon);
    let next = january.into_iter().find(|it| *it > now).unwrap();
    waits(shop, &(next - now).whole_seconds().to_string()).await;
}

#[tokio::test]
async fn a_year_with_one_card_that_fails_is_told_alike_by_shop_and_stripe() {
    let shop = TestApp::start().await;
    until_january(&shop).await;
    let checkout = shop.open_one(COFFEE).await;
    let member = Member::of(shop, checkout).await;
    let shop = &member.shop;
    assert_eq!(member.may_use_it().await, [true, true], "January");

    let february = member.waits("1mo").await;
    assert!(
        february.contains(&"invoice.paid".to_owned()),
        "{february:?}"
    );
    assert_eq!(member.may_use_it().await, [true, true], "February");

    member.changes_card("pm_card_chargeCustomerFail").await;
    let march = member.waits("1mo").await;
    assert!(
        march.contains(&"invoice.payment_failed".to_owned()),
        "{march:?}"
    );
    assert_eq!(member.sees().await["status"], "past_due");
    assert_eq!(member.may_use_it().await, [false, true], "March");
    member.agrees_with_stripe().await;

    member.waits("13d").await;
    assert_eq!(member.may_use_it().await, [false, true], "2 April");
    member.changes_card("pm_card_visa").await;
    member.pays().await;
    assert_eq!(member.sees().await["status"], "active");
    assert_eq!(member.may_use_it().await, [true, true], "2 April, paid");
    member.agrees_with_stripe().await;

    // To 20 April, at the hour of all renewals.
    member.waits("18d").await;
    for month in 4..=12 {
        assert_eq!(member.may_use_it().await, [true, true], "month {month}");
        member.agrees_with_stripe().await;
        if month < 12 {
            member.waits("1mo").await;
        }
    }
    let seen = member.sees().await;
    assert_eq!(seen["status"], "active");
    let statuses = seen["invoices"].as_array().unwrap().iter();
    let statuses: Vec<_> = statuses.map(|invoice| &invoice["status"]).collect();
    assert_eq!(statuses, vec!["paid"; 12]);

    assert_eq!(shop.history().await, [&*member.checkout.purchase]);
    assert_eq!(shop.status(&member.checkout.purchase).await, "paid");
    is_told_of_a_year_in_which_march_failed(&member).await;
    assert_eq!(shop.parked().await, 0);
    assert_eq!(shop.reconcile().await.found, 0);
}

/// One letter for each month, and in March one for each attempt that was not mended before it went
/// out.
async fn is_told_of_a_year_in_which_march_failed(member: &Member) {
    let shop = &member.shop;
    assert_eq!(shop.effects(&member.checkout.purchase).await, ["welcome"]);
    assert!(shop.effects(&member.id).await.is_empty());
    let mut told = member.told().await.into_iter();
    assert!(told.next().unwrap().is_empty(), "the welcome tells of it");
    assert_eq!(told.next().unwrap(), ["paid"], "February");
    let march = told.next().unwrap();
    let failed = march.iter().filter(|it| *it == "payment_failed").count();
    assert!(failed > 1, "{march:?}");
    assert_eq!(march.len(), failed + 1, "{march:?}");
    assert!(march.contains(&"paid".to_owned()), "{march:?}");
    for later in told {
        assert_eq!(later, ["paid"]);
    }
    // A failure that was mended before the mailer came to it is not told.
    let ordered = member.ordered().await;
    assert_eq!(ordered.len(), 1 + 11 + failed);
    let sent = ordered.iter().filter(|state| *state == "sent").count();
    assert!(sent > 1 + 11, "{ordered:?}");
    assert_eq!(shop.mailbox().await.len(), sent);
}

#[tokio::test]
async fn the_shops_time_is_stripes_and_what_is_not_renewed_ends() {
    let shop = TestApp::start().await;
    let before = shop.clock().now();
    let checkout = shop.open_one(COFFEE).await;
    let member = Member::of(shop, checkout).await;
    let form = [("cancel_at_period_end", "true")];
    let path = format!("subscriptions/{}", member.id);
    member.shop.stripe_post(&path, &form).await;
    assert!(member.entitlement("0").await["active"].as_bool().unwrap());
    // Nobody tells the shop that the time is over.
    member.shop.drained().await;
    member.shop.hold_deliveries().await;
    member.waits("1mo").await;
    assert!(member.shop.clock().now() >= before + 28 * DAY + 3 * HOUR);
    assert!(!member.entitlement("0").await["active"].as_bool().unwrap());
}
