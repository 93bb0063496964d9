//! The catalog as deployed, behind the Runtime API.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[test]
fn any_payload_gets_an_answer() {
    let samples = [
        include_str!("../../../events/catalog-list.json"),
        include_str!("../../../events/catalog-one.json"),
        include_str!("../../../events/catalog-decoded-query.json"),
    ];
    runtime_api::any_payload_gets_an_answer(env!("CARGO_BIN_EXE_catalog"), &samples);
}
