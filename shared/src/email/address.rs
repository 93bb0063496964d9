//! Email addresses.

use std::{fmt, str::FromStr};

/// One address that a letter can go to or come from.
///
/// `Debug` hides it, because addresses stay out of logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

/// Why a text is not an address. Never repeats the text: it may be a person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`, or several.
    #[error("an email address has one @: write it as in ana@example.com, without a name")]
    NotOneAt,
    /// More than mail servers take.
    #[error(
        "an email address has at most {MOST_CHARACTERS} characters, {MOST_LOCAL_CHARACTERS} of them before the @"
    )]
    TooLong,
    /// Something SES does not take before the `@`.
    #[error(
        "before its @ an email address has ASCII letters, digits, dots and !#$%&'*+-/=?^_`{{|}}~"
    )]
    LocalPart,
    /// Something other than a domain after the `@`.
    #[error(
        "after its @ an email address has a domain as in mail.example.com; write others in Punycode (xn--…)"
    )]
    Domain,
}

/// RFC 5321 allows a path of 256 characters, angle brackets included.
const MOST_CHARACTERS: usize = 254;
const MOST_LOCAL_CHARACTERS: usize = 64;
const MOST_LABEL_CHARACTERS: usize = 63;

impl Address {
    /// As text, for delivery.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Takes a plain address, as SES does: ASCII only, no quoted local part, no display name. Dots
    /// may be anywhere before the `@`, because carriers have given out `a..b.@example.com`, and
    /// those people buy, too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (local, domain) = text.split_once('@').ok_or(AddressError::NotOneAt)?;
        if domain.contains('@') {
            return Err(AddressError::NotOneAt);
        }
        if text.len() > MOST_CHARACTERS || local.len() > MOST_LOCAL_CHARACTERS {
            return Err(AddressError::TooLong);
        }
        if local.is_empty() || !local.bytes().all(is_local) {
            return Err(AddressError::LocalPart);
        }
        // Without a dot it is a host on a private network, or a forgotten `.com`.
        if !domain.contains('.') || !domain.split('.').all(is_label) {
            return Err(AddressError::Domain);
        }
        Ok(Self(text.to_owned()))
    }
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_label(label: &str) -> bool {
    (1..=MOST_LABEL_CHARACTERS).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_people_use_are_accepted() {
        for text in [
            "ana@example.com",
            "ana.b+till@mail.example.co.uk",
            "o'neil_2@example.com",
            "a..b.@example.ne.jp",
            "ana@xn--bcher-kva.example",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn anything_that_could_reach_a_header_or_another_mailbox_is_refused() {
        for (text, why) in [
            ("", AddressError::NotOneAt),
            ("ana", AddressError::NotOneAt),
            ("ana@example.com@example.org", AddressError::NotOneAt),
            ("ana@example.com,eve@example.com", AddressError::NotOneAt),
            ("@example.com", AddressError::LocalPart),
            ("Ana <ana@example.com", AddressError::LocalPart),
            ("ana\r\nBcc:eve@example.com", AddressError::LocalPart),
            ("\"ana b\"@example.com", AddressError::LocalPart),
            ("añá@example.com", AddressError::LocalPart),
            ("ana@", AddressError::Domain),
            ("ana@example", AddressError::Domain),
            ("ana@example..com", AddressError::Domain),
            ("ana@-example.com", AddressError::Domain),
            ("ana@example.com\n", AddressError::Domain),
            ("ana@example.com>", AddressError::Domain),
            ("ana@bücher.example", AddressError::Domain),
        ] {
            assert_eq!(text.parse::<Address>(), Err(why), "{text:?}");
        }
    }

    #[test]
    fn an_address_longer_than_mail_servers_accept_is_refused() {
        let domain = format!("{0}.{0}.{0}", "d".repeat(62));
        let longest = format!("{}@{domain}.e", "a".repeat(254 - 1 - domain.len() - 2));
        assert_eq!(longest.len(), 254);
        assert!(longest.parse::<Address>().is_ok());
        assert_eq!(
            format!("{longest}e").parse::<Address>(),
            Err(AddressError::TooLong)
        );
        let local = "a".repeat(65);
        assert_eq!(
            format!("{local}@example.com").parse::<Address>(),
            Err(AddressError::TooLong)
        );
        let label = "d".repeat(64);
        assert_eq!(
            format!("a@{label}.com").parse::<Address>(),
            Err(AddressError::Domain)
        );
    }

    #[test]
    fn an_address_never_shows_in_debug_output_or_errors() {
        let address: Address = "ana@example.com".parse().unwrap();
        assert!(!format!("{address:?}").contains("ana"));
        let error = "secretive ana@example.com".parse::<Address>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secretive"));
    }
}
