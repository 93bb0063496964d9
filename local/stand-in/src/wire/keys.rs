//! API keys: where a request carries one, and what may be said of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};

/// Longer ones nobody has thought of.
const LONGEST_NAME: usize = 24;

/// The key that a request carries: as a bearer, or as the user of basic authentication.
pub(crate) fn given(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = given.split_once(' ')?;
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        key.trim().to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(STANDARD.decode(key.trim()).ok()?).ok()?;
        pair.split(':').next()?.to_owned()
    } else {
        return None;
    };
    Some(key).filter(|key| !key.is_empty())
}

/// Whether real money would move.
pub(crate) fn is_live(key: &str) -> bool {
    ["sk_live_", "rk_live_", "pk_live_"]
        .iter()
        .any(|prefix| key.starts_with(prefix))
}

/// Whether the key may stand in a web page, and so may do very little.
pub(crate) fn is_publishable(key: &str) -> bool {
    key.starts_with("pk_")
}

/// What people recognise a key by: what follows `sk_test_`, or how that ends.
pub(crate) fn tail(key: &str) -> String {
    let own = key.splitn(3, '_').last().unwrap_or_default();
    match own.char_indices().rev().nth(3) {
        Some((last_four, _)) if own.chars().count() > LONGEST_NAME => {
            format!("…{}", own.get(last_four..).unwrap_or_default())
        }
        _ => own.to_owned(),
    }
}

/// A key as Stripe shows it in its errors: how it begins, and its last four characters.
pub(crate) fn redacted(key: &str) -> String {
    let characters: Vec<char> = key.chars().collect();
    let visible = |index: usize| {
        let prefix = key
            .match_indices('_')
            .nth(1)
            .map_or(0, |(at, _)| at.saturating_add(1));
        index < prefix || index.saturating_add(4) >= characters.len()
    };
    characters
        .iter()
        .enumerate()
        .map(|(index, character)| if visible(index) { *character } else { '*' })
        .collect()
}
