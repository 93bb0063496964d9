//! `/v1/files`, as far as it takes them in.

use crate::engine::ids::FileId;
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::time::Timestamp;
use crate::file::format::Format;
use crate::file::links_api::link_to;
use crate::file::object::File;
use crate::file::purpose::Purpose;
use crate::webhook::record::record;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::in_the_future;
use crate::wire::multipart::Upload;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    let upload = asked.upload;
    Some(match (asked.method, asked.path) {
        ("POST", ["files"]) => Box::new(move |params| create(params, upload)),
        _ => return None,
    })
}

/// A link to make along with the file.
struct NewLink {
    expires_at: Option<Timestamp>,
    metadata: Metadata,
}

fn create(mut params: Params, upload: Option<&Upload>) -> Result<Work<'_>, ApiError> {
    let upload = upload.ok_or_else(|| {
        ApiError::invalid("The file must be uploaded, in a request of multipart/form-data.")
            .param("file")
    })?;
    params.take("file")?;
    let purpose = params.text("purpose").required(&params, "purpose")?;
    let purpose = Purpose::find(&purpose)
        .ok_or_else(|| ApiError::invalid(format!("Invalid purpose: {purpose}")).param("purpose"))?;
    let link = link(&mut params)?;
    params.finish()?;
    let format = Format::of(upload);
    purpose.check(format, upload.bytes.len())?;
    Ok(Box::new(move |transaction| {
        let id = FileId::random();
        let url = format!("{}/v1/files/{id}/contents", transaction.site());
        let file = File {
            id,
            created: transaction.now,
            expires_at: purpose
                .lasts
                .map(|lasts| transaction.now.saturating_add(lasts)),
            filename: upload.filename.clone(),
            purpose: purpose.name.to_owned(),
            format,
            size: upload.bytes.len(),
            url: purpose.downloadable.then_some(url),
            links: Vec::new(),
        };
        transaction.put(&file)?;
        file.keep_content(transaction, &upload.bytes)?;
        if let Some(link) = link {
            in_the_future(
                "file_link_data[expires_at]",
                link.expires_at,
                transaction.now,
            )?;
            link_to(transaction, &file, link.expires_at, link.metadata)?;
        }
        let file: File = transaction.existing(&file.id)?;
        record(transaction, "file.created", &file)?;
        Ok(file.answer())
    }))
}

fn link(params: &mut Params) -> Result<Option<NewLink>, ApiError> {
    let mut data = params.object("file_link_data")?;
    let wanted = data.boolean("create")?.unwrap_or(false);
    let link = NewLink {
        expires_at: data.integer("expires_at")?,
        metadata: data.metadata("metadata")?,
    };
    data.finish()?;
    Ok(wanted.then_some(link))
}
