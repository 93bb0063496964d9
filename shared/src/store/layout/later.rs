//! Rows that a later version of the code has written: what this one does not know of them is there
//! afterwards.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ANNOUNCED, ID, NOW, attributes, delivered, golden, put, returns, stages, tables};
use crate::{
    purchase::{Change, PurchaseId, SessionState, WaitsFor},
    store::{
        due::{Claimed, DueMails},
        invoices::{self, Invoices},
        later::LAYOUT,
        purchases::{self, Purchases, Stored},
        scripted,
        subscriptions::{self, Subscriptions},
    },
};

/// Maps that have an entry for each thing of a kind, under its id, and nothing else.
const BY_ID: [&str; 9] = [
    "sessions",
    "invoices",
    "refunds",
    "disputes",
    "parcels",
    "announced",
    "told",
    "seen",
    "movements",
];

#[test]
fn what_a_later_version_knows_survives_being_written_by_this_one() {
    for (name, _) in stages() {
        let item = by_a_later_version(name);
        let read = purchase(&item);
        assert_eq!(written(&read), next(item), "{name}");
    }
    let item = by_a_later_version("invoice");
    let (of, id) = ("sub_1".to_owned(), "in_1".to_owned());
    let (of, id) = (of.try_into().unwrap(), id.try_into().unwrap());
    let read = invoices::parse(attributes(&item), &of, &id).unwrap();
    let table = Invoices::of(&tables()).unwrap();
    assert_eq!(put(table.put(&read, NOW).unwrap()), next(item));
    let mut item = by_a_later_version("subscription");
    item["turn"] = json!({ "M": { "kind": { "S": "given_away" }, "version": { "N": "1" } } });
    item["told"]["M"]["new"] = item["told"]["M"]["cancelled"].clone();
    let read = subscriptions::parse(attributes(&item), &of).unwrap();
    assert!(read.subscription.turn().is_none());
    let table = Subscriptions::of(&tables()).unwrap();
    assert_eq!(put(table.put(&read, NOW).unwrap()), next(item));
}

#[test]
fn a_row_says_the_latest_and_the_earliest_layout_in_which_it_was_written() {
    let mut item = golden("open");
    for (before, [latest, earliest]) in [
        (None, [LAYOUT, 0]),
        (Some([LAYOUT, LAYOUT]), [LAYOUT, LAYOUT]),
        (Some([LAYOUT + 7, LAYOUT + 7]), [LAYOUT + 7, LAYOUT]),
        (Some([LAYOUT + 7, 0]), [LAYOUT + 7, 0]),
    ] {
        for (place, name) in ["layout", "earliest"].into_iter().enumerate() {
            item.as_object_mut().unwrap().remove(name);
            if let Some(before) = before {
                item[name] = json!({ "N": before[place].to_string() });
            }
        }
        let next = written(&purchase(&item));
        assert_eq!(next["layout"]["N"], latest.to_string());
        assert_eq!(next["earliest"]["N"], earliest.to_string());
    }
}

#[test]
fn a_session_that_settles_begins_without_what_was_said_of_it_before() {
    let mut read = purchase(&by_a_later_version("voucher"));
    let session = "cs_1".to_owned().into();
    read.purchase
        .record(Change::Session(session, delivered()))
        .unwrap();
    let written = written(&read);
    let session = &written["facts"]["M"]["sessions"]["M"]["cs_1"]["M"];
    assert_eq!(session["state"]["S"], "settled");
    assert!(session.get("novelty").is_none());
    assert_eq!(written["facts"]["M"]["novelty"]["S"], "new");
}

#[tokio::test]
async fn a_mail_that_only_a_later_version_can_write_is_left_to_it() {
    for (layout, is_left) in [(LAYOUT, false), (LAYOUT + 1, true)] {
        let mut row = golden("mail_refund");
        row["mail"] = json!({ "S": "sent_by_pigeon" });
        row["layout"] = json!({ "N": layout.to_string() });
        row["attempts"] = json!({ "N": "3" });
        let claimed = json!({ "Attributes": row }).to_string();
        let (tables, database) = scripted::database(vec![claimed]);
        let claimed = DueMails::of(&tables).unwrap().claim("row", NOW).await;
        match claimed {
            Ok(Some(Claimed::Later { attempts })) => assert!(is_left && attempts == 3),
            other => assert!(!is_left && other.is_err()),
        }
        database.join().unwrap();
    }
}

proptest! {
    #[test]
    fn whatever_this_version_records_what_it_does_not_know_stays_with_what_is_still_the_same(
        stage in prop::sample::select(stages()),
        chosen in prop::collection::vec(any::<bool>(), 64),
        changes in prop::sample::subsequence(changes(), 0..6).prop_shuffle(),
    ) {
        let (name, _) = stage;
        let (plain, mut later) = (golden(name), golden(name));
        let places: Vec<_> = places(&plain).into_iter().zip(chosen).collect();
        let places: Vec<_> = places.into_iter().filter_map(|(at, yes)| yes.then_some(at)).collect();
        places.iter().for_each(|at| add(&mut later, at));
        later["layout"] = json!({ "N": (LAYOUT + 1).to_string() });
        let record = |item: &Value| {
            let mut read = purchase(item);
            for change in &changes {
                let _ = read.purchase.record(change.clone());
            }
            read.purchase.announce(ANNOUNCED);
            written(&read)
        };
        let mut expected = record(&plain);
        expected["layout"] = later["layout"].clone();
        for at in places {
            let before = plain.pointer(&at).unwrap();
            let is_same = expected.pointer(&at).is_some_and(|after| at.is_empty() || is_same(before, after));
            if is_same {
                add(&mut expected, &at);
            }
        }
        prop_assert_eq!(record(&later), expected);
    }
}

/// Whether a thing's own texts and numbers are what they were.
fn is_same(before: &Value, after: &Value) -> bool {
    let mut before = before.as_object().unwrap().iter();
    before.all(|(name, value)| {
        let is_plain = value.get("M").is_none() && value.get("L").is_none();
        !is_plain || after.get(name) == Some(value)
    })
}

/// Some of what Stripe may say.
fn changes() -> Vec<Change> {
    let session = |state| Change::Session("cs_1".to_owned().into(), state);
    let bank = SessionState::Pending {
        waits_for: WaitsFor::Bank,
    };
    let states = [
        SessionState::Expired,
        bank,
        SessionState::Failed,
        delivered(),
    ];
    let other = Change::Session("cs_2".to_owned().into(), SessionState::Open);
    states
        .map(session)
        .into_iter()
        .chain([other])
        .chain(returns())
        .collect()
}

/// The item of this name with something new in everything that is in it, and mail and news that this
/// version has no words for.
fn by_a_later_version(name: &str) -> Value {
    let mut item = golden(name);
    places(&item).iter().for_each(|at| add(&mut item, at));
    item["layout"] = json!({ "N": (LAYOUT + 1).to_string() });
    if let Some(mails) = item.pointer_mut("/mails/L").and_then(Value::as_array_mut) {
        mails.push(json!({ "S": "sent_by_pigeon" }));
    }
    if let Some(announced) = item
        .pointer_mut("/announced/M")
        .and_then(Value::as_object_mut)
    {
        announced.insert(
            "teleported".to_owned(),
            json!({ "M": { "sequence": { "N": "5" } } }),
        );
    }
    item
}

/// The pointers to all maps that have attributes.
fn places(item: &Value) -> Vec<String> {
    fn collect(at: &str, map: &Value, is_by_id: bool, places: &mut Vec<String>) {
        if !is_by_id {
            places.push(at.to_owned());
        }
        for (name, value) in map.as_object().unwrap() {
            let at = format!("{at}/{name}");
            if value.get("M").is_some() {
                let is_by_id = BY_ID.contains(&name.as_str());
                collect(&format!("{at}/M"), &value["M"], is_by_id, places);
            }
            for (place, one) in value["L"].as_array().into_iter().flatten().enumerate() {
                if one.get("M").is_some() {
                    collect(&format!("{at}/L/{place}/M"), &one["M"], false, places);
                }
            }
        }
    }
    let mut places = Vec::new();
    collect("", item, false, &mut places);
    places
}

fn add(item: &mut Value, at: &str) {
    let map = item.pointer_mut(at).unwrap().as_object_mut().unwrap();
    map.insert("novelty".to_owned(), json!({ "S": "new" }));
}

fn purchase(item: &Value) -> Stored {
    let id: PurchaseId = ID.parse().unwrap();
    purchases::parse(attributes(item), id).unwrap()
}

/// The item that this version writes.
fn written(stored: &Stored) -> Value {
    let table = Purchases::of(&tables()).unwrap();
    put(table.put(stored, NOW).unwrap())
}

/// The item in its next version.
fn next(mut item: Value) -> Value {
    let version: u64 = item["version"]["N"].as_str().unwrap().parse().unwrap();
    item["version"] = json!({ "N": version.saturating_add(1).to_string() });
    item
}
