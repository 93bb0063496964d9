//! A buyer contests a payment, the seller answers with evidence, and the bank decides for the seller.

use anyhow::Context as _;
use futures::FutureExt as _;
use serde::de::IgnoredAny;

use super::payer::DISPUTED;
use super::stage::Stage;
use super::step::{Outcome, Step};

pub(super) const STEP: Step = Step {
    name: "dispute",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let product = stage.product()?.clone();
    let id = stage.buy(&product, DISPUTED).await?;
    let disputed = stage.paid_as(id, &["disputed"]).await?;
    let dispute = disputed.disputes.into_iter().next();
    let dispute = dispute.context("the purchase is disputed, but shows no dispute")?;
    // In test mode this is a word on which Stripe decides at once.
    let form = [
        ("evidence[uncategorized_text]", "winning_evidence"),
        ("submit", "true"),
    ];
    let path = format!("/disputes/{}", dispute.id);
    let _: IgnoredAny = stage.stripe.post(&path, &form).await?;
    let won = stage.becomes(id, "paid").await?;
    let says = format!(
        "{} was held while the dispute was open, and came back with the evidence",
        won.paid
    );
    let ids = vec![id.to_string(), dispute.id, stage.intent(id).await?];
    Ok(Outcome::Held(says, ids))
}
