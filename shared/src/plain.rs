//! Makes untrusted text safe to print and log. Names, ids and addresses come from buyers, product
//! files and Stripe. Some characters control the terminal; others reverse a line or are invisible,
//! so that it reads as something it is not.

use std::{fmt::Write as _, io};

/// The most characters shown of one text.
const LONGEST: usize = 2048;

/// Whether a character is visible and has no other effect.
pub fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            // Ends a line.
            '\u{2028}' | '\u{2029}'
            // Reverses the direction of writing.
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            // Has no width.
            | '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
            // Letters that are drawn as blanks.
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}')
}

/// Text on one line. Other than plain characters become U+FFFD, and a text that is too long ends
/// with `…`.
pub fn line(text: &str) -> String {
    let shown = |c| {
        if is_plain(c) {
            c
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    let mut line: String = text.chars().take(LONGEST).map(shown).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

/// The same JSON, with other than plain characters escaped. Line breaks between its members stay.
pub fn json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) || c == '\n' {
            plain.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(plain, "\\u{unit:04x}");
        }
    }
    plain
}

/// Passes lines of JSON on as [`json`] writes them.
pub(crate) struct JsonLines<W>(pub(crate) W);

impl<W: io::Write> io::Write for JsonLines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(json(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use io::Write as _;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_and_invisible_characters_are_shown_as_replacements() {
        for hidden in [
            "\u{1b}[2J",
            "\r",
            "\n",
            "\t",
            "\u{7f}",
            "\u{85}",
            "\u{9b}2J",
            "\u{200b}",
            "\u{200d}",
            "\u{202e}",
            "\u{2028}",
            "\u{2066}",
            "\u{feff}",
            "\u{e0041}",
        ] {
            let line = line(&format!("Mug{hidden}."));
            assert!(
                line.starts_with("Mug\u{fffd}") && line.chars().all(is_plain),
                "{line}"
            );
        }
        assert_eq!(line("Crème brûlée, 陶器 ♥ 🫖"), "Crème brûlée, 陶器 ♥ 🫖");
        assert_eq!(line(&"a".repeat(LONGEST)), "a".repeat(LONGEST));
        assert!(line(&"a".repeat(100_000)).ends_with("a…"));
    }

    proptest! {
        #[test]
        fn escaped_json_says_the_same(text in "\\PC*|(?s).*") {
            let written = serde_json::to_string(&text).unwrap();
            let mut plain = Vec::new();
            JsonLines(&mut plain).write_all(written.as_bytes()).unwrap();
            let plain = String::from_utf8(plain).unwrap();
            prop_assert!(plain.chars().all(is_plain));
            prop_assert_eq!(serde_json::from_str::<String>(&plain).unwrap(), text);
        }
    }
}
