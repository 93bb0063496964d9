//! Ids that look like Stripe's: a prefix that names the kind, then random letters and digits. Objects
//! refer to each other, so the ids of most kinds are types of their own.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use rand::distr::{Alphanumeric, SampleString as _};
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Types of ids, each with its prefix and how many random characters follow.
macro_rules! id_types {
    ($($(#[$about:meta])* $name:ident = $prefix:literal + $length:literal;)*) => { $(
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(String);

        impl $name {
            pub(crate) fn random() -> Self {
                Self(random($prefix, $length))
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                String::column_result(value).map(Self)
            }
        }
    )* };
}

id_types! {
    /// Of a Checkout session.
    SessionId = "cs_test_a1" + 56;
    /// Of a payment intent.
    PaymentIntentId = "pi_3" + 23;
    /// Of a charge.
    ChargeId = "ch_3" + 23;
    /// Of a refund.
    RefundId = "re_3" + 23;
    /// Of a dispute.
    DisputeId = "du_1" + 23;
    /// Of a setup intent.
    SetupIntentId = "seti_1" + 23;
    /// Of a movement of the account's money.
    BalanceTransactionId = "txn_3" + 23;
    /// Of a payout.
    PayoutId = "po_1" + 23;
    /// Of a bank account that payouts go to.
    BankAccountId = "ba_1" + 23;
    /// Of a movement of a customer's cash balance.
    CashTransactionId = "ccsbtxn_1" + 23;
    /// Of a setup intent's try.
    SetupAttemptId = "setatt_1" + 23;
    /// Of a customer.
    CustomerId = "cus_" + 16;
    /// Of something off a total, unless its shop names it.
    CouponId = "" + 8;
    /// Of a buyer's permission to debit their account.
    MandateId = "mandate_1" + 23;
    /// Of a code that buyers type.
    PromotionCodeId = "promo_1" + 23;
    /// Of an invoice.
    InvoiceId = "in_1" + 23;
    /// Of a subscription.
    SubscriptionId = "sub_1" + 23;
    /// Of a payment method.
    PaymentMethodId = "pm_1" + 23;
    /// Of a payment that somebody should look at.
    ReviewId = "prv_1" + 23;
    /// Of something that happened.
    EventId = "evt_1" + 23;
    /// Of a place where events go.
    WebhookEndpointId = "we_1" + 23;
    /// Of a file.
    FileId = "file_1" + 23;
    /// Of a link to a file: who knows it sees the file.
    FileLinkId = "link_1" + 23;
}

impl CustomerId {
    /// Of a customer who is kept, as a plain object, under this id.
    pub(crate) fn of_kept(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl CouponId {
    /// A shop may think of an id itself.
    pub(crate) fn named(id: String) -> Self {
        Self(id)
    }
}

impl WebhookEndpointId {
    /// Of the endpoint that the shop's configuration makes.
    pub(crate) fn shops_own() -> Self {
        Self("we_1TillLocalShopsOwn000".to_owned())
    }
}

impl InvoiceId {
    /// Of an invoice that there may be.
    pub(crate) fn upcoming() -> Self {
        Self(random("upcoming_in_1", 23))
    }
}

impl PaymentMethodId {
    /// A source, such as `card_1…`, can be used as a payment method.
    pub(crate) fn of_source(id: String) -> Self {
        Self(id)
    }

    pub(crate) fn is_of_source(&self) -> bool {
        !self.starts_with("pm_")
    }
}

/// `acct_…`, the same for the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AccountId(String);

impl AccountId {
    /// The account of a secret key: what follows `sk_test_` decides it, so that its publishable and
    /// restricted keys lead to the same.
    pub(crate) fn of_key(key: &str) -> Self {
        let own = key.splitn(3, '_').last().unwrap_or_default();
        let digest = hex::encode(Sha256::digest(own));
        Self(format!("acct_1{}", digest.get(..15).unwrap_or_default()))
    }

    /// An id as [`of_key`](Self::of_key) makes them.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let digits = id.strip_prefix("acct_1")?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        (digits.len() == 15 && is_hex).then(|| Self(id.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of an object that was named otherwise some years ago: disputes began with `dp_`, and shops
/// have kept such ids.
pub(crate) fn current(id: &str) -> Cow<'_, str> {
    match id.strip_prefix("dp_") {
        Some(rest) => Cow::Owned(format!("du_{rest}")),
        None => Cow::Borrowed(id),
    }
}

/// The same for the same content.
pub(crate) fn digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// The same for the same number of a card or an account.
pub(crate) fn fingerprint(number: &str) -> String {
    let digest = hex::encode(Sha256::digest(number));
    digest.chars().take(16).collect()
}

/// Anybody who knows a few could guess the next ones, but a simulation can ask for the same again
/// (`fastrand::seed`).
fn random(prefix: &str, length: usize) -> String {
    let mut id = String::from(prefix);
    id.extend((0..length).map(|_| fastrand::alphanumeric()));
    id
}

/// What nobody can guess.
fn secret(prefix: &str, length: usize) -> String {
    let mut secret = String::from(prefix);
    Alphanumeric.append_string(&mut rand::rng(), &mut secret, length);
    secret
}

pub(crate) fn line_item() -> String {
    random("li_1", 23)
}

pub(crate) fn price() -> String {
    random("price_1", 23)
}

pub(crate) fn product() -> String {
    random("prod_", 14)
}

/// What a browser may confirm a payment intent or a setup intent with.
pub(crate) fn client_secret(intent: &str) -> String {
    secret(&format!("{intent}_secret_"), 25)
}

/// What a source was called before there were payment methods.
pub(crate) fn card() -> String {
    random("card_1", 23)
}

/// The same of a bank account.
pub(crate) fn bank_account() -> String {
    random("ba_1", 23)
}

pub(crate) fn token() -> String {
    random("tok_1", 23)
}

pub(crate) fn bank_token() -> String {
    random("btok_1", 23)
}

pub(crate) fn early_fraud_warning() -> String {
    random("issfr_1", 23)
}

pub(crate) fn request() -> String {
    random("req_", 14)
}

/// What a bank calls a refund: digits only.
pub(crate) fn bank_reference() -> String {
    format!("7{:022}", fastrand::u64(..))
}

pub(crate) fn webhook_secret() -> String {
    secret("whsec_", 32)
}

/// What a session of the CLI connects with.
pub(crate) fn listener_session() -> String {
    secret("cliws_", 32)
}

/// One event on its way to the CLI.
pub(crate) fn conversation() -> String {
    random("wc_", 23)
}

/// What a buyer types, when nobody has thought of something better.
pub(crate) fn code() -> String {
    random("", 8).to_uppercase()
}

pub(crate) fn discount(session: &SessionId) -> String {
    // The same for the same session: it is shown, never stored.
    let of: String = session.chars().rev().take(23).collect();
    format!("di_1{of}")
}

/// Of an object whose kind has nothing but a prefix of its own.
pub(crate) fn plain(prefix: &str) -> String {
    random(prefix, 16)
}
