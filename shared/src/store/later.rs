//! Rows that a later version of this code has written.
//!
//! While a shop is deployed, two versions of its code are at work for minutes, and whoever goes back
//! has the earlier one at work for days. It reads rows that have more than it knows, and what it
//! writes replaces the whole row. So each row says in which layout it was written, and of one in a
//! later layout, this version keeps what it does not know, and writes it again with the rest.
//!
//! What was added to something stays with it for as long as that thing is the same: its own texts and
//! numbers have not changed. A session that settles, a refund that fails or another attempt begins
//! without; what Stripe says of it, the later version takes again (see [`super::claims`]).

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

/// The attribute that says it; rows from before there were layouts have none.
pub(super) const NAME: &str = "layout";

/// What this version does not know of a row, to be written again with what it does. There is nothing
/// in it unless a later version has written the row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unknown(Option<Box<Later>>);

#[derive(Clone, Debug)]
struct Later {
    layout: u32,
    rest: Thing,
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

/// The layout in which a row was written.
pub(super) fn layout_of(item: &Item) -> u32 {
    let layout = item.get(NAME).and_then(|layout| layout.as_n().ok());
    layout
        .and_then(|layout| layout.parse().ok())
        .unwrap_or_default()
}

/// Whether a later version has written a row.
pub(super) fn is_later(item: &Item) -> bool {
    layout_of(item) > LAYOUT
}

/// Reads a row, and what this version does not know of it.
pub(super) fn read<T>(item: Item, key: &str) -> Result<(T, Unknown), StoreError>
where
    T: Serialize + DeserializeOwned,
{
    if !is_later(&item) {
        return Ok((from_item(item, key)?, Unknown::default()));
    }
    let mut readable = item.clone();
    leave_out_unknown_names(&mut readable);
    let known: T = from_item(readable, key)?;
    let later = Later {
        layout: layout_of(&item),
        rest: Thing::of(&item, &to_item(&known)?),
    };
    Ok((known, Unknown(Some(Box::new(later)))))
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

impl Unknown {
    /// The layout in which the row is written again: not an earlier one, because it has all that it
    /// had.
    pub(super) fn layout(&self) -> u32 {
        self.0
            .as_ref()
            .map_or(LAYOUT, |later| later.layout.max(LAYOUT))
    }

    /// The row's next version, with what is not known of it.
    pub(super) fn with(&self, mut next: Item) -> Item {
        if let Some(later) = &self.0 {
            later.rest.add_to(&mut next);
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
