//! The parameters of a request. Reading a parameter takes it out, so that [`Params::finish`] can refuse
//! whatever nobody has read.

mod metadata;
mod money;
mod words;

use serde_json::{Map, Value};

use crate::wire::errors::ApiError;
use crate::wire::form::{self, Fields, Node};

pub(crate) use self::metadata::MetadataUpdate;
pub(crate) use self::money::{check_amount, check_step};
pub(crate) use self::words::{is_email, set};

/// The parameters of a request, or of one object within them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Params {
    name: ObjectName,
    fields: Fields,
}

/// What a request calls an object within its parameters, for whoever has to name one of its fields once
/// they are read. The default names the request itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ObjectName(String);

impl ObjectName {
    /// What the request calls this field, which may be of an object within: `pricing[price]`.
    pub(crate) fn field(&self, field: &str) -> String {
        let (first, rest) = field.split_at(field.find('[').unwrap_or(field.len()));
        match self.0.as_str() {
            "" => field.to_owned(),
            object => format!("{object}[{first}]{rest}"),
        }
    }
}

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, ApiError> {
        Ok(Self {
            name: ObjectName::default(),
            fields: form::parse(encoded)?,
        })
    }

    /// Parameters that say what an object holds.
    pub(crate) fn of(object: &Map<String, Value>) -> Self {
        Self {
            name: ObjectName::default(),
            fields: form::of_object(object),
        }
    }

    /// All that is there, as JSON.
    pub(crate) fn tree(&self) -> anyhow::Result<Map<String, Value>> {
        match serde_json::to_value(&self.fields)? {
            Value::Object(tree) => Ok(tree),
            other => anyhow::bail!("parameters are not an object: {other}"),
        }
    }

    /// The names of what nobody has read yet.
    pub(crate) fn left(&self) -> Vec<String> {
        self.fields.keys().cloned().collect()
    }

    /// Sets a field, as if the request had it.
    pub(crate) fn set(&mut self, field: &str, text: &str) {
        let text = Node::Text(text.to_owned());
        self.fields.insert(field.to_owned(), text);
    }

    /// Moves a field, whatever it holds, to where this path leads.
    pub(crate) fn nest(&mut self, field: &str, within: &[&str], name: &str) {
        let Some(node) = self.fields.remove(field) else {
            return;
        };
        let mut at = &mut self.fields;
        for outer in within {
            let place = at.entry((*outer).to_owned());
            match place.or_insert_with(|| Node::Fields(Fields::default())) {
                Node::Fields(fields) => at = fields,
                Node::Text(_) => return,
            }
        }
        at.insert(name.to_owned(), node);
    }

    /// Takes a field out, whatever it holds.
    pub(crate) fn take(&mut self, field: &str) -> anyhow::Result<Option<Value>> {
        let taken = self.fields.remove(field);
        Ok(taken.map(serde_json::to_value).transpose()?)
    }

    /// The same text for the same parameters, in whatever order they came.
    pub(crate) fn fingerprint(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(&self.fields)?)
    }

    /// The text in a field, which stays where it is.
    pub(crate) fn peek(&self, field: &str) -> Option<&str> {
        match self.fields.get(field) {
            Some(Node::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// What the request calls this field.
    pub(crate) fn name(&self, field: &str) -> String {
        self.name.field(field)
    }

    /// What the request calls this object.
    pub(crate) fn own_name(&self) -> ObjectName {
        self.name.clone()
    }

    /// Whether the field is there and has nothing in it.
    pub(crate) fn is_empty_text(&self, field: &str) -> bool {
        matches!(self.fields.get(field), Some(Node::Text(text)) if text.is_empty())
    }

    /// Whether the field is there and no object.
    pub(crate) fn is_text(&self, field: &str) -> bool {
        matches!(self.fields.get(field), Some(Node::Text(_)))
    }

    pub(crate) fn text(&mut self, field: &str) -> Result<Option<String>, ApiError> {
        match self.fields.remove(field) {
            None => Ok(None),
            Some(Node::Text(text)) if text.is_empty() => Err(ApiError::empty(&self.name(field))),
            Some(Node::Text(text)) => Ok(Some(text)),
            Some(Node::Fields(_)) => {
                let name = self.name(field);
                Err(ApiError::invalid(format!("Invalid string: {name} is an object")).param(name))
            }
        }
    }

    /// An object within this one. Absent, it is empty.
    pub(crate) fn object(&mut self, field: &str) -> Result<Self, ApiError> {
        Ok(self.optional_object(field)?.unwrap_or_default())
    }

    pub(crate) fn optional_object(&mut self, field: &str) -> Result<Option<Self>, ApiError> {
        let name = self.name(field);
        match self.fields.remove(field) {
            None => Ok(None),
            Some(Node::Fields(fields)) => Ok(Some(Self {
                name: ObjectName(name),
                fields,
            })),
            Some(Node::Text(_)) => Err(ApiError::invalid("Invalid object").param(name)),
        }
    }

    /// The objects of a list. Absent, it is empty.
    pub(crate) fn objects(&mut self, field: &str) -> Result<Vec<Self>, ApiError> {
        let objects = self
            .elements(field)?
            .into_iter()
            .map(|(name, node)| match node {
                Node::Fields(fields) => Ok(Self {
                    name: ObjectName(name),
                    fields,
                }),
                Node::Text(_) => Err(ApiError::invalid("Invalid object").param(name)),
            });
        objects.collect()
    }

    /// The texts of a list. Absent, it is empty.
    pub(crate) fn texts(&mut self, field: &str) -> Result<Vec<String>, ApiError> {
        let texts = self
            .elements(field)?
            .into_iter()
            .map(|(name, node)| match node {
                Node::Text(text) if text.is_empty() => Err(ApiError::empty(&name)),
                Node::Text(text) => Ok(text),
                Node::Fields(_) => Err(ApiError::invalid("Invalid string").param(name)),
            });
        texts.collect()
    }

    /// A list's elements in the order of their positions, with their names.
    fn elements(&mut self, field: &str) -> Result<Vec<(String, Node)>, ApiError> {
        let list = self.name(field);
        let not_a_list = || ApiError::invalid("Invalid array").param(&list);
        let elements = match self.fields.remove(field) {
            None => return Ok(Vec::new()),
            Some(Node::Text(_)) => return Err(not_a_list()),
            Some(Node::Fields(elements)) => elements,
        };
        let mut placed = Vec::new();
        for (position, node) in elements {
            placed.push((position.parse::<u32>().map_err(|_| not_a_list())?, node));
        }
        placed.sort_by_key(|(position, _)| *position);
        Ok(placed
            .into_iter()
            .map(|(position, node)| (format!("{list}[{position}]"), node))
            .collect())
    }

    /// Refuses what nobody has read.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.fields.is_empty() {
            return Ok(());
        }
        // The description has let it through, so Stripe takes it.
        let field = self.fields.keys().next().map(|field| self.name(field));
        Err(ApiError::unsupported(&field.unwrap_or_default()))
    }
}

/// A parameter that must be there.
pub(crate) trait Required<T> {
    fn required(self, params: &Params, field: &str) -> Result<T, ApiError>;
}

impl<T> Required<T> for Result<Option<T>, ApiError> {
    fn required(self, params: &Params, field: &str) -> Result<T, ApiError> {
        self?.ok_or_else(|| ApiError::missing(&params.name(field)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn problem(result: Result<impl Sized, ApiError>) -> Value {
        result.err().expect("a refusal").body()["error"].clone()
    }

    #[test]
    fn a_list_is_in_the_order_of_its_positions() {
        let form: Vec<_> = (0..12).rev().map(|n| format!("a[{n}]=v{n}")).collect();
        let mut params = Params::parse(form.join("&").as_bytes()).unwrap();
        let expected: Vec<_> = (0..12).map(|n| format!("v{n}")).collect();
        assert_eq!(params.texts("a").unwrap(), expected);
    }

    #[test]
    fn the_order_of_fields_makes_no_other_request_but_any_other_value_does() {
        let print = |form: &str| {
            Params::parse(form.as_bytes())
                .unwrap()
                .fingerprint()
                .unwrap()
        };
        assert_eq!(print("a=1&b[c]=2&b[d]=3"), print("b[d]=3&a=1&b[c]=2"));
        assert_ne!(print("a=1"), print("a=2"));
        assert_ne!(print("a[]=1&a[]=2"), print("a[]=2&a[]=1"));
        assert_ne!(print("a="), print(""));
    }

    #[test]
    fn what_nobody_reads_is_not_supported() {
        let mut params = Params::parse(b"mode=payment&mod=payment&more[a]=1").unwrap();
        params.text("mode").unwrap();
        let error = problem(params.finish());
        assert_eq!(error["code"], "parameter_unsupported");
        assert_eq!(error["param"], "mod");
    }

    #[test]
    fn a_wrong_value_is_named_with_its_whole_path() {
        let mut params =
            Params::parse(b"items[0][n]=1.5&items[1][n]=&items[2][b]=yes&items[3]=x").unwrap();
        let error = problem(params.objects("items"));
        assert_eq!(error["param"], "items[3]");

        let mut params = Params::parse(b"items[0][n]=1.5&items[1][n]=&items[2][b]=yes").unwrap();
        let mut items = params.objects("items").unwrap();
        let error = problem(items[0].integer("n"));
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!("parameter_invalid_integer"), &json!("items[0][n]"))
        );
        let error = problem(items[1].integer("n"));
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!("parameter_invalid_empty"), &json!("items[1][n]"))
        );
        assert_eq!(problem(items[2].boolean("b"))["param"], "items[2][b]");
        assert_eq!(
            problem(items[2].text("c").required(&items[2], "c"))["param"],
            "items[2][c]"
        );
    }
}
