//! `/v1/disputes`.

use std::collections::BTreeMap;

use crate::dispute;
use crate::dispute::life::WrongState;
use crate::dispute::object::{Dispute, EVIDENCE};
use crate::engine::database::Transaction;
use crate::engine::resource::Object as _;
use crate::webhook::record::record_change;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::expand::{Expansions, Shape};
use crate::wire::lists::{Paging, created};
use crate::wire::params::Params;

const URL: &str = "/v1/disputes";
const DISPUTE: Shape = Shape::One(Dispute::KIND);
const DISPUTES: Shape = Shape::List(Dispute::KIND);

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["disputes"]) => Box::new(list),
        ("GET", ["disputes", id]) => Box::new(move |params| retrieve(id, params)),
        ("POST", ["disputes", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["disputes", id, "close"]) => Box::new(move |params| close(id, params)),
        _ => return None,
    })
}

fn retrieve(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, DISPUTE)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        Ok(expansions.apply(transaction, find(transaction, id)?.answer())?)
    }))
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let filter = created(&mut params)?
        .having("charge", params.text("charge")?)
        .having("payment_intent", params.text("payment_intent")?);
    let expansions = Expansions::read(&mut params, DISPUTES)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let page = paging.stored::<Dispute>(transaction, URL, &filter)?;
        Ok(expansions.apply(transaction, page)?)
    }))
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let evidence = evidence(&mut params)?;
    let submit = params.boolean("submit")?;
    let metadata = params.metadata_update("metadata")?;
    let expansions = Expansions::read(&mut params, DISPUTE)?;
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
        Ok(expansions.apply(transaction, dispute.answer())?)
    }))
}

fn evidence(params: &mut Params) -> Result<Option<BTreeMap<String, String>>, ApiError> {
    let Some(mut given) = params.optional_object("evidence")? else {
        return Ok(None);
    };
    let mut evidence = BTreeMap::new();
    for field in EVIDENCE {
        if let Some(text) = given.maybe_empty_text(field, 20_000)? {
            evidence.insert((*field).to_owned(), text);
        }
    }
    given.finish()?;
    Ok(Some(evidence))
}

fn close(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, DISPUTE)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut dispute = find(transaction, id)?;
        dispute::life::concede(transaction, &mut dispute)?
            .map_err(|WrongState| closed(&dispute))?;
        Ok(expansions.apply(transaction, dispute.answer())?)
    }))
}

fn closed(dispute: &Dispute) -> ApiError {
    ApiError::invalid(format!(
        "This dispute no longer needs a response: its status is {}.",
        dispute.status.as_str()
    ))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Dispute, ApiError> {
    let dispute = dispute::life::find(transaction, id)?;
    dispute.ok_or_else(|| ApiError::no_such(Dispute::KIND, id).param("dispute"))
}
