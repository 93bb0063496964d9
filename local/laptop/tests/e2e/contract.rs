//! The HTTP contract: that it has what the shop has, and that people and programs can read it. That
//! each answer is one of the contract's is checked wherever a test gets one (`testing::contract`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use template::{Parameters, Template};
use testing::{TestApp, contract, repository};

/// Every operation, with its method and path.
fn operations() -> Vec<(String, &'static Value)> {
    let paths = contract()["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'static Value)| {
        let methods = item.as_object().unwrap().iter();
        let named = methods.map(|(method, it)| (format!("{} {path}", method.to_uppercase()), it));
        named.collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_contract_has_the_routes_of_the_template_and_asks_for_a_token_where_they_do() {
    let template = Template::read(&repository().template, &Parameters::default()).unwrap();
    let deployed: BTreeSet<_> = template
        .routes
        .iter()
        .map(|route| (format!("{} {}", route.method, route.path), route.signed_in))
        .collect();
    let promised: BTreeSet<_> = operations()
        .into_iter()
        .map(|(route, operation)| {
            let open = operation["security"].as_array().is_some_and(Vec::is_empty);
            (route, !open)
        })
        .collect();
    assert_eq!(promised, deployed);
}

#[test]
fn the_contract_has_every_kind_of_problem_and_says_with_which_answers_it_comes() {
    // The webhook's contract is Stripe's.
    const OF_THE_WEBHOOK: [&str; 1] = ["method-not-allowed"];
    let known = &contract()["components"]["schemas"]["ProblemType"]["enum"];
    let known: BTreeSet<_> = known.as_array().unwrap().iter().map(kind).collect();
    let mut named = BTreeSet::new();
    kinds_narrowed(&contract()["components"]["responses"], &mut named);
    kinds_narrowed(&contract()["paths"], &mut named);
    assert_eq!(named, known);

    let root = repository().template;
    let root = root.parent().unwrap();
    let mut written = BTreeSet::new();
    for folder in [
        "functions/checkout",
        "functions/catalog",
        "functions/purchases",
        "shared/src/http",
    ] {
        for file in sources(&root.join(folder)) {
            written.extend(kinds_written(&file));
        }
    }
    written.extend(kinds_written(&root.join("shared/src/http.rs")));
    written.retain(|kind| !OF_THE_WEBHOOK.contains(&kind.as_str()));
    assert_eq!(written, known);
}

fn kind(problem_type: &Value) -> String {
    let problem_type = problem_type.as_str().unwrap();
    problem_type
        .strip_prefix("urn:till:problem:")
        .unwrap()
        .to_owned()
}

/// The kinds that answers are narrowed to: `properties: {type: {enum: […]}}`.
fn kinds_narrowed(within: &Value, found: &mut BTreeSet<String>) {
    if let Some(kinds) = within
        .pointer("/properties/type/enum")
        .and_then(Value::as_array)
    {
        found.extend(kinds.iter().map(kind));
    }
    let inside: Vec<&Value> = match within {
        Value::Object(members) => members.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    for value in inside {
        kinds_narrowed(value, found);
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    });
    found
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .collect()
}

/// The second argument of every `Problem::new(status, kind, …)` in a file.
fn kinds_written(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let calls = text.split("Problem::new(").skip(1);
    let within = text
        .split("Self::new(")
        .skip(1)
        .filter(|_| file.ends_with("problem.rs"));
    calls
        .chain(within)
        .filter(|call| call.trim_start().starts_with("StatusCode::"))
        .map(|call| call.split('"').nth(1).unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn programs_get_the_contract_with_the_shops_own_address() {
    let shop = TestApp::start().await;
    let answer = shop.get("/openapi.json").await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut served = answer.json();
    let [_, port, ..] = shop.ports();
    let address = format!("http://127.0.0.1:{port}");
    assert_eq!(served["servers"][0]["url"], address);
    assert!(
        answer.text.starts_with("{\n  \"openapi\""),
        "{:.80}",
        answer.text
    );
    served["servers"] = contract()["servers"].clone();
    assert_eq!(&served, contract());
}

#[tokio::test]
async fn people_find_every_call_and_every_schema_on_one_page() {
    let shop = TestApp::start().await;
    let page = shop.get("/openapi").await.expect(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    for (route, operation) in operations() {
        assert!(page.text.contains(&route), "{route}");
        let id = operation["operationId"].as_str().unwrap();
        assert!(page.text.contains(&format!("id=\"{id}\"")), "{id}");
    }
    for name in contract()["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(page.text.contains(&format!("id=\"{name}\"")), "{name}");
    }
    let links = page.text.split("href=\"#").skip(1);
    let links: BTreeSet<_> = links.map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(links.len() > 30, "{links:?}");
    for link in links {
        assert!(
            page.text.contains(&format!("id=\"{link}\"")),
            "#{link} leads nowhere"
        );
    }
    // What an example of the contract has is on the page as text, not as markup.
    assert!(page.text.contains("sample-mug"), "no example");
    let dashboard = shop.get("/_local").await.expect(200);
    assert!(
        dashboard.text.contains("href=\"/openapi\""),
        "the dashboard does not lead to it"
    );
}
