//! `/v1/account`, `/v1/balance` and `/v1/balance_transactions`: whose money it is, and what becomes
//! of it.

use serde_json::json;

use crate::account;
use crate::account::balance::BalanceTransaction;
use crate::account::currency::Currency;
use crate::engine::resource::Object as _;
use crate::wire::answer::{Asked, Route, Settings, Work};
use crate::wire::errors::ApiError;
use crate::wire::expand::{Expansions, Shape};
use crate::wire::lists::{Paging, created};
use crate::wire::params::Params;

const URL: &str = "/v1/balance_transactions";

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    let settings = asked.settings;
    Some(match (asked.method, asked.path) {
        ("GET", ["account"]) => Box::new(move |params| account(params, settings)),
        ("GET", ["balance"]) => Box::new(balance),
        ("GET", ["balance_transactions"]) => Box::new(transactions),
        ("GET", ["balance_transactions", id]) => Box::new(move |params| transaction(id, params)),
        _ => return None,
    })
}

/// The account that the secret key belongs to.
fn account(mut params: Params, settings: &Settings) -> Result<Work<'_>, ApiError> {
    Expansions::read(&mut params, Shape::One("account"))?;
    params.finish()?;
    Ok(Box::new(move |_| {
        Ok(json!({
            "id": settings.account.as_str(),
            "object": "account",
            "business_profile": {
                "annual_revenue": null,
                "estimated_worker_count": null,
                "mcc": null,
                "minority_owned_business_designation": null,
                "name": settings.business_name,
                "product_description": null,
                "specified_commercial_transactions_act_url": null,
                "support_address": null,
                "support_email": null,
                "support_phone": null,
                "support_url": null,
                "url": null,
            },
            "business_type": null,
            "capabilities": { "card_payments": "active", "transfers": "active" },
            "charges_enabled": true,
            "controller": { "type": "account" },
            "country": "US",
            "created": 1_700_000_000,
            "default_currency": Currency::SETTLEMENT,
            "details_submitted": true,
            "email": null,
            "metadata": {},
            "payouts_enabled": true,
            "settings": {
                "branding": {
                    "icon": null,
                    "logo": null,
                    "primary_color": null,
                    "secondary_color": null,
                },
                "card_payments": {
                    "decline_on": { "avs_failure": false, "cvc_failure": true },
                    "statement_descriptor_prefix": null,
                    "statement_descriptor_prefix_kana": null,
                    "statement_descriptor_prefix_kanji": null,
                },
                "dashboard": { "display_name": settings.business_name, "timezone": "Etc/UTC" },
                "payments": {
                    "statement_descriptor": null,
                    "statement_descriptor_kana": null,
                    "statement_descriptor_kanji": null,
                },
            },
            "tos_acceptance": { "date": null, "ip": null, "user_agent": null },
            "type": "standard",
        }))
    }))
}

fn balance<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    Expansions::read(&mut params, Shape::One("balance"))?;
    params.finish()?;
    Ok(Box::new(|transaction| {
        Ok(account::book::shown(transaction)?)
    }))
}

fn transaction(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, Shape::One(BalanceTransaction::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let found = transaction.get::<BalanceTransaction>(id)?;
        let found =
            found.ok_or_else(|| ApiError::no_such(BalanceTransaction::KIND, id).param("id"))?;
        Ok(expansions.apply(transaction, found.answer())?)
    }))
}

fn transactions<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let filter = created(&mut params)?.having("source", params.text("source")?);
    let expansions = Expansions::read(&mut params, Shape::List(BalanceTransaction::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let page = paging.stored::<BalanceTransaction>(transaction, URL, &filter)?;
        Ok(expansions.apply(transaction, page)?)
    }))
}
