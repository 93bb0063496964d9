//! Whose the secrets are: two stacks on one secret change each other's.

use futures::FutureExt as _;

use super::check::{Ask, Check};
use super::patient::{Deployed, Patient};
use super::report::Finding;
use crate::account::secrets::Owner;

const SECRETS: &str = "secrets";

pub(super) const CHECK: Check = Check {
    title: SECRETS,
    ask: Ask::Deployed(|patient, deployed| check(patient, deployed).boxed()),
};

async fn check(patient: &Patient, deployed: &Deployed) -> Vec<Finding> {
    let findings = deployed.owners.iter().filter_map(|(place, owner)| {
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
                    "{place} belongs to another stack, {other}, and this one is {}: both use what \
                     either stores there",
                    patient.tag
                ),
                format!(
                    "remove it from the stack's parameters, or name another there, deploy, and {}; \
                     if {other} was once this shop's own tag, deploy with FormerStackTags={other}",
                    patient.setup("fills it")
                ),
            ),
            Err(why) => {
                Finding::not_checked(SECRETS, format!("cannot read whose {place} is: {why}"))
            }
        })
    });
    let mut findings: Vec<_> = findings.collect();
    if findings.is_empty() && !deployed.owners.is_empty() {
        findings.push(Finding::ok(SECRETS, "all carry this stack's tag"));
    }
    findings
}
