use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use crate::description::shape::{Fields, Shape};
use crate::description::{Description, Operation, Problem, blank, check, project};

/// How deep parameters are made; what is deeper is left out if it may be.
const DEEP: usize = 4;

/// What must be there, and some of what may.
fn params(fields: Fields, rng: &mut StdRng, depth: usize) -> Map<String, Value> {
    let mut params = Map::new();
    for field in fields.iter() {
        if !field.optional || depth < DEEP && rng.random_ratio(1, 4) {
            params.insert(field.name.to_owned(), value(&field.shape, rng, depth));
        }
    }
    params
}

fn value(shape: &Shape, rng: &mut StdRng, depth: usize) -> Value {
    let deeper = depth.saturating_add(1);
    match shape {
        Shape::Text | Shape::Any => json!("some text"),
        Shape::Integer => json!(rng.random::<i64>().to_string()),
        Shape::Number | Shape::Decimal => {
            json!(format!("{}.{}", rng.random::<i16>(), rng.random::<u16>()))
        }
        Shape::Boolean => json!(rng.random::<bool>().to_string()),
        Shape::True => json!("true"),
        Shape::Empty => json!(""),
        Shape::Enum(values) => json!(one(values, rng)),
        Shape::Map(element) => json!({"a": value(element, rng, deeper), "b": ""}),
        Shape::Array(element) => {
            let entries: Vec<_> = (0..rng.random_range(1..3))
                .map(|_| value(element, rng, deeper))
                .collect();
            if rng.random() {
                return Value::Array(entries);
            }
            let keyed = entries.into_iter().enumerate();
            Value::Object(keyed.map(|(at, entry)| (at.to_string(), entry)).collect())
        }
        Shape::Object(fields) => Value::Object(params(*fields, rng, deeper)),
        Shape::AnyOf(shapes) => value(one(shapes, rng), rng, depth),
        other => panic!("{other:?} is not a parameter"),
    }
}

fn one<'a, T>(from: &'a [T], rng: &mut impl Rng) -> &'a T {
    &from[rng.random_range(0..from.len())]
}

/// Puts a parameter that does not exist somewhere into an object, and says what it is called.
fn misspell(
    fields: Fields,
    params: &mut Map<String, Value>,
    name: &str,
    rng: &mut StdRng,
) -> String {
    let within = |key: &str| match name {
        "" => key.to_owned(),
        name => format!("{name}[{key}]"),
    };
    let nested: Vec<_> = fields
        .iter()
        .filter_map(|field| match field.shape {
            Shape::Object(inner) if params.contains_key(field.name) => Some((field.name, inner)),
            _ => None,
        })
        .collect();
    if !nested.is_empty() && rng.random_ratio(2, 3) {
        let (key, inner) = one(&nested, rng);
        if let Some(Value::Object(object)) = params.get_mut(*key) {
            return misspell(*inner, object, &within(key), rng);
        }
    }
    params.insert("no_such_parameter".to_owned(), json!("1"));
    within("no_such_parameter")
}

fn an_operation() -> impl Strategy<Value = Operation> {
    let all: Vec<_> = Description::all()
        .flat_map(Description::operations)
        .collect();
    prop::sample::select(all)
}

fn an_object() -> impl Strategy<Value = (&'static Description, &'static str)> {
    let all: Vec<_> = Description::all()
        .flat_map(|api| api.objects().into_iter().map(move |kind| (api, kind)))
        .collect();
    prop::sample::select(all)
}

proptest! {
    #[test]
    fn parameters_as_they_are_described_have_no_problems(operation in an_operation(), seed: u64) {
        let params = params(operation.params, &mut StdRng::seed_from_u64(seed), 0);
        prop_assert_eq!(check(&operation, &params), vec![], "{:?}", params);
    }

    #[test]
    fn a_parameter_that_does_not_exist_is_named(operation in an_operation(), seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut params = params(operation.params, &mut rng, 0);
        let param = misspell(operation.params, &mut params, "", &mut rng);
        prop_assert_eq!(check(&operation, &params), vec![Problem::Unknown { param }]);
    }

    #[test]
    fn without_a_required_parameter_it_is_missing(operation in an_operation(), seed: u64) {
        let mut params = params(operation.params, &mut StdRng::seed_from_u64(seed), 0);
        for field in operation.params.iter().filter(|field| !field.optional) {
            let value = params.remove(field.name).unwrap();
            let param = field.name.to_owned();
            prop_assert_eq!(check(&operation, &params), vec![Problem::Missing { param }]);
            params.insert(field.name.to_owned(), value);
        }
    }

    #[test]
    fn every_operation_is_found_by_its_path((operation, id) in (an_operation(), "[a-z]{2}_[0-9A-Za-z]{1,20}")) {
        let path: Vec<&str> = operation
            .template
            .split('/')
            .map(|segment| if segment.starts_with('{') { id.as_str() } else { segment })
            .collect();
        let path = path.join("/");
        let found = Description::all()
            .filter_map(|api| api.operation(operation.method, &path))
            .any(|found| found.operation.template == operation.template);
        prop_assert!(found);
    }

    #[test]
    fn a_blank_object_is_shown_as_it_is((api, kind) in an_object()) {
        let blank = Value::Object(blank(api.object(kind).unwrap()));
        prop_assert_eq!(project(api, blank.clone()), blank);
    }

    #[test]
    fn what_is_shown_in_an_older_version_does_not_change_there(
        (api, kind) in an_object(),
        (other, _) in an_object(),
    ) {
        let shown = project(other, Value::Object(blank(api.object(kind).unwrap())));
        prop_assert_eq!(project(other, shown.clone()), shown);
    }
}
