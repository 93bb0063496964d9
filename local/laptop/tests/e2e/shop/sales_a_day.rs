//! All sales of a day in one mail.

use serde_json::{Value, json};
use shared::email::next_digest;
use testing::{Checkout, MUG, NOTEBOOK, TEAPOT, TestApp, cart, text};

const HOUR: i64 = 3_600;

/// A shop whose seller gets one mail a day, an hour after the last.
async fn daily() -> TestApp {
    let shop = TestApp::on_disk().await;
    let shop = shop.restart_with(&[("SALE_MAILS", "daily")]).await;
    advance(&shop, next_digest(shop.clock().now()) + HOUR).await;
    shop
}

/// Moves the clock to this second.
async fn advance(shop: &TestApp, to: i64) {
    let seconds = (to - shop.clock().now()).to_string();
    shop.control("clock", &[("advance", &seconds)]).await;
}

/// Lets the time for the day's mail come.
async fn next_morning(shop: &TestApp) {
    advance(shop, next_digest(shop.clock().now()) + 1).await;
    shop.mailer().await;
}

/// Ada buys this, with what it takes.
async fn buys(shop: &TestApp, product: &str) -> Checkout {
    let checkout = Checkout::of(&shop.checkout(&cart(&[(product, 1)])).await);
    shop.pay(&checkout, testing::CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.drained().await;
    checkout
}

/// The mails about sales so far, newest first.
async fn told(shop: &TestApp) -> Vec<Value> {
    let mails = shop.mailbox().await.into_iter();
    let is_told = |mail: &Value| text(mail, "subject").contains("for seller@example.com]");
    mails.filter(is_told).collect()
}

/// What a mail says, with plain spaces.
fn words(mail: &Value) -> String {
    text(mail, "text").replace('\u{a0}', " ")
}

async fn state(shop: &TestApp, sold: &Checkout) -> String {
    let row = shop.outbox_row(&sold.purchase, "sold").await;
    text(&row["state"], "S")
}

#[tokio::test]
async fn the_sales_of_a_day_are_told_together_in_the_morning_each_in_one_mail() {
    let shop = daily().await;
    let first = buys(&shop, MUG).await;
    let mut wanted = cart(&[(TEAPOT, 1)]);
    wanted["country"] = json!("DE");
    let second = Checkout::of(&shop.checkout(&wanted).await);
    shop.pay_shipped(&second, "").await.expect(303);
    shop.until_status(&second.purchase, "paid").await;
    shop.drained().await;
    shop.mailer().await;
    assert!(told(&shop).await.is_empty(), "not before the morning");
    let row = shop.outbox_row(&first.purchase, "sold").await;
    let due: i64 = row["next_attempt"]["N"].as_str().unwrap().parse().unwrap();
    assert_eq!(due, next_digest(shop.clock().now()));
    assert_eq!(row["attempts"]["N"], "0", "waiting is no attempt");

    next_morning(&shop).await;
    let mail = told(&shop).await.remove(0);
    let subject = text(&mail, "subject").replace('\u{a0}', " ");
    assert!(subject.ends_with("2 sales at Till, 65.00 USD"), "{subject}");
    let said = words(&mail);
    let numbers = [&first, &second].map(|sold| sold.purchase[sold.purchase.len() - 8..].to_owned());
    let places = numbers.map(|number| said.find(&format!("Purchase {number}")).unwrap());
    assert!(places[0] < places[1], "the oldest comes first: {said}");
    for part in [
        "2 sales, of which 1 is to be shipped.",
        "Ada Byron, Weg 1, 10115 Berlin, DE",
        "\nTotal                                65.00 USD\n",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // The next day has its own, and a day without sales none.
    let third = buys(&shop, NOTEBOOK).await;
    next_morning(&shop).await;
    next_morning(&shop).await;
    let mails = told(&shop).await;
    assert_eq!(mails.len(), 2);
    let said = words(&mails[0]);
    assert!(
        said.contains(&third.purchase[third.purchase.len() - 8..]),
        "{said}"
    );
    assert!(said.contains("1 sale, and nothing to ship."), "{said}");
}

#[tokio::test]
async fn a_days_mail_that_fails_is_sent_later_with_all_that_was_in_it() {
    let shop = daily().await;
    let sold = [buys(&shop, MUG).await, buys(&shop, NOTEBOOK).await];
    shop.aws_fails("SendEmail", "down", None).await;
    next_morning(&shop).await;
    for one in &sold {
        let row = shop.outbox_row(&one.purchase, "sold").await;
        assert_eq!(
            (&row["state"]["S"], &row["attempts"]["N"]),
            (&json!("due"), &json!("1"))
        );
        assert!(row.get("reason").is_some(), "{row}");
    }
    assert!(told(&shop).await.is_empty());
    shop.aws_recovers().await;
    advance(&shop, shop.clock().now() + 61).await;
    shop.mailer().await;
    shop.mailer().await;
    let mails = told(&shop).await;
    assert_eq!(mails.len(), 1);
    let said = words(&mails[0]);
    for one in &sold {
        assert!(
            said.contains(&one.purchase[one.purchase.len() - 8..]),
            "{said}"
        );
        assert_eq!(state(&shop, one).await, "sent");
    }
}

#[tokio::test]
async fn no_sale_is_left_out_or_told_twice_when_the_setting_changes() {
    let shop = daily().await;
    let before = buys(&shop, MUG).await;
    let shop = shop.restart_with(&[("SALE_MAILS", "each")]).await;
    let at_once = buys(&shop, MUG).await;
    assert_eq!(told(&shop).await.len(), 1);
    assert_eq!(state(&shop, &at_once).await, "sent");
    assert_eq!(state(&shop, &before).await, "due");
    next_morning(&shop).await;
    assert_eq!(told(&shop).await.len(), 2);
    assert_eq!(state(&shop, &before).await, "sent");

    // One that could not be sent at once is told with those of the day.
    shop.aws_fails("SendEmail", "down", None).await;
    let failed = buys(&shop, MUG).await;
    shop.aws_recovers().await;
    let shop = shop.restart_with(&[("SALE_MAILS", "daily")]).await;
    let with_it = buys(&shop, MUG).await;
    advance(&shop, shop.clock().now() + 61).await;
    shop.mailer().await;
    assert_eq!(told(&shop).await.len(), 2);
    next_morning(&shop).await;
    let mails = told(&shop).await;
    assert_eq!(mails.len(), 3);
    let said = words(&mails[0]);
    for one in [&failed, &with_it] {
        assert!(
            said.contains(&one.purchase[one.purchase.len() - 8..]),
            "{said}"
        );
    }
}

#[tokio::test]
async fn five_hundred_sales_make_one_mail_that_says_how_many_it_does_not_list() {
    let shop = daily().await;
    let sold = buys(&shop, MUG).await;
    let row = shop.outbox_row(&sold.purchase, "sold").await;
    for number in 1..500 {
        let another = format!("{}{number:012}", &sold.purchase[..sold.purchase.len() - 12]);
        let another = row.to_string().replace(&sold.purchase, &another);
        let another: Value = serde_json::from_str(&another).unwrap();
        shop.put_item("OutboxTable", &another).await;
    }
    shop.drained().await;
    next_morning(&shop).await;
    shop.mailer().await;
    let mails = told(&shop).await;
    assert_eq!(mails.len(), 1);
    let said = words(&mails[0]);
    assert!(
        said.contains("Only the first 100 are listed here"),
        "{said}"
    );
    assert!(
        said.contains("`till purchases list` shows the other 400."),
        "{said}"
    );
    assert!(
        said.contains("Total                             7,500.00 USD"),
        "{said}"
    );
    let bytes = text(&mails[0], "html").len() + said.len();
    assert!(bytes < 1_000_000, "SES takes ten times as much: {bytes}");
}
