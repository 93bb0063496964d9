//! Stripe's test payment methods: which there are, and what becomes of each.
//!
//! All of it is data from Stripe's page [Testing](https://docs.stripe.com/testing), with pure rules
//! beside it: nothing here reads a clock or writes anything. Whoever charges a card asks in this
//! order, and stops at the first answer that is not "go on":
//!
//! 1. [`typed::TypedCard::read`], [`names::by_payment_method`] or [`names::by_token`]: which card it is.
//! 2. [`radar::before`]: whether Radar blocks it, or wants the buyer to authenticate.
//! 3. [`three_d_secure::Enrollment::step`]: whether the buyer is challenged.
//! 4. [`card::TestCard::answer`]: what its issuer says.
//! 5. [`radar::after`]: whether Radar objects to the results of the checks.
//! 6. [`card::Afterwards`]: what comes of the payment later.
//!
//! Bank accounts ([`bank`], [`iban`]) and vouchers ([`voucher`]) have an [`outcome::Outcome`] instead:
//! they are decided later.

pub(crate) mod bank;
pub(crate) mod brand;
pub(crate) mod card;
pub(crate) mod cards;
pub(crate) mod checks;
pub(crate) mod claim;
pub(crate) mod decline;
pub(crate) mod iban;
pub(crate) mod names;
pub(crate) mod outcome;
pub(crate) mod radar;
pub(crate) mod three_d_secure;
pub(crate) mod typed;
pub(crate) mod voucher;
