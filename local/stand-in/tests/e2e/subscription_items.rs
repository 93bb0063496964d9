//! What prices a subscription may have beside each other.

use crate::bench::{Form, id};
use crate::subscriptions::{Club, price};

#[tokio::test]
async fn the_same_price_is_once_on_a_subscription_whoever_puts_it_there() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let subscription_id = id(&subscription);
    let price = &*club.price;
    let customer = ("customer", &*club.customer);
    let path = format!("/v1/subscriptions/{subscription_id}");
    let list = |list: &'static str| [format!("{list}[0][price]"), format!("{list}[1][price]")];
    let (items, phase, lines) = (list("items"), list("phases[0][items]"), list("line_items"));
    let twice = |[first, second]: &[String; 2]| {
        vec![
            (first.clone(), price.to_owned()),
            (second.clone(), price.to_owned()),
        ]
    };
    for (path, names, more) in [
        ("/v1/subscriptions", twice(&items), vec![customer]),
        (&path, vec![(items[0].clone(), price.to_owned())], vec![]),
        (
            "/v1/subscription_items",
            vec![("price".to_owned(), price.to_owned())],
            vec![("subscription", &*subscription_id)],
        ),
        (
            "/v1/subscription_schedules",
            twice(&phase),
            vec![customer, ("start_date", "now")],
        ),
        ("/v1/quotes", twice(&lines), vec![customer]),
        (
            "/v1/checkout/sessions",
            twice(&lines),
            vec![
                ("mode", "subscription"),
                ("success_url", "http://shop.example/done"),
                ("line_items[0][quantity]", "1"),
                ("line_items[1][quantity]", "1"),
            ],
        ),
    ] {
        let names = names.iter().map(|(name, value)| (&**name, &**value));
        let form: Form<'_> = names.chain(more).collect();
        let error = club.bench.post(path, &form).await.expect(400).error();
        assert_eq!(
            error["message"],
            format!("Cannot add multiple subscription items with the same plan: {price}"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn items_of_several_intervals_are_refused_in_the_words_of_the_billing_mode() {
    let club = Club::open().await;
    let yearly = price(&club.bench, "9000", vec![("recurring[interval]", "year")]).await;
    let both = ("items[1][price]", &*yearly);
    let flexible = club.ask(vec![both]).await.expect(400).error();
    assert_eq!(flexible["code"], "parameter_unsupported");
    let classic = vec![both, ("billing_mode[type]", "classic")];
    let classic = club.ask(classic).await.expect(400).error();
    assert_eq!(
        classic["message"],
        "Currency and interval fields must match across all plans on this subscription. Found mismatch \
         in interval field."
    );
}
