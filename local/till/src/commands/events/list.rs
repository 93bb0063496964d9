//! `till events parked`.

use clap::Args;
use window::parked::ParkedView;

use super::parked::with_progress;
use crate::commands::console::{Column, Table, plain};
use crate::commands::exit::Exit;
use crate::commands::moment::{Since, minute};
use crate::commands::operator::Operator;

#[derive(Args)]
pub(in crate::commands) struct List {
    /// Only events that Stripe created since TIME, such as 2026-11-24, 7d or 12h [default: 90 days, as long as they are kept]
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    #[command(flatten)]
    operator: Operator,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let events = with_progress(&shop, self.since).await?;
        let views: Vec<_> = events.iter().map(ParkedView::of).collect();
        let mut table = Table::new([
            Column::left("PARKED (UTC)"),
            Column::left("EVENT").giving_way(),
            Column::left("TYPE").giving_way(),
            Column::left("WHY").giving_way(),
        ]);
        for (event, view) in events.iter().zip(&views) {
            table.row([
                minute(event.parked_at),
                plain(&view.id),
                plain(view.kind.as_deref().unwrap_or("–")),
                plain(&view.why),
            ]);
        }
        let none = "No events are parked.";
        self.operator.list("events", &views, &table, none)?;
        Ok(if events.is_empty() {
            Exit::Done
        } else {
            Exit::Found
        })
    }
}
