//! What Stripe's API looks like: each operation with its parameters, each object with its fields, each
//! type of event, as of one version of the API.
//!
//! The descriptions are texts in `api/`, made by the script beside them from the types of Stripe's SDKs.
//! The newest is whole; each older one says what it has otherwise than the next newer. A text is cut
//! into blocks when a version is first asked for, and a block is read when it is used.
//!
//! ```ignore
//! let api = Description::at("2026-10-28.endive")?;   // or Description::newest()
//! let found = api.operation("POST", "/v1/customers/cus_1")?;
//! found.path                                          // [("customer", "cus_1")]
//! found.operation.returns                             // Shape::Kind("customer")
//! check(&found.operation, &params)                    // problems with the parameters
//! check_leniently("POST", path, &params)              // what every version finds wrong with them
//! blank(api.object("customer")?)                      // an object with all that is always there
//! complete("charge", known)                           // what is known of one, and null for the rest
//! project(api, value)                                 // an object, as this version shows it
//! expandable(api, &found.operation.returns, "default_source")
//! ```
//!
//! Everything here is pure and borrows from the embedded texts.

mod blank;
mod check;
mod expand;
mod project;
mod shape;
mod text;

use std::sync::LazyLock;

pub(crate) use self::blank::{blank, blank_of, complete, filled};
pub(crate) use self::check::{Problem, check, check_leniently};
pub(crate) use self::expand::expandable;
pub(crate) use self::project::{project, project_part};
pub(crate) use self::shape::{Fields, Shape};
use self::text::Blocks;

/// The newest first.
const TEXTS: [&str; 5] = [
    include_str!("../api/endive.txt"),
    include_str!("../api/dahlia.txt"),
    include_str!("../api/clover.txt"),
    include_str!("../api/basil.txt"),
    include_str!("../api/acacia.txt"),
];

/// What Stripe's own tools and pages ask for and no reference describes, the same in all versions.
const UNDOCUMENTED: &str = include_str!("../api/undocumented.txt");

static DESCRIPTIONS: [LazyLock<Description>; 5] = [
    LazyLock::new(|| Description::read(1)),
    LazyLock::new(|| Description::read(2)),
    LazyLock::new(|| Description::read(3)),
    LazyLock::new(|| Description::read(4)),
    LazyLock::new(|| Description::read(5)),
];

/// One version of the API.
#[derive(Debug)]
pub(crate) struct Description {
    version: &'static str,
    blocks: Blocks,
    /// Sorted by path: as `{` comes after all letters, a path with a literal segment comes before one
    /// with a parameter in its place.
    operations: Vec<(&'static str, &'static str)>,
}

/// Something that can be asked of the API.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// `GET`, `POST` or `DELETE`.
    pub(crate) method: &'static str,
    /// Its path, as in `/v1/customers/{customer}`.
    pub(crate) template: &'static str,
    pub(crate) params: Fields,
    pub(crate) returns: Shape,
}

/// An operation, and what the path says of its parameters.
#[derive(Debug)]
pub(crate) struct Match<'p> {
    pub(crate) operation: Operation,
    pub(crate) path: Vec<(&'static str, &'p str)>,
}

impl Description {
    /// The newest version there is a description of.
    pub(crate) fn newest() -> &'static Self {
        let [newest, ..] = &DESCRIPTIONS;
        newest
    }

    /// All versions there are descriptions of, the newest first.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        DESCRIPTIONS.iter().map(|description| &**description)
    }

    /// The description for a version as `Stripe-Version` names it.
    ///
    /// Under one name (`endive`) only additions are made, so the last of its versions stands for them
    /// all. Versions that are older than the first name (`2024-06-20`) have the oldest description.
    pub(crate) fn at(version: &str) -> Option<&'static Self> {
        let (date, name) = match version.split_once('.') {
            Some((date, name)) => (date, Some(name)),
            None => (version, None),
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = date.split('-').map(|part| (part.len(), is_digits(part)));
        if !parts.eq([(4, true), (2, true), (2, true)]) {
            return None;
        }
        let Some(name) = name else {
            return Self::all().last();
        };
        TEXTS
            .iter()
            .position(|text| {
                text::version(text)
                    .split_once('.')
                    .is_some_and(|(_, its)| its == name)
            })
            .and_then(|at| DESCRIPTIONS.get(at))
            .map(|description| &**description)
    }

    fn read(texts: usize) -> Self {
        let mut version = "";
        let mut blocks = Blocks::default();
        for text in TEXTS.into_iter().take(texts) {
            version = text::version(text);
            blocks.merge(text);
        }
        blocks.merge(UNDOCUMENTED);
        let mut operations: Vec<_> = blocks
            .heads()
            .filter(|(_, rest)| rest.starts_with('/'))
            .map(|(method, path)| (path, method))
            .collect();
        operations.sort_unstable();
        Self {
            version,
            blocks,
            operations,
        }
    }

    /// The version that is described, as in `2026-10-28.endive`.
    pub(crate) fn version(&self) -> &'static str {
        self.version
    }

    /// The operation that a request asks for. A path is taken as it is in the request, without what
    /// follows a `?`.
    pub(crate) fn operation<'p>(&'static self, method: &str, path: &'p str) -> Option<Match<'p>> {
        let resource = text::resource(path);
        let from = self
            .operations
            .partition_point(|(template, _)| *template < resource);
        self.operations
            .iter()
            .skip(from)
            .take_while(|(template, _)| template.starts_with(resource))
            .filter(|(_, its)| *its == method)
            .find_map(|(template, method)| {
                let path = text::path_parameters(template, path)?;
                let operation = self.read_operation(method, template)?;
                Some(Match { operation, path })
            })
    }

    /// All operations, by path.
    pub(crate) fn operations(&'static self) -> impl Iterator<Item = Operation> {
        self.operations
            .iter()
            .filter_map(|(template, method)| self.read_operation(method, template))
    }

    fn read_operation(
        &'static self,
        method: &'static str,
        template: &'static str,
    ) -> Option<Operation> {
        let block = self.blocks.get(method, template)?;
        Some(Operation {
            method,
            template,
            params: Fields::new(&self.blocks, block.body),
            returns: Shape::read(&self.blocks, block.says)?,
        })
    }

    /// The fields of an object, by its `object`.
    pub(crate) fn object(&'static self, kind: &str) -> Option<Fields> {
        Fields::find(&self.blocks, "object", kind)
    }

    /// What is left of a deleted object.
    pub(crate) fn deleted(&'static self, kind: &str) -> Option<Fields> {
        Fields::find(&self.blocks, "deleted", kind)
    }

    /// Every `object`, by name.
    pub(crate) fn objects(&self) -> Vec<&'static str> {
        self.names("object")
    }

    /// Every type of event, by name.
    pub(crate) fn events(&self) -> Vec<&'static str> {
        self.names("event")
    }

    /// What an event of this type carries.
    pub(crate) fn event(&'static self, event: &str) -> Option<Shape> {
        let block = self.blocks.get("event", event)?;
        Shape::read(&self.blocks, block.says)
    }

    fn names(&self, what: &str) -> Vec<&'static str> {
        let heads = self.blocks.heads();
        let mut names: Vec<_> = heads
            .filter(|(is, _)| *is == what)
            .map(|(_, name)| name)
            .collect();
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests;
