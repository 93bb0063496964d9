//! The letters to the seller about sales and stock.

use serde_json::{Value, json};

use super::{frozen, row, shipped, shop, tried, usd, with};
use crate::{
    email::{Letter, compose_digest, compose_stock},
    mode::Mode,
    product::Short,
};

/// About one sale each.
pub(super) fn of_sales() -> Vec<(&'static str, &'static str, Value)> {
    let sold = |row: Value| ("sold", with(row, json!({ "sale": sale(json!({})) })));
    let to_look_at = json!({ "attention": ["overpaid", "paid_after_stock_returned"] });
    let rebuilt = json!({
        "order": { "buyer": {}, "lines": [], "total": usd(3_350), "rebuilt": true },
        "sale": sale(json!({ "attention": ["rebuilt"] })),
    });
    let free = json!({ "paid": usd(0), "sale": {} });
    let subscribed = json!({ "sale": { "subscription": "sub_1Pgc6rB7WZ01zgkW" } });
    let unknown_address = json!({ "delivery": null, "sale": sale(json!({})) });
    vec![
        ("A sale", sold(row(json!({})))),
        ("A sale of something shipped", sold(all_shipped())),
        ("A sale of which a part is shipped", sold(partly_shipped())),
        (
            "A sale of something shipped, nobody knows where",
            ("sold", with(all_shipped(), unknown_address)),
        ),
        (
            "A sale after a promotion, with tax",
            sold(row(json!({
                "paid": usd(3_570),
                "sums": { "subtotal": 3_350, "discount": 350, "tax": 570, "total": usd(3_570) },
            }))),
        ),
        ("A sale for nothing", ("sold", row(free))),
        (
            "A sale to look at",
            (
                "sold",
                row(json!({ "paid": usd(6_700), "sale": sale(to_look_at) })),
            ),
        ),
        ("A sale that was lost and rebuilt", ("sold", row(rebuilt))),
        (
            "A sale of a subscription",
            ("sold", with(tried(1_500), subscribed)),
        ),
    ]
    .into_iter()
    .map(|(title, (mail, row))| (title, mail, row))
    .collect()
}

/// About many things at once, in live mode and in test mode.
pub(super) fn of_many() -> Vec<(&'static str, [Letter; 2])> {
    let yen = json!({
        "purchase_id": "01936f3c-8a10-7c3e-9a35-0c1de2a3f5b8",
        "paid": { "amount": 1_800, "currency": "jpy" },
        "sale": sale(json!({ "attention": ["other_currency"] })),
    });
    let rebuilt = json!({
        "order": { "buyer": {}, "lines": [], "total": usd(3_350), "rebuilt": true },
        "sale": {},
    });
    let days = [
        ("A day with one sale", vec![row(json!({}))]),
        (
            "A day with sales of all kinds",
            vec![shipped(json!({})), row(yen), row(rebuilt), many_lines()],
        ),
        (
            "A day with a great many sales",
            vec![shipped(json!({})); 250],
        ),
    ];
    let days = days.map(|(title, rows)| {
        let sales: Vec<_> = rows.iter().map(frozen).collect();
        let sales: Vec<_> = sales.iter().collect();
        let letter = |mode| compose_digest(&sales, &shop(mode)).unwrap();
        (title, [letter(Mode::Live), letter(Mode::Test)])
    });
    let (mug, hat) = (
        json!({ "id": "mug", "name": "A <big>\nmug & more", "left": 0, "shortage": "sold_out" }),
        json!({ "id": "hat", "name": "Hat", "left": 3, "shortage": "low" }),
    );
    let stocks = [
        ("A product is sold out", json!([mug])),
        ("A product is almost sold out", json!([hat])),
        ("Products are almost sold out", json!([hat, hat])),
        ("Products are sold out", json!([mug, mug])),
        ("Products are sold out, or almost", json!([mug, hat, hat])),
    ];
    let stocks = stocks.map(|(title, products)| {
        let products: Vec<Short> = serde_json::from_value(products).unwrap();
        let letter = |mode| compose_stock(&products, &shop(mode)).unwrap();
        (title, [letter(Mode::Live), letter(Mode::Test)])
    });
    days.into_iter().chain(stocks).collect()
}

/// What is frozen for the seller, with the members of `told` besides.
fn sale(told: Value) -> Value {
    with(json!({ "payment_intent": "pi_1Pgc6rB7WZ01zgkW" }), told)
}

fn partly_shipped() -> Value {
    let mut row = shipped(json!({}));
    row["order"]["lines"][0]["shipped"] = true.into();
    row
}

fn all_shipped() -> Value {
    let mut row = partly_shipped();
    row["order"]["lines"][1]["shipped"] = true.into();
    row
}

fn many_lines() -> Value {
    let mut row = row(json!({ "sale": {} }));
    row["order"]["lines"] = vec![row["order"]["lines"][1].clone(); 25].into();
    row
}
