//! AWS: how its SDKs are set up, and in [`call`] the calls that need no SDK.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    config::{BehaviorVersion, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
};
use aws_types::{
    SdkConfig,
    region::Region,
    sdk_config::{SharedCredentialsProvider, TimeoutConfig},
};

use crate::{
    config::{ConfigError, Environment},
    https,
};

pub mod call;

/// How to call an AWS service. Set explicitly, because the SDK's search through profiles and
/// metadata services would slow down every start, and Lambda sets exactly these variables.
/// `endpoint` is the service's own variable; `AWS_ENDPOINT_URL` is for all.
pub fn config(environment: &Environment, endpoint: &str) -> Result<SdkConfig, ConfigError> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(4))
        .build();
    let mut config = SdkConfig::builder()
        .http_client(https::ForSdk::new(environment.network())?)
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(environment.required("AWS_REGION")?.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials(environment)?))
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts);
    config.set_endpoint_url(endpoint_url(environment, endpoint).map(str::to_owned));
    Ok(config.build())
}

/// Where the environment says a service is, if not at AWS.
pub(crate) fn endpoint_url<'e>(environment: &'e Environment, variable: &str) -> Option<&'e str> {
    environment
        .optional(variable)
        .or_else(|| environment.optional("AWS_ENDPOINT_URL"))
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
