//! A buyer buys with a card, once.

use anyhow::bail;
use futures::FutureExt as _;
use uuid::Uuid;

use super::payer::PAYS;
use super::stage::Stage;
use super::step::{Outcome, Step};

pub(super) const STEP: Step = Step {
    name: "card",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let (product, key) = (stage.product()?.clone(), Uuid::now_v7().to_string());
    let checkout = stage.open(&product, &key).await?;
    let again = stage.open(&product, &key).await?;
    if again != checkout {
        bail!(
            "under one Idempotency-Key the shop opened {} and {}",
            checkout.purchase_id,
            again.purchase_id
        );
    }
    stage.pay(&checkout, &product, PAYS).await?;
    let id = checkout.purchase_id;
    let purchase = stage.paid_as(id, &["paid"]).await?;
    let due = purchase.sums.map_or(purchase.total, |sums| sums.total);
    if purchase.paid != due {
        bail!("{} of {due} is paid", purchase.paid);
    }
    stage.paid = Some(id);
    let mut ids = vec![id.to_string()];
    ids.extend(stage.sessions(id).await?);
    let says = format!(
        "{} paid; the same request again is the same purchase",
        purchase.paid
    );
    Ok(Outcome::Held(says, ids))
}
