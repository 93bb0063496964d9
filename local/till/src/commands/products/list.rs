//! `till products list`.

use clap::Args;
use shared::product::Product;

use super::all::all;
use crate::commands::console::{Column, Table, dim, good, notable, plain};
use crate::commands::exit::Exit;
use crate::commands::operator::Operator;

#[derive(Args)]
pub(in crate::commands) struct List {
    #[command(flatten)]
    operator: Operator,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let products = all(&shop.shelf()?).await?;
        let none = "There are no products yet; add some with `till products import`.";
        self.operator
            .list("products", &products, &table(&products), none)?;
        Ok(Exit::Done)
    }
}

fn table(products: &[Product]) -> Table {
    let mut table = Table::new([
        Column::left("ID"),
        Column::left("NAME").giving_way(),
        Column::right("PRICE"),
        Column::right("STOCK"),
        Column::left("SHIPPED"),
        Column::left("FOR SALE"),
    ]);
    for product in products {
        table.row([
            product.id.to_string(),
            plain(&product.name),
            product.price_in_words(),
            match product.stock {
                Some(0) => notable("0"),
                Some(pieces) => pieces.to_string(),
                None => dim("unlimited"),
            },
            match product.shipped {
                true => "yes".to_owned(),
                false => dim("no"),
            },
            match product.active {
                true => good("yes"),
                false => dim("no"),
            },
        ]);
    }
    table
}
