//! Files that use each other in a circle.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    slice,
};

/// Files each of which leads to each other.
pub(crate) struct Circle {
    /// In order.
    pub(crate) files: Vec<String>,
    /// A shortest way round, file by file.
    pub(crate) shown: String,
}

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// All circles, none within another.
pub(crate) fn of(arrows: &Arrows) -> Vec<Circle> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = arrows
        .keys()
        .map(|file| (file, from(arrows, file)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for (file, reachable) in &reached {
        if !reachable.contains(file) || seen.contains(file) {
            continue;
        }
        let leads_back = |other: &&&String| reached.get(**other).is_some_and(|r| r.contains(file));
        let files: Vec<_> = reachable.iter().filter(leads_back).copied().collect();
        seen.extend(files.iter().copied());
        circles.push(Circle {
            shown: way_round(arrows, file).join(" → "),
            files: files.into_iter().cloned().collect(),
        });
    }
    circles
}

/// All that a file leads to; itself only if it is in a circle.
fn from<'a>(arrows: &'a Arrows, file: &'a String) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![file];
    while let Some(file) = next.pop() {
        let targets = arrows.get(file).into_iter().flatten();
        next.extend(targets.filter(|target| reached.insert(*target)));
    }
    reached
}

/// A shortest way from a file back to it.
fn way_round(arrows: &Arrows, file: &str) -> Vec<String> {
    let mut ways = VecDeque::from([vec![file.to_owned()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for target in way
            .last()
            .and_then(|last| arrows.get(last))
            .into_iter()
            .flatten()
        {
            let way = [way.as_slice(), slice::from_ref(target)].concat();
            if target == file {
                return way;
            }
            if seen.insert(target) {
                ways.push_back(way);
            }
        }
    }
    Vec::new()
}

#[test]
fn a_circle_is_shown_file_by_file() {
    let arrows = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")];
    let arrows: Arrows = arrows
        .map(|(from, to)| (from.to_owned(), [to.to_owned()].into()))
        .into();
    let circles = of(&arrows);
    assert_eq!(circles.len(), 1);
    assert_eq!(circles[0].files, ["a", "b", "c"]);
    assert_eq!(circles[0].shown, "a → b → c → a");
}
