//! The attributes that rows have, all of them, by layout.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use serde_json::Value;

use crate::store::later::LAYOUT;

#[test]
fn rows_have_the_attributes_of_their_layout() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/layout");
    let mut paths = BTreeSet::new();
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap().path();
        if file
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let item: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            let attributes = item.as_object().unwrap().iter();
            attributes.for_each(|(name, value)| collect(name, value, &mut paths));
        }
    }
    let mut list = format!("Layout {LAYOUT}\n");
    paths
        .iter()
        .for_each(|path| writeln!(list, "{path}").unwrap());
    let listed = folder.join("attributes.txt");
    if std::env::var_os("REWRITE_ATTRIBUTES").is_some() {
        fs::write(&listed, &list).unwrap();
    }
    let listed = fs::read_to_string(&listed).unwrap_or_default();
    assert_eq!(
        listed, list,
        "rows have other attributes: count LAYOUT in store/later.rs one up if a shop may have been \
         deployed since it was last counted, and run this test with REWRITE_ATTRIBUTES=1"
    );
}

/// An attribute, and those in it.
fn collect(path: &str, value: &Value, paths: &mut BTreeSet<String>) {
    if let Some(map) = value["M"].as_object() {
        for (name, value) in map {
            collect(&format!("{path}.{name}"), value, paths);
        }
    } else if let Some(list) = value["L"].as_array() {
        let path = format!("{path}[]");
        list.iter().for_each(|value| collect(&path, value, paths));
    } else {
        paths.insert(path.to_owned());
    }
}
