//! A buyer's permission to debit their bank account, and the deposits that show that it is theirs.

use serde_json::{Value, json};

use crate::bench::{Answer, Bench, Form, id};

const ONLINE: [(&str, &str); 3] = [
    ("mandate_data[customer_acceptance][type]", "online"),
    (
        "mandate_data[customer_acceptance][online][ip_address]",
        "127.0.0.1",
    ),
    (
        "mandate_data[customer_acceptance][online][user_agent]",
        "a browser",
    ),
];

fn debit<'a>(method: &'a str, kind: &'a str, currency: &'a str) -> Form<'a> {
    vec![
        ("amount", "1000"),
        ("currency", currency),
        ("payment_method", method),
        ("payment_method_types[]", kind),
        ("confirm", "true"),
    ]
}

async fn pay(bench: &Bench, form: Form<'_>, more: &[(&str, &str)]) -> Answer {
    let form = [form, more.to_vec()].concat();
    bench.post("/v1/payment_intents", &form).await
}

/// What a charge shows of the account that it debits.
async fn details(bench: &Bench, intent: &Value) -> Value {
    let charge = intent["latest_charge"].as_str().unwrap();
    let charge = bench.fetch("charges", charge).await;
    let details = &charge["payment_method_details"];
    details[details["type"].as_str().unwrap()].clone()
}

/// An account by its number, which nobody has verified.
async fn account(bench: &Bench, number: &str) -> String {
    let form = vec![
        ("type", "us_bank_account"),
        ("us_bank_account[account_number]", number),
        ("us_bank_account[routing_number]", "110000000"),
        ("us_bank_account[account_holder_type]", "individual"),
        ("billing_details[name]", "Ann"),
    ];
    let made = bench.post("/v1/payment_methods", &form).await;
    id(&made.expect(200).json())
}

#[tokio::test]
async fn each_debit_has_a_mandate() {
    for (method, kind, currency) in [
        ("pm_sepaDebit_success_de", "sepa_debit", "eur"),
        ("pm_usBankAccount_success", "us_bank_account", "usd"),
        ("pm_bacsDebit_success", "bacs_debit", "gbp"),
    ] {
        let bench = Bench::start().await;
        let paid = pay(&bench, debit(method, kind, currency), &ONLINE).await;
        let paid = paid.expect(200).json();
        let mandate = details(&bench, &paid).await["mandate"].clone();
        let mandate = bench.fetch("mandates", mandate.as_str().unwrap()).await;
        assert_eq!(
            (
                &mandate["object"],
                &mandate["status"],
                &mandate["type"],
                &mandate["payment_method"]
            ),
            (
                &json!("mandate"),
                &json!("active"),
                &json!("single_use"),
                &paid["payment_method"]
            ),
            "{kind}"
        );
        assert_eq!(
            mandate["single_use"],
            json!({ "amount": 1000, "currency": currency })
        );
        assert_eq!(
            mandate["customer_acceptance"]["online"],
            json!({ "ip_address": "127.0.0.1", "user_agent": "a browser" })
        );
        assert_eq!(mandate["payment_method_details"]["type"], kind);
    }
}

#[tokio::test]
async fn nobody_is_debited_who_has_not_agreed() {
    let bench = Bench::start().await;
    let form = || debit("pm_sepaDebit_success_de", "sepa_debit", "eur");
    let refused = pay(&bench, form(), &[]).await.expect(400);
    assert_eq!(
        (&refused.error()["code"], &refused.error()["param"]),
        (
            &json!("payment_intent_mandate_invalid"),
            &json!("mandate_data")
        )
    );
    let nowhere = [("mandate_data[customer_acceptance][type]", "online")];
    pay(&bench, form(), &nowhere).await.expect(400);
    assert_eq!(
        bench.get("/v1/payment_intents").await.json()["data"],
        json!([]),
        "and nothing is left behind"
    );
}

#[tokio::test]
async fn an_account_that_was_set_up_is_debited_under_the_same_mandate_again() {
    let bench = Bench::start().await;
    let customer = id(&bench.post("/v1/customers", &vec![]).await.json());
    let form = [
        vec![
            ("customer", customer.as_str()),
            ("payment_method", "pm_sepaDebit_success_de"),
            ("payment_method_types[]", "sepa_debit"),
            ("confirm", "true"),
        ],
        ONLINE.to_vec(),
    ]
    .concat();
    let setup = bench.post("/v1/setup_intents", &form).await;
    let setup = setup.expect(200).json();
    assert_eq!(setup["status"], "succeeded");
    let path = format!(
        "/v1/setup_intents/{}?expand[]=latest_attempt&expand[]=mandate",
        id(&setup)
    );
    let expanded = bench.get(&path).await.expect(200).json();
    assert_eq!(expanded["mandate"]["type"], "multi_use");
    assert_eq!(expanded["latest_attempt"]["status"], "succeeded");
    let method = setup["payment_method"].as_str().unwrap();
    let form = [
        debit(method, "sepa_debit", "eur"),
        vec![("customer", customer.as_str()), ("off_session", "true")],
    ]
    .concat();
    let paid = pay(&bench, form, &[]).await.expect(200).json();
    assert_eq!(details(&bench, &paid).await["mandate"], setup["mandate"]);
}

#[tokio::test]
async fn a_mandate_ends_when_its_owner_calls_a_debit_unauthorized_and_not_when_money_lacks() {
    for (method, status) in [
        ("pm_usBankAccount_debitNotAuthorized", "inactive"),
        ("pm_usBankAccount_insufficientFunds", "active"),
    ] {
        let bench = Bench::start().await;
        let form = debit(method, "us_bank_account", "usd");
        let intent = pay(&bench, form, &ONLINE).await.expect(200).json();
        let mandate = details(&bench, &intent).await["mandate"].clone();
        let mandate = bench.fetch("mandates", mandate.as_str().unwrap()).await;
        assert_eq!(mandate["status"], status, "{method}");
        let told = bench.latest("mandate.updated").await;
        match status {
            "inactive" => assert_eq!(
                told["data"]["previous_attributes"],
                json!({ "status": "active" })
            ),
            _ => assert!(told.is_null(), "{told}"),
        }
    }
}

#[tokio::test]
async fn a_bank_that_refuses_a_mandate_is_told_of() {
    let bench = Bench::start().await;
    let form = debit("pm_bacsDebit_mandateRefused", "bacs_debit", "gbp");
    pay(&bench, form, &ONLINE).await.expect(402);
    let told = bench.latest("mandate.updated").await;
    let mandate = &told["data"]["object"];
    assert_eq!(
        (
            &mandate["status"],
            &mandate["payment_method_details"]["bacs_debit"]["network_status"]
        ),
        (&json!("inactive"), &json!("refused"))
    );
}

#[tokio::test]
async fn an_account_that_nobody_has_verified_waits_for_microdeposits() {
    for told in [
        vec![("amounts[]", "32"), ("amounts[]", "45")],
        vec![("descriptor_code", "SM11AA")],
    ] {
        let bench = Bench::start().await;
        let method = account(&bench, "000123456789").await;
        let form = debit(&method, "us_bank_account", "usd");
        let intent = pay(&bench, form, &ONLINE).await.expect(200).json();
        assert_eq!(intent["status"], "requires_action");
        let action = &intent["next_action"];
        assert_eq!(action["type"], "verify_with_microdeposits");
        assert_eq!(
            action["verify_with_microdeposits"]["microdeposit_type"],
            "descriptor_code"
        );
        let path = format!("/v1/payment_intents/{}/verify_microdeposits", id(&intent));
        let verified = bench.post(&path, &told).await.expect(200).json();
        assert_eq!(verified["status"], "processing");
        let paid = bench.fetch("payment_intents", &id(&intent)).await;
        assert_eq!(paid["status"], "succeeded");
        let late = bench.post(&path, &told).await.expect(400);
        assert_eq!(late.error()["code"], "payment_intent_unexpected_state");
    }
}

#[tokio::test]
async fn an_account_is_verified_once_and_again_only_if_the_shop_asks() {
    let bench = Bench::start().await;
    let customer = id(&bench.post("/v1/customers", &vec![]).await.json());
    let method = account(&bench, "000123456789").await;
    let form = [
        vec![
            ("customer", customer.as_str()),
            ("payment_method", method.as_str()),
            ("payment_method_types[]", "us_bank_account"),
            ("confirm", "true"),
        ],
        ONLINE.to_vec(),
    ]
    .concat();
    let setup = bench.post("/v1/setup_intents", &form).await;
    let setup = setup.expect(200).json();
    assert_eq!(setup["status"], "requires_action");
    let path = format!("/v1/setup_intents/{}/verify_microdeposits", id(&setup));
    let right = vec![("descriptor_code", "SM11AA")];
    let setup = bench.post(&path, &right).await.expect(200).json();
    assert_eq!(setup["status"], "succeeded");
    let theirs = [("customer", customer.as_str())];
    let form = || debit(&method, "us_bank_account", "usd");
    let paid = pay(&bench, form(), &theirs).await.expect(200).json();
    assert_eq!(paid["status"], "processing");
    let asks = [
        theirs[0],
        (
            "payment_method_options[us_bank_account][verification_method]",
            "microdeposits",
        ),
    ];
    let asked = pay(&bench, form(), &asks).await.expect(200).json();
    assert_eq!(asked["status"], "requires_action");
}

#[tokio::test]
async fn what_was_not_deposited_verifies_nothing() {
    let bench = Bench::start().await;
    let waiting = async || {
        let method = account(&bench, "000123456789").await;
        let form = debit(&method, "us_bank_account", "usd");
        id(&pay(&bench, form, &ONLINE).await.expect(200).json())
    };
    let tell = async |intent: &str, told: &[(&str, &str)]| {
        let path = format!("/v1/payment_intents/{intent}/verify_microdeposits");
        bench.post(&path, &told.to_vec()).await
    };
    let code = "payment_method_microdeposit_verification";
    let intent = waiting().await;
    for (told, ending) in [
        (vec![("amounts[]", "1")], "amounts_invalid"),
        (
            vec![("amounts[]", "1"), ("amounts[]", "2")],
            "amounts_mismatch",
        ),
        (
            vec![("descriptor_code", "SM99ZZ")],
            "descriptor_code_mismatch",
        ),
        (
            vec![("amounts[]", "1"), ("amounts[]", "2")],
            "attempts_exceeded",
        ),
    ] {
        let refused = tell(&intent, &told).await.expect(400);
        assert_eq!(refused.error()["code"], format!("{code}_{ending}"));
    }
    tell(&intent, &[]).await.expect(400);
    for (told, ending) in [
        (
            vec![("amounts[]", "10"), ("amounts[]", "11")],
            "attempts_exceeded",
        ),
        (vec![("descriptor_code", "SM33CC")], "attempts_exceeded"),
        (vec![("descriptor_code", "SM44DD")], "timeout"),
    ] {
        let intent = waiting().await;
        let refused = tell(&intent, &told).await.expect(400);
        assert_eq!(refused.error()["code"], format!("{code}_{ending}"));
        let over = bench.fetch("payment_intents", &intent).await;
        assert_eq!(over["status"], "requires_payment_method");
        assert_eq!(
            over["last_payment_error"]["code"],
            format!("{code}_{ending}")
        );
        assert_eq!(
            bench.event_types().await.last().unwrap(),
            "payment_intent.payment_failed"
        );
    }
}

#[tokio::test]
async fn an_account_that_is_not_verified_in_ten_days_is_given_up() {
    let bench = Bench::start().await;
    let method = account(&bench, "000123456789").await;
    let form = debit(&method, "us_bank_account", "usd");
    let intent = pay(&bench, form, &ONLINE).await.expect(200).json();
    let of_setup = [
        vec![
            ("payment_method", method.as_str()),
            ("payment_method_types[]", "us_bank_account"),
            ("confirm", "true"),
        ],
        ONLINE.to_vec(),
    ]
    .concat();
    let setup = bench.post("/v1/setup_intents", &of_setup).await;
    let setup = id(&setup.expect(200).json());
    bench.advance(10 * 86_400).await;
    let over = bench.fetch("payment_intents", &id(&intent)).await;
    let code = "payment_method_microdeposit_verification_timeout";
    assert_eq!(over["last_payment_error"]["code"], code);
    let over = bench.fetch("setup_intents", &setup).await;
    assert_eq!(
        (&over["status"], &over["last_setup_error"]["code"]),
        (&json!("requires_payment_method"), &json!(code))
    );
}

#[tokio::test]
async fn deposits_that_do_not_arrive_end_a_payment() {
    let bench = Bench::start().await;
    let form = debit(
        "pm_usBankAccount_failMicrodeposits",
        "us_bank_account",
        "usd",
    );
    let intent = pay(&bench, form, &ONLINE).await.expect(200).json();
    assert_eq!(intent["status"], "requires_action");
    let over = bench.fetch("payment_intents", &id(&intent)).await;
    assert_eq!(
        over["last_payment_error"]["code"],
        "payment_method_microdeposit_failed"
    );
}

#[tokio::test]
async fn an_accounts_owner_verifies_it_on_a_page_and_reads_the_mandate() {
    let bench = Bench::start().await;
    let method = account(&bench, "000123456789").await;
    let form = debit(&method, "us_bank_account", "usd");
    let intent = pay(&bench, form, &ONLINE).await.expect(200).json();
    let action = &intent["next_action"]["verify_with_microdeposits"];
    let page = action["hosted_verification_url"].as_str().unwrap();
    let path = page.strip_prefix(&bench.url).unwrap();
    let open = async || bench.send(bench.request("GET", path)).await;
    let tell = async |code: &str| {
        let form = [("descriptor_code", code)];
        bench.send(bench.request("POST", path).form(&form)).await
    };
    assert!(open().await.expect(200).text.contains("SM11AA"));
    tell("SM00ZZ").await.expect(422);
    tell(" sm11aa").await.expect(200);
    open().await.expect(404);
    let paid = bench.fetch("payment_intents", &id(&intent)).await;
    assert_eq!(paid["status"], "succeeded");
    let mandate = details(&bench, &paid).await["mandate"].clone();
    let path = format!("/mandates/{}", mandate.as_str().unwrap());
    let page = bench.send(bench.request("GET", &path)).await.expect(200);
    assert!(page.text.contains("$10.00"), "{}", page.text);
}
