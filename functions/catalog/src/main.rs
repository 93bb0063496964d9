//! GET /products and /products/{id}: what is sold.
fn main() {}
