//! `/v1/customers/{customer}/cash_balance`, what fills it, and what uses it by hand.

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::cash_balance::instructions::instructions;
use crate::cash_balance::object::Reconciliation;
use crate::cash_balance::{book, life};
use crate::engine::resource::Object as _;
use crate::payment::action::Action;
use crate::payment::bank_transfer::kind_of;
use crate::payment::customer as customers;
use crate::payment::intent::{IntentState, PaymentIntent, WrongState};
use crate::payment::intents_api::{find, unexpected};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["customers", customer, "cash_balance"]) => {
            Box::new(move |params| retrieve(customer, params))
        }
        ("POST", ["customers", customer, "cash_balance"]) => {
            Box::new(move |params| update(customer, params))
        }
        ("POST", ["customers", customer, "funding_instructions"]) => {
            Box::new(move |params| instruct(customer, params))
        }
        ("POST", ["test_helpers", "customers", customer, "fund_cash_balance"]) => {
            Box::new(move |params| fund(customer, params))
        }
        ("POST", ["payment_intents", id, "apply_customer_balance"]) => {
            Box::new(move |params| apply(id, params))
        }
        _ => return None,
    })
}

fn retrieve(customer: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = &customers::named(transaction, customer)?;
        Ok(book::balance(transaction, customer)?.answer())
    }))
}

fn update(customer: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let mut settings = params.object("settings")?;
    let modes = ["automatic", "manual", "merchant_default"];
    let mode = settings.choice("reconciliation_mode", &modes)?;
    settings.finish()?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = &customers::named(transaction, customer)?;
        let mut balance = book::balance(transaction, customer)?;
        balance.reconciliation = match mode.as_deref() {
            None => balance.reconciliation,
            Some("automatic") => Some(Reconciliation::Automatic),
            Some("manual") => Some(Reconciliation::Manual),
            Some(_) => None,
        };
        transaction.put(&balance)?;
        Ok(balance.answer())
    }))
}

fn instruct(customer: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let currency = params.currency("currency").required(&params, "currency")?;
    params
        .choice("funding_type", &["bank_transfer"])
        .required(&params, "funding_type")?;
    let mut transfer = params
        .optional_object("bank_transfer")
        .required(&params, "bank_transfer")?;
    let kind = transfer.text("type").required(&transfer, "type")?;
    transfer.texts("requested_address_types")?;
    let mut eu = transfer.object("eu_bank_transfer")?;
    let countries = ["BE", "DE", "ES", "FR", "IE", "NL"];
    let country = eu.choice("country", &countries)?;
    if kind != kind_of(currency) {
        return Err(ApiError::invalid(format!(
            "{kind} cannot bring {currency}: use {}.",
            kind_of(currency)
        ))
        .param(transfer.name("type")));
    }
    eu.finish()?;
    transfer.finish()?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = &customers::named(transaction, customer)?;
        Ok(instructions(customer, currency, country.as_deref()))
    }))
}

fn fund(customer: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let currency = params.currency("currency").required(&params, "currency")?;
    let amount = params
        .integer_within("amount", 1, currency.maximum().minor_units())
        .required(&params, "amount")
        .map(Amount::new)?;
    let reference = params.short_text("reference", 5_000)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = &customers::named(transaction, customer)?;
        let funded = life::fund(transaction, customer, amount, currency, reference)?;
        Ok(funded.answer())
    }))
}

/// Pays for an intent with what its customer has, as the shop wishes.
fn apply(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let amount = params
        .integer_within("amount", 1, i64::MAX)?
        .map(Amount::new);
    let currency = params.currency("currency")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = find(transaction, id)?;
        let missing = missing(&intent)?;
        check_currency(&intent, currency)?;
        let amount = amount.unwrap_or(missing);
        if amount > missing {
            return Err(ApiError::invalid(format!(
                "The amount cannot be greater than the amount remaining on this PaymentIntent, {}.",
                intent.currency.display(missing)
            ))
            .code("amount_too_large")
            .param("amount"));
        }
        let available = match &intent.terms.customer {
            Some(customer) => book::balance(transaction, customer)?.in_currency(intent.currency),
            None => Amount::ZERO,
        };
        if amount > available {
            return Err(ApiError::invalid(format!(
                "The customer's cash balance does not cover this amount: it has {}.",
                intent.currency.display(available)
            ))
            .code("balance_insufficient")
            .param("amount"));
        }
        life::apply(transaction, &mut intent, amount)?
            .map_err(|WrongState| not_waiting(&intent))?;
        Ok(find(transaction, id)?.answer())
    }))
}

/// What an intent waits for, if it waits for a transfer.
fn missing(intent: &PaymentIntent) -> Result<Amount, ApiError> {
    match &intent.state {
        IntentState::RequiresAction(Action::BankTransfer(waits)) => {
            Ok(intent.amount.minus(waits.funded))
        }
        _ => Err(not_waiting(intent)),
    }
}

fn not_waiting(intent: &PaymentIntent) -> ApiError {
    let message = format!(
        "You cannot apply a customer's balance to this PaymentIntent because it is not waiting \
         for a bank transfer: its status is {}. Confirm it with a payment method of the type \
         customer_balance first.",
        intent.state.as_str()
    );
    unexpected(intent, &message)
}

fn check_currency(intent: &PaymentIntent, given: Option<Currency>) -> Result<(), ApiError> {
    match given {
        Some(currency) if currency != intent.currency => Err(ApiError::invalid(format!(
            "The currency must match the currency of the PaymentIntent, {}.",
            intent.currency
        ))
        .param("currency")),
        _ => Ok(()),
    }
}
