//! Parameters that are a word, a number or an address.

use url::Url;

use super::Params;
use crate::wire::errors::ApiError;
use crate::wire::form::Node;

/// Sets what a [maybe empty text](Params::maybe_empty_text) says; one that is empty takes away what was
/// there.
pub(crate) fn set(field: &mut Option<String>, given: Option<String>) {
    if let Some(text) = given {
        *field = Some(text).filter(|text| !text.is_empty());
    }
}

impl Params {
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
    use super::*;

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
