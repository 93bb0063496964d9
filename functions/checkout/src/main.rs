//! POST /checkout: opens a Stripe Checkout session for a signed-in buyer.
fn main() {}
