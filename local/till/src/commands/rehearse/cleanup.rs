//! What the rehearsal has made is taken away again, as far as that is possible: purchases are the
//! shop's books, and stay.

use anyhow::bail;
use futures::FutureExt as _;
use shared::purchase::PurchaseId;

use super::stage::Stage;
use super::step::{Outcome, Step};
use crate::commands::console::count;
use crate::commands::refund::give_back;

pub(super) const STEP: Step = Step {
    name: "cleanup",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let (mut done, mut ids, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for id in &stage.opened {
        match close(stage, *id).await {
            Ok(None) => {}
            Ok(Some((what, of))) => {
                done.push(what);
                ids.push(of);
            }
            Err(error) => failed.push(format!("{id}: {error:#}")),
        }
    }
    if let Some(clock) = &stage.clock {
        let path = format!("/test_helpers/test_clocks/{clock}");
        match stage.stripe.delete(&path).await {
            Ok(()) => {
                done.push("the test clock, its customer and their subscription deleted".to_owned());
                ids.push(clock.clone());
            }
            Err(error) => failed.push(format!("{clock}: {error}")),
        }
    }
    if let Some(buyer) = stage.buyer.as_ref().filter(|_| stage.accounts.keeps_one()) {
        match stage.accounts.remove(buyer).await {
            Ok(()) => done.push(format!("the account of {} deleted", buyer.email)),
            Err(error) => failed.push(format!("{}: {error:#}", buyer.email)),
        }
    }
    if !failed.is_empty() {
        bail!("not all is cleaned up: {}", failed.join("; "));
    }
    let kept = count(stage.opened.len(), "purchase");
    done.push(format!("{kept} kept in the books"));
    Ok(Outcome::Held(done.join("; "), ids))
}

/// Ends what is open, and gives back what is paid.
async fn close(stage: &Stage, id: PurchaseId) -> anyhow::Result<Option<(String, String)>> {
    let purchase = stage.purchase(id).await?;
    Ok(match purchase.status.as_str() {
        "open" => {
            stage.api.cancel(stage.token()?, id).await?;
            Some(("an open purchase cancelled".to_owned(), id.to_string()))
        }
        // What began a subscription goes with its customer, and what a bank has decided about is left
        // as it decided.
        "paid" | "partially_refunded"
            if purchase.subscription_id.is_none() && purchase.disputes.is_empty() =>
        {
            let given = give_back(&stage.shop, id, None).await?;
            given.map(|(refund, amount)| (format!("{amount} refunded"), refund.to_string()))
        }
        _ => None,
    })
}
