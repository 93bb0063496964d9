//! `/v1/disputes`.

use std::collections::BTreeMap;

use crate::dispute;
use crate::dispute::life::WrongState;
use crate::dispute::object::{Dispute, EVIDENCE, FILES};
use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::file::object::File;
use crate::webhook::record::record_change;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// What all files of a dispute may have together, in bytes: 4.5 MB.
const ALL_FILES: usize = 9 << 19;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["disputes", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["disputes", id, "close"]) => Box::new(move |params| close(id, params)),
        _ => return None,
    })
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let evidence = evidence(&mut params)?;
    let submit = params.boolean("submit")?;
    let metadata = params.metadata_update("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut dispute = find(transaction, id)?;
        let before = dispute.answer();
        metadata.apply(&mut dispute.metadata)?;
        // Evidence goes to the bank at once unless `submit` says otherwise; staged evidence goes when
        // it says so.
        let argues = evidence.is_some() || submit == Some(true);
        if argues {
            let evidence = evidence.unwrap_or_default();
            check_files(transaction, &dispute, &evidence)?;
            dispute::life::argue(transaction, &mut dispute, evidence, submit != Some(false))?
                .map_err(|WrongState| closed(&dispute))?;
        } else if dispute.answer() != before {
            transaction.put(&dispute)?;
            record_change(transaction, "charge.dispute.updated", &before, &dispute)?;
        }
        Ok(dispute.answer())
    }))
}

fn evidence(params: &mut Params) -> Result<Option<BTreeMap<String, String>>, ApiError> {
    let Some(mut given) = params.optional_object("evidence")? else {
        return Ok(None);
    };
    let mut evidence = BTreeMap::new();
    for field in EVIDENCE {
        if let Some(text) = given.short_text(field, 20_000)? {
            evidence.insert((*field).to_owned(), text);
        }
    }
    given.finish()?;
    Ok(Some(evidence))
}

/// Refuses files that are not there, are for something else, or are too large together.
fn check_files(
    transaction: &Transaction<'_>,
    dispute: &Dispute,
    evidence: &BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let mut size = 0_usize;
    for field in FILES {
        let param = || format!("evidence[{field}]");
        let new = evidence.get(*field);
        let Some(id) = new.or_else(|| dispute.evidence.get(*field)) else {
            continue;
        };
        let file = transaction.get::<File>(id)?;
        let file = file.ok_or_else(|| ApiError::no_such_param(File::KIND, id, &param()))?;
        if file.purpose != "dispute_evidence" {
            return Err(ApiError::invalid(format!(
                "The file {id} has the purpose {}: upload evidence with the purpose dispute_evidence.",
                file.purpose
            ))
            .param(param()));
        }
        size = size.saturating_add(file.size);
        if size > ALL_FILES && new.is_some() {
            return Err(ApiError::invalid(
                "The files you've attached to this dispute as evidence will exceed the limit for a \
                 dispute's total size. Try using smaller files as evidence.",
            )
            .param(param()));
        }
    }
    Ok(())
}

fn close(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut dispute = find(transaction, id)?;
        dispute::life::concede(transaction, &mut dispute)?
            .map_err(|WrongState| closed(&dispute))?;
        Ok(dispute.answer())
    }))
}

fn closed(dispute: &Dispute) -> ApiError {
    ApiError::invalid(format!(
        "This dispute no longer needs a response: its status is {}.",
        dispute.status.as_str()
    ))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Dispute, ApiError> {
    let dispute = transaction.get::<Dispute>(&ids::current(id))?;
    dispute.ok_or_else(|| ApiError::no_such(Dispute::KIND, id).param("dispute"))
}
