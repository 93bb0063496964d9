//! `till reconcile`: what the scheduled function does, now, and with a report.

use clap::Args;
use reconcile::{Drift, Findings, Limits, Reconcile as Function};
use serde::Serialize;

use super::console::{Column, Table, bad, count, counter, good, notable, plain};
use super::exit::Exit;
use super::moment::Since;
use super::operator::Operator;

#[derive(Args)]
pub(super) struct Reconcile {
    /// Report what is missing, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Look at all events since TIME, to recover what was lost: 2026-11-24, 2026-11-24T09:30:00Z, 7d or 12h
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    #[command(flatten)]
    operator: Operator,
}

pub(super) const ABOUT: &str = "\
Compare the shop with Stripe and record what was missed, as the scheduled function does.

It looks at events whose delivery failed, at all events since the last run, and at every purchase for
which something is still to come. The first run goes back to when the purchases table was created.
Purchases that were lost with a table come back with --since, as far as Stripe keeps events: 30 days.
Their mail is held until you run `till purchases confirm`.

With --dry-run nothing is written, and what is missing is only reported; the exit code is 3 if
anything is.";

impl Reconcile {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let function = match self.dry_run {
            true => Function::dry_run(&shop.environment).await?,
            false => {
                shop.announce_writing();
                Function::new(&shop.environment).await?
            }
        };
        let limits = Limits {
            since: self.since.map(|since| since.0.unix_timestamp()),
            ..Limits::default()
        };
        let looking = counter("events and purchases compared:");
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
        self.operator.show(&told, || self.words(&findings))?;
        let is_drift = self.dry_run && !findings.drift.is_empty();
        let is_open = findings.parked > 0 || findings.failed > 0 || !findings.complete;
        Ok(match is_drift || is_open {
            true => Exit::Found,
            false => Exit::Done,
        })
    }

    fn words(&self, findings: &Findings) -> String {
        let mut table = Table::new([
            Column::left("SOURCE").giving_way(),
            Column::left("OF"),
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
                super::purchases::view::standing(*status),
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
            (missed, true) => notable(&format!("{missed} missed; nothing was written")),
            (missed, false) => good(&format!("{missed} missed and recorded now")),
        };
        let mut text = format!("{}{looked}{missed}.\n", table.text());
        if findings.parked > 0 {
            let parked = count(number(findings.parked), "event");
            let parked = format!("{parked} could not be read; see `till events parked`.\n");
            text.push_str(&bad(&parked));
        }
        if findings.failed > 0 {
            let failed = format!(
                "{} could not be compared; run this again.\n",
                findings.failed
            );
            text.push_str(&bad(&failed));
        }
        text
    }
}
