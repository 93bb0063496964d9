//! Whether CloudFormation lists the stack's functions, whose names other checks need.

use futures::FutureExt as _;

use super::check::{Ask, Check};
use super::report::Finding;

const FUNCTIONS: &str = "functions";

pub(super) const CHECK: Check = Check {
    title: FUNCTIONS,
    ask: Ask::Deployed(|_, deployed| {
        let unknown = deployed.functions.as_ref().err();
        let finding = unknown.map(|why| {
            Finding::not_checked(
                FUNCTIONS,
                format!("CloudFormation does not list the stack's functions: {why}"),
            )
        });
        std::future::ready(finding.into_iter().collect()).boxed()
    }),
};
