//! Email addresses, checked as SES checks them: 7-bit ASCII, one `@`, a domain that could exist.

/// An address, perhaps with a display name: `Till <shop@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmailAddress {
    /// `shop@example.com`.
    pub(crate) bare: String,
}

/// Why a text is not an address, in SES's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAnAddress {
    #[error("Missing final '@domain'")]
    NoDomain,
    #[error("Domain contains illegal character")]
    Domain,
    #[error("Local address contains control or whitespace")]
    Space,
    #[error("Local address contains illegal character")]
    Local,
    #[error("Illegal address")]
    Illegal,
}

impl EmailAddress {
    /// Reads `address`, with or without a display name.
    pub(crate) fn parse(address: &str) -> Result<Self, NotAnAddress> {
        let address = address.trim();
        if address.chars().any(char::is_control) {
            return Err(NotAnAddress::Space);
        }
        let bare = match address.split_once('<') {
            Some((name, rest)) => {
                let bare = rest.strip_suffix('>').ok_or(NotAnAddress::Illegal)?;
                is_display_name(name.trim())
                    .then_some(bare)
                    .ok_or(NotAnAddress::Illegal)?
            }
            None => address,
        };
        let (local, domain) = bare.rsplit_once('@').ok_or(NotAnAddress::NoDomain)?;
        if local.contains(char::is_whitespace) {
            return Err(NotAnAddress::Space);
        }
        if !is_local_part(local) {
            return Err(NotAnAddress::Local);
        }
        if !is_domain(domain) {
            return Err(NotAnAddress::Domain);
        }
        Ok(Self {
            bare: bare.to_owned(),
        })
    }
}

fn is_display_name(name: &str) -> bool {
    let quoted = name.len() >= 2 && name.starts_with('"') && name.ends_with('"');
    let inner = if quoted {
        name.get(1..name.len().saturating_sub(1))
            .unwrap_or_default()
    } else {
        name
    };
    // Names beyond ASCII are sent as `=?UTF-8?…?=`.
    inner.is_ascii()
        && !inner.contains('"')
        && (quoted || !inner.contains(['@', ',', ';', '<', '>', ':']))
}

/// RFC 5321's dot-string: atoms with single dots between them, at most 64 characters.
fn is_local_part(local: &str) -> bool {
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.len() <= 64
        && local
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(atom))
}

/// At least two labels of letters, digits and inner hyphens, the last one not a number.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    domain.len() <= 255
        && domain.contains('.')
        && domain.split('.').all(label)
        && !top.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_people_use_are_accepted() {
        for (address, bare) in [
            ("ada@example.com", "ada@example.com"),
            ("ada+shop@mail.example.co.uk", "ada+shop@mail.example.co.uk"),
            ("o'neil@example.com", "o'neil@example.com"),
            ("Till <shop@example.com>", "shop@example.com"),
            ("\"Till, the shop\" <shop@example.com>", "shop@example.com"),
            (
                "=?UTF-8?Q?Caf=C3=A9?= <shop@xn--caf-dma.example>",
                "shop@xn--caf-dma.example",
            ),
            ("<shop@example.com>", "shop@example.com"),
        ] {
            let parsed = EmailAddress::parse(address).map(|address| address.bare);
            assert_eq!(parsed.as_deref(), Ok(bare), "{address}");
        }
    }

    #[test]
    fn what_ses_would_refuse_is_refused_here() {
        for (address, why) in [
            ("", NotAnAddress::NoDomain),
            ("ada", NotAnAddress::NoDomain),
            ("@example.com", NotAnAddress::Local),
            ("ada@", NotAnAddress::Domain),
            ("ada@localhost", NotAnAddress::Domain),
            ("ada@-a.example", NotAnAddress::Domain),
            ("ada@exa mple.com", NotAnAddress::Domain),
            ("ada@example..com", NotAnAddress::Domain),
            ("ada@127.0.0.1", NotAnAddress::Domain),
            ("ada@exämple.com", NotAnAddress::Domain),
            ("adä@example.com", NotAnAddress::Local),
            ("a..b@example.com", NotAnAddress::Local),
            ("a b@example.com", NotAnAddress::Space),
            (
                "ada@example.com\r\nBcc: eve@example.com",
                NotAnAddress::Space,
            ),
            ("a@b.example,c@d.example", NotAnAddress::Local),
            ("Café <shop@example.com>", NotAnAddress::Illegal),
            ("Till <shop@example.com", NotAnAddress::Illegal),
            ("Till, the shop <shop@example.com>", NotAnAddress::Illegal),
        ] {
            assert_eq!(EmailAddress::parse(address), Err(why), "{address}");
        }
    }
}
