//! `/v1/file_links`.

use crate::engine::ids::FileLinkId;
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::file::link::{FileLink, put};
use crate::file::object::File;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::in_the_future;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["file_links"]) => Box::new(create),
        ("POST", ["file_links", id]) => Box::new(move |params| update(id, params)),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let file = params.text("file").required(&params, "file")?;
    let expires_at = params.integer("expires_at")?;
    let metadata = params.metadata("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let file = transaction
            .get::<File>(&file)?
            .ok_or_else(|| ApiError::no_such_param(File::KIND, &file, "file"))?;
        in_the_future("expires_at", expires_at, transaction.now)?;
        let link = link_to(transaction, &file, expires_at, metadata)?;
        Ok(link.answer())
    }))
}

/// Makes a link to a file.
pub(super) fn link_to(
    transaction: &Transaction<'_>,
    file: &File,
    expires_at: Option<Timestamp>,
    metadata: Metadata,
) -> Result<FileLink, ApiError> {
    if file.url.is_none() {
        return Err(ApiError::invalid(format!(
            "You cannot create a link to a file whose purpose is {}.",
            file.purpose
        ))
        .param("file"));
    }
    let id = FileLinkId::random();
    let link = FileLink {
        url: format!("{}/links/{id}", transaction.site()),
        id,
        created: transaction.now,
        expires_at,
        expired: false,
        file: file.id.clone(),
        metadata,
    };
    put(transaction, &link)?;
    Ok(link)
}

/// When a link is to expire.
enum Expiry {
    Never,
    Now,
    At(Timestamp),
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expiry = match params.is_empty_text("expires_at") {
        true => params
            .maybe_empty_text("expires_at", 0)?
            .map(|_| Expiry::Never),
        false => match params.text("expires_at")? {
            Some(text) if text == "now" => Some(Expiry::Now),
            Some(text) => {
                Some(Expiry::At(text.parse().map_err(|_| {
                    ApiError::not_an_integer("expires_at", &text)
                })?))
            }
            None => None,
        },
    };
    let metadata = params.metadata_update("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let link = transaction.get::<FileLink>(id)?;
        let mut link = link.ok_or_else(|| ApiError::no_such(FileLink::KIND, id).param("link"))?;
        if expiry.is_some() && link.expired {
            return Err(
                ApiError::invalid("This link has expired and cannot be changed.")
                    .param("expires_at"),
            );
        }
        match expiry {
            Some(Expiry::Never) => link.expires_at = None,
            Some(Expiry::At(moment)) => {
                in_the_future("expires_at", Some(moment), transaction.now)?;
                link.expires_at = Some(moment);
            }
            Some(Expiry::Now) => {
                link.expires_at = Some(transaction.now);
                link.expired = true;
            }
            None => {}
        }
        metadata.apply(&mut link.metadata)?;
        put(transaction, &link)?;
        Ok(link.answer())
    }))
}
