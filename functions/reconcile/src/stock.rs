//! Tells the seller what is running out. Checkout, which takes from the stock, does not, so that no
//! buyer waits for it, and what comes back within the hour is not told.

use crate::run::{ReconcileError, Run};

/// Orders a mail about what has run short since the last one.
pub(crate) async fn tell(run: &Run<'_>) -> Result<(), ReconcileError> {
    let products = run.parts.shortages.tell(run.now()).await?;
    if products > 0 {
        tracing::info!(products, "the seller is told what is running out");
    }
    Ok(())
}
