//! What holds for every form.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::wire::params::Params;

/// How libraries write the elements of a list.
#[derive(Debug, Clone, Copy)]
enum Lists {
    /// `a[0]=x&a[1]=y`, as Stripe's own libraries do.
    Numbered,
    /// `a[]=x&a[]=y`, as people do with curl.
    Empty,
}

/// Something that a library may be given.
fn given() -> impl Strategy<Value = Value> {
    let text = "\\PC{0,6}".prop_map(Value::from);
    let list = vec("[a-z&=%+\\[\\]]{1,4}", 1..4).prop_map(Value::from);
    let leaf = prop_oneof![3 => text, 1 => list];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            btree_map("[a-z_]{1,5}", inner.clone(), 1..4).prop_map(|fields| json!(fields)),
            vec(btree_map("[a-z_]{1,3}", inner, 1..3), 1..3).prop_map(|objects| json!(objects)),
        ]
    })
}

fn request() -> impl Strategy<Value = Value> {
    btree_map("[a-z_]{1,6}", given(), 0..5).prop_map(|fields| json!(fields))
}

/// The pairs of a form that says this.
fn pairs(name: &str, value: &Value, lists: Lists, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = match name {
                    "" => field.clone(),
                    name => format!("{name}[{field}]"),
                };
                pairs(&name, value, lists, into);
            }
        }
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                let name = match (lists, element) {
                    (Lists::Empty, Value::String(_)) => format!("{name}[]"),
                    _ => format!("{name}[{position}]"),
                };
                pairs(&name, element, lists, into);
            }
        }
        text => into.push((
            name.to_owned(),
            text.as_str().unwrap_or_default().to_owned(),
        )),
    }
}

fn encoded(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn written(request: &Value, lists: Lists) -> Vec<(String, String)> {
    let mut into = Vec::new();
    pairs("", request, lists, &mut into);
    into
}

/// The same with lists as a form has them: by position.
fn by_position(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(field, it)| (field.clone(), by_position(it)));
            Value::Object(fields.collect())
        }
        Value::Array(elements) => {
            let placed = elements.iter().enumerate();
            let placed = placed.map(|(at, element)| (at.to_string(), by_position(element)));
            Value::Object(placed.collect())
        }
        text => text.clone(),
    }
}

proptest! {
    #[test]
    fn what_a_library_writes_is_read_as_it_was_meant(
        request in request(),
        lists in prop_oneof![Just(Lists::Numbered), Just(Lists::Empty)],
    ) {
        let form = encoded(&written(&request, lists));
        let read = parse(form.as_bytes()).unwrap();
        prop_assert_eq!(json!(read), by_position(&request));
    }

    #[test]
    fn the_order_of_named_parameters_does_not_matter(
        (pairs, shuffled) in request().prop_flat_map(|request| {
            let pairs = written(&request, Lists::Numbered);
            (Just(pairs.clone()), Just(pairs).prop_shuffle())
        })
    ) {
        let of = |pairs: &[(String, String)]| {
            let params = Params::parse(encoded(pairs).as_bytes()).unwrap();
            params.fingerprint().unwrap()
        };
        prop_assert_eq!(of(&pairs), of(&shuffled));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_names_make_it_panic_and_the_same_form_reads_the_same(
        names in vec("[ab0-9\\[\\]]{0,12}", 0..20),
    ) {
        let pairs: Vec<_> = names.into_iter().map(|name| (name, "1".to_owned())).collect();
        let form = encoded(&pairs);
        let read = || parse(form.as_bytes()).map_err(|error| error.body());
        prop_assert_eq!(read(), read());
    }

    #[test]
    fn no_parameter_makes_a_reader_panic(name in "[a-z]{1,3}(\\[[a-z0-9]{0,3}\\]){0,2}", value in "\\PC{0,12}") {
        let form = encoded(&[(name.clone(), value)]);
        let params = Params::parse(form.as_bytes()).unwrap();
        let field = name.split('[').next().unwrap_or_default();
        let readers: [fn(&mut Params, &str); 11] = [
            |params, field| drop(params.text(field)),
            |params, field| drop(params.short_text(field, 3)),
            |params, field| drop(params.integer(field)),
            |params, field| drop(params.boolean(field)),
            |params, field| drop(params.percent(field)),
            |params, field| drop(params.url(field)),
            |params, field| drop(params.email(field)),
            |params, field| drop(params.currency(field)),
            |params, field| drop(params.objects(field)),
            |params, field| drop(params.texts(field)),
            |params, field| drop(params.metadata(field)),
        ];
        for read in readers {
            let mut params = params.clone();
            read(&mut params, field);
            prop_assert!(params.finish().is_ok(), "what was read is not left over");
        }
    }

    #[test]
    fn more_parameters_than_there_may_be_are_refused(more in 1_usize..50, name in "[a-z]{1,3}(\\[\\])?") {
        let pair = [format!("{name}=1")];
        let form = pair.iter().cycle().take(MOST.saturating_add(more)).cloned().collect::<Vec<_>>().join("&");
        prop_assert!(parse(form.as_bytes()).is_err());
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused(more in 0_usize..200) {
        let form = format!("a{}=1", "[b]".repeat(DEPTH.saturating_add(more)));
        prop_assert!(parse(form.as_bytes()).is_err());
    }
}
