//! Writing to stdout and stderr, so that what names and files contain commands no terminal.

use std::io::Write as _;

use anyhow::Context as _;
use shared::plain::is_plain;

/// Writes words to stdout.
pub(in crate::commands) fn print(text: &str) -> anyhow::Result<()> {
    write_out(&for_terminal(text))
}

/// Writes to stdout as it is. That a reader has seen enough and is gone is not an error.
pub(in crate::commands) fn write_out(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Says something about the work, on stderr: stdout is for its result.
pub(in crate::commands) fn note(text: &str) {
    // Nobody can be told if stderr is gone.
    let _ = writeln!(std::io::stderr(), "{}", for_terminal(text));
}

/// What commands write, as it goes to a terminal: of what is not plain only line breaks and the
/// weights and colours of letters. What names and files could do to a line itself,
/// [`shared::plain::line`] undoes where the line is made.
pub(in crate::commands) fn for_terminal(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let style = style(rest).unwrap_or_default();
        if style.is_empty() {
            let fine = is_plain(c) || c == '\n';
            shown.push(if fine { c } else { char::REPLACEMENT_CHARACTER });
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        } else {
            shown.push_str(style);
            rest = rest.get(style.len()..).unwrap_or_default();
        }
    }
    shown
}

/// The code at the beginning of `text` that sets a weight or a colour, or none again. None of
/// these hides anything.
fn style(text: &str) -> Option<&str> {
    let (code, _) = text.strip_prefix("\u{1b}[")?.split_once('m')?;
    let harmless = matches!(code, "0" | "1" | "2" | "3" | "4")
        || matches!(code.as_bytes(), [b'3', b'1'..=b'7']);
    let length = code.len().saturating_add("\u{1b}[m".len());
    text.get(..length).filter(|_| harmless)
}

/// Writes logs [`for_terminal`].
pub(in crate::commands) struct Log;

impl std::io::Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        std::io::stderr().write_all(for_terminal(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use console::Style;

    use super::*;

    #[test]
    fn a_terminal_gets_colours_and_lines_and_no_other_commands() {
        let styled = Style::new().red().bold().force_styling(true);
        let ours = format!(
            "{}\n{}\n",
            styled.apply_to("fail"),
            Style::new().dim().apply_to("?")
        );
        assert_eq!(for_terminal(&ours), ours);
        for theirs in [
            "\u{1b}[2J",
            "\u{1b}[8m",
            "\u{1b}[38;5;0m",
            "\u{1b}]0;t\u{7}",
            "\u{1b}[",
            "\u{1b}[+1m",
            "\r",
            "\u{9b}2J",
            "\u{202e}",
            "\u{200b}",
        ] {
            let shown = for_terminal(&format!("Mug{theirs}m"));
            assert!(shown.starts_with("Mug\u{fffd}"), "{shown:?}");
            assert!(shown.chars().all(is_plain), "{shown:?}");
        }
    }
}
