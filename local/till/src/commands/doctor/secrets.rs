//! Whose the secrets are: two stacks on one secret change each other's.

use super::Patient;
use super::report::Finding;
use crate::account::secrets::Owner;

const SECRETS: &str = "secrets";

/// Judges the tags of those that are there.
pub(super) async fn check(patient: &Patient) -> Vec<Finding> {
    let findings = patient.owners.iter().filter_map(|(place, owner)| {
        Some(match owner {
            Ok(Owner::Us) => return None,
            Ok(Owner::Nobody) => Finding::warn(
                SECRETS,
                format!("{place} carries no stack's tag: another stack may take it for its own"),
                patient.setup("tags it as this stack's"),
            ),
            Ok(Owner::Other(other)) => Finding::fail(
                SECRETS,
                format!(
                    "{place} belongs to another stack, {other}, and this one is {}: what one \
                     stores there, both use",
                    patient.tag
                ),
                format!(
                    "leave it out of the stack's parameters, or name another there, deploy, and {}; \
                     if that was this shop's tag once, deploy with FormerStackTags={other}",
                    patient.setup("fills it")
                ),
            ),
            Err(why) => {
                Finding::not_checked(SECRETS, format!("whose {place} is cannot be read: {why}"))
            }
        })
    });
    let mut findings: Vec<_> = findings.collect();
    if findings.is_empty() && !patient.owners.is_empty() {
        findings.push(Finding::ok(SECRETS, "they carry this stack's tag"));
    }
    findings
}
