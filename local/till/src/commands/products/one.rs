//! Reading the one product that a command is about.

use shared::product::{Product, ProductId};

use crate::commands::exit::NotFound;
use crate::commands::shop::Shop;

/// The product; fails if there is none.
pub(super) async fn one(shop: &Shop, id: &ProductId) -> anyhow::Result<Product> {
    let found = shop.shelf()?.get(id).await?;
    found.ok_or_else(|| {
        let name = shop.name();
        let why = format!("there is no product {id} in {name}: see `till products list`");
        NotFound(why).into()
    })
}
