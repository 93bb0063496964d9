//! The words of the site in one language, as its pages know them by their keys.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;

/// One language's file.
pub(super) struct Texts(BTreeMap<String, Text>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    One(String),
    /// By how many there are of something, in the terms of `Intl.PluralRules`.
    Forms(BTreeMap<String, String>),
}

impl Texts {
    /// The file is a module whose only line of code exports what is JSON otherwise.
    pub(super) fn parse(file: &str) -> anyhow::Result<Self> {
        let json = file.trim().strip_prefix("export default ");
        let json = json.and_then(|rest| rest.strip_suffix(';'));
        let json = json.context("it is not `export default {…};`")?;
        Ok(Self(serde_json::from_str(json)?))
    }

    /// A text that does not depend on how many there are.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        match self.0.get(key)? {
            Text::One(text) => Some(text),
            Text::Forms(forms) => forms.get("other").map(String::as_str),
        }
    }

    /// For so many of something.
    pub(super) fn counted(&self, key: &str, count: u32) -> String {
        let form = match (self.0.get(key), count) {
            (Some(Text::Forms(forms)), 1) => forms.get("one").map(String::as_str),
            _ => None,
        };
        let text = form.or_else(|| self.get(key)).unwrap_or(key);
        text.replace("{count}", &count.to_string())
    }

    /// With these values put in.
    pub(super) fn with(&self, key: &str, values: &[(&str, &str)]) -> String {
        let text = self.get(key).unwrap_or(key).to_owned();
        values.iter().fold(text, |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }
}

#[cfg(test)]
mod tests;
