//! How somebody confirms a payment, and what becomes of that.

use crate::payment::aftermath::Aftermath;
use crate::payment::decline::PaymentError;
use crate::payment::mandate::Acceptance;
use crate::payment::testing::three_d_secure::Request;

/// How somebody confirms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Confirmation {
    /// The buyer is not there.
    pub(crate) off_session: bool,
    /// A buyer who is not there can be asked to come, if they are needed.
    pub(crate) waits_for_buyer: bool,
    /// Where the buyer goes when they have done what was asked of them.
    pub(crate) return_url: Option<String>,
    /// Whoever confirms cannot ask anything of the buyer.
    pub(crate) fails_on_action: bool,
    /// Whether 3D Secure is wanted.
    pub(crate) three_d_secure: Request,
    /// Where a voucher is shown.
    pub(crate) voucher_page: Option<String>,
    /// Whether a voucher is paid, somebody decides who presses a button.
    pub(crate) by_hand: bool,
    /// The buyer has agreed to be debited.
    pub(crate) agreed: Option<Acceptance>,
}

/// What became of a try to pay.
#[derive(Debug)]
#[must_use]
pub(crate) enum Outcome {
    /// The money is the account's.
    Paid(Aftermath),
    /// The money is set aside.
    Authorized(Aftermath),
    /// The bank thinks.
    Processing,
    /// The buyer has to prove who they are: here.
    Challenged(String),
    /// The buyer takes their time.
    Waiting,
    /// The buyer has done their part: the shop is to confirm again.
    Unconfirmed,
    Refused(PaymentError),
}
