//! The tables: as `template.yaml` says, and protected.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    IndexStatus, PointInTimeRecoveryStatus, TableDescription, TimeToLiveStatus,
};
use template::Table;

use super::Patient;
use super::report::Finding;
use crate::account::aws::aws_error;

/// Compares the tables with the template.
pub(super) async fn check(patient: &Patient, dynamodb: &Client) -> Vec<Finding> {
    let tables = patient.template.tables.iter();
    let checks = tables.map(|table| async move {
        // A template may say more in its names, as those of the tests do.
        let check = match table.name.as_str() {
            name if name.starts_with("ProductsTable") => "products table",
            name if name.starts_with("PurchasesTable") => "purchases table",
            name if name.starts_with("OutboxTable") => "outbox table",
            _ => "another table",
        };
        look(check, table, patient, dynamodb).await
    });
    futures::future::join_all(checks)
        .await
        .into_iter()
        .flatten()
        .collect()
}

async fn look(
    check: &'static str,
    wanted: &Table,
    patient: &Patient,
    dynamodb: &Client,
) -> Vec<Finding> {
    let Some(name) = patient.tables.get(&wanted.name) else {
        return vec![Finding::fail(
            check,
            format!("the stack has no {}", wanted.name),
            patient.deploy(),
        )];
    };
    let (table, ttl, recovery) = futures::join!(
        dynamodb.describe_table().table_name(name).send(),
        dynamodb.describe_time_to_live().table_name(name).send(),
        dynamodb
            .describe_continuous_backups()
            .table_name(name)
            .send(),
    );
    let table = match table {
        Ok(answer) => answer
            .table
            .unwrap_or_else(|| TableDescription::builder().build()),
        Err(SdkError::ServiceError(error))
            if matches!(
                error.err(),
                DescribeTableError::ResourceNotFoundException(_)
            ) =>
        {
            return vec![Finding::fail(
                check,
                format!("{name} does not exist"),
                format!(
                    "{}\nor restore it: docs/OPERATIONS.md, \"Restore a table\"",
                    patient.revive()
                ),
            )];
        }
        Err(error) => return vec![Finding::not_checked(check, aws_error(&error))],
    };
    let mut findings = Vec::new();
    let fail =
        |says: String, remedy: String| Finding::fail(check, format!("{name} {says}"), remedy);
    let ready: BTreeSet<&str> = table
        .global_secondary_indexes()
        .iter()
        .filter(|index| matches!(index.index_status(), None | Some(IndexStatus::Active)))
        .filter_map(|index| index.index_name())
        .collect();
    let missing: Vec<&str> = wanted
        .indexes
        .keys()
        .map(String::as_str)
        .filter(|index| !ready.contains(index))
        .collect();
    if !missing.is_empty() {
        findings.push(fail(
            format!("has no index {} that could be read", missing.join(", ")),
            patient.deploy(),
        ));
    }
    let stream = table.stream_specification();
    if wanted.stream_view_type.is_some() && !stream.is_some_and(|stream| stream.stream_enabled) {
        findings.push(fail(
            "has its stream off: mail goes only once a minute".into(),
            format!(
                "{}; if it was switched off by hand:\n\
                 aws dynamodb update-table --table-name {name} --stream-specification \
                 StreamEnabled=true,StreamViewType={}",
                patient.deploy(),
                wanted.stream_view_type.as_deref().unwrap_or_default()
            ),
        ));
    }
    if let Some(attribute) = &wanted.ttl_attribute {
        match ttl {
            Err(error) => findings.push(Finding::not_checked(
                check,
                format!(
                    "whether {name} lets go of what has expired: {}",
                    aws_error(&error)
                ),
            )),
            Ok(answer) => {
                let ttl = answer.time_to_live_description();
                let on = ttl.is_some_and(|ttl| {
                    ttl.attribute_name() == Some(attribute)
                        && matches!(
                            ttl.time_to_live_status(),
                            Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
                        )
                });
                if !on {
                    findings.push(fail(
                        "keeps what has expired: its time to live is off".into(),
                        format!(
                            "aws dynamodb update-time-to-live --table-name {name} \
                             --time-to-live-specification Enabled=true,AttributeName={attribute}"
                        ),
                    ));
                }
            }
        }
    }
    // On a laptop there is nothing to protect from.
    if patient.stack.is_some() {
        match recovery {
            Err(error) => findings.push(Finding::not_checked(
                check,
                format!("whether {name} could be restored: {}", aws_error(&error)),
            )),
            Ok(answer) => {
                let recovery = answer
                    .continuous_backups_description()
                    .and_then(|backups| backups.point_in_time_recovery_description())
                    .and_then(|recovery| recovery.point_in_time_recovery_status());
                if recovery != Some(&PointInTimeRecoveryStatus::Enabled) {
                    findings.push(fail(
                        "could not be restored: point-in-time recovery is off".into(),
                        format!(
                            "aws dynamodb update-continuous-backups --table-name {name} \
                             --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
                        ),
                    ));
                }
            }
        }
        if table.deletion_protection_enabled() != Some(true) {
            findings.push(fail(
                "could be deleted by one call: deletion protection is off".into(),
                patient.setup("switches it on"),
            ));
        }
    }
    if findings.is_empty() {
        let protected = if patient.stack.is_some() {
            ", protected"
        } else {
            ""
        };
        findings.push(Finding::ok(
            check,
            format!("{name} is as the template says{protected}"),
        ));
    }
    findings
}
