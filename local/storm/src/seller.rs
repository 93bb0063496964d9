//! What the seller does at the shop and at Stripe, whatever the weather.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use shared::config::Environment;
use shared::network::Network;
use shared::product::{Product, ProductId};
use shared::store::Tables;
use shared::store::operator::{Assortment, StockChange};
use shared::store::products::Shelf;

use crate::history::Restock;
use crate::products::{MEMBERSHIPS, WARES};
use crate::visit::CODES;
use crate::world::{World, seconds};

/// Puts the wares into the shop, and promotion codes into Stripe, before anybody comes.
pub(crate) async fn stock_up(world: &Arc<World>) {
    let assortment = Assortment::of(&tables(world)).expect("the products' table");
    for ware in WARES.iter().chain(&MEMBERSHIPS) {
        let product: Product = serde_json::from_value(ware.product()).expect("a product");
        assortment.add(&product).await.expect("room for a product");
    }
    for (code, percent) in CODES {
        let coupon = [("percent_off", &*percent.to_string()), ("duration", "once")];
        let (_, coupon) = world.stripe.ask("POST", "/v1/coupons", &coupon).await;
        let coupon = coupon["id"].as_str().expect("a coupon");
        let form = [
            ("code", code),
            ("promotion[type]", "coupon"),
            ("promotion[coupon]", coupon),
        ];
        let (status, _) = world.stripe.ask("POST", "/v1/promotion_codes", &form).await;
        assert_eq!(status, 200, "{code}");
    }
}

/// Has more of something, or less.
pub(crate) async fn restock(world: Arc<World>, restock: Restock) {
    let Restock { at, ware, pieces } = restock;
    seconds(at).await;
    let tables = tables(&world);
    let shelf = Shelf::of(&tables).expect("the products' table");
    let id: ProductId = ware.parse().expect("a product's id");
    let product = shelf.get(&id).await.expect("the tables").expect("a ware");
    let number = u32::try_from(pieces.abs()).expect("a few");
    let change = match pieces > 0 {
        true => StockChange::Add(number),
        false => StockChange::Take(number),
    };
    let assortment = Assortment::of(&tables).expect("the products' table");
    let is_done = assortment
        .change(&product, &product, change)
        .await
        .expect("the tables");
    world.tell(format!("{pieces:+} of the {ware}: {is_done}"));
    if is_done {
        *world.restocked.lock().unwrap().entry(ware).or_default() += pieces;
        *world.refills.lock().unwrap().entry(ware).or_default() += usize::from(pieces > 0);
    }
}

/// The shop's tables, as they are.
fn tables(world: &Arc<World>) -> Tables {
    let to = Arc::downgrade(world);
    let calls = Network::answered_by(move |request: Request<Bytes>| {
        let world = to.upgrade().expect("a world");
        Box::pin(async move {
            let target = request.headers()["x-amz-target"].to_str().unwrap();
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let answer = world
                .tables
                .answer(&operation, request.into_body(), None)
                .await;
            let (status, body) = answer;
            let answer = Response::builder()
                .status(status)
                .header("content-type", "application/x-amz-json-1.0");
            Ok(answer.body(Bytes::from(body)).unwrap())
        })
    });
    let environment = Environment::from(world.variables("CatalogFunction")).with_network(calls);
    Tables::of(&environment).expect("the names of the tables")
}
