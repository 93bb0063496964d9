//! `till doctor`: is everything in place for a shop to sell, and how to fix what is not. It changes
//! nothing; the one thing it sends is an event that means nothing.
//!
//! Each check is a file of its own, and a line in [`CHECKS`].

mod api;
mod check;
mod clock;
mod cors;
mod delivery;
mod endpoint;
mod files;
mod function_url;
mod functions;
mod key;
mod patient;
mod permissions;
mod portal;
mod refusals;
mod report;
mod secrets;
mod sending;
mod ses;
mod shipping;
mod sign_in;
mod sign_up;
mod site;
mod stored;
mod stream;
mod tables;
mod tax;
mod webhook_key;

use clap::Args;

use self::check::Check;
use self::patient::Patient;
use self::report::{Report, Verdict};
use super::exit::Exit;
use super::operator::Operator;
use super::shop::Shop;

/// In the order in which the report shows them. All run at once.
const CHECKS: &[Check] = &[
    functions::CHECK,
    key::CHECK,
    secrets::CHECK,
    webhook_key::CHECK,
    endpoint::CHECK,
    delivery::CHECK,
    portal::CHECK,
    shipping::CHECK,
    tax::CHECK,
    files::CHECK,
    function_url::CHECK,
    tables::CHECK,
    stream::CHECK,
    sending::CHECK,
    refusals::OF_MAIL,
    refusals::OF_EVENTS,
    sign_up::CHECK,
    api::CHECK,
    cors::CHECK,
    site::CHECK,
    sign_in::CHECK,
    clock::CHECK,
];

#[derive(Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    operator: Operator,
}

impl Doctor {
    /// Checks, and says what came of it.
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let report = examine(&shop).await?;
        self.operator.show(&report, || report.text())?;
        let well = report.count(Verdict::Fail) == 0 && report.count(Verdict::Warn) == 0;
        Ok(if well { Exit::Done } else { Exit::Found })
    }
}

/// Asks all that there is to ask of this shop.
pub(super) async fn examine(shop: &Shop) -> anyhow::Result<Report> {
    let patient = Patient::read(shop).await?;
    let findings = CHECKS.iter().map(|check| check.run(&patient));
    let findings = futures::future::join_all(findings).await;
    Ok(Report {
        shop: shop.name().to_owned(),
        findings: findings.into_iter().flatten().collect(),
    })
}
