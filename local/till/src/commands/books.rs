//! `till books`: what went through the shop's Stripe account, day by day, and whether it adds up to
//! the balance that Stripe states.

use std::collections::BTreeMap;

use anyhow::bail;
use clap::Args;
use serde::{Deserialize, Serialize};
use shared::money::{Currency, Money};
use shared::stripe::client::{Client as Stripe, LONGEST_PAGE, List, StripeError};

use super::console::{Column, Table, bad, counter, note, write_out};
use super::exit::Exit;
use super::moment::{Since, day};
use super::operator::Operator;

pub(super) const ABOUT: &str = "\
Show what went through the shop's Stripe account, day by day (UTC) and by the currency in which it is
settled: payments, refunds, disputes, what else moved, Stripe's fees, and what was paid out.

These are the account's own balance transactions, so they are complete to the cent, and include what
else the account is used for. The balance that Stripe states now, less what moved since, is the
balance at the end of the period. A restricted key needs Balance: Read.";

#[derive(Args)]
pub(super) struct Books {
    /// Only what moved since TIME, such as 2026-11-01, 2026-11-24T09:30:00Z or 30d [default: all]
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only what moved before TIME [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<Since>,
    /// Print the days as CSV, with amounts in major units
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    operator: Operator,
}

/// One of Stripe's balance transactions.
#[derive(Clone, Debug, Deserialize)]
struct Transaction {
    id: String,
    created: i64,
    currency: Currency,
    amount: i64,
    fee: i64,
    net: i64,
    reporting_category: String,
}

/// What moved on one day in one currency, in minor units; what goes out is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Day {
    payments: i64,
    refunds: i64,
    disputes: i64,
    /// What Stripe kept, with each of these and by itself.
    fees: i64,
    other: i64,
    /// All of the above.
    net: i64,
    /// Between the account and the seller's bank.
    payouts: i64,
}

/// What a currency's balance was at the ends of the period.
#[derive(Clone, Copy, Debug, Serialize)]
struct Balance {
    before: Money,
    after: Money,
}

impl Day {
    /// Adds a transaction, by Stripe's page *Reporting categories*.
    fn add(&mut self, transaction: &Transaction) {
        let Transaction { amount, fee, .. } = *transaction;
        let place = match transaction.reporting_category.as_str() {
            "charge" | "charge_failure" | "partial_capture_reversal" => &mut self.payments,
            "refund" | "refund_failure" => &mut self.refunds,
            "dispute" | "dispute_reversal" => &mut self.disputes,
            "fee" | "network_cost" => &mut self.fees,
            "payout" | "payout_reversal" => &mut self.payouts,
            _ => &mut self.other,
        };
        *place = place.saturating_add(amount);
        self.fees = self.fees.saturating_sub(fee);
        self.net = [
            self.payments,
            self.refunds,
            self.disputes,
            self.fees,
            self.other,
        ]
        .into_iter()
        .fold(0, i64::saturating_add);
    }

    /// Its amounts, as the columns show them.
    fn amounts(&self) -> [i64; 7] {
        [
            self.payments,
            self.refunds,
            self.disputes,
            self.other,
            self.fees,
            self.net,
            self.payouts,
        ]
    }
}

const COLUMNS: [&str; 9] = [
    "day", "currency", "payments", "refunds", "disputes", "other", "fees", "net", "payouts",
];

/// By day, as `2026-11-24`, and currency.
type Days = BTreeMap<(String, Currency), Day>;

/// How often everything is read again because money moved meanwhile.
const TRIES: u32 = 5;

impl Books {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let since = self.since.map(|since| since.0.unix_timestamp());
        let until = self
            .until
            .map_or(i64::MAX, |until| until.0.unix_timestamp());
        let (balances, transactions) = read(&shop.stripe().await?, since).await?;
        let (days, balances) = close(balances, &transactions, until);
        if self.csv {
            write_out(&csv(&days)?)?;
        } else {
            self.show(&days, &balances)?;
        }
        // All of the past begins with nothing.
        let begins_with_nothing = balances.iter().all(|balance| balance.before.amount == 0);
        if since.is_some() || begins_with_nothing {
            return Ok(Exit::Done);
        }
        note(&bad(
            "All that ever moved does not come to the balance that Stripe states.",
        ));
        Ok(Exit::Found)
    }

    fn show(&self, days: &Days, balances: &[Balance]) -> anyhow::Result<()> {
        #[derive(Serialize)]
        struct Row<'a> {
            day: &'a str,
            currency: Currency,
            #[serde(flatten)]
            moved: &'a Day,
        }
        #[derive(Serialize)]
        struct Account<'a> {
            days: Vec<Row<'a>>,
            balances: &'a [Balance],
        }
        let rows = days.iter().map(|((day, currency), moved)| Row {
            day,
            currency: *currency,
            moved,
        });
        let account = Account {
            days: rows.collect(),
            balances,
        };
        self.operator.show(&account, || {
            let mut text = table(days).text_or("Nothing has moved.");
            for Balance { before, after } in balances {
                text.push_str(&format!(
                    "\nbalance before  {before}\nbalance after   {after}\n"
                ));
            }
            text
        })
    }
}

/// What Stripe states as the balance now, by currency, and all transactions since then that lead to
/// it, newest first.
async fn read(
    stripe: &Stripe,
    since: Option<i64>,
) -> anyhow::Result<(BTreeMap<Currency, i64>, Vec<Transaction>)> {
    for _ in 0..TRIES {
        let stated = balances(stripe).await?;
        let transactions = transactions(stripe, since).await?;
        if balances(stripe).await? == stated {
            return Ok((stated, transactions));
        }
    }
    bail!("the balance kept changing while the transactions were read; try again later")
}

async fn balances(stripe: &Stripe) -> Result<BTreeMap<Currency, i64>, StripeError> {
    #[derive(Deserialize)]
    struct Stated {
        available: Vec<Part>,
        pending: Vec<Part>,
    }
    #[derive(Deserialize)]
    struct Part {
        amount: i64,
        currency: Currency,
    }
    let stated: Option<Stated> = stripe.get("/balance", &[]).await?;
    let parts = stated.map(|stated| stated.available.into_iter().chain(stated.pending));
    let mut balances = BTreeMap::<_, i64>::new();
    for Part { amount, currency } in parts.into_iter().flatten() {
        let balance = balances.entry(currency).or_default();
        *balance = balance.saturating_add(amount);
    }
    Ok(balances)
}

async fn transactions(
    stripe: &Stripe,
    since: Option<i64>,
) -> Result<Vec<Transaction>, StripeError> {
    let reading = counter("transactions read:");
    let since = since.map(|since| since.to_string());
    let mut transactions = Vec::<Transaction>::new();
    loop {
        let mut query = vec![("limit", LONGEST_PAGE)];
        query.extend(since.as_deref().map(|since| ("created[gte]", since)));
        let last = transactions.last().map(|last| last.id.clone());
        query.extend(last.as_deref().map(|last| ("starting_after", last)));
        let page: List<Transaction> = stripe.list("/balance_transactions", &query).await?;
        reading.inc(page.data.len().try_into().unwrap_or_default());
        let is_last = !page.has_more || page.data.is_empty();
        transactions.extend(page.data);
        if is_last {
            reading.finish_and_clear();
            return Ok(transactions);
        }
    }
}

/// The days before `until`, and the balances at the ends of that period, by the balances of now.
fn close(
    now: BTreeMap<Currency, i64>,
    transactions: &[Transaction],
    until: i64,
) -> (Days, Vec<Balance>) {
    let (mut days, mut after) = (Days::new(), now);
    let mut moved = BTreeMap::<Currency, i64>::new();
    for transaction in transactions {
        let Transaction { currency, net, .. } = *transaction;
        let after = after.entry(currency).or_default();
        if transaction.created >= until {
            *after = after.saturating_sub(net);
            continue;
        }
        let moved = moved.entry(currency).or_default();
        *moved = moved.saturating_add(net);
        let place = (day(transaction.created), currency);
        days.entry(place).or_default().add(transaction);
    }
    let balances = after.into_iter().map(|(currency, after)| {
        let moved = moved.get(&currency).copied().unwrap_or_default();
        Balance {
            before: Money::new(after.saturating_sub(moved), currency),
            after: Money::new(after, currency),
        }
    });
    (days, balances.collect())
}

fn table(days: &Days) -> Table {
    let mut table = Table::new([
        Column::left("DAY (UTC)"),
        Column::left("CURRENCY"),
        Column::right("PAYMENTS"),
        Column::right("REFUNDS"),
        Column::right("DISPUTES"),
        Column::right("OTHER"),
        Column::right("FEES"),
        Column::right("NET"),
        Column::right("PAYOUTS"),
    ]);
    for row in rows(days) {
        table.row(row);
    }
    table
}

fn csv(days: &Days) -> anyhow::Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for row in rows(days) {
        table.write_record(row)?;
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

/// A row for each day and currency, with amounts in major units.
fn rows(days: &Days) -> impl Iterator<Item = Vec<String>> {
    days.iter().map(|((day, currency), moved)| {
        let code = currency.as_str().to_uppercase();
        let amounts = moved.amounts();
        let amounts = amounts.map(|amount| Money::new(amount, *currency).major_units());
        [day.clone(), code].into_iter().chain(amounts).collect()
    })
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CATEGORIES: [&str; 8] = [
        "charge",
        "refund",
        "refund_failure",
        "dispute",
        "dispute_reversal",
        "fee",
        "payout",
        "something_new",
    ];

    prop_compose! {
        fn transaction()(
            created in 0..20 * 24 * 3600_i64,
            currency in prop::sample::select(vec!["usd", "jpy"]),
            category in prop::sample::select(CATEGORIES.to_vec()),
            amount in -100_000..100_000_i64,
            fee in 0..1000_i64,
        ) -> Transaction {
            Transaction {
                id: "txn_1".to_owned(),
                created,
                currency: currency.parse().unwrap(),
                amount,
                fee,
                net: amount - fee,
                reporting_category: category.to_owned(),
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_gets_lost_between_the_balances_at_both_ends(
            transactions in prop::collection::vec(transaction(), 0..40),
            until in 0..25 * 24 * 3600_i64,
        ) {
            let mut now = BTreeMap::<Currency, i64>::new();
            for one in &transactions {
                *now.entry(one.currency).or_default() += one.net;
            }
            let (days, balances) = close(now, &transactions, until);
            for Balance { before, after } in balances {
                prop_assert_eq!(before.amount, 0);
                let here = days.iter().filter(|((_, currency), _)| *currency == after.currency);
                let moved: i64 = here.map(|(_, day)| day.net + day.payouts).sum();
                prop_assert_eq!(moved, after.amount);
            }
            for day in days.values() {
                let parts = day.payments + day.refunds + day.disputes + day.other + day.fees;
                prop_assert_eq!(parts, day.net);
            }
        }
    }
}
