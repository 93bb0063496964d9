//! The shop compared with Stripe.

use reconcile::{Findings, Limits, Reconcile};

use crate::app::TestApp;

impl TestApp {
    /// The function, for runs of every kind.
    pub async fn reconciler(&self) -> Reconcile {
        let environment = self.environment("ReconcileFunction");
        Reconcile::new(&environment).await.unwrap()
    }

    /// One run, which must finish.
    pub async fn reconcile(&self) -> Findings {
        let run = self.reconciler().await.run(Limits::default(), |_| {}).await;
        let findings = run.unwrap();
        assert!(findings.complete, "{findings:?}");
        findings
    }
}
