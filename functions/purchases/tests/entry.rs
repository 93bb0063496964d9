//! The purchase history as deployed, behind the Runtime API.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[test]
fn any_payload_gets_an_answer() {
    let samples = [
        include_str!("../../../events/purchases-list.json"),
        include_str!("../../../events/purchases-one.json"),
        include_str!("../../../events/purchases-decoded-path.json"),
    ];
    runtime_api::any_payload_gets_an_answer(env!("CARGO_BIN_EXE_purchases"), &samples);
}
