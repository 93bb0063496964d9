//! JSON as the API sends it, for people: indented, and with a link wherever it names something that
//! is there.

use std::collections::HashSet;
use std::fmt::Write as _;

use askama::filters::urlencode_strict;
use serde_json::Value;

use crate::engine::transaction::Transaction;

/// HTML with everything escaped that is not the window's own.
#[derive(Debug, Clone)]
pub(super) struct Markup(String);

impl Markup {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not JSON, or not whole.
pub(super) fn plain(text: &str) -> Markup {
    let mut html = String::new();
    escape(&mut html, text);
    Markup(html)
}

/// The value, with links below the path `base`.
pub(super) fn linked(
    transaction: &Transaction<'_>,
    base: &str,
    value: &Value,
) -> anyhow::Result<Markup> {
    let mut candidates = HashSet::new();
    gather(value, &mut candidates);
    let mut writer = Writer {
        html: String::new(),
        base,
        known: Known::among(transaction, candidates)?,
    };
    writer.value(value, 0)?;
    Ok(Markup(writer.html))
}

/// The text, a link if it is the id of something.
pub(super) fn linked_text(
    transaction: &Transaction<'_>,
    base: &str,
    text: &str,
) -> anyhow::Result<Markup> {
    let candidates = Some(text).filter(|text| may_be_id(text)).into_iter();
    let mut writer = Writer {
        html: String::new(),
        base,
        known: Known::among(transaction, candidates.collect())?,
    };
    writer.linked(text)?;
    Ok(Markup(writer.html))
}

/// Which of the window's sections has the thing with this id.
pub(super) fn section_of(
    transaction: &Transaction<'_>,
    id: &str,
) -> anyhow::Result<Option<&'static str>> {
    let known = Known::among(transaction, HashSet::from([id]))?;
    Ok(known.section_of(id))
}

/// Strings that may be ids.
fn gather<'v>(value: &'v Value, candidates: &mut HashSet<&'v str>) {
    match value {
        Value::String(text) if may_be_id(text) => {
            candidates.insert(text);
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, candidates)),
        Value::Object(fields) => fields.values().for_each(|value| gather(value, candidates)),
        _ => {}
    }
}

/// Ids that people choose, those of coupons and products, may be almost any word.
fn may_be_id(text: &str) -> bool {
    let is_plain = |byte| matches!(byte, b'!'..=b'~') && byte != b'"' && byte != b'\\';
    (1..=255).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Which ids lead somewhere.
struct Known<'v> {
    objects: HashSet<&'v str>,
    events: HashSet<&'v str>,
    requests: HashSet<&'v str>,
}

impl<'v> Known<'v> {
    fn among(transaction: &Transaction<'_>, candidates: HashSet<&'v str>) -> anyhow::Result<Self> {
        let mut known = Self {
            objects: HashSet::new(),
            events: HashSet::new(),
            requests: HashSet::new(),
        };
        let mut object = transaction
            .sql
            .prepare_cached("SELECT kind FROM objects WHERE id = ?1")?;
        let mut request = transaction
            .sql
            .prepare_cached("SELECT 1 FROM requests WHERE id = ?1")?;
        for id in candidates {
            let mut rows = object.query([id])?;
            match rows.next()? {
                Some(row) if row.get_ref(0)?.as_str()? == "event" => {
                    known.events.insert(id);
                }
                Some(_) => {
                    known.objects.insert(id);
                }
                None if id.starts_with("req_") && request.exists([id])? => {
                    known.requests.insert(id);
                }
                None => {}
            }
        }
        Ok(known)
    }

    fn section_of(&self, id: &str) -> Option<&'static str> {
        let sections = [
            (&self.objects, "objects"),
            (&self.events, "events"),
            (&self.requests, "requests"),
        ];
        sections
            .into_iter()
            .find(|(ids, _)| ids.contains(id))
            .map(|(_, section)| section)
    }
}

struct Writer<'a> {
    html: String,
    base: &'a str,
    known: Known<'a>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> anyhow::Result<()> {
        match value {
            Value::String(text) => self.text(text)?,
            Value::Array(values) if values.is_empty() => self.html.push_str("[]"),
            Value::Object(fields) if fields.is_empty() => self.html.push_str("{}"),
            Value::Array(values) => {
                let inner = depth.saturating_add(1);
                self.html.push('[');
                for (index, value) in values.iter().enumerate() {
                    self.line(index > 0, inner);
                    self.value(value, inner)?;
                }
                self.line(false, depth);
                self.html.push(']');
            }
            Value::Object(fields) => {
                let inner = depth.saturating_add(1);
                self.html.push('{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    self.line(index > 0, inner);
                    self.html.push_str("<span class=\"name\">");
                    escape(&mut self.html, &Value::from(name.as_str()).to_string());
                    self.html.push_str("</span>: ");
                    self.value(value, inner)?;
                }
                self.line(false, depth);
                self.html.push('}');
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                write!(self.html, "<span class=\"literal\">{value}</span>")?;
            }
        }
        Ok(())
    }

    fn line(&mut self, after_another: bool, depth: usize) {
        self.html.push_str(if after_another { ",\n" } else { "\n" });
        (0..depth).for_each(|_| self.html.push_str("  "));
    }

    fn text(&mut self, text: &str) -> anyhow::Result<()> {
        // As JSON writes it, so that what is copied is JSON.
        let quoted = Value::from(text).to_string();
        let is_address = text.starts_with("http://") || text.starts_with("https://");
        if self.known.section_of(text).is_some() {
            self.html.push('"');
            self.linked(text)?;
            self.html.push('"');
        } else if is_address && !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
            self.html.push_str("<a class=\"away\" href=\"");
            escape(&mut self.html, text);
            self.html.push_str("\" rel=\"noopener noreferrer\">");
            escape(&mut self.html, &quoted);
            self.html.push_str("</a>");
        } else {
            self.html.push_str("<span class=\"text\">");
            escape(&mut self.html, &quoted);
            self.html.push_str("</span>");
        }
        Ok(())
    }

    fn linked(&mut self, text: &str) -> anyhow::Result<()> {
        match self.known.section_of(text) {
            Some(section) => {
                write!(self.html, "<a href=\"")?;
                escape(&mut self.html, self.base);
                write!(self.html, "/{section}/{}\">", urlencode_strict(text)?)?;
                escape(&mut self.html, text);
                self.html.push_str("</a>");
            }
            None => escape(&mut self.html, text),
        }
        Ok(())
    }
}

fn escape(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
    }
}
