//! Words in the site's own pages. These are written by us, so this knows no more of HTML than they
//! use: no `>` in attributes, and a text right behind the tag that names it.

use anyhow::{Context as _, bail};

/// Where a page wants words.
pub(super) enum Word<'a> {
    /// A text of the language's file.
    Text(&'a str),
    /// The same, as the page's title.
    Title(&'a str),
    /// What the seller says of the shop; `None` if they say nothing, and the page has something.
    Shop(&'a str),
}

/// The page in another language: `said` knows the words.
pub(super) fn speak<'a>(
    page: &'a str,
    language: &str,
    said: impl Fn(Word<'a>) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<String> {
    let mut spoken = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        spoken.push_str(before);
        let (tag, after) = after.split_once('>').context("a tag does not end")?;
        let mut written = tag.to_owned();
        for (marked, attribute) in [
            ("data-label", "aria-label"),
            ("data-placeholder", "placeholder"),
        ] {
            if let Some(key) = attribute_of(tag, marked)
                && let Some(words) = said(Word::Text(key))?
            {
                written = with_attribute(&written, attribute, &words)?;
            }
        }
        if tag.starts_with("html ") {
            written = with_attribute(&written, "lang", language)?;
        }
        spoken.push_str(&format!("<{written}>"));
        let word = attribute_of(tag, "data-text").map(Word::Text);
        let word = word.or_else(|| attribute_of(tag, "data-title").map(Word::Title));
        let word = word.or_else(|| attribute_of(tag, "data-shop").map(Word::Shop));
        rest = after;
        if let Some(word) = word
            && let Some(words) = said(word)?
        {
            let end = after.find('<').context("a text does not end")?;
            spoken.push_str(&escaped(&words));
            rest = after.get(end..).unwrap_or_default();
        }
    }
    spoken.push_str(rest);
    Ok(spoken)
}

/// The page as it has to be a folder deeper: its links lead up.
pub(super) fn deeper(page: &str) -> anyhow::Result<String> {
    let mut lower = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').context("a tag does not end")?;
        let mut written = tag.to_owned();
        for name in ["href", "src"] {
            let path = attribute_of(tag, name);
            let relative = path.filter(|path| !path.contains(':') && !path.starts_with(['/', '#']));
            if let Some(path) = relative {
                written = with_attribute(&written, name, &format!("../{path}"))?;
            }
        }
        lower.push_str(&format!("{before}<{written}>"));
        rest = after;
    }
    lower.push_str(rest);
    Ok(lower)
}

/// Puts `what` into the page before the only place that says `mark`.
pub(super) fn before(page: &str, mark: &str, what: &str) -> anyhow::Result<String> {
    let (head, tail) = apart(page, mark)?;
    Ok(format!("{head}{what}{mark}{tail}"))
}

/// Replaces the only place that says `mark`.
pub(super) fn replaced(page: &str, mark: &str, what: &str) -> anyhow::Result<String> {
    let (head, tail) = apart(page, mark)?;
    Ok(format!("{head}{what}{tail}"))
}

/// Replaces what is between `start`, which stays, and the next `end`.
pub(super) fn filled(page: &str, start: &str, end: &str, what: &str) -> anyhow::Result<String> {
    let (head, tail) = apart(page, start)?;
    let at = tail
        .find(end)
        .with_context(|| format!("there is no {end} behind {start}"))?;
    let tail = tail.get(at..).unwrap_or_default();
    Ok(format!("{head}{start}{what}{tail}"))
}

fn apart<'a>(page: &'a str, mark: &str) -> anyhow::Result<(&'a str, &'a str)> {
    match page.split_once(mark) {
        Some((head, tail)) if !tail.contains(mark) => Ok((head, tail)),
        Some(_) => bail!("there are several {mark}"),
        None => bail!("there is no {mark}"),
    }
}

/// The value of an attribute.
pub(super) fn attribute_of<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    value.split_once('"').map(|(value, _)| value)
}

fn with_attribute(tag: &str, name: &str, value: &str) -> anyhow::Result<String> {
    let start = format!(" {name}=\"");
    filled(tag, &start, "\"", &escaped(value))
}

/// Text as it may stand in a page and in an attribute, whatever it is.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Neither HTML nor XML can have them, not even escaped.
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: &str = "<html lang=\"en\"><title data-title=\"cart.title\">Cart · Till</title>\
        <nav aria-label=\"Main\" data-label=\"page.main\"><a href=\"cart.html\"><span \
        data-text=\"page.cart\">Cart</span><span id=\"n\"></span></a></nav><h1 \
        data-shop=\"tagline\">Good</h1><p data-shop=\"intro\">Kept</p></html>\n";

    fn said(word: Word<'_>) -> anyhow::Result<Option<String>> {
        Ok(match word {
            Word::Text(key) => Some(format!("<{key}>")),
            Word::Title(key) => Some(format!("{key} & Co")),
            Word::Shop("tagline") => Some("Gut".to_owned()),
            Word::Shop(_) => None,
        })
    }

    #[test]
    fn a_page_speaks_where_it_is_marked_and_stays_as_it_is_elsewhere() {
        assert_eq!(
            speak(PAGE, "de", said).unwrap(),
            "<html lang=\"de\"><title data-title=\"cart.title\">cart.title &amp; Co</title>\
             <nav aria-label=\"&lt;page.main&gt;\" data-label=\"page.main\"><a href=\"cart.html\"><span \
             data-text=\"page.cart\">&lt;page.cart&gt;</span><span id=\"n\"></span></a></nav><h1 \
             data-shop=\"tagline\">Gut</h1><p data-shop=\"intro\">Kept</p></html>\n"
        );
    }

    #[test]
    fn a_mark_that_is_not_there_once_is_named() {
        let two = before("<i></i><i></i>", "<i>", "x").unwrap_err();
        assert_eq!(two.to_string(), "there are several <i>");
        let none = replaced("<b></b>", "<i>", "x").unwrap_err();
        assert_eq!(none.to_string(), "there is no <i>");
    }

    proptest! {
        #[test]
        fn whatever_a_product_is_called_it_stays_text(text in any::<String>()) {
            let safe = escaped(&text);
            prop_assert!(!safe.contains(['<', '>', '"', '\'']));
            let mut escapes = safe.split('&').skip(1);
            let all_are_ours = escapes.all(|rest| {
                let names = ["amp;", "lt;", "gt;", "quot;", "#39;"];
                names.iter().any(|name| rest.starts_with(name))
            });
            prop_assert!(all_are_ours);
        }
    }
}
