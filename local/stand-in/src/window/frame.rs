//! What every page has: which account is looked at, and how that stands.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Path};
use axum::response::Redirect;
use http::request::Parts;
use time::OffsetDateTime;

use crate::account::object::Account;
use crate::engine::clock;
use crate::engine::resource::Cause;
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::stand_in::StandIn;
use crate::webhook::queue;
use crate::window::place::PATH;
use crate::window::trouble::Trouble;

/// A look at one account.
pub(super) struct View {
    pub(super) account: Account,
    pub(super) stand_in: StandIn,
}

impl FromRequestParts<StandIn> for View {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, stand_in: &StandIn) -> Result<Self, Trouble> {
        let params = Path::<BTreeMap<String, String>>::from_request_parts(parts, stand_in).await;
        let id = params
            .ok()
            .and_then(|Path(mut params)| params.remove("account"))
            .unwrap_or_default();
        let mut accounts = stand_in.accounts().into_iter();
        match accounts.find(|account| account.0.id.as_str() == id) {
            Some(account) => Ok(Self {
                account,
                stand_in: stand_in.clone(),
            }),
            None => Err(Trouble::NoSuch {
                kind: "account",
                id,
                back: PATH.to_owned(),
            }),
        }
    }
}

/// What the templates' frame shows.
pub(super) struct Frame {
    /// The path that the account's pages begin with.
    pub(super) base: String,
    pub(super) section: Section,
    /// What stands in the search field.
    pub(super) searched: String,
    pub(super) account: AccountView,
    /// All accounts, the default one first.
    pub(super) accounts: Vec<AccountView>,
    /// How far the clock is ahead, such as `1 day 2 hours`.
    pub(super) ahead: Option<String>,
    /// The account's date: what has no other is from today.
    pub(super) today: String,
    pub(super) held: bool,
    pub(super) faults: usize,
}

/// An account, as its link shows it.
#[derive(PartialEq, Eq)]
pub(super) struct AccountView {
    pub(super) id: String,
    pub(super) name: String,
}

impl AccountView {
    fn of(account: &Account) -> Self {
        Self {
            id: account.0.id.to_string(),
            name: account.0.name.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Requests,
    Objects,
    Events,
    Switches,
    Search,
}

impl View {
    /// The path that the account's pages begin with.
    pub(super) fn base(&self) -> String {
        format!("{PATH}/{}", self.account.0.id)
    }

    /// The address that the API is at.
    pub(super) fn address(&self) -> String {
        let url = self.account.0.settings.public_url.as_str();
        url.trim_end_matches('/').to_owned()
    }

    /// Where a pressed button leads.
    pub(super) fn back_to(&self, page: &str) -> Redirect {
        Redirect::to(&format!("{}/{page}", self.base()))
    }

    pub(super) fn no_such(&self, kind: &'static str, id: &str) -> Trouble {
        Trouble::NoSuch {
            kind,
            id: id.to_owned(),
            back: self.base(),
        }
    }

    /// Reads in one transaction, after what has been answered so far is in the log.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let account = self.account.clone();
        let read = move |transaction: &Transaction<'_>| {
            account.0.unwritten.write(transaction)?;
            work(transaction)
        };
        self.account.transact(Cause::default(), read).await
    }

    pub(super) async fn frame(&self, section: Section, searched: &str) -> anyhow::Result<Frame> {
        let stand = |transaction: &Transaction<'_>| {
            let ahead = clock::ahead(transaction.sql)?;
            Ok((ahead, queue::is_held(transaction)?, transaction.account_now))
        };
        let (ahead, held, now) = self.read(stand).await?;
        let accounts = self.stand_in.accounts().into_iter();
        Ok(Frame {
            base: self.base(),
            section,
            searched: searched.to_owned(),
            account: AccountView::of(&self.account),
            accounts: accounts.map(|account| AccountView::of(&account)).collect(),
            ahead: (ahead > 0).then(|| span(ahead)),
            today: Moment::of(now).date,
            held,
            faults: self.account.0.faults.all().len(),
        })
    }
}

impl Frame {
    pub(super) fn is(&self, section: Section) -> bool {
        self.section == section
    }

    pub(super) fn is_default(&self, account: &AccountView) -> bool {
        self.accounts.first().is_some_and(|first| first == account)
    }
}

/// A moment, by the stand-in's clock.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) date: String,
    pub(super) time: String,
}

impl Moment {
    pub(super) fn of(seconds: Timestamp) -> Self {
        let moment =
            OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (hour, minute, second) = moment.to_hms();
        Self {
            date: moment.date().to_string(),
            time: format!("{hour:02}:{minute:02}:{second:02}"),
        }
    }
}

/// A length of time in words, its two largest units.
pub(super) fn span(seconds: i64) -> String {
    const UNITS: [(i64, &str); 4] = [
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        let count = rest.checked_div(unit).unwrap_or_default();
        rest = rest.checked_rem(unit).unwrap_or_default();
        match count {
            0 => {}
            1 => parts.push(format!("1 {name}")),
            _ => parts.push(format!("{count} {name}s")),
        }
    }
    parts.truncate(2);
    match parts.is_empty() {
        true => "0 seconds".to_owned(),
        false => parts.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        assert_eq!(span(0), "0 seconds");
        assert_eq!(span(1), "1 second");
        assert_eq!(span(3_660), "1 hour 1 minute");
        assert_eq!(span(2 * 86_400 + 59), "2 days 59 seconds");
        assert_eq!(span(86_400 + 7_200 + 61), "1 day 2 hours");
    }
}
