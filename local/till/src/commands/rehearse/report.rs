//! What a rehearsal found, and how it is told.

use std::fmt::Write as _;

use serde::Serialize;

use crate::commands::console::{bad, counts, dim, good, heading, notable, plain};

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It was done, and all that was to follow from it did.
    Held,
    /// It could not be done, or something did not follow.
    Failed,
    /// It could not be tried here. That is not the same as having held.
    LeftOut,
}

/// A step that was taken, or was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// Its name; scripts may rely on it.
    pub(super) step: &'static str,
    pub(super) verdict: Verdict,
    /// What happened, or why it did not.
    pub(super) says: String,
    /// Of everything that came about, here and at Stripe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<String>,
}

/// All steps of one rehearsal, in the order in which they were taken.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) shop: String,
    /// Who paid: the stand-in's page, or a person on Stripe's.
    pub(super) payer: &'static str,
    pub(super) steps: Vec<Finding>,
}

impl Report {
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        let of = |finding: &&Finding| finding.verdict == verdict;
        self.steps.iter().filter(of).count()
    }

    /// A line each, the ids indented below.
    pub(super) fn text(&self) -> String {
        let width = self.steps.iter().map(|finding| finding.step.len());
        let width = width.max().unwrap_or_default();
        let mut text = format!("{}\n{}\n\n", heading(&self.shop), dim(self.payer));
        for finding in &self.steps {
            // Padded before it is coloured: a terminal's codes have a length, too.
            let word = match finding.verdict {
                Verdict::Held => good("held    "),
                Verdict::Failed => bad("FAILED  "),
                Verdict::LeftOut => notable("LEFT OUT"),
            };
            let says = plain(&finding.says);
            // A String takes whatever is written to it.
            let _ = writeln!(text, "{word}  {:<width$}  {says}", finding.step);
            if !finding.ids.is_empty() {
                let ids = plain(&finding.ids.join(" "));
                let _ = writeln!(text, "          {:<width$}  {}", "", dim(&ids));
            }
        }
        let _ = writeln!(text, "\n{}", self.sum());
        text
    }

    fn sum(&self) -> String {
        counts(&[
            (self.count(Verdict::Held), "held"),
            (self.count(Verdict::Failed), "failed"),
            (self.count(Verdict::LeftOut), "left out"),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_never_counted_as_held() {
        let finding = |step, verdict, says: &str, ids: &[&str]| Finding {
            step,
            verdict,
            says: says.to_owned(),
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        let report = Report {
            shop: "stack till".to_owned(),
            payer: "the stand-in's page is submitted",
            steps: vec![
                finding("card", Verdict::Held, "15.00 USD paid", &["pi_1", "cs_1"]),
                finding("refund", Verdict::Failed, "no event came", &[]),
                finding("delayed", Verdict::LeftOut, "no such method", &[]),
            ],
        };
        assert_eq!(
            report.text(),
            "stack till\nthe stand-in's page is submitted\n\n\
             held      card     15.00 USD paid\n\
             \x20                  pi_1 cs_1\n\
             FAILED    refund   no event came\n\
             LEFT OUT  delayed  no such method\n\n\
             1 held, 1 failed, 1 left out\n"
        );
    }
}
