//! What Stripe says of a purchase, one thing at a time.

use super::{DisputeId, DisputeReport, Refund, RefundId, SessionId, SessionState};
use crate::money::Money;

/// Something that Stripe said of a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A session has come this far.
    Session(SessionId, SessionState),
    /// A refund has come this far.
    Refund(RefundId, Refund),
    /// A dispute looks like this.
    Dispute(DisputeId, DisputeReport),
    /// This much of a charge was refunded, all its refunds together. The sum goes down again when
    /// a refund fails, so it is no fact, only something to hold the facts against.
    ChargeRefunded(Money),
}
