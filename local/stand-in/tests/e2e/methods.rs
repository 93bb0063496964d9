//! Payment methods, tokens, and whom they belong to.

use serde_json::{Value, json};

use crate::bench::{Bench, Form, KEY, id, ids};

const METHODS: &str = "/v1/payment_methods";

async fn customer(bench: &Bench) -> String {
    id(&bench
        .post("/v1/customers", &vec![])
        .await
        .expect(200)
        .json())
}

fn card<'f>(number: &'f str, year: &'f str, cvc: &'f str) -> Form<'f> {
    vec![
        ("type", "card"),
        ("card[number]", number),
        ("card[exp_month]", "12"),
        ("card[exp_year]", year),
        ("card[cvc]", cvc),
    ]
}

async fn act(bench: &Bench, method: &str, what: &str, form: &Form<'_>) -> Value {
    let path = format!("{METHODS}/{method}/{what}");
    bench.post(&path, form).await.expect(200).json()
}

#[tokio::test]
async fn a_card_is_made_from_what_is_typed_and_never_shows_its_number() {
    let bench = Bench::start().await;
    let mut form = card("5555 5555 5555 4444", "34", "123");
    form.push(("billing_details[address][postal_code]", "94103"));
    let made = bench.post(METHODS, &form).await.expect(200);
    assert!(!made.text.contains("5555555555554444"));
    let method = made.json();
    assert_eq!(method["type"], "card");
    let shown = &method["card"];
    assert_eq!(
        (&shown["brand"], &shown["last4"], &shown["exp_year"]),
        (&json!("mastercard"), &json!("4444"), &json!(2034))
    );
    assert_eq!(shown["checks"]["cvc_check"], "unchecked");
    assert_eq!(shown["checks"]["address_postal_code_check"], "unchecked");
    assert_eq!(bench.fetch("payment_methods", &id(&method)).await, method);
    assert_eq!(bench.event_types().await, [""; 0], "it is nobody's yet");
}

#[tokio::test]
async fn what_no_card_could_be_is_refused_by_its_field() {
    let bench = Bench::start().await;
    for (form, code, param) in [
        (
            card("4242424242424241", "2040", "123"),
            "incorrect_number",
            "number",
        ),
        (
            card("4242424242424242", "2020", "123"),
            "invalid_expiry_year",
            "exp_year",
        ),
        (card("4242424242424242", "2040", "12"), "invalid_cvc", "cvc"),
    ] {
        let error = bench.post(METHODS, &form).await.expect(402).error();
        assert_eq!(error["type"], "card_error");
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!(code), &json!(param))
        );
    }
    let own = card("4111111111111111", "2040", "123");
    let error = bench.post(METHODS, &own).await.expect(402).error();
    assert_eq!(error["decline_code"], "test_mode_live_card");
    let other = vec![("type", "ideal")];
    let refused = bench.post(METHODS, &other).await.expect(400);
    assert!(refused.text.contains("ideal"), "{}", refused.text);
}

#[tokio::test]
async fn a_customer_keeps_a_payment_method_until_it_is_detached() {
    let bench = Bench::start().await;
    let (ann, ben) = (customer(&bench).await, customer(&bench).await);
    let so_far = bench.event_types().await.len();
    let kept = act(&bench, "pm_card_visa", "attach", &vec![("customer", &ann)]).await;
    assert_eq!(kept["customer"], ann);
    assert_eq!(kept["card"]["checks"]["cvc_check"], "pass");
    let method = id(&kept);
    let theirs = bench
        .get(&format!("/v1/customers/{ann}/payment_methods?type=card"))
        .await
        .expect(200)
        .json();
    assert_eq!(ids(&theirs), std::slice::from_ref(&method));
    let path = format!("/v1/customers/{ann}/payment_methods/{method}");
    assert_eq!(bench.get(&path).await.expect(200).json(), kept);
    let path = format!("/v1/customers/{ben}/payment_methods/{method}");
    bench.get(&path).await.expect(404);

    let path = format!("{METHODS}/{method}");
    let form = vec![("metadata[foo]", "bar"), ("billing_details[name]", "Ann")];
    let updated = bench.post(&path, &form).await.expect(200).json();
    assert_eq!(updated["billing_details"]["name"], "Ann");
    let again = format!("{path}/attach");
    bench
        .post(&again, &vec![("customer", &ben)])
        .await
        .expect(400);

    let gone = act(&bench, &method, "detach", &vec![]).await;
    assert_eq!(gone["customer"], json!(null));
    bench
        .post(&again, &vec![("customer", &ann)])
        .await
        .expect(400);
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "payment_method.attached",
            "payment_method.updated",
            "payment_method.detached"
        ]
    );
    let told = bench.latest("payment_method.detached").await;
    assert_eq!(told["data"]["previous_attributes"]["customer"], ann);
}

#[tokio::test]
async fn a_card_that_its_issuer_declines_cannot_be_kept() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let path = format!("{METHODS}/pm_card_chargeDeclined/attach");
    let refused = bench
        .post(&path, &vec![("customer", &ann)])
        .await
        .expect(402);
    assert_eq!(refused.error()["code"], "card_declined");
    // This one can, and is declined when it is charged.
    let fickle = act(
        &bench,
        "pm_card_chargeCustomerFail",
        "attach",
        &vec![("customer", &ann)],
    )
    .await;
    let method = id(&fickle);
    let form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("customer", ann.as_str()),
        ("payment_method", method.as_str()),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
    ];
    bench.post("/v1/payment_intents", &form).await.expect(402);
}

#[tokio::test]
async fn a_payment_method_of_nobodys_is_good_for_one_payment() {
    let bench = Bench::start().await;
    let made = bench
        .post(METHODS, &card("4242424242424242", "2040", "123"))
        .await;
    let method = id(&made.expect(200).json());
    let pay = async || {
        let form = vec![
            ("amount", "2000"),
            ("currency", "usd"),
            ("payment_method", method.as_str()),
            ("payment_method_types[]", "card"),
            ("confirm", "true"),
        ];
        bench.post("/v1/payment_intents", &form).await
    };
    pay().await.expect(200);
    let refused = pay().await.expect(400);
    assert!(refused.text.contains("It may not be used again"));
}

#[tokio::test]
async fn a_payment_can_leave_its_card_with_its_customer() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let so_far = bench.event_types().await.len();
    let form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("customer", ann.as_str()),
        ("payment_method", "pm_card_visa"),
        ("setup_future_usage", "off_session"),
        ("payment_method_types[]", "card"),
        ("confirm", "true"),
    ];
    let paid = bench
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .json();
    let kept = bench
        .get(&format!("/v1/customers/{ann}/payment_methods"))
        .await
        .json();
    assert_eq!(ids(&kept), [paid["payment_method"].as_str().unwrap()]);
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_method.attached",
            "payment_intent.succeeded",
            "charge.updated"
        ]
    );
}

#[tokio::test]
async fn a_token_is_a_card_for_one_use() {
    let bench = Bench::start().await;
    let form = vec![
        ("card[number]", "4242424242424242"),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2040"),
        ("card[cvc]", "123"),
    ];
    let token = bench.post("/v1/tokens", &form).await.expect(200).json();
    assert_eq!(token["card"]["brand"], "Visa");
    let token = id(&token);
    let form = vec![("type", "card"), ("card[token]", token.as_str())];
    let method = bench.post(METHODS, &form).await.expect(200).json();
    assert_eq!(method["card"]["last4"], "4242");
    let again = bench.post(METHODS, &form).await.expect(400);
    assert_eq!(again.error()["code"], "token_already_used");
    let named = vec![("type", "card"), ("card[token]", "tok_mastercard")];
    let method = bench.post(METHODS, &named).await.expect(200).json();
    assert_eq!(method["card"]["brand"], "mastercard");
}

#[tokio::test]
async fn a_customers_sources_are_listed_without_their_payment_methods() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    act(&bench, "pm_card_visa", "attach", &vec![("customer", &ann)]).await;
    let path = format!("/v1/customers/{ann}/sources");
    let mut kept = Vec::new();
    for token in ["tok_visa", "tok_mastercard"] {
        let source = bench.post(&path, &vec![("source", token)]).await;
        kept.insert(0, id(&source.expect(200).json()));
    }
    let list = bench.get(&path).await.expect(200).json();
    assert_eq!(ids(&list), kept);
    let page = format!("{path}?object=card&limit=1&starting_after={}", kept[0]);
    assert_eq!(ids(&bench.get(&page).await.expect(200).json()), kept[1..]);
    bench
        .get("/v1/customers/cus_nope/sources")
        .await
        .expect(404);
}

#[tokio::test]
async fn old_integrations_keep_sources_and_charge_them() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let so_far = bench.event_types().await.len();
    let path = format!("/v1/customers/{ann}/sources");
    let source = bench.post(&path, &vec![("source", "tok_visa")]).await;
    let source = source.expect(200).json();
    assert_eq!(
        (&source["object"], &source["customer"]),
        (&json!("card"), &json!(ann))
    );
    let path = format!("{path}/{}", id(&source));
    let form = vec![("metadata[foo]", "bar")];
    bench.post(&path, &form).await.expect(200);
    let form = vec![("amount", "1500"), ("currency", "usd"), ("customer", &ann)];
    let charge = bench.post("/v1/charges", &form).await.expect(200).json();
    assert_eq!(
        (
            &charge["paid"],
            &charge["payment_intent"],
            &charge["payment_method"]
        ),
        (&json!(true), &json!(null), &source["id"])
    );
    assert_eq!(
        bench.event_types_after(so_far).await,
        [
            "customer.source.created",
            "customer.updated",
            "customer.source.updated",
            "charge.succeeded"
        ]
    );
    let form = vec![
        ("amount", "1500"),
        ("currency", "usd"),
        ("source", "tok_chargeDeclined"),
    ];
    let declined = bench.post("/v1/charges", &form).await.expect(402).error();
    assert_eq!(declined["decline_code"], "generic_decline");
    let failed = declined["charge"].as_str().unwrap();
    assert_eq!(bench.fetch("charges", failed).await["status"], "failed");

    let form = vec![
        ("amount", "1500"),
        ("currency", "usd"),
        ("source", "tok_visa"),
        ("capture", "false"),
    ];
    let held = bench.post("/v1/charges", &form).await.expect(200).json();
    assert_eq!(held["captured"], false);
    let path = format!("/v1/charges/{}/capture", id(&held));
    let taken = bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(taken["captured"], true);
    assert_eq!(bench.event_types().await.last().unwrap(), "charge.captured");
}

#[tokio::test]
async fn a_customer_who_gives_a_source_up_is_charged_on_another() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let path = format!("/v1/customers/{ann}/sources");
    let keep = async |token: &str| {
        let kept = bench.post(&path, &vec![("source", token)]).await;
        id(&kept.expect(200).json())
    };
    let (visa, mastercard) = (keep("tok_visa").await, keep("tok_mastercard").await);
    let attach = "/v1/payment_methods/pm_card_amex/attach";
    let form = vec![("customer", ann.as_str())];
    bench.post(attach, &form).await.expect(200);
    let list = async |query: &str| {
        let list = bench.get(&format!("{path}{query}")).await.expect(200);
        ids(&list.json())
    };
    let both = [mastercard.clone(), visa.clone()];
    assert_eq!(list("").await, both, "a payment method is none");
    assert_eq!(list("?object=card").await, both);
    assert_eq!(list("?object=bank_account").await, [""; 0]);
    assert_eq!(list("?limit=1").await, both[..1]);
    let default = async || bench.fetch("customers", &ann).await["default_source"].clone();
    assert_eq!(default().await, json!(visa));
    for (gone, next) in [(&visa, json!(mastercard)), (&mastercard, json!(null))] {
        let request = bench.request("DELETE", &format!("{path}/{gone}"));
        let deleted = bench.send(request.bearer_auth(KEY)).await;
        assert_eq!(deleted.expect(200).json()["deleted"], true);
        assert_eq!(default().await, next);
        assert_eq!(
            bench.event_types().await.last().unwrap(),
            "customer.updated"
        );
    }
    let form = vec![("amount", "1500"), ("currency", "usd"), ("customer", &ann)];
    bench.post("/v1/charges", &form).await.expect(400);
}

#[tokio::test]
async fn a_publishable_key_confirms_what_it_knows_the_secret_of_and_does_nothing_else() {
    let bench = Bench::start().await;
    let key = "pk_test_local";
    let form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("metadata[cost]", "9"),
    ];
    let intent = bench
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .json();
    let path = format!("/v1/payment_intents/{}", id(&intent));
    let secret = intent["client_secret"].as_str().unwrap();

    let made = bench
        .post_as(key, METHODS, &card("4242424242424242", "2040", "123"))
        .await;
    let method = id(&made.expect(200).json());
    let seen = bench
        .get_as(key, &format!("{path}?client_secret={secret}"))
        .await
        .expect(200)
        .json();
    assert_eq!(seen["amount"], 2000);
    assert!(seen.get("metadata").is_none(), "that is the shop's own");
    bench.get_as(key, &path).await.expect(400);
    let wrong = format!("{path}?client_secret=pi_1_secret_2");
    bench.get_as(key, &wrong).await.expect(400);

    let form = vec![("client_secret", secret), ("payment_method", &method)];
    let confirm = format!("{path}/confirm");
    let paid = bench.post_as(key, &confirm, &form).await.expect(200).json();
    assert_eq!(paid["status"], "succeeded");
    for (verb, path) in [
        ("GET", "/v1/payment_intents"),
        ("POST", "/v1/payment_intents"),
        ("POST", "/v1/refunds"),
    ] {
        let request = bench.request(verb, path).bearer_auth(key);
        let refused = bench.send(request).await.expect(401);
        assert_eq!(refused.error()["code"], "secret_key_required");
    }
}

#[tokio::test]
async fn a_customer_can_bring_their_card_along() {
    let bench = Bench::start().await;
    let form = vec![
        ("source", "tok_visa"),
        ("payment_method", "pm_card_mastercard"),
    ];
    let ann = bench.post("/v1/customers", &form).await.expect(200).json();
    let list = format!("/v1/customers/{}/payment_methods", id(&ann));
    let kept = ids(&bench.get(&list).await.expect(200).json());
    assert_eq!(kept.len(), 2);
    assert_eq!(ann["default_source"], kept[0]);
    let declined = vec![("source", "tok_chargeDeclined")];
    bench.post("/v1/customers", &declined).await.expect(402);
}

#[tokio::test]
async fn a_publishable_key_sees_no_more_in_a_refusal_or_within_an_object() {
    let bench = Bench::start().await;
    let key = "pk_test_local";
    let ann = customer(&bench).await;
    let form = vec![
        ("amount", "2000"),
        ("currency", "usd"),
        ("customer", ann.as_str()),
        ("metadata[cost]", "9"),
    ];
    let intent = bench.post("/v1/payment_intents", &form).await;
    let intent = intent.expect(200).json();
    let path = format!("/v1/payment_intents/{}", id(&intent));
    let secret = intent["client_secret"].as_str().unwrap();
    let confirm = async |method: &str, status: u16| {
        let form = vec![("client_secret", secret), ("payment_method", method)];
        let answer = bench.post_as(key, &format!("{path}/confirm"), &form).await;
        answer.expect(status).json()
    };
    let is_for_buyers = |seen: &Value| {
        assert_eq!(id(seen), id(&intent));
        for own in ["metadata", "customer", "latest_charge"] {
            assert!(seen.get(own).is_none(), "{own} is the shop's own: {seen}");
        }
    };
    let declined = confirm("pm_card_chargeDeclined", 402).await;
    is_for_buyers(&declined["error"]["payment_intent"]);

    let kept = act(&bench, "pm_card_visa", "attach", &vec![("customer", &ann)]).await;
    is_for_buyers(&confirm(&id(&kept), 200).await);
    let again = confirm(&id(&kept), 400).await;
    is_for_buyers(&again["error"]["payment_intent"]);

    let expanded = format!("{path}?client_secret={secret}&expand[]=payment_method.customer");
    let seen = bench.get_as(key, &expanded).await.expect(200).json();
    assert_eq!(seen["payment_method"]["card"]["last4"], "4242");
    assert_eq!(seen["payment_method"]["customer"], json!(ann));
}

#[tokio::test]
async fn a_publishable_key_is_not_told_what_a_secret_key_was() {
    let bench = Bench::start().await;
    let request = |key: &str| {
        let request = bench.request("POST", "/v1/customers").bearer_auth(key);
        let request = request.header("Idempotency-Key", "signup-1");
        request.form(&[("email", "ann@mail.example")])
    };
    bench.send(request("sk_test_local")).await.expect(200);
    let refused = bench.send(request("pk_test_local")).await.expect(401);
    assert_eq!(refused.error()["code"], "secret_key_required");
}

#[tokio::test]
async fn a_deleted_customer_keeps_no_cards() {
    let bench = Bench::start().await;
    let ann = customer(&bench).await;
    let kept = act(&bench, "pm_card_visa", "attach", &vec![("customer", &ann)]).await;
    let form = vec![("amount", "2000"), ("currency", "usd"), ("customer", &ann)];
    let intent = bench.post("/v1/payment_intents", &form).await;
    let intent = id(&intent.expect(200).json());
    let delete = bench.request("DELETE", &format!("/v1/customers/{ann}"));
    bench
        .send(delete.bearer_auth("sk_test_local"))
        .await
        .expect(200);
    let gone = bench.fetch("payment_methods", &id(&kept)).await;
    assert_eq!(gone["customer"], json!(null));
    let confirm = format!("/v1/payment_intents/{intent}/confirm");
    let form = vec![("payment_method", kept["id"].as_str().unwrap())];
    bench.post(&confirm, &form).await.expect(400);
}

#[tokio::test]
async fn invoices_are_paid_by_default_with_what_the_customer_keeps() {
    let bench = Bench::start().await;
    let field = "invoice_settings[default_payment_method]";
    let form = vec![("payment_method", "pm_card_visa"), (field, "pm_card_visa")];
    let ann = bench.post("/v1/customers", &form).await.expect(200).json();
    let default = &ann["invoice_settings"]["default_payment_method"];
    let default = default.as_str().unwrap();
    let path = format!("/v1/customers/{}", id(&ann));
    let bob = customer(&bench).await;
    let bobs = act(&bench, "pm_card_visa", "attach", &vec![("customer", &bob)]).await;
    for other in ["pm_nope", bobs["id"].as_str().unwrap()] {
        let refused = bench.post(&path, &vec![(field, other)]).await.expect(400);
        assert_eq!(refused.error()["param"], field);
        assert_eq!(refused.error()["code"], "resource_missing");
    }
    bench.post(&path, &vec![(field, default)]).await.expect(200);
    act(&bench, default, "detach", &vec![]).await;
    let now = bench.get(&path).await.expect(200).json();
    assert_eq!(
        now["invoice_settings"]["default_payment_method"],
        json!(null)
    );
    bench.post(&path, &vec![("name", "Ann")]).await.expect(200);
}
