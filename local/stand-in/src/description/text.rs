//! How a description is written down.

use std::collections::HashMap;

/// All blocks of one version, by what their first lines begin with.
#[derive(Debug, Default)]
pub(super) struct Blocks(HashMap<&'static str, Block>);

/// A line that says what follows, with what it says itself behind a colon, and the indented lines after
/// it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) says: &'static str,
    pub(super) body: &'static str,
}

/// The version that a text describes.
pub(super) fn version(text: &'static str) -> &'static str {
    let first = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("version "));
    first.unwrap_or_default()
}

impl Blocks {
    /// Adds what a text has otherwise than the next newer one.
    pub(super) fn merge(&mut self, mut text: &'static str) {
        while let Some((line, rest)) = text.split_once('\n') {
            let size = rest
                .split_inclusive('\n')
                .take_while(|line| line.starts_with("  "))
                .map(str::len)
                .sum();
            let (body, rest) = rest.split_at_checked(size).unwrap_or(("", rest));
            text = rest;
            if let Some(head) = line.strip_prefix("without ") {
                self.0.remove(head);
            } else if !line.starts_with("version ") {
                let (head, says) = line.split_once(": ").unwrap_or((line, ""));
                self.0.insert(head, Block { says, body });
            }
        }
    }

    /// The block of `what` that is called `name`, as in `object` and `customer`.
    pub(super) fn get(&self, what: &str, name: &str) -> Option<Block> {
        self.0.get(format!("{what} {name}").as_str()).copied()
    }

    /// What all blocks are and are called.
    pub(super) fn heads(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.keys().filter_map(|head| head.split_once(' '))
    }
}

/// The beginning of a path, as in `/v1/customers`, in which no template has a parameter.
pub(super) fn resource(path: &str) -> &str {
    let slashes = path.match_indices('/');
    let end = slashes.map(|(at, _)| at).nth(2).unwrap_or(path.len());
    path.get(..end).unwrap_or(path)
}

/// What stands in `path` where `template` has `{a parameter}`, if everything else is the same.
pub(super) fn path_parameters<'p>(
    template: &'static str,
    path: &'p str,
) -> Option<Vec<(&'static str, &'p str)>> {
    let mut found = Vec::new();
    let mut segments = path.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        match expected
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(name) if !segment.is_empty() => found.push((name, segment)),
            None if segment == expected => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(found)
}
