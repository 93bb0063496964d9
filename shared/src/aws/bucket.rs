//! A bucket in S3: where its objects are, links to them, and signed requests.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::Request;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    call::{self, Service, Signer, Unsigned},
    credentials, endpoint,
};
use crate::config::{ConfigError, Environment};

/// What S3 reckons signatures with is escaped but for these (AWS's page "Create a signed AWS API request").
const IN_A_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The same in a path, which keeps its slashes.
const IN_A_PATH: &AsciiSet = &IN_A_VALUE.remove(b'/');

/// A bucket, as its callers reach it.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Without a slash at its end.
    url: String,
    region: String,
    credentials: Credentials,
}

impl Bucket {
    /// The bucket of this name. Whatever stands in for S3 has no domain of its own for each bucket, so
    /// there the name is in the path.
    pub fn named(environment: &Environment, name: &str) -> Result<Self, ConfigError> {
        let service = endpoint(environment, Service::S3)?;
        let of_aws = service.strip_prefix("https://");
        let of_aws = of_aws.filter(|host| call::is_host(host));
        Ok(Self {
            url: match of_aws {
                Some(host) => format!("https://{name}.{host}"),
                None => format!("{service}/{name}"),
            },
            region: environment.required("AWS_REGION")?.to_owned(),
            credentials: credentials(environment)?,
        })
    }

    /// The address of an object, which answers nobody without a signature.
    pub fn address(&self, key: &str) -> String {
        format!("{}/{}", self.url, utf8_percent_encode(key, IN_A_PATH))
    }

    /// A link that anybody can `GET` for a while from `now` on, in Unix seconds; `overrides` replace
    /// headers of the answer. With temporary credentials it ends with them at the latest.
    pub fn link(
        &self,
        key: &str,
        overrides: [(&str, &str); 2],
        now: i64,
        valid: Duration,
    ) -> Result<String, Unsigned> {
        let overrides = overrides.map(|(name, value)| format!("{name}={}", escaped(value)));
        let url = format!("{}?{}", self.address(key), overrides.join("&"));
        call::presigned(&url, self.signer(now), valid)
    }

    /// A request to an object's address, signed by the bucket's caller.
    pub fn signed(&self, request: Request<Bytes>, now: i64) -> Result<Request<Bytes>, Unsigned> {
        call::signed(request, self.signer(now))
    }

    fn signer(&self, now: i64) -> Signer<'_> {
        let since = Duration::from_secs(u64::try_from(now).unwrap_or_default());
        let at = SystemTime::UNIX_EPOCH.checked_add(since);
        Signer {
            service: Service::S3,
            region: &self.region,
            credentials: &self.credentials,
            at: at.unwrap_or(SystemTime::UNIX_EPOCH),
        }
    }
}

/// A value in a query, or in a header's parameter with an encoding (RFC 8187).
pub(crate) fn escaped(value: &str) -> String {
    utf8_percent_encode(value, IN_A_VALUE).to_string()
}
