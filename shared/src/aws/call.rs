//! Calls to AWS without an SDK: a signed request, answered in JSON. A whole SDK crate is a lot for
//! one or two operations of a service.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
        SigningInstructions, SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use bytes::Bytes;
use http::{HeaderMap, Request, header};
use serde::Deserialize;
use serde_json::Value;

/// A service of AWS that Till calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Tables.
    DynamoDb,
    /// Functions and their URLs.
    Lambda,
    /// Mail.
    Ses,
    /// Events for other systems.
    EventBridge,
    /// Buyers' accounts.
    Cognito,
    /// Logs.
    Logs,
    /// Parameters, including secret ones.
    ParameterStore,
    /// Secrets.
    SecretsManager,
    /// Metrics and alarms.
    CloudWatch,
    /// Files.
    S3,
}

/// Why a request cannot be signed.
#[derive(Debug, thiserror::Error)]
#[error("the request to AWS cannot be signed: {0}")]
pub struct Unsigned(String);

/// The error that an AWS service answers with.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ServiceError {
    /// Such as `ParameterNotFound`; empty if the answer has none.
    pub code: String,
    /// For people to read. It may quote the request.
    pub message: Option<String>,
}

/// AWS's partitions, by how their regions begin, and the domain of each: from the SDK's
/// `partitions.json`. Any other region is in the first partition.
const PARTITIONS: [(&str, &str); 7] = [
    // GovCloud (`us-gov-`) as well.
    ("", "amazonaws.com"),
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
];

impl Service {
    /// In the names of hosts, and in signatures.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::DynamoDb => ("dynamodb", "dynamodb"),
            Self::Lambda => ("lambda", "lambda"),
            Self::Ses => ("email", "ses"),
            Self::EventBridge => ("events", "events"),
            Self::Cognito => ("cognito-idp", "cognito-idp"),
            Self::Logs => ("logs", "logs"),
            Self::ParameterStore => ("ssm", "ssm"),
            Self::SecretsManager => ("secretsmanager", "secretsmanager"),
            Self::CloudWatch => ("monitoring", "monitoring"),
            Self::S3 => ("s3", "s3"),
        }
    }

    /// The variable with its address, if it is not at AWS, named as the SDKs name it.
    pub fn endpoint_variable(self) -> &'static str {
        match self {
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Lambda => "AWS_ENDPOINT_URL_LAMBDA",
            Self::Ses => "AWS_ENDPOINT_URL_SES",
            Self::EventBridge => "AWS_ENDPOINT_URL_EVENTBRIDGE",
            Self::Cognito => "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
            Self::Logs => "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
            Self::ParameterStore => "AWS_ENDPOINT_URL_SSM",
            Self::SecretsManager => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
            Self::CloudWatch => "AWS_ENDPOINT_URL_CLOUDWATCH",
            Self::S3 => "AWS_ENDPOINT_URL_S3",
        }
    }

    /// Its address in a region.
    pub fn endpoint(self, region: &str) -> String {
        endpoint(self.names().0, region)
    }
}

/// Where the service whose hosts begin with `host` is in a region.
pub fn endpoint(host: &str, region: &str) -> String {
    let partition = PARTITIONS
        .iter()
        .rev()
        .find(|(beginning, _)| region.starts_with(beginning));
    let domain = partition.map_or("amazonaws.com", |(_, domain)| domain);
    format!("https://{host}.{region}.{domain}")
}

/// Whether a host is one of AWS's services.
pub fn is_host(host: &str) -> bool {
    PARTITIONS.iter().any(|(_, domain)| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
    })
}

/// A request for an operation such as `AmazonSSM.GetParameter`, of a service that speaks only JSON.
pub fn operation(
    endpoint: &str,
    operation: &str,
    input: &Value,
) -> Result<Request<Bytes>, http::Error> {
    Request::post(format!("{endpoint}/"))
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
        .header("x-amz-target", operation)
        .body(Bytes::from(input.to_string()))
}

/// Who signs, for which service, and when.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// What is called.
    pub service: Service,
    /// Where.
    pub region: &'a str,
    /// By whom.
    pub credentials: &'a Credentials,
    /// When; the signature is good for some minutes around it.
    pub at: SystemTime,
}

/// The request, signed.
pub fn signed(mut request: Request<Bytes>, signer: Signer<'_>) -> Result<Request<Bytes>, Unsigned> {
    let body = SignableBody::Bytes(request.body());
    let settings = settings(signer.service);
    let instructions = instructions(&request, body, signer, settings)?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

/// An address with a signature in it, for whoever has no credentials: `GET` works there until the
/// time is over.
pub fn presigned(url: &str, signer: Signer<'_>, valid: Duration) -> Result<String, Unsigned> {
    let request = Request::get(url).body(Bytes::new());
    let mut request = request.map_err(|error| Unsigned(error.to_string()))?;
    let mut settings = settings(signer.service);
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(valid);
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    let body = SignableBody::UnsignedPayload;
    let instructions = instructions(&request, body, signer, settings)?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(request.uri().to_string())
}

/// How a service reads signatures: S3 takes paths as they come, and wants to be told the body's hash
/// (AWS's page "Create a signed AWS API request").
fn settings(service: Service) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == Service::S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

fn instructions(
    request: &Request<Bytes>,
    body: SignableBody<'_>,
    signer: Signer<'_>,
    settings: SigningSettings,
) -> Result<SigningInstructions, Unsigned> {
    let unsigned = |error: &dyn std::error::Error| Unsigned(error.to_string());
    let identity = signer.credentials.clone().into();
    let (_, name) = signer.service.names();
    let signing = v4::SigningParams::builder()
        .identity(&identity)
        .region(signer.region)
        .name(name)
        .time(signer.at)
        .settings(settings)
        .build()
        .map_err(|error| unsigned(&error))?
        .into();
    let headers = request.headers().iter();
    let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let uri = request.uri().to_string();
    let signable = SignableRequest::new(request.method().as_str(), &uri, headers, body);
    let signable = signable.map_err(|error| unsigned(&error))?;
    let signed = sign(signable, &signing).map_err(|error| unsigned(&error))?;
    let (instructions, _) = signed.into_parts();
    Ok(instructions)
}

impl ServiceError {
    /// Reads it from an answer whose status is not a success.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct Said {
            #[serde(alias = "Message")]
            message: Option<String>,
            #[serde(rename = "__type")]
            kind: Option<String>,
        }
        let Said { message, kind } = serde_json::from_slice(body).unwrap_or_default();
        let header = headers.get("x-amzn-errortype");
        let kind = kind.or_else(|| Some(header?.to_str().ok()?.to_owned()));
        let kind = kind.unwrap_or_default();
        // `com.amazonaws.ssm#ParameterNotFound`, or without what is before the `#`; in a header
        // an address may follow after a colon.
        let code = kind.rsplit('#').next().unwrap_or_default();
        let code = code.split(':').next().unwrap_or_default().to_owned();
        Self { code, message }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_service_is_in_the_domain_of_its_regions_partition() {
        for (region, address) in [
            ("us-east-1", "https://ssm.us-east-1.amazonaws.com"),
            ("eu-central-2", "https://ssm.eu-central-2.amazonaws.com"),
            ("us-gov-west-1", "https://ssm.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "https://ssm.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "https://ssm.eusc-de-east-1.amazonaws.eu"),
            ("us-iso-east-1", "https://ssm.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "https://ssm.us-isob-east-1.sc2s.sgov.gov"),
            (
                "eu-isoe-west-1",
                "https://ssm.eu-isoe-west-1.cloud.adc-e.uk",
            ),
            (
                "us-isof-south-1",
                "https://ssm.us-isof-south-1.csp.hci.ic.gov",
            ),
        ] {
            assert_eq!(Service::ParameterStore.endpoint(region), address);
            assert!(is_host(address.strip_prefix("https://").unwrap()));
        }
        assert_eq!(
            Service::Ses.endpoint("eu-west-1"),
            "https://email.eu-west-1.amazonaws.com"
        );
        for elsewhere in [
            "amazonaws.com",
            "shop.example",
            "ssm.amazonaws.com.evil.example",
        ] {
            assert!(!is_host(elsewhere), "{elsewhere}");
        }
    }

    /// The signature was computed apart from this code, by the steps of AWS's page "Create a signed
    /// AWS API request".
    #[test]
    fn a_request_is_signed_with_its_body_and_its_operation() {
        let input = serde_json::json!({ "Name": "/till/key" });
        let endpoint = Service::ParameterStore.endpoint("eu-central-1");
        let request = operation(&endpoint, "AmazonSSM.GetParameter", &input).unwrap();
        let credentials = Credentials::new("AKID", "secret", Some("token".into()), None, "test");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let signer = Signer {
            service: Service::ParameterStore,
            region: "eu-central-1",
            credentials: &credentials,
            at,
        };
        let request = signed(request, signer);
        let request = request.unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(header("x-amz-date"), "20260921T141320Z");
        assert_eq!(header("x-amz-security-token"), "token");
        assert_eq!(
            header("authorization"),
            "AWS4-HMAC-SHA256 Credential=AKID/20260921/eu-central-1/ssm/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, \
             Signature=28639415dac27fdaceac6861e38aff1616ac3451412475ae79bc3eb0c9b7001e"
        );
    }

    #[test]
    fn a_refusal_is_recognized_by_its_code_wherever_the_service_puts_it() {
        let refusal = |header: Option<&str>, body: &str| {
            let header = header.map(|kind| ("x-amzn-errortype", kind));
            let headers = header
                .into_iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            ServiceError::read(&headers.collect(), body.as_bytes())
        };
        let code = |header, body| refusal(header, body).code;
        let missing = r#"{"__type":"com.amazonaws.ssm#ParameterNotFound"}"#;
        assert_eq!(code(None, missing), "ParameterNotFound");
        assert_eq!(code(None, r#"{"__type":"Throttled"}"#), "Throttled");
        let address = "ResourceNotFoundException:http://internal.amazon.com/";
        assert_eq!(code(Some(address), "{}"), "ResourceNotFoundException");
        assert_eq!(refusal(None, "<html>"), ServiceError::default());
        let said = refusal(None, r#"{"Message":"No."}"#);
        assert_eq!(said.message.as_deref(), Some("No."));
    }
}
