//! Money goes back: a part as `till refund` gives it back, the rest as a refund in Stripe's dashboard
//! does, which tells the shop nothing of whose it is.

use anyhow::{Context as _, bail};
use futures::FutureExt as _;
use serde::Deserialize;

use super::payer::PAYS;
use super::stage::Stage;
use super::step::{Outcome, Step};
use crate::commands::refund::give_back;

pub(super) const STEP: Step = Step {
    name: "refund",
    take: |stage| take(stage).boxed_local(),
};

#[derive(Deserialize)]
struct Made {
    id: String,
}

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let id = match stage.paid.take() {
        Some(id) => id,
        None => {
            let product = stage.product()?.clone();
            stage.buy(&product, PAYS).await?
        }
    };
    let paid = stage.paid_as(id, &["paid"]).await?.paid;
    let half = paid.amount.div_euclid(2);
    let part = give_back(&stage.shop, id, Some(half)).await?;
    let (part, amount) = part.context("nothing of the purchase can be refunded")?;
    stage.becomes(id, "partially_refunded").await?;

    let intent = stage.intent(id).await?;
    let form = [("payment_intent", intent.as_str())];
    let rest: Made = stage.stripe.post("/refunds", &form).await?;
    let purchase = stage.becomes(id, "refunded").await?;
    for wanted in [part.as_str(), &rest.id] {
        let found = purchase.refunds.iter().find(|it| it.id == wanted);
        match found.map(|it| it.status.as_str()) {
            Some("succeeded") => {}
            Some(status) => bail!("the purchase {id} shows the refund {wanted} as {status}"),
            None => bail!("the purchase {id} does not show the refund {wanted}"),
        }
    }
    let says = format!("{amount} of {paid} by `till refund`, the rest at Stripe");
    let ids = vec![id.to_string(), part.to_string(), rest.id, intent];
    Ok(Outcome::Held(says, ids))
}
