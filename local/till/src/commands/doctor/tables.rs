//! The tables: as `template.yaml` says, and protected.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::describe_continuous_backups::{
    DescribeContinuousBackupsError, DescribeContinuousBackupsOutput,
};
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::operation::describe_time_to_live::{
    DescribeTimeToLiveError, DescribeTimeToLiveOutput,
};
use aws_sdk_dynamodb::types::{
    IndexStatus, PointInTimeRecoveryStatus, TableDescription, TimeToLiveStatus,
};
use futures::FutureExt as _;
use template::Table;

use super::check::{Ask, Check};
use super::patient::Patient;
use super::report::Finding;
use crate::account::aws::aws_error;

pub(super) const CHECK: Check = Check {
    title: "tables",
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

async fn check(patient: &Patient) -> Vec<Finding> {
    let tables = patient.template.tables.iter();
    let checks = tables.map(|table| async move {
        // A template may say more in its names, as those of the tests do.
        let check = match table.name.as_str() {
            name if name.starts_with("ProductsTable") => "products table",
            name if name.starts_with("PurchasesTable") => "purchases table",
            name if name.starts_with("OutboxTable") => "outbox table",
            _ => "another table",
        };
        look(check, table, patient).await
    });
    futures::future::join_all(checks)
        .await
        .into_iter()
        .flatten()
        .collect()
}

async fn look(check: &'static str, wanted: &Table, patient: &Patient) -> Vec<Finding> {
    let Some(name) = patient.tables.get(&wanted.name) else {
        return vec![Finding::fail(
            check,
            format!("the stack has no {}", wanted.name),
            patient.deploy(),
        )];
    };
    let dynamodb = &patient.dynamodb;
    let (table, ttl, recovery) = futures::join!(
        dynamodb.describe_table().table_name(name).send(),
        dynamodb.describe_time_to_live().table_name(name).send(),
        dynamodb
            .describe_continuous_backups()
            .table_name(name)
            .send(),
    );
    let inspection = Inspection {
        check,
        name,
        wanted,
        patient,
    };
    let table = match table {
        Ok(answer) => answer.table,
        Err(error) => return vec![inspection.unseen(error)],
    };
    let table = table.unwrap_or_else(|| TableDescription::builder().build());
    let mut findings = Vec::new();
    findings.extend(inspection.indexes(&table));
    findings.extend(inspection.stream(&table));
    findings.extend(inspection.expiry(ttl));
    // On a laptop there is nothing to protect from.
    let is_deployed = patient.deployed.is_some();
    if is_deployed {
        findings.extend(inspection.recovery(recovery));
        findings.extend(inspection.protection(&table));
    }
    if findings.is_empty() {
        let protected = if is_deployed { ", and protected" } else { "" };
        findings.push(Finding::ok(
            check,
            format!("{name} is as the template says{protected}"),
        ));
    }
    findings
}

/// One table beside what the template says of it. Each question is answered by what is wrong.
struct Inspection<'i> {
    check: &'static str,
    name: &'i str,
    wanted: &'i Table,
    patient: &'i Patient,
}

impl Inspection<'_> {
    fn fail(&self, says: &str, remedy: String) -> Finding {
        Finding::fail(self.check, format!("{} {says}", self.name), remedy)
    }

    fn unseen(&self, error: SdkError<DescribeTableError>) -> Finding {
        let is_missing = matches!(
            &error,
            SdkError::ServiceError(answer)
                if matches!(answer.err(), DescribeTableError::ResourceNotFoundException(_))
        );
        if !is_missing {
            return Finding::not_checked(self.check, aws_error(&error));
        }
        let remedy = format!(
            "{}\nor restore it: docs/OPERATIONS.md, \"Restore a table\"",
            self.patient.revive()
        );
        self.fail("does not exist", remedy)
    }

    fn indexes(&self, table: &TableDescription) -> Option<Finding> {
        let ready: BTreeSet<&str> = table
            .global_secondary_indexes()
            .iter()
            .filter(|index| matches!(index.index_status(), None | Some(IndexStatus::Active)))
            .filter_map(|index| index.index_name())
            .collect();
        let wanted = self.wanted.indexes.keys().map(String::as_str);
        let missing: Vec<&str> = wanted.filter(|index| !ready.contains(index)).collect();
        let says = format!("has no readable index {}", missing.join(", "));
        (!missing.is_empty()).then(|| self.fail(&says, self.patient.deploy()))
    }

    fn stream(&self, table: &TableDescription) -> Option<Finding> {
        let view = self.wanted.stream_view_type.as_deref()?;
        let stream = table.stream_specification();
        if stream.is_some_and(|stream| stream.stream_enabled) {
            return None;
        }
        Some(self.fail(
            "has its stream switched off: mail goes out only once a minute",
            format!(
                "{}; if it was switched off by hand:\n\
                 aws dynamodb update-table --table-name {} --stream-specification \
                 StreamEnabled=true,StreamViewType={view}",
                self.patient.deploy(),
                self.name
            ),
        ))
    }

    fn expiry(
        &self,
        ttl: Result<DescribeTimeToLiveOutput, SdkError<DescribeTimeToLiveError>>,
    ) -> Option<Finding> {
        let attribute = self.wanted.ttl_attribute.as_ref()?;
        let name = self.name;
        let answer = match ttl {
            Ok(answer) => answer,
            Err(error) => {
                let why = format!(
                    "cannot find out whether {name} deletes what has expired: {}",
                    aws_error(&error)
                );
                return Some(Finding::not_checked(self.check, why));
            }
        };
        let is_on = answer.time_to_live_description().is_some_and(|ttl| {
            ttl.attribute_name() == Some(attribute)
                && matches!(
                    ttl.time_to_live_status(),
                    Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
                )
        });
        let remedy = format!(
            "aws dynamodb update-time-to-live --table-name {name} \
             --time-to-live-specification Enabled=true,AttributeName={attribute}"
        );
        let says = "keeps what has expired: its time to live is off";
        (!is_on).then(|| self.fail(says, remedy))
    }

    fn recovery(
        &self,
        recovery: Result<DescribeContinuousBackupsOutput, SdkError<DescribeContinuousBackupsError>>,
    ) -> Option<Finding> {
        let name = self.name;
        let answer = match recovery {
            Ok(answer) => answer,
            Err(error) => {
                let why = format!(
                    "cannot find out whether {name} could be restored: {}",
                    aws_error(&error)
                );
                return Some(Finding::not_checked(self.check, why));
            }
        };
        let recovery = answer
            .continuous_backups_description()
            .and_then(|backups| backups.point_in_time_recovery_description())
            .and_then(|recovery| recovery.point_in_time_recovery_status());
        let remedy = format!(
            "aws dynamodb update-continuous-backups --table-name {name} \
             --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
        );
        let says = "could not be restored: point-in-time recovery is off";
        let is_on = recovery == Some(&PointInTimeRecoveryStatus::Enabled);
        (!is_on).then(|| self.fail(says, remedy))
    }

    fn protection(&self, table: &TableDescription) -> Option<Finding> {
        let is_on = table.deletion_protection_enabled() == Some(true);
        let says = "could be deleted by one call: deletion protection is off";
        (!is_on).then(|| self.fail(says, self.patient.setup("switches it on")))
    }
}
