//! Outbox rows become mails.
fn main() {}
