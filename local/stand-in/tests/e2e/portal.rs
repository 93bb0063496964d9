//! The billing portal: its configurations and sessions, and what customers do on its pages.

use serde_json::{Value, json};

use crate::bench::{Answer, Bench, Form, id};
use crate::subscriptions::{Club, price};

const CONFIGURATIONS: &str = "/v1/billing_portal/configurations";
const SESSIONS: &str = "/v1/billing_portal/sessions";

/// Everything on but changing plans, which needs prices.
fn everything() -> Form<'static> {
    vec![
        ("features[customer_update][enabled]", "true"),
        ("features[customer_update][allowed_updates][0]", "email"),
        ("features[customer_update][allowed_updates][1]", "address"),
        ("features[invoice_history][enabled]", "true"),
        ("features[payment_method_update][enabled]", "true"),
        ("features[subscription_cancel][enabled]", "true"),
        (
            "features[subscription_cancel][cancellation_reason][enabled]",
            "true",
        ),
        (
            "features[subscription_cancel][cancellation_reason][options][0]",
            "too_expensive",
        ),
        (
            "features[subscription_cancel][cancellation_reason][options][1]",
            "unused",
        ),
    ]
}

/// A customer with a plan, who is in the portal.
struct Visitor {
    club: Club,
    subscription: Value,
    session: Value,
}

impl Visitor {
    async fn with(more: Form<'_>) -> Self {
        let club = Club::open().await;
        let subscription = club.subscribe(vec![]).await;
        let form = [everything(), more].concat();
        club.bench.post(CONFIGURATIONS, &form).await.expect(200);
        let session = open(&club, vec![]).await;
        Self {
            club,
            subscription,
            session,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/portal/{}{rest}", id(&self.session))
    }

    async fn look(&self, rest: &str) -> Answer {
        self.club.bench.get(&self.path(rest)).await
    }

    async fn submit(&self, rest: &str, form: Form<'_>) -> Answer {
        let request = self.club.bench.request("POST", &self.path(rest));
        self.club.bench.send(request.form(&form)).await
    }

    fn plan(&self, what: &str) -> String {
        format!("/subscriptions/{}/{what}", id(&self.subscription))
    }
}

async fn open(club: &Club, more: Form<'_>) -> Value {
    let own = vec![
        ("customer", &*club.customer),
        ("return_url", "https://shop.example/account"),
    ];
    let session = club.bench.post(SESSIONS, &[own, more].concat()).await;
    session.expect(200).json()
}

#[tokio::test]
async fn a_session_needs_a_configuration() {
    let club = Club::open().await;
    let form = vec![("customer", &*club.customer)];
    let error = club.bench.post(SESSIONS, &form).await.expect(400).error();
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("No configuration provided and your test mode default"),
        "{message}"
    );
    let made = club
        .bench
        .post(CONFIGURATIONS, &everything())
        .await
        .expect(200)
        .json();
    assert_eq!(made["is_default"], true);
    let session = open(&club, vec![]).await;
    assert_eq!(session["configuration"], made["id"]);
    assert_eq!(session["customer"], *club.customer);
    let created = club.bench.latest("billing_portal.session.created").await;
    assert_eq!(created["data"]["object"], session);
}

#[tokio::test]
async fn a_configuration_is_refused_what_it_could_not_do() {
    let bench = Bench::start().await;
    let price = price(&bench, "1000", vec![]).await;
    let product = bench.fetch("prices", &price).await["product"]
        .as_str()
        .unwrap()
        .to_owned();
    let (other, update) = ("prod_no", "features[subscription_update]");
    let enabled = format!("{update}[enabled]");
    let allowed = format!("{update}[default_allowed_updates][0]");
    let of = format!("{update}[products][0][product]");
    let offered = format!("{update}[products][0][prices][0]");
    for (form, param) in [
        (
            vec![
                ("login_page[enabled]", "true"),
                ("features[invoice_history][enabled]", "true"),
            ],
            "login_page[enabled]",
        ),
        (
            vec![(&*enabled, "true")],
            "features[subscription_update][default_allowed_updates]",
        ),
        (
            vec![(&*enabled, "true"), (&*allowed, "price")],
            "features[subscription_update][products]",
        ),
        (
            vec![
                (&*enabled, "true"),
                (&*allowed, "price"),
                (&*of, other),
                (&*offered, &*price),
            ],
            &*of,
        ),
        (
            vec![
                (&*enabled, "true"),
                (&*allowed, "price"),
                (&*of, &*product),
                (&*offered, "price_no"),
            ],
            &*offered,
        ),
    ] {
        let error = bench.post(CONFIGURATIONS, &form).await.expect(400).error();
        assert_eq!(error["param"], param, "{error}");
    }
    assert_eq!(
        bench.get(CONFIGURATIONS).await.expect(200).json()["data"],
        json!([])
    );
}

#[tokio::test]
async fn the_portal_shows_a_customer_their_own_and_nobody_elses() {
    let visitor = Visitor::with(vec![]).await;
    let page = visitor.look("").await.expect(200).text;
    for shown in [
        "Coffee",
        "$10.00 per month",
        "Visa •••• 4242",
        "Mugs on this machine",
        "Paid",
        "https://shop.example/account",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let invoice = visitor.club.invoice(&visitor.subscription).await;
    assert!(page.contains(invoice["hosted_invoice_url"].as_str().unwrap()));

    let bench = &visitor.club.bench;
    let form = vec![
        ("payment_method", "pm_card_mastercard"),
        ("name", "Somebody else"),
    ];
    let other = id(&bench.post("/v1/customers", &form).await.expect(200).json());
    let form = vec![("customer", &*other)];
    let session = bench.post(SESSIONS, &form).await.expect(200).json();
    let theirs = bench
        .get(&format!("/portal/{}", id(&session)))
        .await
        .expect(200)
        .text;
    assert!(
        !theirs.contains("Coffee") && theirs.contains("MasterCard"),
        "{theirs}"
    );
    let path = format!("/portal/{}{}", id(&session), visitor.plan("cancel"));
    bench.get(&path).await.expect(404);
    bench
        .send(bench.request("POST", &path).form(&form))
        .await
        .expect(404);
    assert_eq!(
        visitor.club.show(&visitor.subscription).await["cancel_at_period_end"],
        false
    );
    let methods = bench
        .get(&format!(
            "/v1/customers/{}/payment_methods",
            visitor.club.customer
        ))
        .await;
    let method = id(&methods.expect(200).json()["data"][0]);
    let path = format!("/portal/{}/payment_methods/{method}/remove", id(&session));
    bench.send(bench.request("POST", &path)).await.expect(404);
}

#[tokio::test]
async fn a_customer_cancels_with_the_period_and_changes_their_mind() {
    let visitor = Visitor::with(vec![]).await;
    let asked = visitor.look(&visitor.plan("cancel")).await.expect(200).text;
    assert!(
        asked.contains("too expensive") && asked.contains("February 28, 2026"),
        "{asked}"
    );
    let form = vec![("feedback", "too_expensive"), ("comment", "Bye")];
    visitor
        .submit(&visitor.plan("cancel"), form)
        .await
        .expect(303);
    let canceled = visitor.club.show(&visitor.subscription).await;
    assert_eq!(canceled["cancel_at_period_end"], true);
    assert_eq!(
        canceled["cancellation_details"]["feedback"],
        "too_expensive"
    );
    assert_eq!(canceled["cancellation_details"]["comment"], "Bye");
    let event = visitor
        .club
        .bench
        .latest("customer.subscription.updated")
        .await;
    assert_eq!(event["data"]["object"], canceled);
    assert!(visitor.look("").await.text.contains("Don't cancel plan"));
    visitor
        .submit(&visitor.plan("renew"), vec![])
        .await
        .expect(303);
    assert_eq!(
        visitor.club.show(&visitor.subscription).await["cancel_at_period_end"],
        false
    );
}

#[tokio::test]
async fn a_customer_cancels_at_once_where_the_shop_wants_that() {
    let visitor = Visitor::with(vec![("features[subscription_cancel][mode]", "immediately")]).await;
    visitor
        .submit(&visitor.plan("cancel"), vec![])
        .await
        .expect(303);
    assert_eq!(
        visitor.club.show(&visitor.subscription).await["status"],
        "canceled"
    );
    let deleted = visitor
        .club
        .bench
        .latest("customer.subscription.deleted")
        .await;
    assert_eq!(deleted["data"]["object"]["id"], visitor.subscription["id"]);
    assert!(
        visitor
            .look("")
            .await
            .text
            .contains("You have no plan at the moment.")
    );
    visitor
        .submit(&visitor.plan("cancel"), vec![])
        .await
        .expect(404);
}

#[tokio::test]
async fn a_customer_changes_to_another_plan_on_offer() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let dear = price(&club.bench, "3000", vec![]).await;
    let product = club.bench.fetch("prices", &dear).await["product"]
        .as_str()
        .unwrap()
        .to_owned();
    let update = vec![
        ("features[subscription_update][enabled]", "true"),
        (
            "features[subscription_update][default_allowed_updates][0]",
            "price",
        ),
        (
            "features[subscription_update][products][0][product]",
            &*product,
        ),
        (
            "features[subscription_update][products][0][prices][0]",
            &*dear,
        ),
        (
            "features[subscription_update][proration_behavior]",
            "always_invoice",
        ),
    ];
    let form = [everything(), update].concat();
    club.bench.post(CONFIGURATIONS, &form).await.expect(200);
    let session = open(&club, vec![]).await;
    let visitor = Visitor {
        club,
        subscription,
        session,
    };
    let page = visitor.look(&visitor.plan("update")).await.expect(200).text;
    assert!(
        page.contains("$30.00 per month") && !page.contains("Quantity"),
        "{page}"
    );
    let stranger = price(&visitor.club.bench, "1", vec![]).await;
    let form = vec![("price", &*stranger)];
    visitor
        .submit(&visitor.plan("update"), form)
        .await
        .expect(422);
    // What cannot be paid changes nothing.
    visitor.club.pay_with("pm_card_chargeCustomerFail").await;
    let form = vec![("price", &*dear)];
    let refused = visitor.submit(&visitor.plan("update"), form).await;
    assert!(refused.expect(422).text.contains("declined"));
    let same = visitor.club.show(&visitor.subscription).await;
    assert_eq!(same["items"]["data"][0]["price"]["id"], *visitor.club.price);
    visitor.club.pay_with("pm_card_visa").await;
    visitor
        .submit(&visitor.plan("update"), vec![("price", &*dear)])
        .await
        .expect(303);
    let now = visitor.club.show(&visitor.subscription).await;
    assert_eq!(now["items"]["data"][0]["price"]["id"], *dear);
    let invoice = visitor.club.invoice(&visitor.subscription).await;
    assert_eq!(
        (&invoice["status"], &invoice["amount_paid"]),
        (&json!("paid"), &json!(2_000))
    );
}

#[tokio::test]
async fn a_customer_looks_after_their_payment_methods() {
    let visitor = Visitor::with(vec![]).await;
    let card =
        |number: &'static str| vec![("card_number", number), ("exp", "12 / 40"), ("cvc", "123")];
    let path = "/payment_methods";
    let refused = visitor
        .submit(path, card("4000000000000002"))
        .await
        .expect(422)
        .text;
    assert!(refused.contains("Your card was declined."), "{refused}");
    visitor.submit(path, card("1")).await.expect(422);
    visitor
        .submit(path, card("5555555555554444"))
        .await
        .expect(303);
    let customer = visitor
        .club
        .bench
        .fetch("customers", &visitor.club.customer)
        .await;
    let default = customer["invoice_settings"]["default_payment_method"]
        .as_str()
        .unwrap()
        .to_owned();
    let method = visitor.club.bench.fetch("payment_methods", &default).await;
    assert_eq!(method["card"]["last4"], "4444");
    for event in [
        "setup_intent.succeeded",
        "payment_method.attached",
        "customer.updated",
    ] {
        let told = visitor.club.bench.latest(event).await;
        assert_eq!(told["type"], event);
    }
    let kept = format!("/payment_methods/{default}");
    visitor
        .submit(&format!("{kept}/remove"), vec![])
        .await
        .expect(409);
    let path = format!("/v1/customers/{}/payment_methods", visitor.club.customer);
    let list = visitor.club.bench.get(&path).await.expect(200).json();
    let others = list["data"].as_array().unwrap().iter().map(id);
    let other = others.into_iter().find(|it| *it != default).unwrap();
    visitor
        .submit(&format!("/payment_methods/{other}/default"), vec![])
        .await
        .expect(303);
    visitor
        .submit(&format!("{kept}/remove"), vec![])
        .await
        .expect(303);
    let gone = visitor.club.bench.fetch("payment_methods", &default).await;
    assert_eq!(gone["customer"], Value::Null);
    let challenged = visitor
        .submit("/payment_methods", card("4000000000003220"))
        .await
        .expect(303);
    assert!(
        challenged
            .header("location")
            .unwrap()
            .contains("/3ds/seti_")
    );
}

#[tokio::test]
async fn the_card_that_a_plan_of_its_own_is_paid_with_cannot_be_removed() {
    let visitor = Visitor::with(vec![]).await;
    let bench = &visitor.club.bench;
    let whose = vec![("customer", &*visitor.club.customer)];
    let attach = "/v1/payment_methods/pm_card_mastercard/attach";
    let own = id(&bench.post(attach, &whose).await.expect(200).json());
    let plan = format!("/v1/subscriptions/{}", id(&visitor.subscription));
    let paid_with = vec![("default_payment_method", &*own)];
    bench.post(&plan, &paid_with).await.expect(200);
    let remove = format!("/payment_methods/{own}/remove");
    assert!(!visitor.look("").await.expect(200).text.contains(&remove));
    visitor.submit(&remove, vec![]).await.expect(409);
    let kept = bench.fetch("payment_methods", &own).await;
    assert_eq!(kept["customer"], *visitor.club.customer);
}

#[tokio::test]
async fn a_customer_changes_what_the_shop_lets_them_change_of_themselves() {
    let visitor = Visitor::with(vec![]).await;
    let form = vec![
        ("email", "ada@mail.example"),
        ("address_line1", "1 High Street"),
        ("address_country", "GB"),
        ("name", "Not asked for"),
    ];
    visitor.submit("/details", form).await.expect(303);
    let customer = visitor
        .club
        .bench
        .fetch("customers", &visitor.club.customer)
        .await;
    assert_eq!(customer["email"], "ada@mail.example");
    assert_eq!(customer["address"]["line1"], "1 High Street");
    assert_ne!(customer["name"], "Not asked for");
    let page = visitor.look("").await.text;
    assert!(page.contains("United Kingdom"), "{page}");
    let form = vec![("email", "nobody")];
    visitor.submit("/details", form).await.expect(422);
}

#[tokio::test]
async fn what_is_off_cannot_be_done() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let form = vec![("features[invoice_history][enabled]", "true")];
    club.bench.post(CONFIGURATIONS, &form).await.expect(200);
    let session = open(&club, vec![]).await;
    let visitor = Visitor {
        club,
        subscription,
        session,
    };
    let page = visitor.look("").await.expect(200).text;
    for hidden in [
        "Cancel plan",
        "Update plan",
        "Add payment method",
        "Update details",
    ] {
        assert!(!page.contains(hidden), "{hidden}: {page}");
    }
    for path in [
        visitor.plan("cancel"),
        visitor.plan("update"),
        visitor.plan("renew"),
        "/payment_methods".to_owned(),
        "/details".to_owned(),
    ] {
        visitor.submit(&path, vec![]).await.expect(404);
    }
}

#[tokio::test]
async fn a_session_is_over_five_minutes_after_it_was_made_or_an_hour_after_the_last_visit() {
    let visitor = Visitor::with(vec![]).await;
    let bench = &visitor.club.bench;
    visitor.look("").await.expect(200);
    bench.advance(50 * 60).await;
    visitor.look("").await.expect(200);
    bench.advance(50 * 60).await;
    visitor.look("").await.expect(200);
    bench.advance(61 * 60).await;
    let over = visitor.look("").await.expect(410).text;
    assert!(over.contains("This page has expired"), "{over}");
    visitor
        .submit(&visitor.plan("cancel"), vec![])
        .await
        .expect(410);
    let unseen = open(&visitor.club, vec![]).await;
    bench.advance(6 * 60).await;
    bench
        .get(&format!("/portal/{}", id(&unseen)))
        .await
        .expect(410);
    bench.get("/portal/bps_no").await.expect(404);
}

#[tokio::test]
async fn a_flow_leads_to_one_thing_and_then_where_the_shop_wants() {
    let visitor = Visitor::with(vec![]).await;
    let subscription = id(&visitor.subscription);
    let flow = vec![
        ("flow_data[type]", "subscription_cancel"),
        (
            "flow_data[subscription_cancel][subscription]",
            &*subscription,
        ),
        ("flow_data[after_completion][type]", "redirect"),
        (
            "flow_data[after_completion][redirect][return_url]",
            "https://shop.example/gone",
        ),
    ];
    let session = open(&visitor.club, flow).await;
    assert_eq!(
        session["flow"]["subscription_cancel"]["subscription"],
        *subscription
    );
    let bench = &visitor.club.bench;
    let home = format!("/portal/{}", id(&session));
    let led = bench.get(&home).await.expect(303);
    let place = format!("{home}/subscriptions/{subscription}/cancel");
    assert_eq!(led.header("location").unwrap(), place);
    let done = bench
        .send(
            bench
                .request("POST", &place)
                .form(&vec![("feedback", "unused")]),
        )
        .await;
    assert_eq!(
        done.expect(303).header("location").unwrap(),
        "https://shop.example/gone"
    );
    bench.get(&home).await.expect(200);
    let form = vec![
        ("customer", &*visitor.club.customer),
        ("flow_data[type]", "subscription_update"),
        (
            "flow_data[subscription_update][subscription]",
            &*subscription,
        ),
    ];
    let off = bench.post(SESSIONS, &form).await.expect(400).error();
    assert_eq!(off["param"], "flow_data[type]");
}
