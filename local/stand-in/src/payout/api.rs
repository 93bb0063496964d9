//! `/v1/payouts`.

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::ids::AccountId;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payout::bank_account::BankAccount;
use crate::payout::life::{self, Insufficient, NewPayout, WrongState};
use crate::payout::object::Payout;
use crate::webhook::record::record_change;
use crate::wire::answer::{Asked, Route, Settings, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    let settings = asked.settings;
    Some(match (asked.method, asked.path) {
        ("POST", ["payouts"]) => Box::new(move |params| create(params, settings)),
        ("POST", ["payouts", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["payouts", id, "cancel"]) => Box::new(move |params| cancel(id, params)),
        ("POST", ["payouts", id, "reverse"]) => Box::new(move |params| reverse(id, params)),
        _ => return None,
    })
}

fn create(mut params: Params, settings: &Settings) -> Result<Work<'_>, ApiError> {
    let currency = params.currency("currency").required(&params, "currency")?;
    let amount = params
        .integer_within("amount", 1, i64::MAX)
        .required(&params, "amount")?;
    let destination = params.text("destination")?;
    let method = params.choice("method", &["standard", "instant"])?;
    let source = params.choice("source_type", &["bank_account", "card", "fpx"])?;
    let new = NewPayout {
        amount: Amount::new(amount),
        description: params.short_text("description", 1_000)?,
        metadata: params.metadata("metadata")?,
        statement_descriptor: params.short_text("statement_descriptor", 22)?,
    };
    params.finish()?;
    if method.as_deref() == Some("instant") {
        return Err(ApiError::invalid(
            "The bank account provided as an external account does not support instant payouts.",
        )
        .code("instant_payouts_unsupported")
        .param("method"));
    }
    Ok(Box::new(move |transaction| {
        let account = &settings.account;
        let destination = destination_of(transaction, account, destination.as_deref(), currency)?;
        // All that is paid here comes to the card's balance.
        let source = source.unwrap_or_else(|| "card".to_owned());
        if source != "card" {
            return Err(insufficient(&source));
        }
        let made = life::create(transaction, new, &destination)?;
        let payout = made.map_err(|Insufficient| insufficient(&source))?;
        Ok(payout.answer())
    }))
}

fn destination_of(
    transaction: &Transaction<'_>,
    account: &AccountId,
    named: Option<&str>,
    currency: Currency,
) -> Result<BankAccount, ApiError> {
    let accounts = life::bank_accounts(transaction, account)?;
    if currency != Currency::SETTLEMENT {
        return Err(ApiError::invalid(format!(
            "Sorry, you don't have any external accounts in that currency ({currency})."
        ))
        .param("currency"));
    }
    let mut accounts = accounts.into_iter();
    match named {
        Some(id) => accounts
            .find(|it| *it.id == *id)
            .ok_or_else(|| ApiError::no_such_param("external account", id, "destination")),
        None => Ok(accounts
            .find(|it| it.is_default)
            .ok_or_else(|| anyhow::anyhow!("no bank account is the default"))?),
    }
}

fn insufficient(source: &str) -> ApiError {
    let source = source.replace('_', " ");
    ApiError::invalid(format!(
        "You have insufficient funds in your Stripe account for this payout. Your {source} balance is too \
         low. You can use the /v1/balance endpoint to view your Stripe balance (for more details, see \
         stripe.com/docs/api#balance)."
    ))
    .code("balance_insufficient")
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let metadata = params.metadata_update("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut payout = find(transaction, id)?;
        let before = payout.answer();
        metadata.apply(&mut payout.metadata)?;
        if payout.answer() != before {
            transaction.put(&payout)?;
            record_change(transaction, "payout.updated", &before, &payout)?;
        }
        Ok(payout.answer())
    }))
}

fn cancel(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut payout = find(transaction, id)?;
        life::cancel(transaction, &mut payout)?.map_err(|WrongState| {
            ApiError::invalid(format!(
                "Payouts can only be canceled while they are pending: {id} is {}.",
                payout.state.as_str()
            ))
        })?;
        Ok(payout.answer())
    }))
}

fn reverse(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let metadata = params.metadata("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut payout = find(transaction, id)?;
        let reversal = life::reverse(transaction, &mut payout, metadata)?;
        let reversal = reversal.map_err(|WrongState| {
            let why = match (&payout.reversed_by, &payout.original_payout) {
                (Some(by), _) => format!("it has been reversed by {by}"),
                (None, Some(of)) => format!("it is itself the reversal of {of}"),
                (None, None) => format!("it is {}", payout.state.as_str()),
            };
            ApiError::invalid(format!(
                "Only payouts that are paid can be reversed, once. {id} cannot: {why}."
            ))
        })?;
        Ok(reversal.answer())
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Payout, ApiError> {
    let payout = transaction.get::<Payout>(id)?;
    payout.ok_or_else(|| ApiError::no_such(Payout::KIND, id).param("payout"))
}
