//! The shop with its own functions, from outside: HTTP in, HTTP, mail, Stripe and DynamoDB out.

mod apart;
mod buying;
mod carts;
mod cost;
mod disputes;
mod doors;
mod failure_cases;
mod holds;
mod idempotency;
mod invoices;
mod landing;
mod mail;
mod reading;
mod readings;
mod reconciling;
mod refunds;
mod renewals;
mod restart;
mod stock;
mod stripe_down;
mod subscribing;
mod subscriptions;
mod tables_down;
mod vouchers;
mod webhook;
mod webhook_order;
