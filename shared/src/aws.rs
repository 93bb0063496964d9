//! AWS: how its SDKs are set up, in [`lazy`] when their clients are made, in [`call`] the calls that
//! need no SDK, and in [`bucket`] those to S3.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    config::{BehaviorVersion, StalledStreamProtectionConfig, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
};
use aws_types::{
    SdkConfig,
    region::Region,
    sdk_config::{SharedCredentialsProvider, TimeoutConfig},
};

use self::call::Service;
use crate::config::{ConfigError, Environment};

pub mod bucket;
pub mod call;
pub mod lazy;

/// How to call an AWS service. Set explicitly, because the SDK's search through profiles and
/// metadata services would slow down every start, and Lambda sets exactly these variables.
pub fn config(environment: &Environment, service: Service) -> Result<SdkConfig, ConfigError> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(4))
        .build();
    Ok(SdkConfig::builder()
        .http_client(environment.network().client()?)
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(environment.required("AWS_REGION")?.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials(environment)?))
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts)
        // Each try has a time limit, so its bytes need not be counted as they come.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .endpoint_url(endpoint(environment, service)?)
        .build())
}

/// Begins to open a connection to a service, so that the first call need not wait for it.
pub fn prepare(environment: &Environment, service: Service) -> Result<(), ConfigError> {
    let client = environment.network().client()?;
    client.open(&endpoint(environment, service)?);
    Ok(())
}

/// Where a service is: where its own variable says or the one for all, or else in its region.
pub(crate) fn endpoint(environment: &Environment, service: Service) -> Result<String, ConfigError> {
    let elsewhere = environment
        .optional(service.endpoint_variable())
        .or_else(|| environment.optional("AWS_ENDPOINT_URL"));
    match elsewhere {
        Some(url) => Ok(url.trim_end_matches('/').to_owned()),
        None => Ok(service.endpoint(environment.required("AWS_REGION")?)),
    }
}

/// The credentials that Lambda puts in the environment.
pub(crate) fn credentials(environment: &Environment) -> Result<Credentials, ConfigError> {
    Ok(Credentials::new(
        environment.required("AWS_ACCESS_KEY_ID")?,
        environment.required("AWS_SECRET_ACCESS_KEY")?,
        environment.optional("AWS_SESSION_TOKEN").map(str::to_owned),
        None,
        "environment",
    ))
}

/// An AWS error's code, which contains none of our data, or why the call got no answer.
pub(crate) fn error_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(answer) => answer
            .err()
            .code()
            .unwrap_or("an error without a code")
            .to_owned(),
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(_) => "out of reach".to_owned(),
        _ => "an answer that cannot be read".to_owned(),
    }
}
