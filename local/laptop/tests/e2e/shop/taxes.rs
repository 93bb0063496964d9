//! Tax that Stripe reckons: on top of prices or in them, from the payment page to the refund.

use serde_json::{Value, json};
use testing::{CARD, COFFEE, Checkout, MUG, TEAPOT, TestApp, cart, text};

/// A shop whose tax Stripe reckons.
async fn taxed() -> TestApp {
    let shop = TestApp::start().await;
    let settings = [
        ("AUTOMATIC_TAX", "true"),
        ("SHIPPING_COUNTRIES", "DE"),
        ("SHIPPING_RATES", "Post: 5.00 USD"),
    ];
    shop.restart_with(&settings).await
}

/// Subtotal, discount, shipping, tax, what of it is included, and total.
fn amounts(sums: &Value) -> [i64; 6] {
    let names = [
        "subtotal",
        "discount",
        "shipping",
        "tax",
        "tax_included",
        "total",
    ];
    names.map(|name| sums[name]["amount"].as_i64().unwrap())
}

async fn paid(shop: &TestApp, id: &str) -> (Checkout, Value) {
    let checkout = shop.open_one(id).await;
    shop.pay_from_berlin(&checkout).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    (checkout, purchase)
}

/// The lines of a letter between the items and what it is about.
fn sums_in(mail: &Value) -> String {
    let words = text(mail, "text");
    let (_, below) = words.split_once("----\n").unwrap();
    let (sums, _) = below.split_once("\n\n").unwrap();
    let columns = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    sums.lines().map(columns).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn tax_comes_on_top_of_a_price_and_is_shown_everywhere_alike() {
    let shop = taxed().await;
    shop.tax(MUG, "exclusive").await;
    let product = shop.get_as(None, &format!("/products/{MUG}")).await;
    assert_eq!(product.expect(200).json()["tax_behavior"], "exclusive");

    let (checkout, purchase) = paid(&shop, MUG).await;
    let session = shop.session(checkout.session()).await;
    assert_eq!(session["automatic_tax"]["status"], "complete");
    let lines = format!("checkout/sessions/{}/line_items", checkout.session());
    let line = shop.at_stripe(&lines).await["data"][0].clone();
    assert_eq!(line["price"]["tax_behavior"], "exclusive");
    let product = text(&line["price"], "product");
    let product = shop.at_stripe(&format!("products/{product}")).await;
    assert_eq!(product["tax_code"], "txcd_99999999");

    assert_eq!(purchase["total"]["amount"], 1500, "the goods");
    assert_eq!(purchase["paid"]["amount"], 1785);
    assert_eq!(amounts(&purchase["sums"]), [1500, 0, 0, 285, 0, 1785]);
    assert!(purchase.get("attention").is_none(), "{purchase}");
    let mail = shop.mails(1).await.remove(0);
    assert_eq!(
        sums_in(&mail),
        "Subtotal 15.00 USD; Tax 2.85 USD; Total 17.85 USD"
    );
}

#[tokio::test]
async fn tax_that_is_in_a_price_is_not_added_to_it_again() {
    let shop = taxed().await;
    shop.tax(MUG, "inclusive").await;
    let (_, purchase) = paid(&shop, MUG).await;
    assert_eq!(purchase["paid"]["amount"], 1500);
    // 15.00 less 15.00 ÷ 1.19, rounded half up.
    assert_eq!(amounts(&purchase["sums"]), [1500, 0, 0, 239, 239, 1500]);
    let mail = shop.mails(1).await.remove(0);
    assert_eq!(sums_in(&mail), "Total 15.00 USD; Of which tax 2.39 USD");
}

#[tokio::test]
async fn shipping_is_taxed_as_the_goods_are() {
    let shop = taxed().await;
    for (behavior, sums) in [
        ("exclusive", [3800, 0, 500, 817, 0, 5117]),
        // 38.00 and 5.00 have 6.07 and 0.80 in them.
        ("inclusive", [3800, 0, 500, 687, 687, 4300]),
    ] {
        shop.tax(TEAPOT, behavior).await;
        let checkout = shop.open_one(TEAPOT).await;
        shop.pay_shipped(&checkout, "Post").await.expect(303);
        shop.until_status(&checkout.purchase, "paid").await;
        let purchase = shop.purchase(&checkout.purchase).await;
        assert_eq!(amounts(&purchase["sums"]), sums, "{behavior}");
        assert_eq!(purchase["delivery"]["rate"], "Post");
    }
}

#[tokio::test]
async fn a_shop_without_automatic_tax_says_nothing_of_tax_to_stripe() {
    let shop = TestApp::start().await;
    shop.tax(MUG, "exclusive").await;
    let checkout = shop.open().await;
    let session = shop.session(checkout.session()).await;
    assert_eq!(session["automatic_tax"]["enabled"], false);
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["paid"]["amount"], 1500);
    assert!(purchase.get("sums").is_none(), "{purchase}");
}

#[tokio::test]
async fn refunds_of_all_that_was_paid_are_refunds_of_all_of_its_tax() {
    let shop = taxed().await;
    shop.tax(MUG, "exclusive").await;
    let (checkout, _) = paid(&shop, MUG).await;
    for part in [Some(333), Some(1), Some(777), None] {
        shop.refund(&checkout, part).await;
    }
    shop.until_status(&checkout.purchase, "refunded").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    let refunds = purchase["refunds"].as_array().unwrap();
    let taxes = refunds.iter().map(|refund| &refund["tax"]);
    let taxes: Vec<_> = taxes.map(|tax| tax["amount"].as_i64().unwrap()).collect();
    assert_eq!(taxes.iter().sum::<i64>(), 285, "{taxes:?}");
    for (refund, tax) in refunds.iter().zip(&taxes) {
        let exact = refund["amount"]["amount"].as_f64().unwrap() * 285.0 / 1785.0;
        assert!((*tax as f64 - exact).abs() < 1.01, "{refund}");
    }
}

#[tokio::test]
async fn the_mail_about_a_refund_says_how_much_of_it_is_tax() {
    let shop = taxed().await;
    shop.tax(MUG, "inclusive").await;
    let (checkout, _) = paid(&shop, MUG).await;
    let refund = shop.refund(&checkout, Some(600)).await;
    shop.until_status(&checkout.purchase, "partially_refunded")
        .await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["refunds"][0]["tax"]["amount"], 96);
    let mail = shop.mails(2).await.remove(0);
    assert_eq!(
        sums_in(&mail),
        "Total 15.00 USD; Of which tax 2.39 USD; Refund 6.00 USD; Of which tax 0.96 USD"
    );
    // What comes back to the shop has no tax any more.
    shop.refund_goes(&refund, "fail").await;
    shop.until_status(&checkout.purchase, "paid").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert!(purchase["refunds"][0].get("tax").is_none(), "{purchase}");
}

#[tokio::test]
async fn a_subscription_is_taxed_with_each_renewal() {
    let shop = taxed().await;
    shop.tax(COFFEE, "exclusive").await;
    let checkout = Checkout::of(&shop.checkout(&cart(&[(COFFEE, 1)])).await);
    shop.pay_from_berlin(&checkout).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    let [subtotal, _, _, tax, _, total] = amounts(&purchase["sums"]);
    assert_eq!(total, subtotal + tax);
    assert!(tax > 0, "{purchase}");
    let welcome = shop.mails(1).await.remove(0);
    assert!(sums_in(&welcome).contains("; Tax "), "{welcome}");

    let subscription = text(&purchase, "subscription_id");
    let path = format!("subscriptions/{subscription}");
    let subscription = shop.at_stripe(&path).await;
    assert_eq!(subscription["automatic_tax"]["enabled"], json!(true));
    let a_month = (32 * 24 * 3600).to_string();
    shop.control("clock", &[("advance", &a_month)]).await;
    let renewed = shop.mails(2).await.remove(0);
    assert!(text(&renewed, "subject").contains("receipt"), "{renewed}");
    assert_eq!(sums_in(&renewed), sums_in(&welcome));

    // Each invoice says the same as the purchase and the mails do.
    let id = text(&subscription, "id");
    let path = format!("/subscriptions/{id}");
    let told = shop.get_as(Some(shop.ada().await), &path).await.expect(200);
    for invoice in told.json()["invoices"].as_array().unwrap() {
        let sums = amounts(&invoice["sums"]);
        assert_eq!(sums, amounts(&purchase["sums"]), "{invoice}");
        assert_eq!(invoice["total"]["amount"], total);
    }
}
