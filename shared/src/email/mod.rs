//! Mail to the buyer: what the letters say and how they leave.
//!
//! [`compose`] turns what an outbox row froze into a [`Letter`], without asking anybody;
//! [`Postman`] hands it to SES and says whether a failure is worth another try.

mod address;
mod amounts;
mod letter;
mod postman;

pub use address::{Address, AddressError};
pub use letter::{Content, Letter, Shop, compose};
pub use postman::{Postman, SendError};

use crate::config::{ConfigError, Environment};

/// SES as the environment says; `AWS_ENDPOINT_URL_SES` may point elsewhere than AWS.
pub fn client(environment: &Environment) -> Result<aws_sdk_ses::Client, ConfigError> {
    Ok(aws_sdk_ses::Client::new(
        &environment.aws("AWS_ENDPOINT_URL_SES")?,
    ))
}
