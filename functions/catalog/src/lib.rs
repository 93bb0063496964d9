//! GET /products and /products/{id}: what is sold.
