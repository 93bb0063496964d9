//! A card is declined, and the buyer cancels.

use anyhow::bail;
use futures::FutureExt as _;
use serde_json::Value;
use shared::purchase::PurchaseId;
use shared::stripe::client::{LONGEST_PAGE, List};
use shared::stripe::metadata;

use super::payer::DECLINED;
use super::stage::Stage;
use super::step::{Outcome, Step};
use super::waiting::{Seen, wait_for};

pub(super) const STEP: Step = Step {
    name: "decline",
    take: |stage| take(stage).boxed_local(),
};

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let product = stage.product()?.clone();
    let id = stage.buy(&product, DECLINED).await?;
    let longest = stage.wishes.patience.saturating_add(stage.payer.time());
    let (intent, code) = wait_for(longest, async || declined(stage, id).await).await?;
    let purchase = stage.purchase(id).await?;
    if purchase.status != "open" {
        bail!(
            "{id} is {} though {intent} was declined ({code})",
            purchase.status
        );
    }
    let cancelled = stage.api.cancel(stage.token()?, id).await?;
    if cancelled.status != "expired" {
        bail!("{id} is {} after it was cancelled", cancelled.status);
    }
    let says = format!("refused ({code}); the purchase stayed open, and the buyer cancelled it");
    Ok(Outcome::Held(says, vec![id.to_string(), intent]))
}

/// The payment that was refused, and Stripe's word for why. Only Stripe knows of it: nothing that a
/// purchase has to know has happened.
async fn declined(stage: &Stage, id: PurchaseId) -> anyhow::Result<Seen<(String, String)>> {
    let query = [
        ("type", "payment_intent.payment_failed"),
        ("limit", LONGEST_PAGE),
    ];
    let events: List<Value> = stage.stripe.get("/events", &query).await?;
    let id = id.to_string();
    let mut intents = events
        .data
        .iter()
        .filter_map(|it| it.pointer("/data/object"));
    let ours = |intent: &&Value| {
        let tag = intent
            .get("metadata")
            .and_then(|it| it.get(metadata::PURCHASE_ID));
        tag.and_then(Value::as_str) == Some(id.as_str())
    };
    let Some(intent) = intents.find(ours) else {
        return Ok(Seen::Not(format!(
            "Stripe has no declined payment of the purchase {id}"
        )));
    };
    let text = |path: &str| {
        let text = intent.pointer(path).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let code = match text("/last_payment_error/decline_code") {
        none if none.is_empty() => text("/last_payment_error/code"),
        code => code,
    };
    Ok(Seen::There((text("/id"), code)))
}
