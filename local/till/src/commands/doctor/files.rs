//! Whether the files that buyers download are there: they are uploaded in one place, and named in another.

use futures::{FutureExt as _, StreamExt as _, stream};
use shared::product::{Product, ProductFile};

use super::check::{Ask, Check};
use super::patient::{FileStore, Patient};
use super::report::Finding;
use crate::commands::console::{bytes, count};
use crate::commands::products::all;

const FILES: &str = "files";

/// How many are asked for at once.
const AT_ONCE: usize = 8;

pub(super) const CHECK: Check = Check {
    title: FILES,
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

/// Nothing if nothing can be downloaded.
async fn check(patient: &Patient) -> Vec<Finding> {
    let mut products = match all(&patient.shelf).await {
        Ok(products) => products,
        Err(error) => return vec![Finding::not_checked(FILES, error.to_string())],
    };
    products.retain(|product| product.active && product.file.is_some());
    if products.is_empty() {
        return Vec::new();
    }
    let store = match &patient.files {
        Ok(store) => store,
        Err(why) => return vec![Finding::not_checked(FILES, why.clone())],
    };
    let files = count(products.len(), "file");
    let looked = stream::iter(products).map(|product| async move { look(store, &product).await });
    let looked: Vec<_> = looked.buffered(AT_ONCE).collect().await;
    let found: Vec<_> = looked.into_iter().flatten().collect();
    match found.is_empty() {
        true => vec![Finding::ok(FILES, format!("{files} can be downloaded"))],
        false => found,
    }
}

async fn look(store: &FileStore, product: &Product) -> Option<Finding> {
    let ProductFile { name, size } = product.file.as_ref()?;
    let (bucket, address) = store.files.place(&product.id, name);
    let there = store.s3.size(bucket, address).await;
    let id = &product.id;
    let remedy = format!("`till products file push {name} --product {id}`");
    Some(match (there, size) {
        (Ok(None), _) => {
            let says = format!("{id} is sold with {name}, which is not there to be downloaded");
            Finding::fail(FILES, says, remedy)
        }
        (Ok(Some(there)), Some(size)) if there != *size => {
            let says = format!(
                "{name} of {id} has {}, and buyers are told {}",
                bytes(there),
                bytes(*size)
            );
            Finding::warn(FILES, says, remedy)
        }
        (Ok(Some(_)), _) => return None,
        (Err(error), _) => Finding::not_checked(FILES, format!("{name} of {id}: {error}")),
    })
}
