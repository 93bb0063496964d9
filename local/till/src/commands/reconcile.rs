//! `till reconcile`: what the scheduled function does, now, and with a report.

use clap::Args;
use reconcile::{Drift, Findings, Limits, Reconcile as Function};
use serde::Serialize;

use super::console::{Column, Console, Table, bad, count, good, notable, plain};
use super::exit::Exit;
use super::moment::Since;
use super::shop::Where;

/// Compares the shop with Stripe and records what was missed
#[derive(Args)]
#[command(long_about = ABOUT)]
pub(super) struct Reconcile {
    /// Report what is missing, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Look further back, at all events made since, to bring back what was lost: 2026-11-24,
    /// 2026-11-24T09:30:00Z, 7d, 12h
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

const ABOUT: &str = "\
Compares the shop with Stripe and records what was missed, as the scheduled function does.

It looks at events whose delivery failed, at all events since the last run, and at every purchase of
which something is still to come. The first run looks back as far as the purchases table is old.
Purchases that were lost with a table come back with --since; Stripe keeps events for 30 days. Their
mail is held until somebody says `till purchases confirm`.

With --dry-run nothing is written, and what is missing is a drift
report; exit code 3 says that there is some.";

impl Reconcile {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.at.open().await?;
        let function = match self.dry_run {
            true => Function::dry_run(&shop.environment).await?,
            false => {
                shop.announce_writing(self.console);
                Function::new(&shop.environment).await?
            }
        };
        let limits = Limits {
            since: self.since.map(|since| since.0.unix_timestamp()),
            ..Limits::default()
        };
        let looking = self.console.counter("events and purchases looked at:");
        let run = function.run(limits, |so_far| {
            looking.set_position(so_far.events.saturating_add(so_far.purchases));
        });
        let findings = run.await;
        looking.finish_and_clear();
        let mut findings = findings?;
        // A dry run finds an undelivered event again among all events.
        let mut seen = std::collections::HashSet::new();
        findings
            .drift
            .retain(|drift| seen.insert(drift.source.clone()));

        #[derive(Serialize)]
        struct Told<'a> {
            dry_run: bool,
            #[serde(flatten)]
            findings: &'a Findings,
        }
        let told = Told {
            dry_run: self.dry_run,
            findings: &findings,
        };
        self.console.show(&told, || self.words(&findings))?;
        let is_drift = self.dry_run && !findings.drift.is_empty();
        let is_open = findings.parked > 0 || findings.failed > 0 || !findings.complete;
        Ok(match is_drift || is_open {
            true => Exit::Found,
            false => Exit::Done,
        })
    }

    fn words(&self, findings: &Findings) -> String {
        let mut table = Table::new([
            Column::left("TOLD BY").giving_way(),
            Column::left("PURCHASE"),
            Column::left(if self.dry_run { "SHOULD BE" } else { "IS NOW" }),
        ]);
        for Drift {
            source,
            subject,
            status,
            ..
        } in &findings.drift
        {
            table.row([
                plain(source),
                subject.to_string(),
                super::purchases::view::status(*status),
            ]);
        }
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let looked = format!(
            "{} and {} compared with Stripe: ",
            count(number(findings.events), "event"),
            count(number(findings.purchases), "purchase"),
        );
        let missed = match (findings.drift.len(), self.dry_run) {
            (0, _) => good("nothing was missed"),
            (missed, true) => notable(&format!("{missed} missed, nothing was written")),
            (missed, false) => good(&format!("{missed} missed and recorded now")),
        };
        let mut text = format!("{}{looked}{missed}.\n", table.text());
        for (number, what) in [
            (
                findings.parked,
                "events cannot be read; `till events parked` shows them",
            ),
            (findings.failed, "could not be looked at; run it again"),
        ] {
            if number > 0 {
                text.push_str(&bad(&format!("{number} {what}.")));
                text.push('\n');
            }
        }
        text
    }
}
