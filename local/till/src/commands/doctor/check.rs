//! What a check is, and how one is run.

use std::time::Duration;

use futures::future::BoxFuture;

use super::patient::{Deployed, Patient};
use super::report::Finding;

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Something to find out about a shop.
pub(super) struct Check {
    /// What the report calls it if no answer comes in time.
    pub(super) title: &'static str,
    pub(super) ask: Ask,
}

/// How to find out, and by that of which shops it is asked.
pub(super) enum Ask {
    /// Of every shop.
    Everywhere(fn(&Patient) -> BoxFuture<'_, Vec<Finding>>),
    /// Of a deployed one: a laptop has nothing that could be wrong in this way.
    Deployed(for<'p> fn(&'p Patient, &'p Deployed) -> BoxFuture<'p, Vec<Finding>>),
}

impl Check {
    /// Nothing if it is not a question for this shop.
    pub(super) async fn run(&self, patient: &Patient) -> Vec<Finding> {
        let findings = match (&self.ask, &patient.deployed) {
            (Ask::Everywhere(ask), _) => ask(patient),
            (Ask::Deployed(ask), Some(deployed)) => ask(patient, deployed),
            (Ask::Deployed(_), None) => return Vec::new(),
        };
        let findings = tokio::time::timeout(PATIENCE, findings).await;
        findings.unwrap_or_else(|_| {
            let late = format!("no answer within {} seconds", PATIENCE.as_secs());
            vec![Finding::not_checked(self.title, late)]
        })
    }
}
