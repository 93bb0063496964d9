//! `till products`: what is for sale.

use clap::{Args, Subcommand};
use serde::Serialize;
use shared::product::Product;
use shared::store::products::Products;

use super::Exit;
use super::console::{Column, Console, Table, dim, good};
use super::shop::Where;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists all products, those that are not for sale, too
    List(List),
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.run().await,
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.at.open().await?;
        let products = all(&shop.products()?).await?;
        #[derive(Serialize)]
        struct Listed<'a> {
            products: &'a [Product],
        }
        let listed = Listed {
            products: &products,
        };
        self.console.show(&listed, || table(&products))?;
        Ok(Exit::Done)
    }
}

fn table(products: &[Product]) -> String {
    let mut table = Table::new([
        Column::left("ID"),
        Column::left("NAME").giving_way(),
        Column::right("PRICE"),
        Column::left("FOR SALE"),
    ]);
    for product in products {
        table.row([
            product.id.to_string(),
            product.name.clone(),
            product.price.to_string(),
            if product.active {
                good("yes")
            } else {
                dim("no")
            },
        ]);
    }
    table.text()
}

/// Every product there is.
async fn all(table: &Products) -> anyhow::Result<Vec<Product>> {
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
