//! Payouts: the account's money goes to its bank. There are only manual ones here.

pub(crate) mod accounts_api;
pub(crate) mod api;
pub(crate) mod bank_account;
pub(crate) mod life;
pub(crate) mod object;
