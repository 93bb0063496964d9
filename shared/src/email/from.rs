//! The `From` header: the shop's name and its address.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Address, prose::one_line};

/// Most octets of a name in one encoded word: RFC 2047 allows a word of 75 characters, 12 of which
/// are around its base64.
const OCTETS_A_WORD: usize = 45;

/// Such as `"Mugs & Co" <shop@example.com>`. Whatever the name contains, it stays a name: what a
/// quoted string cannot contain is written as encoded words, as SES requires for names beyond
/// ASCII.
pub(super) fn header(name: &str, address: &Address) -> String {
    let name = one_line(name);
    let address = address.as_str();
    let is_plain = |c: char| c == ' ' || c.is_ascii_graphic() && !matches!(c, '"' | '\\');
    if name.is_empty() {
        address.to_owned()
    } else if name.chars().all(is_plain) {
        format!("\"{name}\" <{address}>")
    } else {
        format!("{} <{address}>", encoded_words(&name))
    }
}

/// Spaces between encoded words are ignored.
fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for character in text.chars() {
        match words.last_mut() {
            Some(word) if word.len().saturating_add(character.len_utf8()) <= OCTETS_A_WORD => {
                word.push(character);
            }
            _ => words.push(character.to_string()),
        }
    }
    let words = words.iter();
    let words = words.map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(name: &str) -> String {
        header(name, &"shop@example.com".parse().unwrap())
    }

    /// As a mail program would decode it.
    fn read(header: &str) -> String {
        let name = header.strip_suffix(" <shop@example.com>").unwrap();
        if let Some(quoted) = name.strip_prefix('"') {
            return quoted.strip_suffix('"').unwrap().to_owned();
        }
        let words = name.split(' ').map(|word| {
            assert!(word.len() <= 75, "{word}");
            let word = word.strip_prefix("=?UTF-8?B?").unwrap();
            let octets = STANDARD.decode(word.strip_suffix("?=").unwrap()).unwrap();
            String::from_utf8(octets).unwrap()
        });
        words.collect()
    }

    #[test]
    fn the_name_comes_before_the_address() {
        for (name, header) in [
            ("Till", "\"Till\" <shop@example.com>"),
            ("Mugs, & Co.", "\"Mugs, & Co.\" <shop@example.com>"),
            ("Café", "=?UTF-8?B?Q2Fmw6k=?= <shop@example.com>"),
            (" ", "shop@example.com"),
        ] {
            assert_eq!(of(name), header);
        }
    }

    proptest! {
        #[test]
        fn whatever_the_shop_is_called_the_header_has_its_name_and_one_address(
            name in "\\PC{0,80}|[ -~]{0,80}|(?s).{0,40}"
        ) {
            let header = of(&name);
            prop_assert!(header.chars().all(|c| c == ' ' || c.is_ascii_graphic()));
            if one_line(&name).is_empty() {
                prop_assert_eq!(header, "shop@example.com");
            } else {
                prop_assert_eq!(read(&header), one_line(&name));
            }
        }
    }
}
