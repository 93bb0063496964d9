//! Names of events and paths, and patterns of them.

/// Whether a name is meant by a pattern: itself, a group such as `charge.*`, or `*`.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(group) => name.starts_with(group),
        None => name == pattern,
    }
}
