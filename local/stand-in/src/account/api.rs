//! `/v1/account`, `/v1/accounts/{account}`, `/v1/balance` and what moved it: whose money it is, how much, and how
//! it is taxed.

use serde_json::json;

use crate::account;
use crate::account::currency::Currency;
use crate::account::settings::{BalanceSettings, LEAST_DELAY, MOST_DELAY};
use crate::account::taxes;
use crate::collection;
use crate::description::{Description, project};
use crate::engine::resource::Object as _;
use crate::webhook::record::record_change;
use crate::wire::answer::{Asked, Route, Settings, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    let settings = asked.settings;
    Some(match (asked.method, asked.path) {
        ("GET", ["account"]) => Box::new(move |params| account(params, settings)),
        ("GET", ["accounts", id]) => {
            Box::new(move |params| match *id == settings.account.as_str() {
                true => account(params, settings),
                // There is no account but the key's own.
                false => Err(ApiError::no_such("account", id).param("account")),
            })
        }
        ("GET", ["balance"]) => Box::new(balance),
        ("GET", ["balance_settings"]) => Box::new(balance_settings),
        ("POST", ["balance_settings"]) => Box::new(set_balance),
        ("GET", ["balance_transactions"]) => {
            let list = collection::route(asked)?;
            Box::new(move |params| match params.peek("payout") {
                Some(_) => Ok(Box::new(|_| Err(of_a_manual_payout()))),
                None => list(params),
            })
        }
        _ => return taxes::route(asked),
    })
}

/// There are no payouts but manual ones here, and of those Stripe does not say what went into them.
fn of_a_manual_payout() -> ApiError {
    ApiError::invalid(
        "Balance transaction history can only be filtered on automatic transfers, not manual.",
    )
    .param("payout")
}

/// The account that the secret key belongs to.
fn account(params: Params, settings: &Settings) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let delay = BalanceSettings::of(transaction)?.delay();
        let known = json!({
            "id": settings.account.as_str(),
            "object": "account",
            "business_profile": {
                "annual_revenue": null,
                "estimated_worker_count": null,
                "name": settings.business_name,
                "product_description": null,
            },
            "business_type": null,
            "capabilities": { "card_payments": "active", "transfers": "active" },
            "charges_enabled": true,
            "controller": { "type": "account" },
            "country": "US",
            "created": 1_700_000_000,
            "default_currency": Currency::SETTLEMENT,
            "details_submitted": true,
            "metadata": {},
            "payouts_enabled": true,
            "settings": {
                "branding": {},
                "card_payments": { "decline_on": { "avs_failure": false, "cvc_failure": true } },
                "dashboard": { "display_name": settings.business_name, "timezone": "Etc/UTC" },
                "payments": {},
                "payouts": {
                    "debit_negative_balances": false,
                    "schedule": { "delay_days": delay, "interval": "manual" },
                },
            },
            "tos_acceptance": { "date": null, "ip": null, "user_agent": null },
            "type": "standard",
        });
        // All else that is always there is null.
        Ok(project(Description::newest(), known))
    }))
}

fn balance<'r>(params: Params) -> Result<Work<'r>, ApiError> {
    params.finish()?;
    Ok(Box::new(|transaction| {
        Ok(account::book::shown(transaction)?)
    }))
}

fn balance_settings<'r>(params: Params) -> Result<Work<'r>, ApiError> {
    params.finish()?;
    Ok(Box::new(|transaction| {
        Ok(BalanceSettings::of(transaction)?.answer())
    }))
}

/// What goes with automatic payouts is refused by name, as all payouts here are manual.
fn set_balance<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let mut payments = params.object("payments")?;
    let mut payouts = payments.object("payouts")?;
    let descriptor = payouts.maybe_empty_text("statement_descriptor", 22)?;
    let mut schedule = payouts.object("schedule")?;
    if schedule.peek("interval") == Some("manual") {
        schedule.text("interval")?;
    }
    schedule.finish()?;
    payouts.finish()?;
    let mut timing = payments.object("settlement_timing")?;
    let field = "delay_days_override";
    let resets = timing.is_empty_text(field);
    let delay = match resets {
        true => timing.take(field).map(|_| None)?,
        false => timing.integer_within(field, LEAST_DELAY, MOST_DELAY)?,
    };
    timing.finish()?;
    payments.finish()?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut settings = BalanceSettings::of(transaction)?;
        let before = settings.answer();
        if let Some(descriptor) = descriptor {
            settings.statement_descriptor = Some(descriptor).filter(|it| !it.is_empty());
        }
        if resets || delay.is_some() {
            settings.delay = delay;
        }
        if settings.answer() != before {
            transaction.put(&settings)?;
            record_change(transaction, "balance_settings.updated", &before, &settings)?;
        }
        Ok(settings.answer())
    }))
}
