//! What is in a file: `/v1/files/{file}/contents` for whoever has the shop's secret key, and
//! `/links/{link}` for whoever has a link.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};

use crate::browser::{self, Owner};
use crate::engine::resource::{Cause, Object as _};
use crate::engine::transaction::Transaction;
use crate::file::link::FileLink;
use crate::file::object::File;
use crate::serve;
use crate::stand_in::StandIn;
use crate::wire::answer::Answer;
use crate::wire::errors::ApiError;
use crate::wire::requests::Heard;

/// A file with what is in it.
type Content = (File, Vec<u8>);

/// The API's part.
pub(crate) fn routes() -> Router<StandIn> {
    let route = get(contents).fallback(serve::answer);
    Router::new().route("/v1/files/{file}/contents", route)
}

/// The part that people see.
pub(crate) fn pages() -> Router<StandIn> {
    Router::new().route("/links/{link}", get(link))
}

async fn contents(
    State(stand_in): State<StandIn>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let heard = Heard::of(&request);
    let admitted = match serve::admit(&stand_in, &request) {
        Ok((_, true)) => Err(ApiError::secret_key_required()),
        Ok((account, false)) => Ok(account),
        Err(refused) => Err(refused),
    };
    let account = match admitted {
        Ok(account) => account,
        Err(refused) => return serve::dressed(Answer::of(Err(refused)), &heard.id),
    };
    let find = move |transaction: &Transaction<'_>| {
        let file = transaction.get::<File>(&id)?;
        let file = file.ok_or_else(|| ApiError::no_such(File::KIND, &id).param("file"))?;
        let content = file.content(transaction)?;
        content.map(|bytes| (file, bytes)).ok_or_else(|| {
            ApiError::invalid(format!("The file {id} cannot be downloaded.")).param("file")
        })
    };
    // The log has what the file is, in place of what is in it.
    let (answer, content) = match account.transact(Cause::default(), find).await {
        Ok(content) => (Answer::of(Ok(content.0.answer())), Some(content)),
        Err(refused) => (Answer::of(Err(refused)), None),
    };
    account.log(heard.answered(&answer));
    match content {
        Some(content) => shown(content),
        None => serve::dressed(answer, &heard.id),
    }
}

async fn link(Owner(account, cause): Owner, Path(id): Path<String>) -> Response {
    let find = move |transaction: &Transaction<'_>| {
        let link = transaction.get::<FileLink>(&id)?;
        let Some(link) = link.filter(|link| !link.expired) else {
            return Ok(None);
        };
        let file: File = transaction.existing(&link.file)?;
        let content = file.content(transaction)?;
        anyhow::Ok(content.map(|bytes| (file, bytes)))
    };
    match account.transact(cause, find).await {
        Ok(Some(content)) => shown(content),
        Ok(None) => (
            StatusCode::NOT_FOUND,
            "There is no file here, or its link has expired.\n",
        )
            .into_response(),
        Err(error) => browser::failed(&error),
    }
}

/// Whatever is in it cannot act as a page of the stand-in's own.
fn shown((file, bytes): Content) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static(file.format.media_type());
    headers.insert(header::CONTENT_TYPE, media_type);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
