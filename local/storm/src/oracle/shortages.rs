//! The seller knows what is sold out, and was told so once each time it was restocked.

use serde_json::Value;

use crate::products::WARES;
use crate::world::World;

/// Checks what the rows of the outbox told of the stock, against what is left.
pub(crate) async fn check(world: &World, mails: &[&Value]) {
    let products = world.tables.scan(&world.names.products).await;
    for ware in WARES.iter().filter(|ware| ware.stock.is_some()) {
        let Some(row) = products.iter().find(|row| row["id"]["S"] == ware.id) else {
            world.is_wrong(format!("there is no {}", ware.id));
            continue;
        };
        let told = mails.iter().flat_map(|mail| products_of(mail));
        let told = told.filter(|one| one["id"]["S"] == ware.id);
        let times = told
            .filter(|one| one["shortage"]["S"] == "sold_out")
            .count();
        let refills = world.refills.lock().unwrap().get(ware.id).copied();
        if times > 1 + refills.unwrap_or_default() {
            world.is_wrong(format!(
                "{times} mails say that the {} is sold out",
                ware.id
            ));
        }
        let is_sold_out = row["stock"]["N"] == "0";
        if is_sold_out && (row["stock_told"]["S"] != "sold_out" || times == 0) {
            world.is_wrong(format!("the {} is sold out, and nobody was told", ware.id));
        }
    }
}

/// The products of a mail about the stock; none of any other.
fn products_of(mail: &Value) -> impl Iterator<Item = &Value> {
    let products = mail["products"]["L"].as_array();
    products.into_iter().flatten().map(|product| &product["M"])
}
