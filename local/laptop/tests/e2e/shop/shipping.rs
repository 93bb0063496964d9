//! What is shipped: where it can go, what that costs, and what is known of it afterwards.

use serde_json::{Value, json};
use testing::{Answer, CARD, COFFEE, Checkout, MUG, TEAPOT, TestApp, cart, of_type, text};

const COUNTRIES: &str = "AT,CH,DE";
const RATES: &str = "Standard: 5.00 USD, free from 75.00, to DE AT; Express: 14.00 USD, to DE; \
                     Abroad: 19.00 USD, to CH";

/// A shop with these settings.
async fn shipping(countries: &str, rates: &str) -> TestApp {
    let shop = TestApp::start().await;
    let settings = [("SHIPPING_COUNTRIES", countries), ("SHIPPING_RATES", rates)];
    shop.restart_with(&settings).await
}

/// Ada's cart, to be delivered to this country.
fn to(country: &str, items: &[(&str, u64)]) -> Value {
    let mut cart = cart(items);
    cart["country"] = json!(country);
    cart
}

/// The problem's kind.
#[track_caller]
fn refused(answer: &Answer, status: u16, kind: &str) -> Value {
    let problem = answer.clone().expect(status).problem();
    assert_eq!(problem["type"], format!("urn:till:problem:{kind}"));
    problem
}

/// The rates that a session offers, and where to.
async fn offered(shop: &TestApp, checkout: &Checkout) -> (Vec<String>, Value) {
    let session = shop.session(checkout.session()).await;
    let mut rates = Vec::new();
    for option in session["shipping_options"].as_array().unwrap() {
        let id = text(option, "shipping_rate");
        let rate = shop.at_stripe(&format!("shipping_rates/{id}")).await;
        let name = text(&rate, "display_name");
        rates.push(format!("{name} {}", option["shipping_amount"]));
    }
    let countries = session["shipping_address_collection"]["allowed_countries"].clone();
    (rates, countries)
}

fn amounts(sums: &Value) -> [i64; 5] {
    ["subtotal", "discount", "shipping", "tax", "total"]
        .map(|name| sums[name]["amount"].as_i64().unwrap())
}

#[tokio::test]
async fn what_is_shipped_goes_from_the_cart_to_the_receipt_with_its_address_and_its_rate() {
    let shop = shipping(COUNTRIES, RATES).await;
    let wanted = to("DE", &[(TEAPOT, 1), (MUG, 1)]);
    let checkout = Checkout::of(&shop.checkout(&wanted).await);
    let (rates, countries) = offered(&shop, &checkout).await;
    assert_eq!(rates, ["Standard 500", "Express 1400"]);
    assert_eq!(countries, json!(["DE"]));
    let session = shop.session(checkout.session()).await;
    assert_eq!(session["phone_number_collection"]["enabled"], true);
    let open = shop.purchase(&checkout.purchase).await;
    assert!(open.get("delivery").is_none() && open.get("sums").is_none());

    shop.pay_shipped(&checkout, "Express").await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["total"]["amount"], 5300, "the goods");
    assert_eq!(purchase["paid"]["amount"], 6700);
    assert_eq!(amounts(&purchase["sums"]), [5300, 0, 1400, 0, 6700]);
    let delivery = &purchase["delivery"];
    assert_eq!(delivery["name"], "Ada Byron");
    assert_eq!(delivery["phone"], "+49301234567");
    assert_eq!(delivery["address"]["postal_code"], "10115");
    assert_eq!(delivery["rate"], "Express");
    assert_eq!(purchase["lines"][1]["shipped"], true);
    assert!(purchase["lines"][0].get("shipped").is_none());
    assert!(purchase.get("attention").is_none(), "{purchase}");

    let mail = shop.mails(1).await.remove(0);
    let (words, html) = (text(&mail, "text"), text(&mail, "html"));
    for part in [
        "Subtotal                             53.00 USD\n\
         Shipping                             14.00 USD\n\
         Total                                67.00 USD\n",
        "Delivery (Express)\nAda Byron\nWeg 1\n10115 Berlin\nDE\n+49301234567\n",
    ] {
        assert!(words.contains(part), "{words}");
    }
    assert!(html.contains("10115 Berlin"), "{html}");
}

#[tokio::test]
async fn shipping_is_free_above_an_amount_and_what_was_chosen_is_still_known() {
    let shop = shipping(COUNTRIES, RATES).await;
    let wanted = to("DE", &[(TEAPOT, 2)]);
    let checkout = Checkout::of(&shop.checkout(&wanted).await);
    let (rates, _) = offered(&shop, &checkout).await;
    assert_eq!(rates, ["Standard 0", "Express 1400"]);
    shop.pay_shipped(&checkout, "Standard").await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(amounts(&purchase["sums"]), [7600, 0, 0, 0, 7600]);
    assert_eq!(purchase["delivery"]["rate"], "Standard");
}

#[tokio::test]
async fn the_country_is_asked_for_if_shipping_costs_depend_on_it() {
    let shop = shipping(COUNTRIES, RATES).await;
    let teapot = cart(&[(TEAPOT, 1)]);
    let asked = shop.checkout_as("key", &teapot).await;
    let problem = refused(&asked, 422, "country-needed");
    assert_eq!(problem["countries"], json!(["AT", "CH", "DE"]));
    let elsewhere = to("FR", &[(TEAPOT, 1)]);
    let there = shop.checkout_as("key", &elsewhere).await;
    refused(&there, 422, "not-delivered-there");
    assert_eq!(shop.sessions().await, 0, "Stripe was not asked");

    // A refusal leaves the key free for the answer.
    let abroad = to("CH", &[(TEAPOT, 1)]);
    let checkout = Checkout::of(&shop.checkout_as("key", &abroad).await);
    let (rates, countries) = offered(&shop, &checkout).await;
    assert_eq!(
        (rates, countries),
        (vec!["Abroad 1900".to_owned()], json!(["CH"]))
    );
    let again = Checkout::of(&shop.checkout_as("key", &abroad).await);
    assert_eq!(again, checkout);
    let other = shop.checkout_as("key", &to("AT", &[(TEAPOT, 1)])).await;
    refused(&other, 409, "idempotency-key-reused");
}

#[tokio::test]
async fn a_rate_for_all_countries_needs_no_question() {
    let shop = shipping(COUNTRIES, "Post: 5.00 USD").await;
    let checkout = shop.open_one(TEAPOT).await;
    let (rates, countries) = offered(&shop, &checkout).await;
    assert_eq!(rates, ["Post 500"]);
    assert_eq!(countries, json!(["AT", "CH", "DE"]));
}

#[tokio::test]
async fn a_cart_without_anything_shipped_asks_for_no_address() {
    let shop = shipping(COUNTRIES, RATES).await;
    let checkout = shop.open().await;
    let session = shop.session(checkout.session()).await;
    assert!(session["shipping_address_collection"].is_null());
    assert_eq!(session["phone_number_collection"]["enabled"], false);
    assert_eq!(session["shipping_options"], json!([]));
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert!(purchase.get("delivery").is_none(), "{purchase}");
    assert!(purchase.get("sums").is_none(), "{purchase}");
    assert_eq!(purchase["paid"]["amount"], 1500);
}

#[tokio::test]
async fn a_shop_that_cannot_deliver_something_sells_the_rest() {
    let shop = shipping("DE", "Post: 5.00 EUR").await;
    let answer = shop.checkout(&cart(&[(TEAPOT, 1)])).await;
    let problem = refused(&answer, 409, "not-deliverable");
    assert!(text(&problem, "detail").contains("USD"), "{problem}");
    shop.open().await;
}

#[tokio::test]
async fn what_recurs_is_shipped_for_its_price_and_nothing_else_shipped_comes_along() {
    let shop = shipping(COUNTRIES, RATES).await;
    shop.ship(COFFEE).await;
    let both = to("DE", &[(COFFEE, 1), (TEAPOT, 1)]);
    let answer = shop.checkout(&both).await;
    refused(&answer, 422, "shipped-beside-subscription");

    let checkout = Checkout::of(&shop.checkout(&cart(&[(COFFEE, 1), (MUG, 1)])).await);
    let (rates, countries) = offered(&shop, &checkout).await;
    assert!(rates.is_empty(), "{rates:?}");
    assert_eq!(countries, json!(["AT", "CH", "DE"]));
    shop.pay_shipped(&checkout, "").await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["delivery"]["name"], "Ada Byron");
    let welcome = shop.mails(1).await.remove(0);
    assert!(text(&welcome, "text").contains("10115 Berlin"), "{welcome}");
}

#[tokio::test]
async fn shipping_is_refunded_with_the_rest() {
    let shop = shipping("DE", "Post: 5.00 USD").await;
    let checkout = shop.open_one(TEAPOT).await;
    shop.pay_shipped(&checkout, "Post").await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    shop.refund(&checkout, Some(3800)).await;
    shop.until_status(&checkout.purchase, "partially_refunded")
        .await;
    shop.refund(&checkout, None).await;
    shop.until_status(&checkout.purchase, "refunded").await;
    assert_eq!(shop.money(&checkout.purchase).await, [4300, 4300, 0, 0]);
    assert!(shop.attention(&checkout.purchase).await.is_empty());
    let mails = shop.mails(3).await;
    let words = text(&mails[0], "text");
    assert!(
        words.contains("Shipping                              5.00 USD\n"),
        "{words}"
    );
    assert!(
        !words.contains("Weg 1"),
        "only a receipt says where: {words}"
    );
}

#[tokio::test]
async fn the_address_of_a_purchase_whose_event_never_came_is_found_by_looking() {
    let shop = shipping("DE", "Post: 5.00 USD").await;
    shop.hold_deliveries().await;
    let checkout = shop.open_one(TEAPOT).await;
    shop.pay_shipped(&checkout, "Post").await.expect(303);
    shop.reconcile().await;
    let purchase = shop.purchase(&checkout.purchase).await;
    assert_eq!(purchase["delivery"]["address"]["city"], "Berlin");
    assert_eq!(purchase["delivery"]["rate"], "Post");

    // The event says the same, so it is nothing new.
    let events = shop.events_of(checkout.session()).await;
    let completed = of_type(&events, "checkout.session.completed");
    shop.deliver(completed).await.expect(200);
    assert_eq!(shop.purchase(&checkout.purchase).await, purchase);
    shop.mails(1).await;
}
