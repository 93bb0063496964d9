//! A call as a command for a shell.

use url::form_urlencoded;

use crate::wire::requests::LoggedRequest;

/// The call as `curl` makes it. The key is named, never shown.
pub(super) fn command(request: &LoggedRequest, address: &str) -> String {
    let url = format!("{}{}", address.trim_end_matches('/'), request.path);
    let method = match request.method.as_str() {
        // Parameters go into the query.
        "GET" => "curl -G".to_owned(),
        "POST" => "curl -X POST".to_owned(),
        other => format!("curl -G -X {}", quoted(other)),
    };
    let mut lines = vec![
        format!("{method} {}", quoted(&url)),
        "-u \"$STRIPE_SECRET_KEY:\"".to_owned(),
    ];
    for (name, value) in [
        ("Stripe-Version", &request.api_version),
        ("Idempotency-Key", &request.idempotency_key),
    ] {
        lines.extend(
            value
                .as_ref()
                .map(|value| format!("-H {}", quoted(&format!("{name}: {value}")))),
        );
    }
    for (name, value) in form_urlencoded::parse(request.params.as_bytes()) {
        let option = match is_plain(&value) {
            true => "-d",
            false => "--data-urlencode",
        };
        lines.push(format!("{option} {}", quoted(&format!("{name}={value}"))));
    }
    lines.join(" \\\n  ")
}

/// Whether a form has it as it is.
fn is_plain(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'*'))
}

/// One word of a shell's command line.
fn quoted(word: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_bare) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_shell_reads_stands_outside_of_quotes() {
        assert_eq!(quoted("a$(rm -rf /)"), "'a$(rm -rf /)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(
            quoted("http://127.0.0.1:3001/v1/charges"),
            "http://127.0.0.1:3001/v1/charges"
        );
    }

    #[test]
    fn values_are_encoded_where_a_form_needs_it() {
        for (value, plain) in [
            ("1500", true),
            ("pi_1", true),
            ("a b", false),
            ("a+b", false),
            ("@file", false),
            ("é", false),
        ] {
            assert_eq!(is_plain(value), plain, "{value}");
        }
    }
}
