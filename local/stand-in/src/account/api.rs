//! `/v1/account`, `/v1/accounts/{account}`, `/v1/balance` and what moved it: whose money it is, and how much.

use serde_json::json;

use crate::account;
use crate::account::currency::Currency;
use crate::collection;
use crate::description::{Description, project};
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
        ("GET", ["balance_transactions"]) => {
            let list = collection::route(asked)?;
            Box::new(move |params| match params.peek("payout") {
                Some(_) => Ok(Box::new(|_| Err(of_a_manual_payout()))),
                None => list(params),
            })
        }
        _ => return None,
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
    Ok(Box::new(move |_| {
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
                    "schedule": { "delay_days": 2, "interval": "manual" },
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
