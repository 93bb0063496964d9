//! Tax codes: Stripe's, and only the most general of its hundreds.

use serde_json::{Value, json};

use crate::wire::answer::{Asked, Route};
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;

const CODES: [(&str, &str, &str); 5] = [
    (
        "txcd_00000000",
        "Nontaxable",
        "What no tax is collected on.",
    ),
    (
        "txcd_10000000",
        "General - Electronically Supplied Services",
        "Anything delivered over the internet with little human help.",
    ),
    (
        "txcd_20030000",
        "General - Services",
        "Work that is done for somebody.",
    ),
    (
        "txcd_92010001",
        "Shipping",
        "Bringing goods to their buyer.",
    ),
    (
        "txcd_99999999",
        "General - Tangible Goods",
        "Things that can be touched and moved.",
    ),
];

/// The requests answered here.
pub(super) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["tax_codes"]) => Box::new(|mut params| {
            let paging = Paging::read(&mut params)?;
            params.finish()?;
            Ok(Box::new(move |_| paging.listed("/v1/tax_codes", all())))
        }),
        ("GET", ["tax_codes", id]) => Box::new(move |params| {
            params.finish()?;
            Ok(Box::new(move |_| {
                let found = all().find(|code| code["id"] == **id);
                found.ok_or_else(|| ApiError::no_such("tax code", id).param("id"))
            }))
        }),
        _ => return None,
    })
}

fn all() -> impl DoubleEndedIterator<Item = Value> {
    CODES.iter().map(|(id, name, description)| {
        json!({ "id": id, "object": "tax_code", "name": name, "description": description, "requirements": null })
    })
}
