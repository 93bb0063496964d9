//! Where a product is among the others: its category, and the group whose variants it is one of.

use std::collections::BTreeMap;

/// What tells a variant from the others of its group: `size` is `M`, `color` is `red`.
pub type Options = BTreeMap<String, String>;

/// Options of one product; more are more than anybody chooses between.
const MOST_OPTIONS: usize = 4;

/// Why a product cannot be placed like that.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlacementError {
    /// Not a name that can be compared letter by letter.
    #[error("group: {0:?} is not 1 to 64 letters, digits, -, _ or .")]
    Group(String),
    /// Nobody could choose it.
    #[error("options: a product of a group needs at least one, such as size=M")]
    GroupWithoutOptions,
    /// There is nothing that it could be a variant of.
    #[error("group: options tell the variants of a group apart, so they need one")]
    OptionsWithoutGroup,
    /// More than a page can offer.
    #[error("options: at most {MOST_OPTIONS}")]
    TooManyOptions,
    /// Not something that a page can show as a choice.
    #[error(
        "options: {0:?} is not an option such as size=M: a name of 1 to 30 characters and a value of 1 to \
         40, without = ; or line breaks"
    )]
    Option(String),
    /// Not something that a page can show as a link.
    #[error("category: {0:?} is not 1 to 60 characters without line breaks")]
    Category(String),
}

/// Checks where a product is to be.
pub(super) fn check(
    group: Option<&str>,
    options: &Options,
    category: Option<&str>,
) -> Result<(), PlacementError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match group {
        Some(group) if group.len() > 64 || group.is_empty() || !group.bytes().all(allowed) => {
            return Err(PlacementError::Group(shortened(group)));
        }
        Some(_) if options.is_empty() => return Err(PlacementError::GroupWithoutOptions),
        None if !options.is_empty() => return Err(PlacementError::OptionsWithoutGroup),
        Some(_) | None => {}
    }
    if options.len() > MOST_OPTIONS {
        return Err(PlacementError::TooManyOptions);
    }
    for (name, value) in options {
        // These separate options in tables and on command lines.
        let separates = |text: &str| text.contains(['=', ';']);
        if !is_line(name, 30) || !is_line(value, 40) || separates(name) || separates(value) {
            let option = format!("{name}={value}");
            return Err(PlacementError::Option(shortened(&option)));
        }
    }
    match category {
        Some(category) if !is_line(category, 60) => {
            Err(PlacementError::Category(shortened(category)))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether it is a line of text of at most so many characters, without blanks around it.
fn is_line(text: &str, most: usize) -> bool {
    !text.is_empty()
        && text.trim() == text
        && text.chars().count() <= most
        && !text.chars().any(char::is_control)
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Options {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_variant_has_a_group_and_something_that_tells_it_from_the_others() {
        let medium = options(&[("size", "M"), ("color", "brick red")]);
        assert_eq!(check(Some("shirt"), &medium, None), Ok(()));
        assert_eq!(check(None, &Options::new(), Some("Tea & coffee")), Ok(()));
        assert_eq!(
            check(Some("shirt"), &Options::new(), None),
            Err(PlacementError::GroupWithoutOptions)
        );
        assert_eq!(
            check(None, &medium, None),
            Err(PlacementError::OptionsWithoutGroup)
        );
        let five = ["a", "b", "c", "d", "e"].map(|name| (name, "1"));
        assert_eq!(
            check(Some("shirt"), &options(&five), None),
            Err(PlacementError::TooManyOptions)
        );
    }

    #[test]
    fn what_a_page_could_not_show_is_refused_with_what_was_given() {
        for group in ["", "a shirt", "hemd-grün", &"x".repeat(65)] {
            let refused = check(Some(group), &options(&[("size", "M")]), None);
            assert_eq!(refused, Err(PlacementError::Group(group.to_owned())));
        }
        for pair in [
            ("", "M"),
            ("size", ""),
            ("size", " M"),
            ("size", "M\n"),
            ("size", "M;L"),
            ("si=ze", "M"),
            (&*"x".repeat(31), "M"),
            ("size", &*"x".repeat(41)),
        ] {
            let refused = check(Some("shirt"), &options(&[pair]), None);
            let named = PlacementError::Option(format!("{}={}", pair.0, pair.1));
            assert_eq!(refused, Err(named));
        }
        for category in ["", "Tea ", "Tea\nand coffee", &"x".repeat(61)] {
            let refused = check(None, &Options::new(), Some(category));
            assert_eq!(refused, Err(PlacementError::Category(category.to_owned())));
        }
    }
}
