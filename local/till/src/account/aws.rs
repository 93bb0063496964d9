//! A few questions to AWS that do not merit an SDK crate each: signed, answered in JSON.

use std::time::SystemTime;

use anyhow::Context as _;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_types::SdkConfig;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::account::web::{Unreachable, Web};

/// Somebody's account in one region.
#[derive(Clone)]
pub(crate) struct AwsAccount {
    web: Web,
    config: SdkConfig,
}

/// The services that are asked.
#[derive(Clone, Copy)]
pub(crate) enum Service {
    Lambda,
    Ses,
    Cognito,
    Logs,
    ParameterStore,
    SecretsManager,
}

impl Service {
    /// In the names of hosts, and in signatures.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Lambda => ("lambda", "lambda"),
            Self::Ses => ("email", "ses"),
            Self::Cognito => ("cognito-idp", "cognito-idp"),
            Self::Logs => ("logs", "logs"),
            Self::ParameterStore => ("ssm", "ssm"),
            Self::SecretsManager => ("secretsmanager", "secretsmanager"),
        }
    }
}

/// What AWS says instead of an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AwsError {
    /// Such as `ParameterNotFound`.
    #[error("AWS answers {status} {code}{}", said.as_ref().map(|said| format!(": {said}")).unwrap_or_default())]
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

#[derive(Default, Deserialize)]
struct ErrorAnswer {
    #[serde(alias = "Message")]
    message: Option<String>,
    /// `com.amazonaws.ssm#ParameterNotFound`, or without what is before the `#`.
    #[serde(rename = "__type")]
    code: Option<String>,
}

impl AwsAccount {
    pub(crate) fn new(web: Web, config: SdkConfig) -> Self {
        Self { web, config }
    }

    /// The region's code.
    pub(crate) fn region(&self) -> &str {
        self.config.region().map_or("no region", AsRef::as_ref)
    }

    /// Where a service is in this region.
    pub(crate) fn address(&self, host: &str) -> String {
        let region = self.region();
        // China's partition has a domain of its own.
        let domain = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        format!("https://{host}.{region}.{domain}")
    }

    /// `GET path`, which is encoded already. `None`: there is no such thing.
    pub(crate) async fn get(
        &self,
        service: Service,
        path: &str,
    ) -> Result<Option<Value>, AwsError> {
        match self.call(service, Method::GET, path, None).await {
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
        let asked = Some((operation, input));
        self.call(service, Method::POST, "/", asked).await
    }

    async fn call(
        &self,
        service: Service,
        method: Method,
        path: &str,
        operation: Option<(&str, &Value)>,
    ) -> Result<Value, AwsError> {
        let (host, _) = service.names();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address(host)));
        let mut body = Bytes::new();
        if let Some((operation, input)) = operation {
            request = request
                .header("content-type", "application/x-amz-json-1.1")
                .header("x-amz-target", operation);
            body = Bytes::from(input.to_string());
        }
        let request = request.body(body).context("no request can be made")?;
        let request = self.sign(request, service).await?;
        let answer = self.web.send(request).await?;
        let (status, body) = (answer.status(), answer.body());
        if status.is_success() {
            let value = serde_json::from_slice(body);
            return Ok(value.context("AWS's answer is not JSON")?);
        }
        let ErrorAnswer { message, code } = serde_json::from_slice(body).unwrap_or_default();
        let header = answer.headers().get("x-amzn-errortype");
        let code = code.or_else(|| Some(header?.to_str().ok()?.to_owned()));
        let code = code.unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        Err(AwsError::Refused {
            status,
            code: code.split(':').next().unwrap_or_default().to_owned(),
            said: message,
        })
    }

    async fn sign(
        &self,
        mut request: Request<Bytes>,
        service: Service,
    ) -> anyhow::Result<Request<Bytes>> {
        let credentials = self.config.credentials_provider();
        let credentials = credentials.context("there are no AWS credentials")?;
        let identity = credentials.provide_credentials().await;
        let identity = identity.context("there are no AWS credentials")?.into();
        let (_, name) = service.names();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region())
            .name(name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.uri().to_string(),
            std::iter::empty(),
            SignableBody::Bytes(request.body()),
        )?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
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
