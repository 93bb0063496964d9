//! What a step of a rehearsal is, and how one is taken.

use futures::future::LocalBoxFuture;

use super::report::{Finding, Verdict};
use super::stage::Stage;

/// Something to try with a shop.
pub(super) struct Step {
    /// What the report calls it.
    pub(super) name: &'static str,
    pub(super) take: for<'s> fn(&'s mut Stage) -> LocalBoxFuture<'s, anyhow::Result<Outcome>>,
}

/// How a step ended that did not fail.
pub(super) enum Outcome {
    /// It held: what was seen, and the ids of what came about.
    Held(String, Vec<String>),
    /// It could not be tried, and why.
    LeftOut(String),
}

impl Step {
    pub(super) async fn take(&self, stage: &mut Stage) -> Finding {
        let (verdict, says, ids) = match (self.take)(stage).await {
            Ok(Outcome::Held(says, ids)) => (Verdict::Held, says, ids),
            Ok(Outcome::LeftOut(why)) => (Verdict::LeftOut, why, Vec::new()),
            Err(error) => (Verdict::Failed, format!("{error:#}"), Vec::new()),
        };
        Finding {
            step: self.name,
            verdict,
            says,
            ids,
        }
    }

    /// What there is to say of it if it is not taken.
    pub(super) fn left_out(&self, why: &str) -> Finding {
        Finding {
            step: self.name,
            verdict: Verdict::LeftOut,
            says: why.to_owned(),
            ids: Vec::new(),
        }
    }
}
