//! What the checks found, and how it is told.

use std::fmt::Write as _;

use serde::Serialize;

use crate::commands::console::{bad, counts, dim, good, heading, notable, plain};

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::commands) enum Verdict {
    /// As it should be.
    Ok,
    /// It could not be found out. That is not the same as being well.
    NotChecked,
    /// It works, but should not stay so.
    Warn,
    /// It does not work.
    Fail,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::commands) struct Finding {
    /// What was asked, in a word or two; scripts may rely on it.
    pub(super) check: &'static str,
    pub(super) verdict: Verdict,
    /// What is so.
    pub(super) says: String,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, says.into(), None)
    }

    pub(super) fn not_checked(check: &'static str, why: impl Into<String>) -> Self {
        Self::new(check, Verdict::NotChecked, why.into(), None)
    }

    pub(super) fn warn(
        check: &'static str,
        says: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, Verdict::Warn, says.into(), Some(remedy.into()))
    }

    pub(super) fn fail(
        check: &'static str,
        says: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, Verdict::Fail, says.into(), Some(remedy.into()))
    }

    fn new(check: &'static str, verdict: Verdict, says: String, remedy: Option<String>) -> Self {
        Self {
            check,
            verdict,
            says,
            remedy,
        }
    }
}

/// All findings on one shop.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct Report {
    pub(super) shop: String,
    pub(in crate::commands) findings: Vec<Finding>,
}

impl Report {
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        let of = |finding: &&Finding| finding.verdict == verdict;
        self.findings.iter().filter(of).count()
    }

    /// One line each, the remedy indented below.
    pub(super) fn text(&self) -> String {
        let width = self.findings.iter().map(|finding| finding.check.len());
        let width = width.max().unwrap_or_default();
        let mut text = format!("{}\n\n", heading(&self.shop));
        for finding in &self.findings {
            let says = plain(&finding.says);
            // Padded before it is coloured: a terminal's codes have a length, too.
            let (word, says) = match finding.verdict {
                Verdict::Ok => (good("ok   "), says),
                Verdict::Warn => (notable("warn "), says),
                Verdict::Fail => (bad("fail "), says),
                Verdict::NotChecked => (dim("?    "), format!("not checked: {says}")),
            };
            // A String takes whatever is written to it.
            let _ = writeln!(text, "{word} {:<width$}  {says}", finding.check);
            for line in finding.remedy.iter().flat_map(|remedy| remedy.lines()) {
                let _ = writeln!(text, "      {:<width$}  → {line}", "");
            }
        }
        let _ = writeln!(text, "\n{}", self.sum());
        text
    }

    fn sum(&self) -> String {
        counts(&[
            (self.count(Verdict::Fail), "to fix"),
            (self.count(Verdict::Warn), "to look at"),
            (self.count(Verdict::NotChecked), "not checked"),
            (self.count(Verdict::Ok), "ok"),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_a_line_with_its_remedy_below() {
        let report = Report {
            shop: "the stack till".into(),
            findings: vec![
                Finding::ok("clock", "right"),
                Finding::fail("stripe key", "a publishable key", "store the secret one"),
                Finding::not_checked("sender", "no answer"),
            ],
        };
        let text = report.text();
        assert_eq!(
            text,
            "the stack till\n\n\
             ok    clock       right\n\
             fail  stripe key  a publishable key\n\
             \x20                 → store the secret one\n\
             ?     sender      not checked: no answer\n\n\
             1 to fix, 1 not checked, 1 ok\n"
        );
    }
}
