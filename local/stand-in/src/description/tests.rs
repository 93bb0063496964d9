use serde_json::{Map, Value, json};

use super::*;

mod properties;

fn params(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(params) => params,
        other => panic!("{other} is not an object"),
    }
}

fn problems(method: &str, path: &str, value: Value) -> Vec<Problem> {
    let found = Description::newest().operation(method, path).unwrap();
    check(&found.operation, &params(value))
}

fn template(method: &str, path: &str) -> Option<&'static str> {
    let found = Description::newest().operation(method, path)?;
    Some(found.operation.template)
}

/// What the script said of each version when it wrote it down.
#[test]
fn each_version_has_as_much_as_the_sdks_know() {
    let sizes: Vec<_> = Description::all()
        .map(|api| {
            let undocumented = super::UNDOCUMENTED.matches("/v1/").count();
            let operations = api.operations().count().saturating_sub(undocumented);
            (
                api.version(),
                operations,
                api.objects().len(),
                api.events().len(),
            )
        })
        .collect();
    assert_eq!(
        sizes,
        [
            ("2026-10-28.endive", 559, 153, 275),
            ("2026-08-26.dahlia", 541, 149, 265),
            ("2026-02-25.clover", 534, 147, 260),
            ("2025-08-27.basil", 518, 137, 249),
            ("2025-02-24.acacia", 513, 138, 239),
        ]
    );
}

#[test]
fn every_line_of_every_version_reads() {
    for api in Description::all() {
        for (what, name) in api.blocks.heads() {
            let block = api.blocks.get(what, name).unwrap();
            if what != "enum" {
                let read = Fields::new(&api.blocks, block.body).iter().count();
                assert_eq!(read, block.body.lines().count(), "{what} {name}");
            }
            if !block.says.is_empty() {
                assert!(
                    Shape::read(&api.blocks, block.says).is_some(),
                    "{what} {name}"
                );
            }
        }
        for event in api.events() {
            assert!(api.event(event).is_some(), "{event}");
        }
    }
}

#[test]
fn a_path_leads_to_its_operation() {
    for (method, path, expected) in [
        ("POST", "/v1/customers", Some("/v1/customers")),
        ("GET", "/v1/customers", Some("/v1/customers")),
        ("GET", "/v1/customers/search", Some("/v1/customers/search")),
        (
            "GET",
            "/v1/customers/cus_1",
            Some("/v1/customers/{customer}"),
        ),
        (
            "POST",
            "/v1/customers/cus_1",
            Some("/v1/customers/{customer}"),
        ),
        (
            "DELETE",
            "/v1/customers/cus_1",
            Some("/v1/customers/{customer}"),
        ),
        ("PUT", "/v1/customers/cus_1", None),
        ("GET", "/v1/customers/", None),
        ("GET", "/v1/customers/cus_1/nothing", None),
        (
            "GET",
            "/v1/invoices/create_preview",
            Some("/v1/invoices/{invoice}"),
        ),
        (
            "POST",
            "/v1/invoices/create_preview",
            Some("/v1/invoices/create_preview"),
        ),
    ] {
        assert_eq!(template(method, path), expected, "{method} {path}");
    }
    let found = Description::newest()
        .operation("GET", "/v1/accounts/acct_1/persons/person_1")
        .unwrap();
    assert_eq!(found.path, [("account", "acct_1"), ("person", "person_1")]);
}

#[test]
fn an_operation_says_what_it_returns() {
    let returns = |method, path| {
        Description::newest()
            .operation(method, path)
            .unwrap()
            .operation
            .returns
    };
    let customer = Shape::Kind("customer");
    assert_eq!(returns("POST", "/v1/customers"), customer);
    assert_eq!(
        returns("GET", "/v1/customers"),
        Shape::List(Box::new(customer.clone()))
    );
    assert_eq!(
        returns("GET", "/v1/customers/search"),
        Shape::Search(Box::new(customer.clone()))
    );
    assert_eq!(
        returns("DELETE", "/v1/customers/cus_1"),
        Shape::Deleted("customer")
    );
    assert_eq!(
        returns("GET", "/v1/customers/cus_1"),
        Shape::AnyOf(vec![customer, Shape::Deleted("customer")])
    );
    assert_eq!(
        returns("DELETE", "/v1/subscriptions/sub_1"),
        Shape::Kind("subscription")
    );
}

#[test]
fn a_field_knows_whether_it_may_be_absent_null_or_expanded() {
    let api = Description::newest();
    let field = |kind, name| api.object(kind).unwrap().get(name).unwrap();
    let transaction = field("charge", "balance_transaction");
    assert_eq!((transaction.optional, transaction.nullable), (false, true));
    assert_eq!(transaction.shape, Shape::Id(vec!["balance_transaction"]));
    let amount = field("refund", "amount");
    assert_eq!(
        (amount.optional, amount.nullable, amount.shape),
        (false, false, Shape::Integer)
    );
    let reason = field("refund", "failure_reason");
    assert_eq!((reason.optional, reason.nullable), (true, false));
    let status = field("checkout.session", "status");
    assert!(status.nullable);
    assert_eq!(
        status.shape,
        Shape::Enum(vec!["complete", "expired", "open"])
    );
    assert_eq!(field("price", "unit_amount_decimal").shape, Shape::Decimal);
    assert_eq!(field("coupon", "percent_off").shape, Shape::Number);
    assert_eq!(
        field("customer", "metadata").shape,
        Shape::Map(Box::new(Shape::Text))
    );
}

#[test]
fn what_moved_between_versions_is_where_it_was_in_each() {
    let has = |version: &str, kind, field| {
        let object = Description::at(version).unwrap().object(kind).unwrap();
        object.get(field).is_some()
    };
    for (version, moved) in [
        ("2024-06-20", false),
        ("2025-02-24.acacia", false),
        ("2025-03-31.basil", true),
        ("2026-09-30.endive", true),
    ] {
        assert_eq!(
            has(version, "subscription_item", "current_period_end"),
            moved,
            "{version}"
        );
        assert_eq!(
            has(version, "subscription", "current_period_end"),
            !moved,
            "{version}"
        );
        assert_eq!(
            has(version, "invoice", "payment_intent"),
            !moved,
            "{version}"
        );
    }
    assert!(Description::at("2026-10-28.fennel").is_none());
    for nonsense in [
        "yesterday",
        "",
        "2026-10-28.",
        "2026-10-28.e",
        "endive",
        "x.endive",
        "2026-10-2x",
    ] {
        assert!(Description::at(nonsense).is_none(), "{nonsense}");
    }
}

#[test]
fn an_event_carries_its_object() {
    let api = Description::newest();
    assert_eq!(
        api.event("customer.subscription.updated"),
        Some(Shape::Kind("subscription"))
    );
    assert_eq!(
        api.event("checkout.session.completed"),
        Some(Shape::Kind("checkout.session"))
    );
    assert_eq!(
        api.event("charge.dispute.created"),
        Some(Shape::Kind("dispute"))
    );
    assert_eq!(api.event("nothing.happened"), None);
}

#[test]
fn refunds_have_no_required_parameters() {
    assert_eq!(problems("POST", "/v1/refunds", json!({})), []);
    let good = json!({"charge": "ch_1", "amount": "100", "metadata": {"a": "b", "c": ""}});
    assert_eq!(problems("POST", "/v1/refunds", good), []);
    assert_eq!(problems("POST", "/v1/refunds", json!({"metadata": ""})), []);
}

#[test]
fn a_wrong_parameter_is_named_by_its_path() {
    let param = |param: &str| param.to_owned();
    let value = param;
    let wrong = |value| problems("POST", "/v1/checkout/sessions", value);
    assert_eq!(
        wrong(json!({"line_items": {"0": {"price_data": {"currency": "usd", "curency": "usd"}}}})),
        [Problem::Unknown {
            param: param("line_items[0][price_data][curency]")
        }]
    );
    assert_eq!(
        wrong(json!({"line_items": [{"price_data": {}}]})),
        [Problem::Missing {
            param: param("line_items[0][price_data][currency]")
        }]
    );
    assert_eq!(
        wrong(json!({"line_items": [{"quantity": "two"}]})),
        [Problem::NotAnInteger {
            param: param("line_items[0][quantity]"),
            value: value("two")
        }]
    );
    assert_eq!(
        wrong(json!({"allow_promotion_codes": "yes"})),
        [Problem::NotABoolean {
            param: param("allow_promotion_codes"),
            value: value("yes")
        }]
    );
    assert_eq!(
        wrong(json!({"mode": "gift"})),
        [Problem::NotOneOf {
            param: param("mode"),
            value: value("gift"),
            allowed: vec!["payment", "setup", "subscription"],
        }]
    );
    assert_eq!(
        wrong(json!({"customer": ""})),
        [Problem::Empty {
            param: param("customer")
        }]
    );
    assert_eq!(
        wrong(json!({"customer": {"a": "b"}})),
        [Problem::NotAText {
            param: param("customer")
        }]
    );
    assert_eq!(
        wrong(json!({"line_items": "one"})),
        [Problem::NotAnArray {
            param: param("line_items")
        }]
    );
    assert_eq!(
        wrong(json!({"metadata": "one"})),
        [Problem::NotAnObject {
            param: param("metadata")
        }]
    );
    assert_eq!(
        wrong(json!({"line_items": {"a": {}}})),
        [Problem::NotAnArray {
            param: param("line_items")
        }]
    );
}

#[test]
fn a_parameter_of_several_shapes_may_have_any() {
    let list = |created| problems("GET", "/v1/charges", json!({"created": created}));
    assert_eq!(list(json!("1700000000")), []);
    assert_eq!(list(json!({"gte": "1700000000"})), []);
    assert_eq!(list(json!({"since": "1700000000"})).len(), 1);
    let anchor = |anchor| {
        problems(
            "POST",
            "/v1/subscriptions/sub_1",
            json!({"trial_end": anchor}),
        )
    };
    assert_eq!(anchor("now"), []);
    assert_eq!(anchor("1700000000"), []);
    assert_eq!(anchor("soon").len(), 1);
}

#[test]
fn a_request_without_a_version_may_be_of_any() {
    let older = params(json!({"coupon": "SAVE"}));
    assert_eq!(
        problems("POST", "/v1/promotion_codes", Value::Object(older.clone())).len(),
        2
    );
    assert_eq!(
        check_leniently("POST", "/v1/promotion_codes", &older),
        Some(vec![])
    );
    let wrong = params(json!({"coupon": "SAVE", "cupon": "SAVE"}));
    let found = check_leniently("POST", "/v1/promotion_codes", &wrong).unwrap();
    assert_eq!(
        found,
        [Problem::Unknown {
            param: "cupon".to_owned()
        }]
    );
    assert_eq!(check_leniently("POST", "/v1/nothing", &wrong), None);
    // Every version requires something, if not the same.
    let found = check_leniently("POST", "/v1/promotion_codes", &Map::new()).unwrap();
    assert_eq!(
        found,
        [Problem::Missing {
            param: "promotion".to_owned()
        }]
    );
    // The choices differ from version to version, and the newest has none.
    let wrong = params(json!({"payment_method_types": ["gold"], "mode": "payment"}));
    let found = check_leniently("POST", "/v1/checkout/sessions", &wrong).unwrap();
    assert!(
        matches!(&found[..], [Problem::NotOneOf { param, .. }] if param == "payment_method_types[0]"),
        "{found:?}"
    );
}

#[test]
fn a_blank_object_has_all_that_is_always_there() {
    for api in Description::all() {
        for kind in api.objects() {
            let fields = api.object(kind).unwrap();
            let blank = blank(fields);
            if let Some(object) = blank.get("object") {
                assert_eq!(object, kind);
            }
            for field in fields.iter() {
                assert_eq!(
                    blank.contains_key(field.name),
                    !field.optional,
                    "{kind}.{}",
                    field.name
                );
            }
        }
    }
    let refund = blank(Description::newest().object("refund").unwrap());
    assert_eq!(refund["charge"], Value::Null);
    assert_eq!(refund["amount"], 0);
    assert!(!refund.contains_key("failure_reason"));
}

#[test]
fn paths_to_ids_and_to_what_is_otherwise_left_out_can_be_expanded() {
    let api = Description::newest();
    let can = |kind, path| expandable(api, &Shape::Kind(kind), path);
    for (kind, path) in [
        ("charge", "balance_transaction"),
        ("charge", "customer"),
        ("charge", "refunds"),
        ("charge", "payment_intent.latest_charge.customer"),
        ("checkout.session", "line_items"),
        ("checkout.session", "total_details.breakdown"),
        ("subscription", "items.data.price.product"),
        ("subscription", "latest_invoice.confirmation_secret"),
        ("invoice", "discounts"),
    ] {
        assert!(can(kind, path), "{kind} {path}");
    }
    for (kind, path) in [
        ("charge", "amount"),
        ("charge", "nothing"),
        ("charge", "customer.nothing"),
        ("charge", ""),
        ("charge", "data.customer"),
        (
            "charge",
            "payment_intent.latest_charge.payment_intent.latest_charge.customer",
        ),
    ] {
        assert!(!can(kind, path), "{kind} {path}");
    }
    let list = Shape::List(Box::new(Shape::Kind("charge")));
    assert!(expandable(api, &list, "data.customer"));
    assert!(!expandable(api, &list, "customer"));
    assert!(!expandable(api, &list, "data"));
}

#[test]
fn an_object_is_shown_as_its_version_has_it() {
    let acacia = Description::at("2025-02-24.acacia").unwrap();
    let shown = project(
        acacia,
        json!({
            "object": "list",
            "data": [{
                "id": "ch_1",
                "object": "charge",
                "amount": 5,
                "brand_new": true,
                "customer": {"id": "cus_1", "object": "customer", "brand_new": true},
                "billing_details": {"email": "a@example.com", "brand_new": true},
            }],
        }),
    );
    let charge = &shown["data"][0];
    assert_eq!(charge["amount"], 5);
    assert_eq!(charge["invoice"], Value::Null);
    assert!(charge.get("brand_new").is_none());
    assert!(charge["customer"].get("brand_new").is_none());
    assert_eq!(charge["billing_details"]["email"], "a@example.com");
    assert!(charge["billing_details"].get("brand_new").is_none());
    let gone = json!({"id": "cus_1", "object": "customer", "deleted": true});
    assert_eq!(project(acacia, gone.clone()), gone);
}
