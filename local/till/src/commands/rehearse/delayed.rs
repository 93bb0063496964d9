//! A buyer pays with what takes days: the purchase is pending until the money is there.

use anyhow::Context as _;
use futures::FutureExt as _;
use serde::Deserialize;

use super::payer::Means;
use super::stage::Stage;
use super::step::{Outcome, Step};

pub(super) const STEP: Step = Step {
    name: "delayed",
    take: |stage| take(stage).boxed_local(),
};

/// The delayed methods that can be tried by hand, and how Stripe's page is told of a
/// [test account](https://docs.stripe.com/testing#non-card-payments) whose money arrives.
const METHODS: [(&str, &str); 3] = [
    (
        "us_bank_account",
        "a US bank account: choose “Test Institution”, then any account whose payment succeeds",
    ),
    ("sepa_debit", "SEPA debit, IBAN AT61 1904 3002 3457 3201"),
    (
        "bacs_debit",
        "Bacs debit, sort code 10-88-00, account number 00012345",
    ),
];

#[derive(Deserialize)]
struct Session {
    payment_method_types: Vec<String>,
}

async fn take(stage: &mut Stage) -> anyhow::Result<Outcome> {
    let product = stage.product()?.clone();
    let checkout = stage
        .open(&product, &uuid::Uuid::now_v7().to_string())
        .await?;
    let id = checkout.purchase_id;
    let sessions = stage.sessions(id).await?;
    let session = sessions.first().context("the purchase has no session")?;
    let path = format!("/checkout/sessions/{session}");
    let offered: Session = stage.stripe.get(&path, &[]).await?;
    let offered = offered.payment_method_types;
    let method = METHODS
        .iter()
        .find(|(name, _)| offered.iter().any(|it| it == name));
    let Some(&(method, how)) = method else {
        stage.api.cancel(stage.token()?, id).await?;
        return Ok(Outcome::LeftOut(format!(
            "the account offers no bank debit for {}, only {}: activate one at Stripe, under Payment \
             methods",
            product.price,
            offered.join(", ")
        )));
    };
    let means = Means::BankDebit(how);
    stage.pay(&checkout, &product, means).await?;
    stage.paid_as(id, &["pending", "paid"]).await?;
    stage.payer.settle(session).await?;
    match stage.becomes(id, "paid").await {
        Ok(purchase) => {
            let says = format!(
                "{} by {method}: pending, and paid when the money was there",
                purchase.paid
            );
            Ok(Outcome::Held(says, vec![id.to_string(), session.clone()]))
        }
        Err(_) if stage.payer.waits() => Ok(Outcome::LeftOut(format!(
            "{id} is pending, as it should be; that its {method} arrives takes Stripe longer than this \
             waits: see `till purchases show {id}{}` in a few minutes",
            stage.place()
        ))),
        Err(error) => Err(error),
    }
}
