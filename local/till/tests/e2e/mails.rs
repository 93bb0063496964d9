//! `till mails`.

use serde_json::Value;
use testing::{CARD, eventually};

use crate::operator::Operator;

/// A receipt that SES refused for good.
async fn refused(operator: &Operator) -> String {
    operator.shop.aws_fails("SendEmail", "rejected", None).await;
    let sold = operator.sell(CARD).await.purchase;
    eventually(async || {
        let story = operator.story(&sold).await;
        (story["mails"][0]["state"] == "failed").then_some(())
    })
    .await;
    operator.shop.aws_recovers().await;
    sold
}

#[tokio::test]
async fn mail_that_was_given_up_is_listed_with_the_reason_and_sent_again_once() {
    let operator = Operator::new().await;
    let none = operator.till(&["mails", "list"]).await.expect(0);
    assert_eq!(none.out, "No mail was given up, and none is waiting.\n");
    let sold = refused(&operator).await;
    let id = format!("{sold}#paid");

    let listed = operator.till(&["mails", "list", "--json"]).await;
    let listed = listed.expect(3).json();
    let mail = &listed["mails"][0];
    assert_eq!(mail["id"], *id);
    assert_eq!(
        (&mail["purchase"], &mail["mail"]),
        (&sold.as_str().into(), &"paid".into())
    );
    assert_eq!(
        (&mail["state"], &mail["attempts"]),
        (&"failed".into(), &1.into())
    );
    assert!(mail["finished_at"].is_string(), "{mail}");
    let why = "SES refused the mail: MessageRejected";
    assert_eq!(mail["reason"], why);
    for words in [
        &["mails", "list", "--state", "failed"][..],
        &["purchases", "show", &sold],
    ] {
        let words = operator.till(words).await.out;
        assert!(words.contains("given up") && words.contains(why), "{words}");
    }
    operator
        .till(&["mails", "list", "--state", "due"])
        .await
        .expect(0);

    let unknown = operator
        .till(&["mails", "resend", &id, "nobody#paid"])
        .await;
    unknown
        .expect(4)
        .complains("there is no unsent mail nobody#paid");
    operator.shop.mailer().await;
    operator.shop.mails(0).await;

    let resent = operator.till(&["mails", "resend", &id, "--json"]).await;
    assert_eq!(resent.expect(0).json()["mails"][0]["resent"], true);
    operator.shop.mailer().await;
    operator.shop.mails(1).await;
    operator.till(&["mails", "resend", &id]).await.expect(4);
    operator.till(&["mails", "list"]).await.expect(0);
    let sent = operator
        .till(&["mails", "list", "--state", "sent", "--json"])
        .await;
    assert_eq!(sent.expect(0).json()["mails"][0]["id"], *id);
}

#[tokio::test]
async fn all_that_was_given_up_goes_again_at_once() {
    let operator = Operator::new().await;
    let sold = [refused(&operator).await, refused(&operator).await];
    operator.till(&["mails", "resend"]).await.expect(2);
    let resent = operator
        .till(&["mails", "resend", "--all-failed", "--json"])
        .await;
    assert_eq!(
        resent.expect(0).json()["mails"].as_array().unwrap().len(),
        2
    );
    operator.shop.mailer().await;
    operator.shop.mails(2).await;
    for sold in sold {
        assert_eq!(operator.story(&sold).await["mails"][0]["state"], "sent");
    }
    let again = operator.till(&["mails", "resend", "--all-failed"]).await;
    assert_eq!(again.expect(0).out, "There is no such mail.\n");
}

#[tokio::test]
async fn mail_that_waits_for_a_sender_to_be_verified_says_so_and_need_not_wait_longer() {
    let operator = Operator::new().await;
    operator
        .shop
        .aws_fails("SendEmail", "unverified", None)
        .await;
    let sold = operator.sell(CARD).await.purchase;
    // The first wait is shorter than a mailer may be at work.
    let waiting = async || {
        let story = operator.story(&sold).await;
        let tried = story["mails"][0]["reason"].is_string();
        tried.then(|| story["mails"][0].clone())
    };
    let mail: Value = eventually(waiting).await;
    let reason = mail["reason"].as_str().unwrap();
    assert!(reason.contains("an address is not verified"), "{reason}");
    for _ in 0..3 {
        operator.shop.mail_again(&sold, "paid").await;
    }
    let words = operator.till(&["mails", "list"]).await.expect(3).out;
    assert!(
        words.contains("tried 4 times") && words.contains("next attempt"),
        "{words}"
    );

    operator.shop.aws_recovers().await;
    operator.shop.mailer().await;
    operator.shop.mails(0).await;
    operator
        .till(&["mails", "resend", "--all-waiting"])
        .await
        .expect(0);
    operator.shop.mailer().await;
    operator.shop.mails(1).await;
}

#[tokio::test]
async fn a_mail_about_the_stock_is_listed_and_sent_again_as_others_are() {
    let operator = Operator::new().await;
    let add = ["products", "set", "sample-mug"];
    let few = operator
        .till(&[&add[..], &["stock=3", "low_stock=5"]].concat())
        .await;
    let few = few.expect(0).out;
    assert!(few.contains("low_stock none → 5"), "{few}");
    let none = operator.till(&[&add[..], &["low_stock=0"]].concat()).await;
    let none = none.expect(1).err;
    assert!(none.contains("told anyway when none is left"), "{none}");

    operator.shop.aws_fails("SendEmail", "rejected", None).await;
    operator.till(&["reconcile"]).await.expect(0);
    operator.shop.drained().await;
    operator.shop.aws_recovers().await;
    let listed = operator.till(&["mails", "list", "--json"]).await;
    let listed = listed.expect(3).json();
    let mail = &listed["mails"][0];
    let id = mail["id"].as_str().unwrap().to_owned();
    assert!(
        id.starts_with("stock#") && id.ends_with("#sample-mug"),
        "{mail}"
    );
    assert_eq!((mail.get("purchase"), &mail["mail"]), (None, &mail["id"]));
    let again = operator.till(&["mails", "resend", &id]).await.expect(0);
    assert!(
        again.out.contains("goes out within a minute"),
        "{}",
        again.out
    );
    operator.shop.mailer().await;
    let mails = operator.shop.mails(1).await;
    let subject = mails[0]["subject"].as_str().unwrap();
    assert!(
        subject.ends_with("Almost sold out: Stoneware mug"),
        "{subject}"
    );
}
