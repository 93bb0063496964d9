//! Reading all that is for sale, and what is not.

use shared::product::Product;
use shared::store::products::Shelf;

/// Every product there is.
pub(in crate::commands) async fn all(table: &Shelf) -> anyhow::Result<Vec<Product>> {
    let mut products = Vec::new();
    let mut after = None;
    loop {
        let page = table.list(100, after.as_ref()).await?;
        products.extend(page.products);
        after = page.next;
        if after.is_none() {
            return Ok(products);
        }
    }
}
