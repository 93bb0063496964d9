//! `/v1/disputes`.

use std::collections::BTreeMap;

use crate::dispute;
use crate::dispute::life::WrongState;
use crate::dispute::object::{Dispute, EVIDENCE};
use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::webhook::record::record_change;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

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
