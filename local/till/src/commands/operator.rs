//! Who gives a command: which shop they mean, and how they want to be answered. Each command has an
//! [`Operator`] beside its own arguments.

use std::collections::BTreeMap;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use shared::plain;

use super::console::{Table, print};
use super::place::Place;
use super::shop::Shop;

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub(super) struct Operator {
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Operator {
    /// The shop they mean, which has been seen to be there.
    pub(super) async fn shop(&self) -> anyhow::Result<Shop> {
        self.place.open().await
    }

    /// Whether they mean a deployed shop.
    pub(super) fn means_a_stack(&self) -> bool {
        self.place.is_a_stack()
    }

    /// Where the shop on this machine is, if that is what they mean: `http://127.0.0.1:3000`.
    pub(super) fn address_here(&self) -> String {
        self.place.address_here()
    }

    /// Prints a result: as JSON if that is asked for, else in words.
    pub(super) fn show(
        &self,
        result: &impl Serialize,
        words: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.json {
            let json = serde_json::to_string_pretty(result)
                .context("the result cannot be written as JSON")?;
            print(&format!("{}\n", plain::json(&json)))
        } else {
            print(&words())
        }
    }

    /// Prints what was found: as JSON, `items` under their name; in words, a table, or a sentence if
    /// it has no rows.
    pub(super) fn list(
        &self,
        name: &str,
        items: &impl Serialize,
        table: &Table,
        none: &str,
    ) -> anyhow::Result<()> {
        self.show(&BTreeMap::from([(name, items)]), || table.text_or(none))
    }
}
