//! Which code runs behind the template's logical ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::environment::Variables;
use anyhow::Context as _;
use catalog::Catalog;
use checkout::Checkout;
use mailer::Mailer;
use purchases::PurchaseHistory;
use reconcile::Reconcile;
use shared::clock::Clock;
use shared::config::Environment;
use webhook::Webhook;

use crate::functions::{Functions, Wiring};

/// The shop's own functions, each built from its variables in the template.
pub fn deployed() -> Wiring {
    Arc::new(|environments, clock| Box::pin(wire(environments, clock)))
}

async fn wire(
    mut environments: BTreeMap<String, Variables>,
    clock: Clock,
) -> anyhow::Result<Functions> {
    let mut environment = |id: &str| {
        let variables = environments.remove(id);
        let variables = variables.with_context(|| format!("template.yaml has no {id}"))?;
        anyhow::Ok(Environment::from(variables).with_clock(clock.clone()))
    };
    let catalog = Catalog::new(&environment("CatalogFunction")?).await?;
    let checkout = Checkout::new(&environment("CheckoutFunction")?).await?;
    let purchases = PurchaseHistory::new(&environment("PurchasesFunction")?).await?;
    let webhook = Webhook::new(&environment("WebhookFunction")?, Clock::default()).await?;
    let mailer = Mailer::new(&environment("MailerFunction")?).await?;
    let reconcile = Reconcile::new(&environment("ReconcileFunction")?).await?;
    Ok(Functions::default()
        .http("CatalogFunction", move |request| {
            let function = catalog.clone();
            async move { function.handle(request).await }
        })
        .http("CheckoutFunction", move |request| {
            let function = checkout.clone();
            async move { function.handle(request).await }
        })
        .http("PurchasesFunction", move |request| {
            let function = purchases.clone();
            async move { function.handle(request).await }
        })
        .http("WebhookFunction", move |request| {
            let function = webhook.clone();
            async move { function.handle(request).await }
        })
        .event("MailerFunction", move |event| {
            let function = mailer.clone();
            async move { Ok(function.handle(event).await?) }
        })
        .event("ReconcileFunction", move |event| {
            let function = reconcile.clone();
            async move { Ok(function.handle(event).await?) }
        }))
}
