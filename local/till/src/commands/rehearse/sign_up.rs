//! A buyer signs up, and nobody else is one.

use anyhow::bail;
use futures::FutureExt as _;
use http::StatusCode;
use serde_json::Value;

use super::stage::Stage;
use super::step::{Outcome, Step};

pub(super) const STEP: Step = Step {
    name: "sign-up",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let without = stage.api.status("/purchases").await?;
    if without != StatusCode::UNAUTHORIZED {
        bail!("GET /purchases without a token answers {without}, not 401");
    }
    let buyer = stage.accounts.sign_up().await?;
    // The account has to go again, whatever comes of it.
    let buyer = stage.buyer.insert(buyer);
    let _: Value = stage.api.get(Some(&buyer.token), "/purchases").await?;
    let says = format!(
        "{} {}; the API takes their token, and turns away whoever has none",
        buyer.email,
        stage.accounts.words()
    );
    Ok(Outcome::Held(says, vec![buyer.subject.clone()]))
}
