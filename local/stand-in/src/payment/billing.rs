//! Who pays, and where the goods go.

use serde::{Deserialize, Serialize};

use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// A postal address, as far as it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) city: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) line1: Option<String>,
    pub(crate) line2: Option<String>,
    pub(crate) postal_code: Option<String>,
    pub(crate) state: Option<String>,
}

impl Address {
    pub(crate) fn read(mut params: Params) -> Result<Self, ApiError> {
        let mut part = |field| params.short_text(field, 5_000);
        let address = Self {
            city: part("city")?,
            country: part("country")?,
            line1: part("line1")?,
            line2: part("line2")?,
            postal_code: part("postal_code")?,
            state: part("state")?,
        };
        params.finish()?;
        Ok(address)
    }
}

/// What is known of whoever pays, as the API shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BillingDetails {
    pub(crate) address: Address,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) tax_id: Option<String>,
}

impl BillingDetails {
    /// What is given; what is not stays as it is in `known`.
    pub(crate) fn read(mut params: Params, known: Self) -> Result<Self, ApiError> {
        let address = match params.optional_object("address")? {
            Some(address) => Address::read(address)?,
            None => known.address,
        };
        let billing = Self {
            address,
            email: params.email("email")?.or(known.email),
            name: params.short_text("name", 5_000)?.or(known.name),
            phone: params.short_text("phone", 5_000)?.or(known.phone),
            tax_id: params.short_text("tax_id", 5_000)?.or(known.tax_id),
        };
        params.finish()?;
        Ok(billing)
    }
}

/// Where the goods go, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shipping {
    pub(crate) address: Address,
    pub(crate) carrier: Option<String>,
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    pub(crate) tracking_number: Option<String>,
}

impl Shipping {
    pub(crate) fn read(mut params: Params) -> Result<Self, ApiError> {
        let address = params
            .optional_object("address")
            .required(&params, "address")?;
        let shipping = Self {
            address: Address::read(address)?,
            carrier: params.short_text("carrier", 5_000)?,
            name: params.text("name").required(&params, "name")?,
            phone: params.short_text("phone", 5_000)?,
            tracking_number: params.short_text("tracking_number", 5_000)?,
        };
        params.finish()?;
        Ok(shipping)
    }
}
