//! Facts only grow. Each merge is a least upper bound, so neither the order nor the repetition of
//! what comes in affects the result.

use std::collections::BTreeMap;

/// Keeps the greater of the value in the map and this one; says whether that is this one.
pub(super) fn keep_greatest<K: Ord, V: Ord>(known: &mut BTreeMap<K, V>, key: K, value: V) -> bool {
    match known.get_mut(&key) {
        Some(known) if *known >= value => false,
        Some(known) => {
            *known = value;
            true
        }
        None => {
            known.insert(key, value);
            true
        }
    }
}
