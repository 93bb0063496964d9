//! What SES knows of an address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use shared::aws::call::Service;

use crate::account::aws::{AwsAccount, AwsError};

/// All but what RFC 3986 calls unreserved.
const IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The identity that lets an address send or be sent to: the address itself or its domain.
/// `None`: neither is verified.
pub(super) async fn identity(address: &str, aws: &AwsAccount) -> anyhow::Result<Option<String>> {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    for name in [Some(address), domain].into_iter().flatten() {
        if is_verified(name, aws).await? {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
}

pub(super) async fn is_verified(identity: &str, aws: &AwsAccount) -> Result<bool, AwsError> {
    let encoded = utf8_percent_encode(identity, IN_A_PATH);
    let path = format!("/v2/email/identities/{encoded}");
    let answer = aws.get(Service::Ses, &path).await?.unwrap_or_default();
    let verified = answer.get("VerifiedForSendingStatus");
    Ok(verified.and_then(Value::as_bool) == Some(true))
}
