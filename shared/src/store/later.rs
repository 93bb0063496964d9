//! Rows that a later version of this code has written.
//!
//! While a shop is deployed, two versions of its code are at work for minutes, and whoever goes back
//! has the earlier one at work for days. It reads rows that have more than it knows, and what it
//! writes replaces the whole row. So each row says in which layouts it was written, and of one in a
//! later layout, this version keeps what it does not know, and writes it again with the rest.
//!
//! What was added to something stays with it for as long as that thing is the same: its own texts and
//! numbers have not changed. A session that settles, a refund that fails or another attempt begins
//! without. What an earlier version has left out of a row in this way, or because it is from before
//! there were layouts, is recorded when the event that says it comes again (see [`super::claims`]).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};

use super::{Item, StoreError, from_item, to_item};
use crate::{
    purchase::{Mail, News, Notice},
    subscription::Turn,
};

/// Which attributes rows have. Whoever gives one another attribute counts one up: the list in
/// `layout/attributes.txt` is held to that.
pub(super) const LAYOUT: u32 = 1;

/// How a row was found: in which layouts it was written, and what this version does not know of it.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// The latest layout: the row may have all that there is in it. Rows from before there were
    /// layouts have none, which counts as 0.
    layout: u32,
    /// The earliest: what is not in it may have been left out.
    earliest: u32,
    /// There is nothing unless a later version has written the row.
    unknown: Option<Box<Thing>>,
}

/// What is not known of a map.
#[derive(Clone, Debug)]
struct Thing {
    /// Its own texts and numbers, as far as they are known.
    own: Item,
    rest: HashMap<String, Rest>,
}

/// What is not known of a value.
#[derive(Clone, Debug)]
enum Rest {
    /// The value itself.
    All(AttributeValue),
    /// Some of what is in it.
    Some(Thing),
    /// Some of the elements of a list, and some of what is in the others.
    Elements(Vec<AttributeValue>, Vec<Thing>),
}

/// Whether a later version has written a row.
pub(super) fn is_later(item: &Item) -> bool {
    count(item, "layout") > LAYOUT
}

/// A number of a row that may not be readable as a whole; 0 if it has none.
pub(super) fn count(item: &Item, name: &str) -> u32 {
    let count = item.get(name).and_then(|count| count.as_n().ok());
    count
        .and_then(|count| count.parse().ok())
        .unwrap_or_default()
}

/// Reads a row, and how it was written.
pub(super) fn read<T>(item: Item, key: &str) -> Result<(T, Written), StoreError>
where
    T: Serialize + DeserializeOwned,
{
    let mut written = Written {
        layout: count(&item, "layout"),
        earliest: count(&item, "earliest"),
        unknown: None,
    };
    if !is_later(&item) {
        return Ok((from_item(item, key)?, written));
    }
    let mut readable = item.clone();
    leave_out_unknown_names(&mut readable);
    let known: T = from_item(readable, key)?;
    written.unknown = Some(Box::new(Thing::of(&item, &to_item(&known)?)));
    Ok((known, written))
}

/// Mails, news and turns are told apart by name, and each stands for itself: one that this version has
/// no word for does not keep it from reading the others.
fn leave_out_unknown_names(item: &mut Item) {
    for name in ["mails", "superseded"] {
        if let Some(AttributeValue::L(names)) = item.get_mut(name) {
            names.retain(is_a::<Mail>);
        }
    }
    if let Some(AttributeValue::M(announced)) = item.get_mut("announced") {
        announced.retain(|name, _| is_a::<News>(&AttributeValue::S(name.clone())));
    }
    if let Some(AttributeValue::M(told)) = item.get_mut("told") {
        told.retain(|name, _| is_a::<Notice>(&AttributeValue::S(name.clone())));
    }
    if item.get("turn").is_some_and(|turn| !is_a::<Turn>(turn)) {
        item.remove("turn");
    }
}

fn is_a<T: DeserializeOwned>(value: &AttributeValue) -> bool {
    serde_dynamo::from_attribute_value::<_, T>(value.clone()).is_ok()
}

/// A row that this version is the first to write.
impl Default for Written {
    fn default() -> Self {
        Self {
            layout: LAYOUT,
            earliest: LAYOUT,
            unknown: None,
        }
    }
}

impl Written {
    /// The latest and the earliest layout of the row's next version.
    pub(super) fn next(&self) -> (u32, u32) {
        (self.layout.max(LAYOUT), self.earliest.min(LAYOUT))
    }

    /// The same if this version writes it without regard to what was there.
    pub(super) fn anew(&self) -> (u32, u32) {
        (self.layout.max(LAYOUT), LAYOUT)
    }

    /// Whether an earlier version may have left something out.
    pub(crate) fn is_by_earlier_version(&self) -> bool {
        self.earliest < LAYOUT
    }

    /// The row's next version, with what is not known of it.
    pub(super) fn with(&self, mut next: Item) -> Item {
        if let Some(unknown) = &self.unknown {
            unknown.add_to(&mut next);
        }
        next
    }
}

impl Thing {
    /// What of a map is not in `known`, which is what this version has read and would write.
    fn of(map: &Item, known: &Item) -> Self {
        let rest = map.iter().filter_map(|(name, value)| {
            let rest = match known.get(name) {
                Some(known) => Rest::of(value, known)?,
                None => Rest::All(value.clone()),
            };
            Some((name.clone(), rest))
        });
        let own = known.iter().filter(|(_, value)| is_plain(value));
        Self {
            rest: rest.collect(),
            own: own
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
    }

    fn is_same(&self, next: &Item) -> bool {
        let mut own = self.own.iter();
        own.all(|(name, value)| next.get(name) == Some(value))
    }

    fn add_to(&self, next: &mut Item) {
        for (name, rest) in &self.rest {
            match (rest, next.get_mut(name)) {
                (Rest::All(value), None) => {
                    next.insert(name.clone(), value.clone());
                }
                (rest, Some(next)) => rest.add_to(next),
                // It is not there any more.
                (Rest::Some(_) | Rest::Elements(..), None) => {}
            }
        }
    }
}

impl Rest {
    /// What of a value is not in `known`; `None` if all is.
    fn of(value: &AttributeValue, known: &AttributeValue) -> Option<Self> {
        match (value, known) {
            (AttributeValue::M(map), AttributeValue::M(known)) => {
                let thing = Thing::of(map, known);
                (!thing.rest.is_empty()).then_some(Self::Some(thing))
            }
            (AttributeValue::L(list), AttributeValue::L(known)) => Self::of_list(list, known),
            _ => None,
        }
    }

    /// Of a list of maps, which has the same elements in both, or of a list of names, some of which are
    /// not known.
    fn of_list(list: &[AttributeValue], known: &[AttributeValue]) -> Option<Self> {
        let unknown = list.iter().filter(|one| is_plain(one));
        let unknown = unknown.filter(|one| !known.contains(one)).cloned();
        let unknown: Vec<_> = unknown.collect();
        let maps = list.iter().zip(known).filter_map(|both| match both {
            (AttributeValue::M(map), AttributeValue::M(known)) => Some(Thing::of(map, known)),
            _ => None,
        });
        let things: Vec<_> = maps.filter(|thing| !thing.rest.is_empty()).collect();
        let is_known = unknown.is_empty() && things.is_empty();
        (!is_known).then_some(Self::Elements(unknown, things))
    }

    fn add_to(&self, next: &mut AttributeValue) {
        match (self, next) {
            (Self::Some(thing), AttributeValue::M(next)) if thing.is_same(next) => {
                thing.add_to(next);
            }
            (Self::Elements(unknown, things), AttributeValue::L(next)) => {
                let new = unknown.iter().filter(|one| !next.contains(one));
                let new: Vec<_> = new.cloned().collect();
                next.extend(new);
                let maps = next.iter_mut().filter_map(|one| match one {
                    AttributeValue::M(map) => Some(map),
                    _ => None,
                });
                for map in maps {
                    if let Some(thing) = things.iter().find(|thing| thing.is_same(map)) {
                        thing.add_to(map);
                    }
                }
            }
            // This version knows it, or it has become something else.
            _ => {}
        }
    }
}

/// Whether a value says something by itself.
fn is_plain(value: &AttributeValue) -> bool {
    !matches!(value, AttributeValue::M(_) | AttributeValue::L(_))
}
