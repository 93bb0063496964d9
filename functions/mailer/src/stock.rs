//! Tells the seller what is running out.

use shared::{
    email::compose_stock,
    store::{StoreError, shortages::StockRow},
};

use super::Mailer;

impl Mailer {
    /// Sends the mail of one row.
    pub(super) async fn work_off_stock(&self, row: &StockRow) -> Result<(), StoreError> {
        let letter = compose_stock(&row.products, &self.shop);
        let outgoing = self.to_seller(row.livemode, letter);
        let outcome = self.hand_over(row.attempts, outgoing).await;
        self.mark((&row.id, row.attempts), &outcome).await
    }
}
