//! What a buyer may download.

use super::{Purchase, Status};
use crate::product::{ProductFile, ProductId};

impl Purchase {
    /// The files that its buyer may download, as far as its facts say; the money must be known, of what
    /// began a subscription from its first invoice.
    ///
    /// | it is… | its files |
    /// | --- | --- |
    /// | paid for | can be downloaded |
    /// | refunded in part | can be downloaded: something was taken off the price, or another line returned; nobody can say which file that was for |
    /// | refunded whole | not any more |
    /// | disputed, or charged back | not any more; again if the dispute is won |
    /// | only inquired about by the bank | can be downloaded: no money has moved |
    /// | rebuilt and not confirmed | not yet: it may be another deployment's |
    /// | anything else | not yet |
    pub fn downloads(&self) -> impl Iterator<Item = (&ProductId, &ProductFile)> {
        let is_paid_for = matches!(self.status(), Status::Paid | Status::PartiallyRefunded);
        let may = is_paid_for && !self.is_only_rebuilt();
        let lines = self.order.lines.iter().filter(move |_| may);
        lines.filter_map(|line| Some((&line.product_id, line.file.as_ref()?)))
    }
}
