//! Metadata keys by which what Stripe has is known to be ours.

/// The purchase's id.
pub const PURCHASE_ID: &str = "purchase_id";
/// The buyer's subject.
pub const BUYER: &str = "buyer";
/// The deployment it belongs to, so that several can share an account.
pub const STACK: &str = "till_stack";
