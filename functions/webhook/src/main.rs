//! Stripe events, posted to a public Lambda function URL.
fn main() {}
