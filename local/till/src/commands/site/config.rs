//! The site's `config.json`: what the seller wrote, and where the shop is.

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use crate::commands::shop::Shop;

/// What the site is told.
pub(super) struct Config {
    values: Map<String, Value>,
    /// The language of visitors who speak none of the others; the pages are written in it.
    pub(super) language: String,
}

impl Config {
    /// What the file says, for this shop.
    pub(super) fn of(shop: &Shop, file: &str) -> anyhow::Result<Self> {
        let addresses = match &shop.stack {
            Some(stack) => serde_json::from_str(stack.output("SiteConfig")?)
                .context("the stack's output SiteConfig is not JSON")?,
            None => on_this_machine(&shop.environment.site_url()?),
        };
        Self::merged(file, addresses)
    }

    fn merged(file: &str, addresses: Map<String, Value>) -> anyhow::Result<Self> {
        let mut values: Map<String, Value> =
            serde_json::from_str(file).context("config.json is not a JSON object")?;
        for (name, value) in addresses {
            match name.as_str() {
                // Where buyers write is the seller's to say.
                "contact" => _ = values.entry(name).or_insert(value),
                _ => _ = values.insert(name, value),
            }
        }
        values.insert("product_pages".to_owned(), true.into());
        let language = match values.get("languages") {
            None => "en".to_owned(),
            Some(Value::Array(codes)) => match codes.first().and_then(Value::as_str) {
                Some(code) if code.len() <= 3 && code.bytes().all(|b| b.is_ascii_lowercase()) => {
                    code.to_owned()
                }
                _ => bail!(
                    "config.json: \"languages\" is not a list of language codes, such as [\"en\", \"de\"]"
                ),
            },
            Some(other) => bail!(
                "config.json: \"languages\" is {other}, not a list of language codes, such as [\"en\", \"de\"]"
            ),
        };
        Ok(Self { values, language })
    }

    /// The shop's name.
    pub(super) fn name(&self) -> &str {
        let name = self.values.get("name").and_then(Value::as_str);
        name.unwrap_or("Till")
    }

    /// A text that the seller wrote, in the pages' language if there are several.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        match self.values.get(name)? {
            Value::String(text) => Some(text),
            Value::Object(texts) => {
                let own = texts.get(&self.language);
                own.or_else(|| texts.values().next())?.as_str()
            }
            _ => None,
        }
    }

    /// The categories that the seller has put in order.
    pub(super) fn categories(&self) -> Vec<&str> {
        let names = self.values.get("categories").and_then(Value::as_array);
        let names = names.into_iter().flatten();
        names.filter_map(Value::as_str).collect()
    }

    /// As it is written to the file.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        let text = serde_json::to_string_pretty(&self.values)?;
        Ok(format!("{text}\n"))
    }
}

/// Where the shop of `cargo run` has its API and its sign-in.
fn on_this_machine(url: &str) -> Map<String, Value> {
    let values = [
        ("api", url.to_owned()),
        ("issuer", format!("{url}/_local/identity")),
        ("client_id", "till-local".to_owned()),
        ("contact", "shop@example.com".to_owned()),
    ];
    values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_says_where_it_is_and_the_seller_everything_else() {
        let file = r#"{"name":"Mugs","api":"https://old.example","contact":"me@example.com",
            "tagline":{"de":"Tassen","en":"Mugs"},"intro":"Fine","languages":["de","en"]}"#;
        let config = Config::merged(file, on_this_machine("http://127.0.0.1:3000")).unwrap();
        assert_eq!(config.name(), "Mugs");
        assert_eq!(config.language, "de");
        assert_eq!(config.text_of("tagline"), Some("Tassen"));
        assert_eq!(config.text_of("intro"), Some("Fine"));
        let written: Value = serde_json::from_str(&config.text().unwrap()).unwrap();
        assert_eq!(written["api"], "http://127.0.0.1:3000");
        assert_eq!(written["contact"], "me@example.com");
        assert_eq!(written["product_pages"], true);
    }

    #[test]
    fn a_language_is_a_code_and_never_the_name_of_another_file() {
        for languages in ["\"en\"", "[]", "[5]", "[\"../../etc\"]"] {
            let file = format!("{{\"languages\":{languages}}}");
            let refused = Config::merged(&file, Map::new()).err();
            assert!(refused.unwrap().to_string().contains("\"languages\""));
        }
    }
}
