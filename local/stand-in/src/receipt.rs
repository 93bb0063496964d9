//! `/receipts/{charge}`: what a buyer gets for their money, as a charge's `receipt_url` leads to it.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use time::OffsetDateTime;

use crate::account::amount::Amount;
use crate::browser::{self, Owner};
use crate::engine::time::Timestamp;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::method::Means;
use crate::stand_in::StandIn;

#[derive(Template)]
#[template(path = "receipt.html", config = "askama.toml")]
struct Page {
    shop: String,
    receipt: Option<Receipt>,
}

struct Receipt {
    charge: String,
    paid: String,
    /// What has gone back since, if something has.
    refunded: Option<String>,
    on: String,
    with: String,
    description: Option<String>,
}

pub(crate) fn routes() -> Router<StandIn> {
    Router::new().route("/receipts/{charge}", get(show))
}

async fn show(Owner(account, cause): Owner, Path(id): Path<String>) -> Response {
    let shop = account.0.settings.business_name.clone();
    let charge = account
        .transact(cause, move |transaction| transaction.get::<Charge>(&id))
        .await;
    match charge {
        Ok(charge) => {
            let receipt = charge.as_ref().and_then(Receipt::of);
            let status = match receipt {
                Some(_) => StatusCode::OK,
                None => StatusCode::NOT_FOUND,
            };
            browser::page(status, &Page { shop, receipt })
        }
        Err(error) => browser::failed(&error),
    }
}

impl Receipt {
    /// There is none of what did not succeed.
    fn of(charge: &Charge) -> Option<Self> {
        if !matches!(charge.state, ChargeState::Captured { .. }) {
            return None;
        }
        let money = |amount| charge.currency.display(amount);
        Some(Self {
            charge: charge.id.to_string(),
            paid: money(charge.captured()),
            refunded: (charge.amount_refunded > Amount::ZERO)
                .then(|| money(charge.amount_refunded)),
            on: day(charge.created),
            with: match &charge.means {
                Means::Card(card) => {
                    format!("{} •••• {}", card.test.brand.legacy(), card.test.last4())
                }
                Means::BankDebit(_) => "Bank debit".to_owned(),
                Means::Voucher(voucher) => voucher.name().to_owned(),
                Means::CustomerBalance => "Bank transfer".to_owned(),
            },
            description: charge.description.clone(),
        })
    }
}

/// Such as `2026-11-26`.
fn day(moment: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(moment)
        .map(|moment| moment.date().to_string())
        .unwrap_or_default()
}
