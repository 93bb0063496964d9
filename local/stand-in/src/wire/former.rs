//! Where older versions of the API have something else than the newest, as their changelog says: fields
//! that were elsewhere, and values that had other names. A description knows which fields and values its
//! version has, so each row of these tables holds for the versions that have what it names.

use serde_json::{Map, Value, json};

use crate::description::{Description, Shape, project, project_part};
use crate::engine::filter::{Cursor, Filter};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::invoice;
use crate::webhook::event::{Data, Event};

/// Where the value of a field that is gone is now.
enum Now {
    /// At this place within the object.
    At(&'static str),
    /// The field was true where this place has this text.
    Is(&'static str, &'static str),
    /// It was an object of this kind, whole. This place has its id.
    Whole(&'static str, &'static str),
    /// It was the sum of this field of all that is at this place.
    Sum(&'static str, &'static str),
    /// Another object has it.
    In(Other),
}

/// Of an object that names this one, what was told here.
struct Other {
    kind: &'static str,
    /// Its field that names this object.
    names: &'static str,
    /// The place in this object of what it names.
    by: &'static str,
    /// Where it has the value.
    at: &'static str,
}

impl Other {
    /// The payment of an invoice that names this object's id or intent.
    const fn payment(names: &'static str, by: &'static str, at: &'static str) -> Now {
        Now::In(Self {
            kind: "invoice_payment",
            names,
            by,
            at,
        })
    }
}

/// Fields that are gone, by their object.
const MOVED: &[(&str, &str, Now)] = &[
    (
        "checkout.session",
        "shipping_details",
        Now::At("/collected_information/shipping_details"),
    ),
    (
        "charge",
        "invoice",
        Other::payment("payment.payment_intent", "/payment_intent", "/invoice"),
    ),
    ("discount", "coupon", Now::Whole("coupon", "/source/coupon")),
    ("invoice", "paid", Now::Is("/status", "paid")),
    (
        "invoice",
        "payment_intent",
        Other::payment("invoice", "/id", "/payment/payment_intent"),
    ),
    ("invoice", "quote", Now::At("/parent/quote_details/quote")),
    (
        "invoice",
        "subscription",
        Now::At("/parent/subscription_details/subscription"),
    ),
    (
        "invoice",
        "subscription_details",
        Now::At("/parent/subscription_details"),
    ),
    ("invoice", "tax", Now::Sum("/total_taxes", "amount")),
    (
        "invoiceitem",
        "price",
        Now::Whole("price", "/pricing/price_details/price"),
    ),
    (
        "invoiceitem",
        "subscription",
        Now::At("/parent/subscription_details/subscription"),
    ),
    (
        "invoiceitem",
        "subscription_item",
        Now::At("/parent/subscription_details/subscription_item"),
    ),
    (
        "invoiceitem",
        "unit_amount_decimal",
        Now::At("/pricing/unit_amount_decimal"),
    ),
    (
        "line_item",
        "invoice_item",
        Now::At("/parent/invoice_item_details/invoice_item"),
    ),
    (
        "line_item",
        "price",
        Now::Whole("price", "/pricing/price_details/price"),
    ),
    (
        "line_item",
        "proration",
        Now::At("/parent/subscription_item_details/proration"),
    ),
    (
        "line_item",
        "proration",
        Now::At("/parent/invoice_item_details/proration"),
    ),
    (
        "line_item",
        "proration_details",
        Now::At("/parent/subscription_item_details/proration_details"),
    ),
    (
        "line_item",
        "subscription_item",
        Now::At("/parent/subscription_item_details/subscription_item"),
    ),
    ("line_item", "type", Now::At("/parent/type")),
    (
        "payment_intent",
        "invoice",
        Other::payment("payment.payment_intent", "/id", "/invoice"),
    ),
    (
        "promotion_code",
        "coupon",
        Now::Whole("coupon", "/promotion/coupon"),
    ),
    (
        "subscription",
        "current_period_end",
        Now::At("/items/data/0/current_period_end"),
    ),
    (
        "subscription",
        "current_period_start",
        Now::At("/items/data/0/current_period_start"),
    ),
    ("subscription", "discount", Now::At("/discounts/0")),
];

/// Values that had another name: the object, its field, what it holds now, and what it held.
const RENAMED: &[(&str, &str, &str, &str)] = &[
    ("checkout.session", "ui_mode", "hosted_page", "hosted"),
    ("checkout.session", "ui_mode", "embedded_page", "embedded"),
    ("checkout.session", "ui_mode", "elements", "custom"),
    ("line_item", "type", "invoice_item_details", "invoiceitem"),
    (
        "line_item",
        "type",
        "subscription_item_details",
        "subscription",
    ),
];

/// An answer as a version shows it.
pub(crate) fn as_of(
    transaction: &Transaction<'_>,
    description: &'static Description,
    mut answer: Value,
) -> anyhow::Result<Value> {
    if std::ptr::eq(description, Description::newest()) {
        return Ok(answer);
    }
    restore(transaction, description, &mut answer)?;
    Ok(project(description, answer))
}

/// What an event is about as a version shows it.
pub(crate) fn data_as_of(
    transaction: &Transaction<'_>,
    description: &'static Description,
    data: Data,
) -> anyhow::Result<Data> {
    if std::ptr::eq(description, Description::newest()) {
        return Ok(data);
    }
    let kind = data.object.get("object").cloned();
    let previous_attributes = match (data.previous_attributes, kind) {
        (Some(Value::Object(mut before)), Some(Value::String(kind))) => {
            before.insert("object".to_owned(), json!(kind));
            let mut before = Value::Object(before);
            restore(transaction, description, &mut before)?;
            let mut before = project_part(description, &kind, before);
            if let Some(before) = before.as_object_mut() {
                before.remove("object");
            }
            Some(before)
        }
        (before, _) => before,
    };
    Ok(Data {
        object: as_of(transaction, description, data.object)?,
        previous_attributes,
    })
}

/// Gives each object within `value` what it had in this version.
fn restore(
    transaction: &Transaction<'_>,
    description: &'static Description,
    value: &mut Value,
) -> anyhow::Result<()> {
    match value {
        Value::Array(elements) => elements
            .iter_mut()
            .try_for_each(|element| restore(transaction, description, element)),
        Value::Object(object) => {
            let kind = object.get("object").and_then(Value::as_str);
            let kind = kind.unwrap_or_default().to_owned();
            // An event stays as it was when it happened.
            if kind == Event::KIND {
                return Ok(());
            }
            for within in object.values_mut() {
                restore(transaction, description, within)?;
            }
            restore_fields(transaction, description, &kind, object)?;
            invoice::former::restore(transaction, description, &kind, object)?;
            restore_values(description, &kind, object);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn restore_fields(
    transaction: &Transaction<'_>,
    description: &'static Description,
    kind: &str,
    object: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    for (_, field, now) in MOVED.iter().filter(|(of, ..)| *of == kind) {
        let had = description.object(kind).and_then(|it| it.get(field));
        if had.is_none() || object.contains_key(*field) {
            continue;
        }
        let at = |place: &str| pointer(object, place).filter(|it| !it.is_null());
        let value = match now {
            Now::At(place) => at(place).cloned(),
            Now::Is(place, text) => at(place).map(|found| json!(found == text)),
            Now::Whole(kind, place) => match at(place) {
                Some(Value::String(id)) => transaction.shown_of(kind, id)?,
                whole => whole.cloned(),
            },
            Now::Sum(place, field) => {
                let all = at(place).and_then(Value::as_array);
                all.filter(|all| !all.is_empty()).map(|all| {
                    let amounts = all.iter().filter_map(|it| it.get(field)?.as_i64());
                    json!(amounts.fold(0_i64, i64::saturating_add))
                })
            }
            Now::In(other) => match at(other.by).and_then(Value::as_str) {
                Some(name) => {
                    let naming = Filter::default().equal(other.names, name.to_owned().into());
                    let first = Cursor::NewerThan(0);
                    let found = transaction.some_shown(other.kind, first, 1, &naming)?;
                    found.first().and_then(|it| it.pointer(other.at)).cloned()
                }
                None => None,
            },
        };
        object.extend(value.map(|value| ((*field).to_owned(), value)));
    }
    Ok(())
}

fn restore_values(description: &'static Description, kind: &str, object: &mut Map<String, Value>) {
    for (_, field, now, then) in RENAMED.iter().filter(|(of, ..)| *of == kind) {
        let had = description.object(kind).and_then(|it| it.get(field));
        let had = had.map(|field| field.shape);
        let knows = |value: &&str| match &had {
            Some(Shape::Enum(values)) => values.contains(value),
            _ => false,
        };
        if let Some(value) = object.get_mut(*field)
            && value == now
            && knows(then)
            && !knows(now)
        {
            *value = json!(then);
        }
    }
}

/// What is at a place within an object, such as `/source/coupon`.
fn pointer<'v>(object: &'v Map<String, Value>, place: &str) -> Option<&'v Value> {
    let place = place.strip_prefix('/')?;
    match place.split_once('/') {
        Some((first, _)) => {
            let rest = place.get(first.len()..)?;
            object.get(first)?.pointer(rest)
        }
        None => object.get(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::database::Database;
    use crate::engine::faults::Faults;
    use crate::engine::time::MachineTime;

    /// The oldest version that there is a description of has all that was ever moved.
    #[test]
    fn every_row_is_of_a_field_that_was_and_is_not_any_more() {
        let oldest = Description::all().last().unwrap();
        for (kind, field, _) in MOVED {
            let has = |description: &'static Description| {
                description.object(kind).unwrap().get(field).is_some()
            };
            assert!(has(oldest) && !has(Description::newest()), "{kind}.{field}");
        }
    }

    #[test]
    fn every_renamed_value_is_one_of_a_version() {
        for (kind, field, _, then) in RENAMED {
            let mut shapes = Description::all()
                .filter_map(|it| it.object(kind)?.get(field))
                .map(|field| field.shape);
            let knows =
                |shape: Shape| matches!(shape, Shape::Enum(values) if values.contains(then));
            assert!(shapes.any(knows), "{kind}.{field} {then}");
        }
    }

    #[test]
    fn a_payment_shows_its_invoice_where_acacia_did() {
        let site = "http://127.0.0.1:12111".parse().unwrap();
        let database = Database::open(None, &site, MachineTime::default()).unwrap();
        let shown = database.transact(&Faults::default(), |transaction| {
            let payment = json!({
                "id": "inpay_1", "object": "invoice_payment", "invoice": "in_1",
                "payment": { "type": "payment_intent", "payment_intent": "pi_1" },
            });
            transaction.put_plain("invoice_payment", "inpay_1", &payment, None)?;
            let told = json!([
                { "object": "payment_intent", "id": "pi_1" },
                { "object": "charge", "id": "ch_1", "payment_intent": "pi_1" },
                {
                    "object": "invoice", "id": "in_1", "status": "paid",
                    "total_taxes": [{ "amount": 19 }, { "amount": 7 }],
                },
                { "object": "payment_intent", "id": "pi_2" },
            ]);
            as_of(transaction, Description::all().last().unwrap(), told)
        });
        let shown = shown.unwrap();
        assert_eq!(shown[0]["invoice"], "in_1");
        assert_eq!(shown[1]["invoice"], "in_1");
        assert_eq!(shown[2]["payment_intent"], "pi_1");
        assert_eq!(shown[2]["paid"], true);
        assert_eq!(shown[2]["tax"], 26);
        assert_eq!(shown[3]["invoice"], Value::Null);
    }
}
