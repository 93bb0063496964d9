//! `till events parked`.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use shared::store::operator::ParkedEvent;

use super::parked::parked;
use crate::commands::console::{Column, Table, plain};
use crate::commands::exit::Exit;
use crate::commands::moment::{Since, minute, rfc3339};
use crate::commands::operator::Operator;

#[derive(Args)]
pub(in crate::commands) struct List {
    /// Only events that Stripe created since TIME, such as 2026-11-24, 7d or 12h [default: 90 days, as long as they are kept]
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    #[command(flatten)]
    operator: Operator,
}

/// A parked event, as JSON.
#[derive(Serialize)]
struct View {
    id: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    why: String,
    parked_at: String,
    /// Too large to be kept: a replay asks Stripe for it.
    too_large: bool,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let events = parked(&shop.parked()?, self.since).await?;
        let views = events.iter().map(|event| View {
            id: event.id.clone(),
            kind: kind_of(event),
            why: event.why.clone(),
            parked_at: rfc3339(event.parked_at),
            too_large: event.body.is_none(),
        });
        let views: Vec<_> = views.collect();
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

fn kind_of(event: &ParkedEvent) -> Option<String> {
    let body: Value = serde_json::from_slice(event.body.as_deref()?).ok()?;
    Some(body.get("type")?.as_str()?.to_owned())
}
