//! What a parameter or a field may be.

use super::text::Blocks;

/// A type of the API. A parameter comes as text, whatever its shape; the shape says what it must read as.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Text,
    Integer,
    /// A number that may have decimal places.
    Number,
    /// Such a number, as a text in answers too.
    Decimal,
    Boolean,
    /// `true`, and never `false`.
    True,
    /// One of these texts.
    Enum(Vec<&'static str>),
    /// The empty text, which takes away what was there.
    Empty,
    Null,
    /// Names that the caller chooses, as in metadata, each with a value of this shape.
    Map(Box<Shape>),
    Array(Box<Shape>),
    Object(Fields),
    AnyOf(Vec<Shape>),
    /// What the SDKs do not describe, such as a file.
    Any,
    /// An object of the API, whole.
    Kind(&'static str),
    /// What is left of a deleted one.
    Deleted(&'static str),
    /// The id of an object of one of these kinds, or the object itself if it is expanded.
    Id(Vec<&'static str>),
    /// A page of a list.
    List(Box<Shape>),
    /// A page of what a search found.
    Search(Box<Shape>),
}

/// The fields of an object or of nested parameters. They are read when they are looked at, so an object
/// may have itself within it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    blocks: &'static Blocks,
    body: &'static str,
}

/// A field of an object, or a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// May be left out.
    pub(crate) optional: bool,
    /// May be null.
    pub(crate) nullable: bool,
    /// What it is if it is there and not null.
    pub(crate) shape: Shape,
}

impl Fields {
    pub(super) fn new(blocks: &'static Blocks, body: &'static str) -> Self {
        Self { blocks, body }
    }

    pub(super) fn find(blocks: &'static Blocks, what: &str, name: &str) -> Option<Self> {
        let block = blocks.get(what, name)?;
        Some(Self::new(blocks, block.body))
    }

    /// The fields of another object of the same version.
    pub(super) fn object(self, kind: &str) -> Option<Self> {
        Self::find(self.blocks, "object", kind)
    }

    /// In the order in which Stripe shows them.
    pub(crate) fn iter(self) -> impl Iterator<Item = Field> {
        self.body
            .lines()
            .filter_map(move |line| Field::read(self.blocks, line.trim_start()))
    }

    /// The names of those that must be there.
    pub(crate) fn required(self) -> impl Iterator<Item = &'static str> {
        let names = self.body.lines().filter_map(|line| line.split_once(": "));
        names
            .map(|(name, _)| name.trim_start())
            .filter(|name| !name.ends_with('?'))
    }

    pub(crate) fn get(self, name: &str) -> Option<Field> {
        let line = self.body.lines().map(str::trim_start).find(|line| {
            line.split_once(": ")
                .is_some_and(|(its, _)| its.strip_suffix('?').unwrap_or(its) == name)
        })?;
        Field::read(self.blocks, line)
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.body, other.body) && std::ptr::eq(self.blocks, other.blocks)
    }
}

impl Field {
    fn read(blocks: &'static Blocks, line: &'static str) -> Option<Self> {
        let (name, kind) = line.split_once(": ")?;
        let without_null = kind.strip_suffix(" | null");
        Some(Self {
            name: name.strip_suffix('?').unwrap_or(name),
            optional: name.ends_with('?'),
            nullable: without_null.is_some(),
            shape: Shape::read(blocks, without_null.unwrap_or(kind))?,
        })
    }
}

impl Shape {
    pub(super) fn read(blocks: &'static Blocks, text: &'static str) -> Option<Self> {
        let mut alternatives = alternatives(text);
        if alternatives.len() == 1 {
            return Self::read_one(blocks, alternatives.pop()?);
        }
        let read = |one| Self::read_one(blocks, one);
        let shapes: Option<_> = alternatives.into_iter().map(read).collect();
        shapes.map(Self::AnyOf)
    }

    fn read_one(blocks: &'static Blocks, text: &'static str) -> Option<Self> {
        if let Some((word, rest)) = text.split_once('(') {
            let inner = rest.strip_suffix(')')?;
            let shape = || Self::read(blocks, inner).map(Box::new);
            return Some(match word {
                "" => Self::Enum(inner.split(' ').collect()),
                "array" => Self::Array(shape()?),
                "map" => Self::Map(shape()?),
                "list" => Self::List(shape()?),
                "search" => Self::Search(shape()?),
                "object" => Self::Kind(inner),
                "deleted" => Self::Deleted(inner),
                "id" => Self::Id(inner.split(' ').collect()),
                _ => return None,
            });
        }
        Some(match text {
            "text" => Self::Text,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "decimal" => Self::Decimal,
            "boolean" => Self::Boolean,
            "true" => Self::True,
            "empty" => Self::Empty,
            "null" => Self::Null,
            "any" => Self::Any,
            name => match Fields::find(blocks, "shape", name) {
                Some(fields) => Self::Object(fields),
                None => {
                    let values = blocks.get("enum", name)?.body;
                    Self::Enum(values.split_whitespace().collect())
                }
            },
        })
    }

    /// The one kind of object that this is, or is made of.
    pub(crate) fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Kind(kind) | Self::Deleted(kind) => Some(kind),
            Self::List(element) | Self::Search(element) => element.kind(),
            Self::AnyOf(shapes) => {
                let mut kinds = shapes.iter().map(Self::kind);
                let first = kinds.next()??;
                kinds.all(|kind| kind == Some(first)).then_some(first)
            }
            _ => None,
        }
    }

    /// The kinds of which this may be an id.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        match self {
            Self::Id(kinds) => kinds.clone(),
            Self::Array(element) => element.kinds(),
            Self::AnyOf(shapes) => shapes.iter().flat_map(Self::kinds).collect(),
            _ => Vec::new(),
        }
    }

    /// The fields of a nested object, or of those in a list.
    pub(crate) fn fields(&self) -> Option<Fields> {
        match self {
            Self::Object(fields) => Some(*fields),
            Self::Array(element) => element.fields(),
            Self::AnyOf(shapes) => shapes.iter().find_map(Self::fields),
            _ => None,
        }
    }

    /// The shapes that this may be: itself, if it is only one.
    pub(crate) fn alternatives(&self) -> &[Self] {
        match self {
            Self::AnyOf(shapes) => shapes,
            one => std::slice::from_ref(one),
        }
    }
}

/// `a | array(b | c)` is two alternatives.
fn alternatives(text: &'static str) -> Vec<&'static str> {
    let mut depth = 0_i32;
    text.split(move |character| {
        match character {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == '|' && depth == 0
    })
    .map(str::trim)
    .collect()
}
