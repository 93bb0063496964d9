//! The only client: the site, either the shop's own pages or a front end in their place.

use axum::http::HeaderValue;
use url::Url;

use crate::environment::Addresses;

/// The client's id.
pub(super) const CLIENT_ID: &str = "till-local";

/// Where the client's pages are.
pub(super) struct Sites {
    /// The shop's own pages.
    shop: Url,
    /// The site that buyers use: the same, or a front end at another origin.
    site: Url,
}

impl Sites {
    pub(super) fn at(addresses: &Addresses) -> anyhow::Result<Self> {
        Ok(Self {
            shop: Url::parse(&addresses.shop)?,
            site: Url::parse(&addresses.site)?,
        })
    }

    /// Where people go if no page to return to is named.
    pub(super) fn home(&self) -> &Url {
        &self.site
    }

    /// Whether this is the origin of one of the pages.
    pub(super) fn have_origin(&self, origin: &HeaderValue) -> bool {
        [&self.shop, &self.site].iter().any(|site| {
            let site = site.origin().ascii_serialization();
            site.as_bytes() == origin.as_bytes()
        })
    }

    /// The address, if it is one of the pages, because people are sent nowhere else.
    pub(super) fn page(&self, address: &str) -> Option<Url> {
        let address = Url::parse(address).ok()?;
        let is_ours = [&self.shop, &self.site]
            .iter()
            .any(|site| address.origin() == site.origin())
            && address.username().is_empty()
            && address.password().is_none()
            && address.fragment().is_none();
        is_ours.then_some(address)
    }
}
