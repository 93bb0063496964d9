//! Protects the tables from being deleted by a call. The template does not: a first deployment that
//! fails takes its tables back, which CloudFormation could not do with protected ones.

use anyhow::anyhow;
use shared::config::Environment;

use crate::account::aws::aws_error;

const TABLES: [&str; 3] = ["PRODUCTS_TABLE", "PURCHASES_TABLE", "OUTBOX_TABLE"];

/// Those that one call would delete.
pub(super) async fn unprotected(environment: &Environment) -> anyhow::Result<Vec<String>> {
    let client = shared::store::client(environment)?;
    let mut unprotected = Vec::new();
    for variable in TABLES {
        let table = environment.required(variable)?;
        let answer = client.describe_table().table_name(table).send().await;
        let answer = answer.map_err(|error| {
            let why = aws_error(&error);
            anyhow!("cannot find out whether {table} is protected against deletion: {why}")
        })?;
        let protected = answer.table.and_then(|it| it.deletion_protection_enabled);
        if protected != Some(true) {
            unprotected.push(table.to_owned());
        }
    }
    Ok(unprotected)
}

/// Protects one.
pub(super) async fn protect(environment: &Environment, table: &str) -> anyhow::Result<()> {
    let client = shared::store::client(environment)?;
    let change = client
        .update_table()
        .table_name(table)
        .deletion_protection_enabled(true);
    let changed = change.send().await;
    changed.map_err(|error| {
        anyhow!(
            "cannot protect {table} against deletion: {}",
            aws_error(&error)
        )
    })?;
    Ok(())
}
