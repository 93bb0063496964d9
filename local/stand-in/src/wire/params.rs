//! The parameters of a request. Reading a parameter takes it out, so that [`Params::finish`] can refuse
//! whatever nobody has read.

use serde_json::{Map, Value};
use url::Url;

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::resource::Metadata;
use crate::wire::errors::ApiError;
use crate::wire::form::{self, Fields, Node};

/// The parameters of a request, or of one object within them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Params {
    /// The name of this object among the request's parameters; empty for the request itself.
    name: String,
    fields: Fields,
}

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, ApiError> {
        Ok(Self {
            name: String::new(),
            fields: form::parse(encoded)?,
        })
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
        match self.name.as_str() {
            "" => field.to_owned(),
            name => format!("{name}[{field}]"),
        }
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

    /// A text of at most `limit` characters.
    pub(crate) fn short_text(
        &mut self,
        field: &str,
        limit: usize,
    ) -> Result<Option<String>, ApiError> {
        match self.text(field)? {
            Some(text) if text.chars().count() > limit => {
                Err(ApiError::too_long(&self.name(field), limit))
            }
            text => Ok(text),
        }
    }

    /// A text of at most `limit` characters that may also be empty, to take away what was there.
    pub(crate) fn maybe_empty_text(
        &mut self,
        field: &str,
        limit: usize,
    ) -> Result<Option<String>, ApiError> {
        if matches!(self.fields.get(field), Some(Node::Text(text)) if text.is_empty()) {
            self.fields.remove(field);
            return Ok(Some(String::new()));
        }
        self.short_text(field, limit)
    }

    pub(crate) fn integer(&mut self, field: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        match text.parse() {
            Ok(integer) => Ok(Some(integer)),
            Err(_) => Err(ApiError::not_an_integer(&self.name(field), &text)),
        }
    }

    pub(crate) fn integer_within(
        &mut self,
        field: &str,
        least: i64,
        most: i64,
    ) -> Result<Option<i64>, ApiError> {
        let refuse = |name, requirement| Err(ApiError::out_of_range(name, requirement));
        match self.integer(field)? {
            Some(integer) if integer < least => {
                let requirement = format!("This value must be greater than or equal to {least}.");
                refuse(&self.name(field), requirement)
            }
            Some(integer) if integer > most => {
                let requirement = format!("This value must be less than or equal to {most}.");
                refuse(&self.name(field), requirement)
            }
            integer => Ok(integer),
        }
    }

    pub(crate) fn boolean(&mut self, field: &str) -> Result<Option<bool>, ApiError> {
        match self.text(field)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(text) => {
                Err(ApiError::invalid(format!("Invalid boolean: {text}")).param(self.name(field)))
            }
        }
    }

    /// A share above 0 and up to 100 %, in hundredths of a percent.
    pub(crate) fn percent(&mut self, field: &str) -> Result<Option<u32>, ApiError> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let hundredths = match text.split_once('.') {
            None => format!("{text}00").parse(),
            Some((whole, fraction)) => {
                let fraction: String = fraction.chars().chain("00".chars()).take(2).collect();
                format!("{whole}{fraction}").parse()
            }
        };
        match hundredths {
            Ok(hundredths @ 1..=10_000) => Ok(Some(hundredths)),
            _ => Err(ApiError::invalid(format!(
                "Invalid {field}: {text} is not a number above 0 and up to 100"
            ))
            .param(self.name(field))),
        }
    }

    /// One of a few words.
    pub(crate) fn choice(
        &mut self,
        field: &str,
        choices: &[&str],
    ) -> Result<Option<String>, ApiError> {
        match self.text(field)? {
            Some(text) if !choices.contains(&text.as_str()) => {
                let choices = choices.join(", ");
                Err(
                    ApiError::invalid(format!("Invalid {field}: must be one of {choices}"))
                        .param(self.name(field)),
                )
            }
            text => Ok(text),
        }
    }

    pub(crate) fn url(&mut self, field: &str) -> Result<Option<String>, ApiError> {
        match self.short_text(field, 5_000)? {
            Some(text) if !is_url(&text) => Err(ApiError::not_a_url(&self.name(field))),
            text => Ok(text),
        }
    }

    pub(crate) fn email(&mut self, field: &str) -> Result<Option<String>, ApiError> {
        match self.short_text(field, 800)? {
            Some(text) if !is_email(&text) => Err(ApiError::not_an_email(&self.name(field), &text)),
            text => Ok(text),
        }
    }

    /// A currency Stripe charges in, in lower case.
    pub(crate) fn currency(&mut self, field: &str) -> Result<Option<Currency>, ApiError> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let known = text.to_lowercase().parse();
        known.map(Some).map_err(|_| {
            ApiError::invalid(format!(
                "Invalid currency: {text}. It must be a three-letter code of a currency that Stripe \
                 charges in, such as usd."
            ))
            .param(self.name(field))
        })
    }

    /// An amount in a currency's minor units.
    pub(crate) fn amount(
        &mut self,
        field: &str,
        currency: Currency,
    ) -> Result<Option<Amount>, ApiError> {
        let step = currency.step();
        match self.integer_within(field, 0, i64::MAX)?.map(Amount::new) {
            Some(amount) if amount > currency.maximum() => {
                Err(ApiError::amount_too_large(&self.name(field), currency))
            }
            Some(amount) if amount.beyond(step) != Amount::ZERO => Err(ApiError::out_of_range(
                &self.name(field),
                format!("Amounts in {currency} must be a multiple of {step}."),
            )),
            amount => Ok(amount),
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
            Some(Node::Fields(fields)) => Ok(Some(Self { name, fields })),
            Some(Node::Text(_)) => Err(ApiError::invalid("Invalid object").param(name)),
        }
    }

    /// The objects of a list. Absent, it is empty.
    pub(crate) fn objects(&mut self, field: &str) -> Result<Vec<Self>, ApiError> {
        let objects = self
            .elements(field)?
            .into_iter()
            .map(|(name, node)| match node {
                Node::Fields(fields) => Ok(Self { name, fields }),
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

    /// Up to 50 pairs of a short key and a text.
    pub(crate) fn metadata(&mut self, field: &str) -> Result<Metadata, ApiError> {
        let mut metadata = Metadata::new();
        self.metadata_update(field)?.apply(&mut metadata)?;
        Ok(metadata)
    }

    /// What is to become of metadata there already is.
    pub(crate) fn metadata_update(&mut self, field: &str) -> Result<MetadataUpdate, ApiError> {
        let name = self.name(field);
        let refuse = |message: &str, name: String| Err(ApiError::invalid(message).param(name));
        if matches!(self.fields.get(field), Some(Node::Text(text)) if text.is_empty()) {
            self.fields.remove(field);
            return Ok(MetadataUpdate::Clear);
        }
        let mut pairs = Metadata::new();
        for (key, node) in self.object(field)?.fields {
            let name = format!("{name}[{key}]");
            match node {
                _ if key.chars().count() > 40 => {
                    return refuse("Metadata keys may have at most 40 characters.", name);
                }
                Node::Fields(_) => return refuse("Metadata values must be strings.", name),
                Node::Text(text) if text.chars().count() > 500 => {
                    return refuse("Metadata values may have at most 500 characters.", name);
                }
                Node::Text(text) => {
                    pairs.insert(key, text);
                }
            }
        }
        Ok(MetadataUpdate::Set { name, pairs })
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

/// A change of metadata.
#[derive(Debug)]
pub(crate) enum MetadataUpdate {
    /// Takes everything away.
    Clear,
    /// Sets keys; one with an empty value is taken away.
    Set { name: String, pairs: Metadata },
}

impl MetadataUpdate {
    pub(crate) fn apply(self, metadata: &mut Metadata) -> Result<(), ApiError> {
        match self {
            Self::Clear => metadata.clear(),
            Self::Set { name, pairs } => {
                metadata.extend(pairs);
                metadata.retain(|_, value| !value.is_empty());
                if metadata.len() > 50 {
                    return Err(ApiError::invalid("Metadata may have at most 50 keys.").param(name));
                }
            }
        }
        Ok(())
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

fn is_url(text: &str) -> bool {
    // Stripe's own placeholder is no part of a URL's grammar.
    let text = text.replace("{CHECKOUT_SESSION_ID}", "cs");
    Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

pub(crate) fn is_email(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    match text.rsplit_once('@') {
        Some((local, domain)) => {
            plain(local)
                && !local.contains('@')
                && plain(domain)
                && !domain.starts_with('.')
                && domain
                    .rsplit_once('.')
                    .is_some_and(|(_, top)| !top.is_empty())
        }
        None => false,
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

    #[test]
    fn metadata_keeps_to_stripes_limits() {
        let read = |form: String| Params::parse(form.as_bytes()).unwrap().metadata("metadata");
        assert_eq!(
            read("metadata[a]=1&metadata[0]=2&metadata[gone]=".into())
                .unwrap()
                .len(),
            2
        );
        assert!(read(format!("metadata[{}]=1", "k".repeat(41))).is_err());
        assert!(read(format!("metadata[k]={}", "v".repeat(501))).is_err());
        let many: Vec<_> = (0..51).map(|n| format!("metadata[k{n}]=v")).collect();
        assert!(read(many.join("&")).is_err());
    }

    #[test]
    fn a_percentage_is_exact_to_its_hundredths() {
        let read = |text: &str| {
            let form = format!("p={text}");
            Params::parse(form.as_bytes()).unwrap().percent("p")
        };
        for (text, hundredths) in [("10", 1_000), ("25.5", 2_550), ("100", 10_000), ("0.05", 5)] {
            assert_eq!(read(text).unwrap(), Some(hundredths), "{text}");
        }
        for text in ["0", "100.01", "101", "-5", "ten", "1e2", "5.x"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn urls_and_emails_are_told_from_other_text() {
        for url in [
            "https://shop.example/a?b={CHECKOUT_SESSION_ID}",
            "http://127.0.0.1:3000/x",
        ] {
            assert!(is_url(url), "{url}");
        }
        for not_url in [
            "shop.example",
            "/a",
            "javascript:alert(1)",
            "https://",
            "ftp://a.example",
        ] {
            assert!(!is_url(not_url), "{not_url}");
        }
        assert!(is_email("a.b+c@mail.example"));
        for not_email in [
            "a",
            "a@b",
            "@b.example",
            "a@b@c.example",
            "a b@c.example",
            "a@.example",
            "a@example.",
        ] {
            assert!(!is_email(not_email), "{not_email}");
        }
    }
}
