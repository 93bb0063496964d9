//! `till clock`: what time it is for the shop on this machine, and moving it forward.

use clap::Subcommand;

use super::console::{count, dim, heading, plain};
use super::exit::Exit;
use super::moment::{lasting, minute, month, rfc3339};
use super::operator::Operator;
use crate::account::stand_in::{Clock, Happened};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Tell the time of the shop on this machine
    Show {
        #[command(flatten)]
        operator: Operator,
    },
    /// Move it forward, and tell what happened at Stripe on the way
    #[command(long_about = ADVANCE)]
    Advance {
        /// How far: 90s, 30m, 3h, 1d, 2w, 1mo or 1y, at most a year
        #[arg(value_name = "SPAN")]
        span: String,
        #[command(flatten)]
        operator: Operator,
    },
}

const ADVANCE: &str = "\
Move the clock of the shop on this machine forward, and tell what happened at Stripe on the way, month
by month.

The shop and its Stripe stand-in have one clock. Subscriptions renew, sessions expire, deliveries are
tried again and banks decide, each at its moment; and the shop's functions go by the new time from now
on. A month or a year is as long as the calendar makes it. The clock never goes back.";

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Show { operator } => {
                let clock = operator.shop().await?.stand_in()?.clock().await?;
                operator.show(&clock, || now(&clock))?;
            }
            Self::Advance { span, operator } => {
                let clock = operator.shop().await?.stand_in()?.advance(&span).await?;
                operator.show(&clock, || {
                    format!("{}\n{}", months(&clock.happened), now(&clock))
                })?;
            }
        }
        Ok(Exit::Done)
    }
}

/// "It is 2027-01-31T12:00:00Z, 62 days ahead of this machine."
fn now(clock: &Clock) -> String {
    let ahead = match clock.ahead {
        0 => "as it is on this machine".to_owned(),
        ahead => format!("{} ahead of this machine", lasting(ahead)),
    };
    format!("It is {}, {ahead}.\n", rfc3339(clock.now))
}

/// What happened, with a heading for each month.
fn months(happened: &[Happened]) -> String {
    let mut text = String::new();
    for events in happened.chunk_by(|one, next| month(one.at) == month(next.at)) {
        let name = events.first().map(|it| month(it.at)).unwrap_or_default();
        let many = dim(&count(events.len(), "event"));
        text.push_str(&format!("{} {many}\n", heading(&name)));
        for Happened {
            at,
            event_type,
            object,
        } in events
        {
            let (event_type, object) = (plain(event_type), dim(&plain(object)));
            text.push_str(&format!("  {}  {event_type:34} {object}\n", minute(*at)));
        }
    }
    if text.is_empty() {
        text.push_str("Nothing happened at Stripe on the way.\n");
    }
    text
}
