//! A few questions to AWS that do not merit an SDK crate each: signed, answered in JSON.

use std::time::SystemTime;

use anyhow::Context as _;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_types::SdkConfig;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use serde_json::Value;
use shared::aws::call::{self, Service, ServiceError, Signer};

use crate::account::web::{Unreachable, Web};

/// Somebody's account in one region.
#[derive(Clone)]
pub(crate) struct AwsAccount {
    web: Web,
    config: SdkConfig,
}

/// What AWS says instead of an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AwsError {
    /// Such as `ParameterNotFound`.
    #[error("AWS answers {status} {code}{}", after_colon(said.as_deref()))]
    Refused {
        status: StatusCode,
        code: String,
        said: Option<String>,
    },
    #[error("AWS is out of reach: {0}")]
    Unreachable(#[from] Unreachable),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

fn after_colon(said: Option<&str>) -> String {
    said.map(|said| format!(": {said}")).unwrap_or_default()
}

impl AwsAccount {
    pub(crate) fn new(web: Web, config: SdkConfig) -> Self {
        Self { web, config }
    }

    /// The region's code.
    pub(crate) fn region(&self) -> &str {
        self.config.region().map_or("no region", AsRef::as_ref)
    }

    /// `GET path`, which is encoded already. `None`: there is no such thing.
    pub(crate) async fn get(
        &self,
        service: Service,
        path: &str,
    ) -> Result<Option<Value>, AwsError> {
        let request = Request::get(format!("{}{path}", service.endpoint(self.region())));
        let request = request
            .body(Bytes::new())
            .context("the request cannot be made")?;
        match self.call(service, request).await {
            Ok(answer) => Ok(Some(answer)),
            Err(AwsError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for an operation of a service that speaks JSON only.
    pub(crate) async fn ask(
        &self,
        service: Service,
        operation: &str,
        input: &Value,
    ) -> Result<Value, AwsError> {
        let endpoint = service.endpoint(self.region());
        let request = call::operation(&endpoint, operation, input);
        let mut request = request.context("the request cannot be made")?;
        if service == Service::CloudWatch {
            // The only one of them that speaks the older version.
            let json = HeaderValue::from_static("application/x-amz-json-1.0");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        self.call(service, request).await
    }

    async fn call(&self, service: Service, request: Request<Bytes>) -> Result<Value, AwsError> {
        let credentials = self.config.credentials_provider();
        let credentials = credentials.context("no AWS credentials were found")?;
        let credentials = credentials.provide_credentials().await;
        let credentials = credentials.context("no AWS credentials were found")?;
        let signer = Signer {
            service,
            region: self.region(),
            credentials: &credentials,
            at: SystemTime::now(),
        };
        let request = call::signed(request, signer);
        let answer = self.web.send(request.map_err(anyhow::Error::from)?).await?;
        let (status, body) = (answer.status(), answer.body());
        if status.is_success() {
            let value = serde_json::from_slice(body);
            return Ok(value.context("AWS's answer is not JSON")?);
        }
        let ServiceError { code, message } = ServiceError::read(answer.headers(), body);
        Err(AwsError::Refused {
            status,
            code,
            said: message,
        })
    }
}

/// What AWS said, in a line.
pub(crate) fn aws_error<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(answer) => {
            let (code, message) = (answer.err().code(), answer.err().message());
            let code = code.unwrap_or("an error without a code");
            message.map_or(code.to_owned(), |message| format!("{code}: {message}"))
        }
        SdkError::TimeoutError(_) => "AWS gave no answer in time".into(),
        SdkError::DispatchFailure(_) => "AWS is out of reach".into(),
        _ => "AWS's answer cannot be read".into(),
    }
}

/// A member of an answer that is a text; empty if there is none.
pub(crate) fn text<'v>(answer: &'v Value, name: &str) -> &'v str {
    answer.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod played {
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_types::region::Region;
    use axum::{Json, Router};
    use http::{HeaderMap, Uri};

    use super::*;

    impl AwsAccount {
        /// One where AWS answers what `answer` makes of a path, or of an operation and its input.
        pub(crate) async fn played_by(answer: fn(&str, &str) -> Value) -> Self {
            let router = Router::new().fallback(
                move |uri: Uri, headers: HeaderMap, body: String| async move {
                    let operation = headers.get("x-amz-target");
                    let asked = operation.map_or(uri.path(), |name| name.to_str().unwrap());
                    Json(answer(asked, &body))
                },
            );
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, router).await });
            let key = Credentials::new("key", "secret", None, None, "test");
            let config = SdkConfig::builder()
                .region(Region::new("eu-central-1"))
                .credentials_provider(SharedCredentialsProvider::new(key))
                .build();
            let web = Web::new(Some(&format!("http://{address}"))).unwrap();
            Self::new(web, config)
        }
    }
}
