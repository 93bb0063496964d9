//! `till mails`: mail that was not sent, and resending it.

use std::collections::BTreeSet;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use shared::store::operator::{Listed, Mails};
use shared::store::outbox::State;
use window::mails::{ListedView, in_states};

use super::console::{Column, Table, count, dim, good, plain};
use super::exit::{Exit, NotFound};
use super::moment::minute;
use super::operator::Operator;
use super::purchases::view::mail_state;
use super::shop::Shop;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List mail that was given up or is not sent yet, and why
    #[command(long_about = LIST)]
    List(List),
    /// Resend mail that was given up, or that is waiting for its next attempt
    #[command(long_about = RESEND)]
    Resend(Resend),
}

const LIST: &str = "\
List mail that was given up or is not sent yet, oldest first, with the reason; and events for other
systems (event#…) that were given up or are not published yet.

It reads the whole outbox table, which the functions may not do. Mail that was sent or superseded is
kept for 90 days; mail that was given up, until somebody resends it.";

const RESEND: &str = "\
Resend mail that was given up, once you have fixed what kept it from going out, such as an unverified
sender. The mailer sends it within a minute, with all its attempts renewed.

Mail that is not given up yet waits up to six hours between attempts; name it here to send it at once.
Mail that was sent is never sent again.";

#[derive(Args)]
pub(super) struct List {
    /// Only mail in this state; may be repeated [default: failed and due]
    #[arg(long, value_enum)]
    state: Vec<Wanted>,
    #[command(flatten)]
    operator: Operator,
}

/// [`State`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Wanted {
    Due,
    Held,
    Failed,
    Sent,
    Superseded,
}

impl From<Wanted> for State {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Due => Self::Due,
            Wanted::Held => Self::Held,
            Wanted::Failed => Self::Failed,
            Wanted::Sent => Self::Sent,
            Wanted::Superseded => Self::Superseded,
        }
    }
}

#[derive(Args)]
#[group(id = "which", required = true, multiple = true)]
pub(super) struct Resend {
    /// Mails, as `till mails list` names them: PURCHASE#MAIL
    #[arg(group = "which", conflicts_with_all = ["all_failed", "all_waiting"], value_name = "MAIL")]
    ids: Vec<String>,
    /// All mail that was given up
    #[arg(long, group = "which")]
    all_failed: bool,
    /// All mail that waits for its next attempt
    #[arg(long, group = "which")]
    all_waiting: bool,
    #[command(flatten)]
    operator: Operator,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.run().await,
            Self::Resend(resend) => resend.run().await,
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let is_default = self.state.is_empty();
        let wanted: BTreeSet<_> = match is_default {
            true => [Wanted::Failed, Wanted::Due].into(),
            false => self.state.iter().copied().collect(),
        };
        let wanted: Vec<_> = wanted.into_iter().map(State::from).collect();
        let mails = in_states(&shop.mails()?, &wanted).await?;
        let views: Vec<_> = mails.iter().map(ListedView::of).collect();
        let mut table = Table::new([
            Column::left("CREATED (UTC)"),
            Column::left("MAIL"),
            Column::left("STATE"),
        ]);
        for mail in &mails {
            table.row([
                mail.created_at.map_or(String::new(), minute),
                plain(&mail.id),
                mail_state(mail.state, mail.attempts),
            ]);
            if let Some(reason) = &mail.reason {
                let next = mail.next_attempt.map(minute);
                let next = next.map_or(String::new(), |next| format!("; next attempt {next}"));
                table.note(format!("{}{next}", plain(reason)));
            }
        }
        let none = match is_default {
            true => "No mail was given up, and none is waiting.",
            false => "There is no such mail.",
        };
        self.operator.list("mails", &views, &table, none)?;
        let is_stuck = |mail: &Listed| match mail.state {
            State::Failed => true,
            State::Due => mail.reason.is_some(),
            State::Held | State::Sent | State::Superseded => false,
        };
        Ok(match mails.iter().any(is_stuck) {
            true => Exit::Found,
            false => Exit::Done,
        })
    }
}

/// What became of a mail.
#[derive(Serialize)]
struct Resent {
    id: String,
    /// Whether it is due now. If not, it was sent, or is within minutes.
    resent: bool,
}

impl Resend {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let outbox = shop.mails()?;
        let ids = match self.ids.is_empty() {
            true => self.all(&outbox).await?,
            false => self.named(&shop, &outbox).await?,
        };
        shop.announce_writing();
        let mut mails = Vec::new();
        for id in ids {
            let resent = outbox.resend(&id, shop.now()).await?;
            mails.push(Resent { id, resent });
        }
        let mut table = Table::new([Column::left("MAIL"), Column::left("OUTCOME")]);
        for Resent { id, resent } in &mails {
            let outcome = match resent {
                true => good("goes out within a minute"),
                false => dim("is on its way, or was sent"),
            };
            table.row([plain(id), outcome]);
        }
        let none = "There is no such mail.";
        self.operator.list("mails", &mails, &table, none)?;
        Ok(Exit::Done)
    }

    async fn all(&self, outbox: &Mails) -> anyhow::Result<Vec<String>> {
        let failed = self.all_failed.then_some(State::Failed);
        let waiting = self.all_waiting.then_some(State::Due);
        let states: Vec<_> = failed.into_iter().chain(waiting).collect();
        let mails = in_states(outbox, &states).await?;
        // What was never tried is about to be.
        let mails = mails
            .into_iter()
            .filter(|mail| mail.reason.is_some() || mail.state == State::Failed);
        Ok(mails.map(|mail| mail.id).collect())
    }

    /// Those that were named, each of which must be there before any is sent again.
    async fn named(&self, shop: &Shop, outbox: &Mails) -> anyhow::Result<Vec<String>> {
        let known = in_states(outbox, &[State::Failed, State::Due]).await?;
        let known: BTreeSet<_> = known.into_iter().map(|mail| mail.id).collect();
        let unknown: Vec<_> = self.ids.iter().filter(|id| !known.contains(*id)).collect();
        if let Some(first) = unknown.first() {
            let others = match unknown.len() {
                1 => String::new(),
                more => format!(" (nor {})", count(more.saturating_sub(1), "other")),
            };
            bail!(NotFound(format!(
                "there is no unsent mail {first}{others} in {}: `till mails list` lists what was given \
                 up or waits",
                shop.name()
            )));
        }
        Ok(self.ids.clone())
    }
}
