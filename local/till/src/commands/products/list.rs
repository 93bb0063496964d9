//! `till products list`.

use clap::Args;
use serde::Serialize;
use shared::product::Product;

use super::all::all;
use crate::commands::console::{Column, Console, Table, dim, good, notable, plain};
use crate::commands::exit::Exit;
use crate::commands::shop::Where;

#[derive(Args)]
pub(in crate::commands) struct List {
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.at.open().await?;
        let products = all(&shop.shelf()?).await?;
        #[derive(Serialize)]
        struct Listed<'a> {
            products: &'a [Product],
        }
        let listed = Listed {
            products: &products,
        };
        self.console.show(&listed, || {
            if products.is_empty() {
                "There are no products yet; `till products import` brings them in.\n".to_owned()
            } else {
                table(&products)
            }
        })?;
        Ok(Exit::Done)
    }
}

fn table(products: &[Product]) -> String {
    let mut table = Table::new([
        Column::left("ID"),
        Column::left("NAME").giving_way(),
        Column::right("PRICE"),
        Column::right("LEFT"),
        Column::left("FOR SALE"),
    ]);
    for product in products {
        table.row([
            product.id.to_string(),
            plain(&product.name),
            product.price.to_string(),
            match product.stock {
                Some(0) => notable("0"),
                Some(pieces) => pieces.to_string(),
                None => dim("no limit"),
            },
            match product.active {
                true => good("yes"),
                false => dim("no"),
            },
        ]);
    }
    table.text()
}
