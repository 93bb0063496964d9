//! Mail to buyers and the seller: what the letters say, and how they are sent.
//!
//! [`compose`] turns what an outbox row froze into a [`Letter`], without reading anything else;
//! [`Postman`] hands it to SES and says whether a failure is worth another try.

use std::time::Duration;

use aws_sdk_ses::config::{Builder, retry::RetryConfig, timeout::TimeoutConfig};

use crate::{
    aws::{self, call::Service, lazy::Lazy},
    config::{ConfigError, Environment},
};

mod address;
mod amounts;
mod content;
mod from;
#[cfg(test)]
mod golden;
mod letter;
mod postman;
mod prose;

pub use address::{Address, AddressError};
pub use content::{Frozen, FrozenDispute, FrozenSale, Missing};
pub use letter::{
    LetterError, Letterhead, compose,
    digest::{compose_digest, next_digest},
    stock::compose_stock,
};
pub use postman::{Postman, SendError};
pub use prose::Letter;

/// A client for SES, or for what `AWS_ENDPOINT_URL_SES` points to. It never retries and has long
/// timeouts: SES has no idempotency keys, and a call that timed out may have sent the mail.
pub fn client(environment: &Environment) -> Result<Lazy<aws_sdk_ses::Client>, ConfigError> {
    let config = Builder::from(&aws::config(environment, Service::Ses)?)
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(2))
                .operation_timeout(Duration::from_secs(15))
                .operation_attempt_timeout(Duration::from_secs(15))
                .build(),
        )
        .build();
    Ok(Lazy::new(|| aws_sdk_ses::Client::from_conf(config)))
}
