//! Holds the answers of a shop under test to the HTTP contract, `functions/openapi.yaml`: a status,
//! header, media type or member that it does not declare fails the test that saw it.

mod schema;

use std::sync::LazyLock;

use http::Method;
use serde_json::{Map, Value};

use self::schema::Schemas;
use crate::answer::Answer;

static CONTRACT: LazyLock<Value> = LazyLock::new(|| {
    let document = laptop::contract::document().unwrap();
    serde_json::to_value(document).unwrap()
});

/// The contract as JSON.
pub fn contract() -> &'static Value {
    &CONTRACT
}

/// Fails unless the contract has this answer to this request. What it has no operation for, such as
/// `/_local`, is not its concern.
pub(crate) fn check(method: &Method, path: &str, answer: &Answer) {
    let wrong = deviations(contract(), method, path, answer);
    assert!(
        wrong.is_empty(),
        "{method} {path} is not answered as functions/openapi.yaml says:\n{}\n{}",
        wrong.join("\n"),
        answer.text
    );
}

/// In which ways the answer is not the contract's.
fn deviations(contract: &Value, method: &Method, path: &str, answer: &Answer) -> Vec<String> {
    let Some(operation) = operation(contract, method, path) else {
        return Vec::new();
    };
    let schemas = Schemas::of(contract);
    let status = answer.status.as_u16();
    let Some(declared) = operation["responses"].get(status.to_string()) else {
        return vec![format!("there is no answer {status}")];
    };
    let declared = schemas.resolved(declared);
    let mut wrong = header_deviations(&schemas, declared, answer);
    let sent = answer.header("content-type").unwrap_or_default();
    match declared.get("content").and_then(Value::as_object) {
        None if answer.text.is_empty() => {}
        None => wrong.push(format!("a {status} has no body")),
        Some(content) => match content.get(media_type(sent)) {
            None => wrong.push(format!("a {status} is not {sent:?}")),
            Some(body) => match serde_json::from_str(&answer.text) {
                Ok(value) => wrong.extend(schemas.deviations(&body["schema"], &value)),
                Err(error) => wrong.push(format!("the body is not JSON: {error}")),
            },
        },
    }
    wrong
}

/// In which ways the value is not what a schema of this document says.
pub(crate) fn schema_deviations<'a>(
    document: &'a Value,
    schema: &'a Value,
    value: &Value,
) -> Vec<String> {
    Schemas::of(document).deviations(schema, value)
}

fn header_deviations(schemas: &Schemas<'_>, declared: &Value, answer: &Answer) -> Vec<String> {
    let none = Map::new();
    let headers = declared.get("headers").and_then(Value::as_object);
    let mut wrong = Vec::new();
    for (name, header) in headers.unwrap_or(&none) {
        let header = schemas.resolved(header);
        match answer.header(name) {
            None if header["required"] == true => {
                wrong.push(format!("the header {name} is missing"))
            }
            None => {}
            Some(text) => {
                // A header is text; what reads as a number is meant as one.
                let number = text.parse::<i64>().map(Value::from);
                let value = number.unwrap_or_else(|_| text.into());
                let of_header = schemas.deviations(&header["schema"], &value);
                wrong.extend(
                    of_header
                        .iter()
                        .map(|it| format!("the header {name}: {it}")),
                );
            }
        }
    }
    // What pages of other origins are shown of an answer, they rely on.
    if answer.header("retry-after").is_some() && declared["headers"].get("Retry-After").is_none() {
        wrong.push("there is no header Retry-After".to_owned());
    }
    wrong
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn operation<'a>(contract: &'a Value, method: &Method, path: &str) -> Option<&'a Value> {
    let path = path.split('?').next()?;
    let paths = contract["paths"].as_object()?;
    let matches = |pattern: &str| {
        let (parts, given): (Vec<_>, Vec<_>) =
            (pattern.split('/').collect(), path.split('/').collect());
        parts.len() == given.len()
            && parts
                .iter()
                .zip(&given)
                .all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()))
    };
    let (_, item) = paths.iter().find(|(pattern, _)| matches(pattern))?;
    item.get(method.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], text: String) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        Answer {
            status: status.try_into().unwrap(),
            headers: HeaderMap::from_iter(headers),
            text,
        }
    }

    fn wrong(method: Method, path: &str, answer: &Answer) -> String {
        deviations(contract(), &method, path, answer).join("; ")
    }

    const JSON: (&str, &str) = ("content-type", "application/json");
    const PROBLEM: (&str, &str) = ("content-type", "application/problem+json");
    const NOT_STORED: (&str, &str) = ("cache-control", "no-store");

    #[test]
    fn an_answer_with_what_the_contract_does_not_have_is_noticed() {
        let id = "01a1f866-0d00-7d3a-9b1e-2f4c8a6d1e57";
        let opened = |body: Value| answer(201, &[JSON, NOT_STORED], body.to_string());
        let good = json!({ "purchase_id": id, "url": "http://127.0.0.1:3001/pay/cs_test_1" });
        assert_eq!(wrong(Method::POST, "/checkout", &opened(good.clone())), "");
        for (member, value, expected) in [
            ("url", json!("pay"), "url: \"pay\" is not a uri"),
            ("url", json!(1), "url: 1 is not a string"),
            (
                "purchase_id",
                json!("1"),
                "purchase_id: \"1\" is not a uuid",
            ),
            ("session", json!("cs_1"), "session: there is no such member"),
        ] {
            let mut body = good.clone();
            body[member] = value;
            let found = wrong(Method::POST, "/checkout", &opened(body));
            assert!(found.starts_with(expected), "{found}");
        }
        let unstored = answer(201, &[JSON], good.to_string());
        let found = wrong(Method::POST, "/checkout", &unstored);
        assert_eq!(found, "the header Cache-Control is missing");
        let found = wrong(Method::POST, "/checkout", &answer(418, &[], String::new()));
        assert_eq!(found, "there is no answer 418");
    }

    #[test]
    fn a_problem_of_another_kind_or_form_is_noticed() {
        let problem = |kind: &str| {
            json!({
                "type": format!("urn:till:problem:{kind}"), "title": "t", "status": 404,
                "detail": "d", "request_id": "r",
            })
            .to_string()
        };
        let not_found = |kind, form| answer(404, &[form], problem(kind));
        let path = "/products/sample-mug";
        assert_eq!(
            wrong(Method::GET, path, &not_found("not-found", PROBLEM)),
            ""
        );
        let found = wrong(Method::GET, path, &not_found("not-open", PROBLEM));
        assert!(found.starts_with("type: "), "{found}");
        let found = wrong(Method::GET, path, &not_found("not-found", JSON));
        assert_eq!(found, "a 404 is not \"application/json\"");
        assert_eq!(
            wrong(Method::GET, "/_local/products", &not_found("x", JSON)),
            ""
        );
    }
}
