//! Subscriptions that end at a moment within a period.

use serde_json::{Value, json};

use crate::bench::{Form, id};
use crate::subscriptions::{Club, DAY, FEBRUARY, HOUR, price};
use crate::test_clocks::JANUARY;

const WEEK: i64 = 7 * DAY;

impl Club {
    /// What waits for the next invoice, the oldest first: what it costs, and for when.
    async fn waiting(&self) -> Vec<(i64, i64, i64)> {
        let path = format!("/v1/invoiceitems?pending=true&customer={}", self.customer);
        let items = self.bench.get(&path).await.expect(200).json();
        let item = |it: &Value| {
            let period = &it["period"];
            let numbers = [&it["amount"], &period["start"], &period["end"]];
            let [amount, start, end] = numbers.map(|number| number.as_i64().unwrap());
            (amount, start, end)
        };
        let mut all: Vec<_> = items["data"].as_array().unwrap().iter().map(item).collect();
        all.reverse();
        all
    }
}

#[tokio::test]
async fn an_end_within_the_period_gives_back_what_is_left_of_it() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let end = JANUARY + 2 * WEEK;
    let at = end.to_string();
    let changed = club.update(&subscription, vec![("cancel_at", &*at)]).await;
    assert_eq!(
        (&changed["status"], &changed["cancel_at"]),
        (&json!("active"), &json!(end))
    );
    assert_eq!(club.waiting().await, [(-500, end, FEBRUARY)]);
    // Nothing has changed since.
    club.update(&subscription, vec![("cancel_at", &*at)]).await;
    assert_eq!(club.waiting().await.len(), 1);
    club.wind(end + 2 * HOUR).await;
    assert_eq!(club.show(&subscription).await["ended_at"], end);
    assert_eq!(club.invoice(&subscription).await["total"], -500);
    let path = format!("/v1/customers/{}", club.customer);
    let customer = club.bench.get(&path).await.expect(200).json();
    assert_eq!(customer["balance"], -500);
}

#[tokio::test]
async fn an_end_that_is_moved_or_taken_back_costs_what_it_gave() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let (one, two, three) = (JANUARY + WEEK, JANUARY + 2 * WEEK, JANUARY + 3 * WEEK);
    for (at, last) in [
        (two.to_string(), (-500, two, FEBRUARY)),
        (one.to_string(), (-250, one, two)),
        (three.to_string(), (500, one, three)),
        (String::new(), (250, three, FEBRUARY)),
    ] {
        club.update(&subscription, vec![("cancel_at", &*at)]).await;
        assert_eq!(club.waiting().await.last(), Some(&last), "{at}");
    }
    let all = club.waiting().await;
    assert_eq!(all.iter().map(|(amount, ..)| amount).sum::<i64>(), 0);
}

#[tokio::test]
async fn an_end_gives_nothing_back_if_its_shop_wants_that() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let at = (JANUARY + WEEK).to_string();
    let form = vec![("cancel_at", &*at), ("proration_behavior", "none")];
    club.update(&subscription, form).await;
    assert_eq!(club.waiting().await, []);
}

#[tokio::test]
async fn what_changes_before_the_end_is_prorated_up_to_it() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let (one, two) = (JANUARY + WEEK, JANUARY + 2 * WEEK);
    let at = two.to_string();
    club.update(&subscription, vec![("cancel_at", &*at)]).await;
    club.wind(one).await;
    let dearer = price(&club.bench, "2000", vec![]).await;
    let item = id(&subscription["items"]["data"][0]);
    let form = vec![("items[0][id]", &*item), ("items[0][price]", &*dearer)];
    club.update(&subscription, form).await;
    assert_eq!(
        club.waiting().await,
        [(-500, two, FEBRUARY), (-250, one, two), (500, one, two)]
    );
    let path = format!("/v1/subscriptions/{}?prorate=true", id(&subscription));
    club.bench.delete(&path).await.expect(200);
    assert_eq!(club.waiting().await.last(), Some(&(-500, one, two)));
}

#[tokio::test]
async fn a_last_period_that_is_cut_short_costs_its_part() {
    let club = Club::open().await;
    // Half of the 31 days from 28 February.
    let end = FEBRUARY + 31 * DAY / 2;
    let at = end.to_string();
    let subscription = club.subscribe(vec![("cancel_at", &*at)]).await;
    assert_eq!(club.invoice(&subscription).await["amount_paid"], 1_000);
    club.wind(FEBRUARY + 2 * HOUR).await;
    let upcoming = club.bench.latest("invoice.upcoming").await;
    assert_eq!(upcoming["data"]["object"]["amount_due"], 500);
    let invoice = club.invoice(&subscription).await;
    assert_eq!(invoice["amount_paid"], 500);
    assert_eq!(
        invoice["lines"]["data"][0]["period"],
        json!({ "start": FEBRUARY, "end": end })
    );
    club.wind(end + HOUR).await;
    assert_eq!(club.show(&subscription).await["ended_at"], end);
    assert_eq!(club.invoice(&subscription).await["id"], invoice["id"]);
}

#[tokio::test]
async fn a_first_period_that_is_cut_short_costs_its_part() {
    let at = (JANUARY + 2 * WEEK).to_string();
    let form = vec![("cancel_at", &*at)];
    let in_full = [form.clone(), vec![("proration_behavior", "none")]].concat();
    let costs: [(Form<'_>, i64); 2] = [(form, 500), (in_full, 1_000)];
    for (form, cost) in costs {
        let club = Club::open().await;
        let subscription = club.subscribe(form).await;
        assert_eq!(club.invoice(&subscription).await["amount_paid"], cost);
    }
}
