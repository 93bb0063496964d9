//! Outbox rows become mails.
