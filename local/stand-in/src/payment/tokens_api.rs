//! `/v1/tokens`: cards and bank accounts as forms of old integrations send them.

use serde_json::Value;

use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::bank::{BankDebit, Scheme};
use crate::payment::billing::{Address, BillingDetails};
use crate::payment::given::{self, HOLDERS};
use crate::payment::token::{StandsFor, Token};
use crate::payment::typed::{self, TypedCard};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["tokens"]) => Box::new(create_token),
        _ => return None,
    })
}

fn create_token<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    if let Some(account) = params.optional_object("bank_account")? {
        params.finish()?;
        return of_account(account);
    }
    let mut card = params.optional_object("card").required(&params, "card")?;
    let typed = TypedCard::read(&mut card)?;
    let mut part = |field| card.short_text(field, 5_000);
    let billing = BillingDetails {
        address: Address {
            city: part("address_city")?,
            country: part("address_country")?,
            line1: part("address_line1")?,
            line2: part("address_line2")?,
            postal_code: part("address_zip")?,
            state: part("address_state")?,
        },
        name: part("name")?,
        ..BillingDetails::default()
    };
    card.finish()?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let card = typed.check(transaction.now).map_err(given::refused)?;
        keep(transaction, ids::card(), StandsFor::Card(card), billing)
    }))
}

/// Bank accounts are those of the United States, as old integrations debit no others.
fn of_account<'r>(mut account: Params) -> Result<Work<'r>, ApiError> {
    account
        .choice("country", &["US"])
        .required(&account, "country")?;
    account.choice("currency", &["usd"])?;
    let number = account
        .text("account_number")
        .required(&account, "account_number")?;
    let routing = account
        .text("routing_number")
        .required(&account, "routing_number")?;
    account.choice("account_type", &["checking", "savings"])?;
    let holder = account.choice("account_holder_type", HOLDERS)?;
    let billing = BillingDetails {
        name: account.short_text("account_holder_name", 5_000)?,
        ..BillingDetails::default()
    };
    account.finish()?;
    let debit = BankDebit {
        is_companys: holder.as_deref() == Some("company"),
        ..typed::account(Scheme::Ach, &routing, &number)?
    };
    Ok(Box::new(move |transaction| {
        let account = StandsFor::BankAccount(debit);
        keep(transaction, ids::bank_account(), account, billing)
    }))
}

fn keep(
    transaction: &Transaction<'_>,
    source: String,
    stands_for: StandsFor,
    billing: BillingDetails,
) -> Result<Value, ApiError> {
    let token = Token {
        id: match stands_for {
            StandsFor::Card(_) => ids::token(),
            StandsFor::BankAccount(_) => ids::bank_token(),
        },
        source,
        created: transaction.now,
        stands_for,
        billing,
        used: false,
    };
    transaction.put(&token)?;
    Ok(token.answer())
}
