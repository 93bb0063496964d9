//! What the developer says in the environment, and below that in the project's `.env`.
//!
//! The file is written as dotenv files are: `NAME=value`, with quotation marks or without. Nothing is
//! substituted, so a secret may hold a `$`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use laptop::environment::Variables;
use template::project::Project;

/// All of it. What the process has in its environment goes before the file.
pub(super) fn environment(project: &Project) -> anyhow::Result<Variables> {
    let file = project.template.with_file_name(".env");
    let mut environment = if file.exists() {
        read(&file)?
    } else {
        Variables::new()
    };
    let process = std::env::vars_os();
    environment.extend(
        process.filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    );
    Ok(environment)
}

/// What the file says. An error names the file and the line, and never what stands there: it may be
/// a secret.
fn read(file: &Path) -> anyhow::Result<Variables> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&text).with_context(|| file.display().to_string())
}

fn parse(text: &str) -> anyhow::Result<Variables> {
    // Some editors put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1_usize..).zip(text.lines());
    let mut environment = Variables::new();
    while let Some((number, line)) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let assignment = line.strip_prefix("export ").unwrap_or(line).split_once('=');
        let Some((name, value)) = assignment.filter(|(name, _)| is_name(name.trim())) else {
            bail!("line {number} is not NAME=value");
        };
        let (name, value) = (name.trim(), value.trim_start());
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let mut quoted = value.get(1..).unwrap_or_default().to_owned();
                loop {
                    match unquote(&quoted, quote) {
                        Some((value, after)) if without_comment(after).is_empty() => break value,
                        Some(_) => {
                            bail!("line {number}: {name} goes on after its closing {quote}")
                        }
                        // A value may have lines of its own.
                        None => match lines.next() {
                            Some((_, more)) => quoted = format!("{quoted}\n{more}"),
                            None => bail!("line {number}: {name} has no closing {quote}"),
                        },
                    }
                }
            }
            _ => without_comment(value).to_owned(),
        };
        environment.insert(name.to_owned(), value);
    }
    Ok(environment)
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter)
        && name
            .chars()
            .all(|c| letter(c) || c.is_ascii_digit() || c == '.')
}

/// What stands before the closing quotation mark, and what after it. Double ones have escapes.
fn unquote(quoted: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = quoted.chars();
    while let Some(c) = rest.next() {
        if c == quote {
            return Some((value, rest.as_str()));
        }
        if c != '\\' || quote == '\'' {
            value.push(c);
            continue;
        }
        match rest.next()? {
            'n' => value.push('\n'),
            'r' => value.push('\r'),
            't' => value.push('\t'),
            escaped @ ('"' | '\\' | '$') => value.push(escaped),
            other => value.extend(['\\', other]),
        }
    }
    None
}

/// The text up to a `#` that is not part of a word, without blanks around it.
fn without_comment(text: &str) -> &str {
    let comment = text.match_indices('#').find_map(|(at, _)| {
        let before = text.get(..at)?;
        (before.is_empty() || before.ends_with(char::is_whitespace)).then_some(before)
    });
    comment.unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        parse(text).unwrap().remove("NAME").unwrap()
    }

    fn complaint(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn values_have_blanks_quotes_and_comments_as_dotenv_files_have_them() {
        for (text, expected) in [
            ("NAME=Mugs", "Mugs"),
            ("NAME=", ""),
            ("NAME=Mugs & More", "Mugs & More"),
            ("NAME = Mugs & More  ", "Mugs & More"),
            ("export NAME=Mugs\r\n", "Mugs"),
            ("\u{feff}NAME=Mugs", "Mugs"),
            ("NAME=Ada's mugs", "Ada's mugs"),
            ("NAME=whsec_a#b$c", "whsec_a#b$c"),
            ("NAME=Mugs # and more", "Mugs"),
            ("NAME= # nothing yet", ""),
            ("NAME=\"Mugs & More\" # a comment", "Mugs & More"),
            ("NAME=' Mugs # \\n '", " Mugs # \\n "),
            (r#"NAME="\"Mugs\"\n\$5 \x""#, "\"Mugs\"\n$5 \\x"),
            ("NAME=\"two\nlines\"", "two\nlines"),
            ("NAME=first\nNAME=last", "last"),
            ("\n  # a comment\n\nNAME=Mugs", "Mugs"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_line_and_shown_to_nobody() {
        for (text, expected) in [
            ("A=1\n\nsk_test_secret", "line 3 is not NAME=value"),
            ("NA ME=secret", "line 1 is not NAME=value"),
            ("1NAME=secret", "line 1 is not NAME=value"),
            ("A=1\nNAME=\"secret\nB=2", "line 2: NAME has no closing \""),
            (
                "A='two\nlines'\nNAME='se'cret",
                "line 3: NAME goes on after its closing '",
            ),
        ] {
            assert_eq!(complaint(text), expected);
        }
    }
}
