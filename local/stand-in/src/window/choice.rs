//! What is chosen above a list.

use url::form_urlencoded;

/// A query for the same choice again; what nobody has chosen is left out.
pub(super) fn query<'c>(chosen: impl IntoIterator<Item = (&'static str, &'c String)>) -> String {
    let chosen = chosen.into_iter().filter(|(_, value)| !value.is_empty());
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(chosen)
        .finish()
}
