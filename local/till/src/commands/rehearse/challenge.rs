//! A card whose holder has to show who they are (3D Secure).

use futures::FutureExt as _;

use super::payer::CHALLENGED;
use super::stage::Stage;
use super::step::{Outcome, Step};

pub(super) const STEP: Step = Step {
    name: "3ds",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let product = stage.product()?.clone();
    let id = stage.buy(&product, CHALLENGED).await?;
    if !stage.payer.waits() {
        let intent = stage.intent(id).await?;
        stage.payer.authenticate(&intent).await?;
    }
    let purchase = stage.paid_as(id, &["paid"]).await?;
    let mut ids = vec![id.to_string()];
    ids.extend(stage.sessions(id).await?);
    let says = format!("{} paid once the card's holder was asked", purchase.paid);
    Ok(Outcome::Held(says, ids))
}
