//! The metadata keys by which we recognize our own objects at Stripe.

/// The purchase's id.
pub const PURCHASE_ID: &str = "purchase_id";
/// The buyer's subject.
pub const BUYER: &str = "buyer";
/// The deployment's tag, so that several can share an account.
pub const STACK: &str = "till_stack";
