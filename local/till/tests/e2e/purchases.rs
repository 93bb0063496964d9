//! `till purchases`.

use serde_json::Value;
use testing::{BOB, CARD, Checkout, DECLINED, MUG, TEAPOT, cart, eventually};

use crate::operator::Operator;

impl Operator {
    /// A mug, paid for and known to be.
    pub(crate) async fn sell(&self, card: &str) -> Checkout {
        let checkout = self.shop.open().await;
        self.shop.pay(&checkout, card).await.expect(303);
        eventually(async || {
            let status = self.story(&checkout.purchase).await["purchase"]["status"].clone();
            (status != "open").then_some(())
        })
        .await;
        checkout
    }

    /// A teapot, paid for and known to be, that goes to Berlin by airmail.
    pub(crate) async fn sell_shipped(&self) -> Checkout {
        let mut wanted = cart(&[(TEAPOT, 1)]);
        wanted["country"] = "DE".into();
        let checkout = Checkout::of(&self.shop.checkout(&wanted).await);
        let paid = self.shop.pay_shipped(&checkout, "Airmail").await;
        paid.expect(303);
        self.shop.until_status(&checkout.purchase, "paid").await;
        checkout
    }

    /// What `purchases show` tells.
    pub(crate) async fn story(&self, id: &str) -> Value {
        let shown = self.till(&["purchases", "show", id, "--json"]).await;
        shown.expect(0).json()
    }
}

#[tokio::test]
async fn the_story_of_a_purchase_has_its_order_money_events_and_mail() {
    let operator = Operator::new().await;
    let sold = operator.sell(CARD).await;
    let sent = eventually(async || {
        let story = operator.story(&sold.purchase).await;
        (story["mails"][0]["state"] == "sent").then_some(story)
    });
    let story = sent.await;
    let purchase = &story["purchase"];
    assert_eq!(purchase["id"], *sold.purchase);
    assert_eq!(purchase["status"], "paid");
    assert_eq!(purchase["paid"]["amount"], 1500);
    assert_eq!(purchase["net"]["amount"], 1500);
    assert_eq!(purchase["lines"][0]["product_id"], MUG);
    assert_eq!(purchase["buyer"]["email"], testing::ADA);
    let events = story["events"].as_array().unwrap();
    let paid = |event: &&Value| event["type"] == "checkout.session.completed";
    let paid = events.iter().find(paid).unwrap();
    assert_eq!(
        (&paid["status"], &paid["changed"]),
        (&"paid".into(), &true.into())
    );
    assert_eq!(story["mails"][0]["mail"], "paid");
    assert_eq!(story["mails"][0]["attempts"], 1);
    assert!(story["mails"][0]["finished_at"].is_string());

    let words = operator.till(&["purchases", "show", &sold.purchase]).await;
    let words = words.expect(0).out;
    for part in [
        "15.00 USD",
        "Stoneware mug",
        "checkout.session.completed",
        "sent",
    ] {
        assert!(words.contains(part), "no {part} in {words}");
    }
}

#[tokio::test]
async fn stripes_names_for_a_purchase_lead_to_it_even_before_it_is_paid() {
    let operator = Operator::new().await;
    let sold = operator.sell(CARD).await;
    let story = operator.story(&sold.purchase).await;
    let intent = story["purchase"]["sessions"][0]["payment_intent"].as_str();
    let intent = intent.unwrap().to_owned();
    let charge = operator
        .shop
        .at_stripe(&format!("payment_intents/{intent}"))
        .await;
    let charge = charge["latest_charge"].as_str().unwrap().to_owned();
    for name in [sold.session(), &intent, &charge] {
        let found = operator.story(name).await["purchase"]["id"].clone();
        assert_eq!(found, *sold.purchase, "{name}");
    }
    operator.shop.hold_deliveries().await;
    let unheard = operator.shop.open().await;
    operator.shop.pay(&unheard, CARD).await.expect(303);
    let session = operator.shop.session(unheard.session()).await;
    let intent = session["payment_intent"].as_str().unwrap();
    let found = operator.story(intent).await["purchase"]["id"].clone();
    assert_eq!(found, *unheard.purchase, "by what Stripe says");
}

#[tokio::test]
async fn purchases_that_are_not_there_have_an_exit_code_of_their_own() {
    let operator = Operator::new().await;
    for (name, code, complaint) in [
        (
            "01a20bd1-71dc-71c3-9c80-f7e928d70bd4",
            4,
            "there is no purchase 01a20bd1",
        ),
        (
            "pi_nothing",
            4,
            "there is no pi_nothing in the Stripe account",
        ),
        (
            "cs_test_nothing",
            4,
            "there is no cs_test_nothing in the Stripe account",
        ),
        ("mug", 2, "is neither a purchase id"),
    ] {
        let shown = operator.till(&["purchases", "show", name]).await;
        shown.expect(code).complains(complaint);
    }
}

#[tokio::test]
async fn the_list_is_newest_first_and_can_be_narrowed() {
    let operator = Operator::new().await;
    let first = operator.sell(CARD).await.purchase;
    let shop = &operator.shop;
    let open = shop.open().await;
    shop.pay(&open, DECLINED).await;
    let token = shop.token(BOB).await;
    let bobs = shop.post_checkout(Some(&token), None, cart(&[(MUG, 1)]).to_string());
    let bobs = Checkout::of(&bobs.await);
    shop.pay(&bobs, CARD).await.expect(303);
    eventually(async || {
        let story = operator.story(&bobs.purchase).await;
        (story["purchase"]["status"] == "paid").then_some(())
    })
    .await;
    let subject = operator.story(&bobs.purchase).await["purchase"]["buyer"]["subject"].clone();
    let subject = subject.as_str().unwrap();

    let list = async |options: &[&str]| {
        let command = [&["purchases", "list", "--json"], options].concat();
        let listed = operator.till(&command).await.expect(0).json();
        let ids = listed["purchases"].as_array().unwrap().iter();
        ids.map(|purchase| purchase["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = [&bobs.purchase, &open.purchase, &first];
    assert_eq!(list(&[]).await.iter().collect::<Vec<_>>(), all);
    assert_eq!(list(&["--status", "open"]).await, [open.purchase.as_str()]);
    let either = list(&["--status", "open", "--status", "paid"]).await;
    assert_eq!(either.len(), 3);
    assert_eq!(list(&["--buyer", subject]).await, [bobs.purchase.as_str()]);
    assert_eq!(list(&["--since", "1h"]).await.len(), 3);
    assert_eq!(list(&["--since", "2199-01-01"]).await.len(), 0);
    assert_eq!(list(&["--limit", "0"]).await.len(), 3);
    let newest = operator.till(&["purchases", "list", "--limit", "1"]).await;
    let newest = newest.expect(0);
    newest.complains("Showing the newest 1 of 3");
    assert!(newest.out.contains(&bobs.purchase) && !newest.out.contains(&first));
}

#[tokio::test]
async fn the_mail_of_a_rebuilt_purchase_is_held_until_it_is_confirmed() {
    let operator = Operator::new().await;
    let (checkout, event) = operator.shop.paid_unheard().await;
    operator.shop.lose_purchase(&checkout.purchase).await;
    operator.shop.deliver(&event).await.expect(200);
    let story = operator.story(&checkout.purchase).await;
    assert_eq!(story["mails"][0]["state"], "held");
    let words = operator.till(&["purchases", "show", &checkout.purchase]);
    let words = words.await.expect(0).out;
    for part in ["held until confirmed", "`till purchases confirm`"] {
        assert!(words.contains(part), "no {part} in {words}");
    }

    let confirm = ["purchases", "confirm", checkout.session()];
    let said = operator.till(&confirm).await.expect(1);
    said.complains("Release the mail of 1 purchase?");
    said.complains("nobody answered: pass --yes");
    let confirm = [&confirm[..], &["--yes"]].concat();
    let said = operator.till(&confirm).await.expect(0);
    assert_eq!(
        said.out,
        format!("{}: 2 mails released\n", checkout.purchase)
    );
    operator.shop.mailer().await;
    operator.shop.mails(1).await;
    let said = operator.till(&confirm).await.expect(0);
    assert_eq!(
        said.out,
        format!("{}: 0 mails released\n", checkout.purchase)
    );

    let nobody = "0199a0de-0000-7000-8000-000000000000";
    let unknown = ["purchases", "confirm", nobody, "--yes"];
    operator.till(&unknown).await.expect(4);
}

#[tokio::test]
async fn what_was_sold_says_where_it_goes_and_what_shipping_cost() {
    let operator = Operator::new().await;
    let checkout = operator.sell_shipped().await;

    let purchase = operator.story(&checkout.purchase).await["purchase"].clone();
    assert_eq!(purchase["delivery"]["address"]["city"], "Berlin");
    assert_eq!(purchase["sums"]["shipping"]["amount"], 1200);
    let words = operator
        .till(&["purchases", "show", &checkout.purchase])
        .await;
    let words = words.expect(0).out;
    for part in [
        "Ada Byron",
        "10115 Berlin",
        "+49301234567",
        "Airmail",
        "shipping  12.00 USD",
    ] {
        let shown = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains(&part), "no {part} in {words}");
    }
}

#[tokio::test]
async fn a_purchase_is_found_by_its_number_its_buyer_or_who_gets_it() {
    let operator = Operator::new().await;
    let mug = operator.sell(CARD).await.purchase;
    let teapot = operator.sell_shipped().await;
    let found = async |text: &str| {
        let search = ["purchases", "list", "--json", "--search", text];
        let listed = operator.till(&search).await.expect(0).json();
        let ids = listed["purchases"].as_array().unwrap().iter();
        ids.map(|purchase| purchase["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let number = mug.replace('-', "");
    let number = &number[number.len() - 8..];
    for (text, purchases) in [
        (number, vec![&mug]),
        (&mug, vec![&mug]),
        (testing::ADA, vec![&teapot.purchase, &mug]),
        ("BYRON", vec![&teapot.purchase]),
        ("10115 berlin", vec![&teapot.purchase]),
        ("nobody", vec![]),
    ] {
        assert_eq!(
            found(text).await.iter().collect::<Vec<_>>(),
            purchases,
            "{text}"
        );
    }
    let words = operator.till(&["purchases", "list"]).await.expect(0).out;
    assert!(words.contains(testing::ADA), "{words}");
}

#[tokio::test]
async fn the_packing_list_has_a_row_for_each_shipped_product_that_is_paid() {
    let operator = Operator::new().await;
    let packing = async |options: &[&str]| {
        let command = [&["purchases", "packing"], options].concat();
        let written = operator.till(&command).await.expect(0).out;
        let mut table = csv::Reader::from_reader(written.as_bytes());
        let rows = table.deserialize().map(|row| row.unwrap());
        rows.collect::<Vec<std::collections::BTreeMap<String, String>>>()
    };
    operator.sell(CARD).await;
    assert!(packing(&[]).await.is_empty(), "a mug is not shipped");
    let mut wanted = cart(&[(TEAPOT, 2), (MUG, 1)]);
    wanted["country"] = "DE".into();
    let checkout = Checkout::of(&operator.shop.checkout(&wanted).await);
    assert!(packing(&[]).await.is_empty(), "it is not paid");
    let paid = operator.shop.pay_shipped(&checkout, "Airmail").await;
    paid.expect(303);
    operator.shop.until_status(&checkout.purchase, "paid").await;
    let rows = packing(&[]).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    for (column, text) in [
        ("purchase_id", checkout.purchase.as_str()),
        ("email", testing::ADA),
        ("name", "Ada Byron"),
        ("line1", "Weg 1"),
        ("postal_code", "10115"),
        ("city", "Berlin"),
        ("country", "DE"),
        ("phone", "+49301234567"),
        ("rate", "Airmail"),
        ("product_id", TEAPOT),
        ("quantity", "2"),
    ] {
        assert_eq!(rows[0][column], text, "{column}");
    }
    operator
        .till(&["refund", &checkout.purchase, "--yes"])
        .await
        .expect(0);
    operator
        .shop
        .until_status(&checkout.purchase, "refunded")
        .await;
    assert!(packing(&[]).await.is_empty(), "it is refunded");
    assert_eq!(packing(&["--status", "refunded"]).await.len(), 1);
}
