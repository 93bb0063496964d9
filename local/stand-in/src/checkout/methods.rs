//! Which types of payment methods a new session offers.

use crate::account::currency::Currency;
use crate::checkout::object::{Mode, Session};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// Which types of payment methods a session is to offer.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    listed: Vec<String>,
    allowed: Vec<String>,
    excluded: Vec<String>,
}

impl Wanted {
    pub(super) fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            listed: params.texts("payment_method_types")?,
            allowed: params.texts("allowed_payment_method_types")?,
            excluded: params.texts("excluded_payment_method_types")?,
        })
    }

    /// The types of payment methods to offer, the card first.
    pub(super) fn offered(self, currency: Currency, mode: Mode) -> Result<Vec<String>, ApiError> {
        let here = Session::methods_in(currency, mode);
        for listed in self.listed.iter().filter(|it| *it != "link") {
            if !here.contains(&listed.as_str()) {
                return Err(ApiError::invalid(format!(
                    "The payment method type {listed:?} is invalid, not available in {currency}, \
                     or not one that the stand-in implements. This session can have {}.",
                    here.join(", ")
                ))
                .param("payment_method_types"));
            }
        }
        let named = |names: &[String], it: &str| names.iter().any(|name| name == it);
        let mut offered: Vec<String> = match self.listed.is_empty() {
            false => self.listed,
            true => here.iter().map(ToString::to_string).collect(),
        };
        offered.retain(|it| self.allowed.is_empty() || named(&self.allowed, it));
        offered.retain(|it| !named(&self.excluded, it));
        match offered.iter().all(|it| it == "link") {
            true => Err(ApiError::invalid(format!(
                "This session would have no payment method: in {currency}, the stand-in \
                 implements {}.",
                here.join(", ")
            ))
            .param("payment_method_types")),
            false => Ok(offered),
        }
    }
}
