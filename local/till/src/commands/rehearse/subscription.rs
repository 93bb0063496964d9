//! A buyer subscribes, is charged again a period later, and is cancelled. The period passes on a test
//! clock of Stripe's, which a customer has from the beginning or never: so the customer is made here, as
//! checkout would make it, and given to the buyer before they subscribe.

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures::FutureExt as _;
use serde::Deserialize;
use serde_json::Value;
use shared::purchase::{CustomerId, PurchaseId, SubscriptionId};
use shared::stripe::metadata;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::payer::PAYS;
use super::stage::Stage;
use super::step::{Outcome, Step};
use super::waiting::{Seen, wait_for};

pub(super) const STEP: Step = Step {
    name: "subscription",
    take: |stage| take(stage).boxed_local(),
};

/// How long after the end of a period its invoice is certainly charged: Stripe finalizes it
/// [an hour](https://docs.stripe.com/billing/subscriptions/overview) after it was made.
const UNTIL_CHARGED: i64 = 3 * 3600;

/// How long Stripe may take to let that time pass.
const ADVANCING: Duration = Duration::from_mins(3);

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
struct Clock {
    status: String,
}

/// A subscription as its buyer sees it, as far as it is looked at.
#[derive(Deserialize)]
struct Subscription {
    status: String,
    active: bool,
    period: Period,
    ended_at: Option<String>,
    invoices: Vec<Invoice>,
}

#[derive(Deserialize)]
struct Period {
    end: String,
}

#[derive(Deserialize)]
struct Invoice {
    id: String,
    status: String,
    reason: String,
}

#[derive(Deserialize)]
struct Entitlements {
    entitlements: Vec<Entitlement>,
}

#[derive(Deserialize)]
struct Entitlement {
    product_id: String,
    subscription_id: SubscriptionId,
    active_until: String,
}

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let Some(product) = stage.recurring.clone() else {
        return Ok(Outcome::LeftOut(
            "nothing that is for sale recurs; name what does with --subscribe-to".to_owned(),
        ));
    };
    let customer = customer_on_a_clock(stage).await?;
    let Some(customer) = customer else {
        return Ok(Outcome::LeftOut(
            "the buyer has a customer at Stripe already, and a customer is on a test clock from the \
             beginning or never: rehearse with a buyer who is new"
                .to_owned(),
        ));
    };
    let purchase = stage.buy(&product, PAYS).await?;
    let id = begun(stage, purchase).await?;
    stage.subscription = Some(id.clone());
    let hoped = |it: &Subscription| it.active && !it.invoices.is_empty();
    let first = until(stage, &id, "active with an invoice", hoped).await?;
    let product_id = product.id.as_str();
    let begins = entitled_until(stage, &id, product_id).await?;

    let renewed = renewed(stage, &id, &first).await?;
    wait_for(stage.wishes.patience, async || {
        let longer = entitled_until(stage, &id, product_id).await?;
        Ok(match longer > begins {
            true => Seen::There(()),
            false => Seen::Not(format!(
                "{renewed} is paid, but {id} entitles its buyer until {longer}, as before"
            )),
        })
    })
    .await?;
    stage.stripe.delete(&format!("/subscriptions/{id}")).await?;
    let hoped = |it: &Subscription| it.status == "canceled" && it.ended_at.is_some();
    let ended = until(stage, &id, "canceled", hoped).await?;
    // The clock is ahead of the shop's own, by which the end is still to come.
    let ended = moment(&ended.ended_at.unwrap_or_default())?;
    let end = entitled_until(stage, &id, product_id).await?;
    if end > ended {
        bail!("{id} ended at {ended}, but entitles its buyer until {end}");
    }
    let says = format!(
        "{}: begun, charged again a period later on a test clock, and cancelled; it entitled the buyer \
         for as long as it was paid",
        product.id
    );
    let ids = vec![
        purchase.to_string(),
        id.to_string(),
        customer.to_string(),
        renewed,
    ];
    Ok(Outcome::Held(says, ids))
}

/// `None` if the buyer has one already.
async fn customer_on_a_clock(stage: &mut Stage) -> anyhow::Result<Option<CustomerId>> {
    let buyer = stage.buyer()?;
    let (subject, email) = (buyer.subject.clone(), buyer.email.clone());
    let now = stage.shop.now().to_string();
    let form = [("frozen_time", now.as_str()), ("name", "till rehearse")];
    let clock: Made = stage
        .stripe
        .post("/test_helpers/test_clocks", &form)
        .await?;
    stage.clock = Some(clock.id.clone());
    let stack = stage.shop.environment.stack()?;
    let (tag, buyer) = (
        format!("metadata[{}]", metadata::STACK),
        format!("metadata[{}]", metadata::BUYER),
    );
    let form = [
        ("test_clock", clock.id.as_str()),
        ("email", &email),
        (&tag, stack.tag()),
        (&buyer, &subject),
    ];
    let customer: Made = stage.stripe.post("/customers", &form).await?;
    let ours = CustomerId::from(customer.id);
    let theirs = stage.shop.adoption()?.adopt(&subject, &ours).await?;
    Ok((theirs == ours).then_some(ours))
}

/// The subscription that has begun with a purchase.
async fn begun(stage: &Stage, purchase: PurchaseId) -> anyhow::Result<SubscriptionId> {
    stage.paid_as(purchase, &["paid"]).await?;
    let id = stage.purchase(purchase).await?.subscription_id;
    id.with_context(|| format!("{purchase} is paid, but began no subscription"))
}

/// Waits until an event has brought a subscription to this.
async fn until(
    stage: &Stage,
    id: &SubscriptionId,
    words: &str,
    hoped: impl Fn(&Subscription) -> bool,
) -> anyhow::Result<Subscription> {
    let path = format!("/subscriptions/{id}");
    let seen = wait_for(stage.wishes.patience, async || {
        let found: Subscription = stage.api.get(Some(stage.token()?), &path).await?;
        Ok(match hoped(&found) {
            true => Seen::There(found),
            false => {
                let (status, number) = (&found.status, found.invoices.len());
                Seen::Not(format!(
                    "{id} is {status} with {number} invoices, not {words}"
                ))
            }
        })
    });
    seen.await.map_err(|error| stage.no_event(&error))
}

/// Until when the buyer may use what they subscribe to, as far as is known.
async fn entitled_until(
    stage: &Stage,
    id: &SubscriptionId,
    product: &str,
) -> anyhow::Result<OffsetDateTime> {
    let all: Entitlements = stage.api.get(Some(stage.token()?), "/entitlements").await?;
    let ours = |it: &&Entitlement| it.subscription_id == *id && it.product_id == product;
    let ours = all.entitlements.iter().find(ours);
    let ours = ours.with_context(|| format!("{id} entitles its buyer to no {product}"))?;
    moment(&ours.active_until)
}

fn moment(text: &str) -> anyhow::Result<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).with_context(|| format!("{text:?} is not a time"))
}

/// Lets the period end on the clock; the invoice that was charged then.
async fn renewed(
    stage: &Stage,
    id: &SubscriptionId,
    first: &Subscription,
) -> anyhow::Result<String> {
    let clock = stage.clock.as_deref().unwrap_or_default();
    let then = moment(&first.period.end)?
        .unix_timestamp()
        .saturating_add(UNTIL_CHARGED);
    let form = [("frozen_time", then.to_string())];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    let path = format!("/test_helpers/test_clocks/{clock}");
    let _: Value = stage.stripe.post(&format!("{path}/advance"), &form).await?;
    let longest = stage.wishes.patience.saturating_add(ADVANCING);
    wait_for(longest, async || {
        let clock: Clock = stage.stripe.get(&path, &[]).await?;
        Ok(match clock.status.as_str() {
            "ready" => Seen::There(()),
            status => Seen::Not(format!("Stripe's test clock is {status}, not ready")),
        })
    })
    .await?;
    let is_renewal = |it: &&Invoice| it.reason == "renewal" && it.status == "paid";
    let hoped = |it: &Subscription| it.active && it.invoices.iter().any(|it| is_renewal(&it));
    let renewed = until(stage, id, "active with a renewal that is paid", hoped).await?;
    let renewal = renewed.invoices.iter().find(is_renewal);
    Ok(renewal.map(|it| it.id.clone()).unwrap_or_default())
}
