//! GET /purchases and /purchases/{id}: a signed-in buyer's own history.
fn main() {}
